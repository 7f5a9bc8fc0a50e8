"""Fixtures of the connectors' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.feed_server import FeedServer, running


@pytest.fixture
def feed_server() -> Iterator[FeedServer]:
    """A web server of this test's own."""
    with running() as server:
        yield server
