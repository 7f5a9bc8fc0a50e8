"""Golden pairs: a timeline in tests/data/mastodon, in Mastodon's wire format, beside what it gives."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mastodon_post import to_post

DATA = Path(__file__).resolve().parents[1] / "data" / "mastodon"
TIMELINES = sorted(path for path in DATA.iterdir() if not path.name.endswith(".expected.json"))
HOST = "mastodon.example"


@pytest.mark.parametrize("path", TIMELINES, ids=lambda path: path.name)
def test_a_timeline_gives_its_posts(path: Path) -> None:
    """Each timeline gives exactly the posts written beside it: no boost, and nothing for a few."""
    posts: list[dict[str, Any]] = []
    refused = 0
    for status in json.loads(path.read_text(encoding="utf-8")):
        try:
            posts.append(asdict(to_post(status, HOST)))
        except ValueError:
            refused += 1
    found = {"posts": posts, "refused": refused}
    expected = path.with_name(f"{path.stem}.expected.json").read_text(encoding="utf-8")
    assert json.loads(json.dumps(found, default=str)) == json.loads(expected)


def test_mastodon_py_s_own_types_are_read_too() -> None:
    """Where Mastodon.py has made numbers and times of the wire's texts, the post is the same."""
    wire = {"id": "42", "visibility": "public", "content": "<p>x</p>"}
    typed: dict[str, Any] = {**wire, "id": 42, "created_at": datetime(2026, 11, 20, tzinfo=UTC)}
    assert to_post(typed, HOST) == to_post({**wire, "created_at": "2026-11-20T00:00:00Z"}, HOST)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = ["account", "content", "created_at", "language", "media_attachments", "poll", "uri", "url"]


@given(st.dictionaries(st.sampled_from([*FIELDS, "spoiler_text", "in_reply_to_id"]), JSON))
def test_whatever_stands_in_the_fields_is_a_post(fields: dict[str, Any]) -> None:
    """A public status with an id is a post, whatever is wrong with the rest of it."""
    status = {**fields, "id": "42", "visibility": "public"}
    assert to_post(status, HOST).native_id == "mastodon.example/42"
