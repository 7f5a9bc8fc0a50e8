"""What every kind of connector promises (`connectors.testing`), over every kind there is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors import KINDS, load
from connectors.testing import FAULTS, ContractSuite
from tests.connectors.contract import (
    HARNESSES,
    OWN_FAULTS,
    Harness,
    Reader,
    drafts,
    harness_for,
    own_faults,
)

ROOT = Path(__file__).resolve().parents[2]


class TestContract(ContractSuite):
    """Every kind in turn."""

    @pytest.fixture
    def harness(self, kind: str) -> Iterator[Harness]:
        """A running platform of that kind."""
        with harness_for(kind) as harness:
            yield harness

    @pytest.fixture
    def settings(self, kind: str) -> Any:
        """The model of that kind's stanza."""
        return load(kind.partition(" ")[0]).Settings

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Everything over every kind; its own faults over a kind that has some."""
        kinds = sorted(HARNESSES)
        if "fault" in metafunc.fixturenames:
            cases = [
                (kind, *item) for kind in kinds for item in (own_faults(kind) or FAULTS).items()
            ]
            metafunc.parametrize(
                ("kind", "fault"),
                [pytest.param(kind, fault, id=f"{kind}-{name}") for kind, name, fault in cases],
            )
        elif "kind" in metafunc.fixturenames:
            network = metafunc.function.__name__ == "test_retry_after_reaches_the_caller"
            metafunc.parametrize("kind", [k for k in kinds if not (network and k in OWN_FAULTS)])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_complete(kind: str) -> None:
    """Each kind has a class with frozen, closed Settings, a harness and a folder of fixtures."""
    settings = load(kind).Settings
    assert settings.model_config["frozen"]
    assert settings.model_config["extra"] == "forbid"
    assert kind in HARNESSES
    assert any((ROOT / "tests" / "data" / kind).iterdir())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_stands_in_the_example_configuration(kind: str) -> None:
    """config.example.toml shows a stanza of each kind."""
    assert f'kind = "{kind}"' in (ROOT / "config.example.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", sorted(OWN_FAULTS))
def test_a_kind_with_faults_of_its_own_uses_no_network(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a kind that opens no socket is excused from HTTP's faults."""

    def opened(*args: object, **kwargs: object) -> None:
        pytest.fail("it opens a socket: its line in OWN_FAULTS must go")

    with harness_for(kind) as harness:
        monkeypatch.setattr(socket, "socket", opened)
        harness.posts = drafts(2)
        assert len(Reader(harness).poll()) == 2
