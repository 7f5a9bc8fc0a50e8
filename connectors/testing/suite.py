"""The contract suite: what every connector promises. Inherit from `ContractSuite`, and give it a harness.

    class TestMyConnector(ContractSuite):
        connector = MyConnector

        @pytest.fixture
        def harness(self) -> Iterator[Harness]: ...

Each test is one promise; docs/connectors.md says how to write a connector that keeps them.
"""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from connectors.errors import SourceError, SourceRejected, SourceUnavailable
from connectors.testing.harness import (
    NOW,
    SECRET,
    TIMEOUT_S,
    Fault,
    Faults,
    Harness,
    Reader,
    drafts,
    edited,
)

READ_S = 20.0  # what a connector may take beyond its source's deadline
PEOPLE = frozenset(
    {"author", "authors", "user", "users", "handle", "handles", "profile", "profiles", "person"}
    | {"people", "follow", "follows", "actor", "actors", "redditor", "redditors", "did", "dids"}
)
"""Words of keys that would let somebody watch a person."""
QUERIES = frozenset({"query", "queries", "q", "terms", "keywords", "search_terms", "phrases"})
"""Keys of a query of one's own: the monitor hands over the watchlist's terms, and nothing else."""


FAULTS: Faults = {
    "401": (lambda harness: harness.fail(401), SourceRejected),
    "403": (lambda harness: harness.fail(403), SourceRejected),
    "404": (lambda harness: harness.fail(404), SourceRejected),
    "410": (lambda harness: harness.fail(410), SourceRejected),
    "429": (lambda harness: harness.fail(429), SourceUnavailable),
    "500": (lambda harness: harness.fail(500), SourceUnavailable),
    "503": (lambda harness: harness.fail(503), SourceUnavailable),
    "hang": (lambda harness: harness.hang(), SourceUnavailable),
    "drip": (lambda harness: harness.drip(), SourceUnavailable),
    "empty": (lambda harness: harness.send(b""), SourceUnavailable),
    "blank": (lambda harness: harness.send(b" \n"), SourceUnavailable),
    "html": (
        lambda harness: harness.send(b"<!doctype html><title>Sorry</title><p>Back soon"),
        SourceUnavailable,
    ),
    "rubbish": (lambda harness: harness.send(bytes(range(256)) * 9), SourceUnavailable),
    "broken json": (lambda harness: harness.send(b'{"items": ['), SourceUnavailable),
    "json of another kind": (lambda harness: harness.send(b'{"data": []}'), SourceUnavailable),
    "deep json": (lambda harness: harness.send(b'{"a":' * 100_000), SourceUnavailable),
}


def _poll_fails(reader: Reader, error: type[SourceError]) -> SourceError:
    started = time.monotonic()
    with pytest.raises(error) as caught:
        reader.poll()
    assert time.monotonic() - started < TIMEOUT_S + READ_S
    assert SECRET not in str(caught.value)
    return caught.value


class ContractSuite:
    """Over one kind of connector. `own_faults` stands in for HTTP's where there is no network."""

    connector: ClassVar[Any]
    own_faults: ClassVar[Faults | None] = None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test a fault."""
        if "fault" in metafunc.fixturenames:
            faults = self.own_faults or FAULTS
            metafunc.parametrize("fault", list(faults.values()), ids=list(faults))

    @pytest.fixture
    def reader(self, harness: Harness) -> Reader:
        """A monitor that has seen nothing yet."""
        return Reader(harness)

    @pytest.fixture
    def settings(self) -> Any:
        """The model of the connector's stanza."""
        return self.connector.Settings

    def test_settings_are_closed_and_watch_no_person(self, settings: Any) -> None:
        """Settings are frozen, refuse unknown keys, and have none for a person or a free query."""
        assert settings.model_config["frozen"]
        assert settings.model_config["extra"] == "forbid"
        keys = set(settings.model_fields)
        assert keys.isdisjoint(QUERIES)
        assert PEOPLE.isdisjoint(part for key in keys for part in key.split("_"))

    def test_everything_is_delivered_once(self, harness: Harness, reader: Reader) -> None:
        """What is there at first, and what comes later, is delivered once each."""
        harness.posts = drafts(3)
        assert len(reader.poll()) == 3
        assert reader.poll() == []
        harness.posts = drafts(5)
        assert sorted(reader.poll()) == sorted(draft.text for draft in harness.posts[:2])
        assert reader.poll() == []
        assert reader.gaps == []

    @pytest.mark.parametrize("commits", [0, 1, 3])
    def test_a_death_at_any_commit_loses_and_repeats_nothing(
        self, harness: Harness, reader: Reader, commits: int
    ) -> None:
        """Killed before any of its commits, the next start delivers exactly the rest."""
        harness.posts = drafts(350)
        reader.poll(commits=commits)
        assert len(reader.texts) < 350
        reader.poll()
        assert sorted(reader.texts) == sorted(draft.text for draft in harness.posts)
        harness.posts = drafts(700)
        reader.poll(commits=commits)
        reader.poll()
        assert sorted(reader.texts) == sorted(draft.text for draft in harness.posts)
        assert reader.poll() == []

    def test_500_new_posts_between_two_polls_all_arrive(
        self, harness: Harness, reader: Reader
    ) -> None:
        """A burst is delivered whole."""
        harness.posts = drafts(10)
        reader.poll()
        harness.posts = drafts(510)
        assert len(set(reader.poll())) == 500

    def test_a_death_in_a_burst_is_not_told_as_a_gap(
        self, harness: Harness, reader: Reader
    ) -> None:
        """Half a first run and the other half later is no gap."""
        harness.posts = drafts(350)
        reader.poll(commits=1)
        reader.poll()
        assert reader.gaps == []

    def test_late_items_with_old_dates_are_delivered(
        self, harness: Harness, reader: Reader
    ) -> None:
        """A post indexed or approved late arrives, though its date lies far behind."""
        harness.posts = drafts(5)
        reader.poll()
        late = replace(drafts(1, start=90)[0], published_at=NOW - timedelta(days=90))
        harness.posts = [*harness.posts[:3], late, *harness.posts[3:]]
        assert reader.poll() == [late.text]

    def test_items_of_the_same_second_are_all_delivered(
        self, harness: Harness, reader: Reader
    ) -> None:
        """Posts of one second are told apart, also over two polls."""
        moment = NOW - timedelta(hours=2)
        harness.posts = drafts(3, at=moment)
        reader.poll()
        harness.posts = drafts(6, at=moment)
        assert len(reader.poll()) == 3

    def test_a_future_date_holds_nothing_up(self, harness: Harness, reader: Reader) -> None:
        """After a post dated in the future, posts of today still arrive."""
        future = replace(drafts(1, start=99)[0], published_at=NOW + timedelta(days=400))
        harness.posts = [future, *drafts(2)]
        assert len(reader.poll()) == 3
        harness.posts = [future, *drafts(4)]
        assert len(reader.poll()) == 2

    def test_a_missing_date_is_delivered_once_and_stays_missing(
        self, harness: Harness, reader: Reader
    ) -> None:
        """An undated post is delivered on the first poll, once, and is given no date."""
        harness.posts = [replace(draft, published_at=None) for draft in drafts(2)]
        assert len(reader.poll()) == 2
        assert reader.poll() == []
        assert {post.published_at for post in reader.posts} == {None}

    def test_order_does_not_matter(self, harness: Harness, reader: Reader) -> None:
        """Posts in any order, re-ordered between polls, are delivered once each."""
        harness.posts = drafts(6)[::2] + drafts(6)[1::2]
        reader.poll()
        harness.posts = drafts(8)[::-1]
        assert len(reader.poll()) == 2
        assert len(set(reader.texts)) == 8

    def test_an_edit_is_delivered_again_under_its_id(
        self, harness: Harness, reader: Reader
    ) -> None:
        """An edited post comes again, with the same id and another content hash, once."""
        harness.posts = drafts(3)
        reader.poll()
        harness.posts[1] = edited(harness.posts[1], "Larkmoor School, I take it all back")
        assert reader.poll() == ["Larkmoor School, I take it all back"]
        assert reader.poll() == []
        assert len({post.native_id for post in reader.posts}) == 3

    def test_a_new_date_alone_is_no_news(self, harness: Harness, reader: Reader) -> None:
        """A post that is only re-dated is not delivered again."""
        harness.posts = drafts(3)
        reader.poll()
        harness.posts = [replace(draft, published_at=NOW) for draft in harness.posts]
        assert reader.poll() == []

    def test_a_deleted_post_that_returns_is_not_news(
        self, harness: Harness, reader: Reader
    ) -> None:
        """A post that vanishes and comes back is not delivered twice."""
        everything = harness.posts = drafts(4)
        reader.poll()
        harness.posts = everything[2:]
        assert reader.poll() == []
        harness.posts = everything
        assert reader.poll() == []

    def test_the_first_poll_looks_back_no_further_than_30_days(
        self, harness: Harness, reader: Reader
    ) -> None:
        """Old posts are passed over at first, and stay passed over."""
        old = replace(drafts(1, start=50)[0], published_at=NOW - timedelta(days=31))
        harness.posts = [*drafts(2), old]
        assert len(reader.poll()) == 2
        assert reader.poll() == []

    def test_a_feed_that_turned_over_is_a_gap(self, harness: Harness, reader: Reader) -> None:
        """When nothing known is left in what the source still shows, that is said, unless that is how it
        should be: a new export holds new rows only."""
        harness.posts = drafts(5)
        reader.poll()
        harness.posts = drafts(5, start=100)
        assert len(reader.poll()) == 5
        assert len(reader.gaps) == getattr(harness, "turns_over", True)

    def test_the_cursor_is_bounded(self, harness: Harness, reader: Reader) -> None:
        """However much has passed, the cursor stays below 300 KB."""
        shown = min(
            2000, harness.capacity
        )  # more at once, and the source itself would drop the rest
        for start in range(0, 8000, shown):
            harness.posts = drafts(shown, start=start)
            reader.poll()
        assert len(reader.texts) == len(set(reader.texts)) == -(-8000 // shown) * shown
        assert len(str(reader.cursor)) < 300_000

    def test_a_failure_is_told_and_nothing_is_lost_or_repeated(
        self, harness: Harness, reader: Reader, fault: Fault
    ) -> None:
        """A failing poll raises the right error within its deadline, without a secret, and afterwards
        exactly what came meanwhile is delivered."""
        harness.posts = drafts(3)
        reader.poll()
        harness.posts = drafts(5)
        fail, error = fault
        fail(harness)
        _poll_fails(reader, error)
        harness.recover()
        assert len(reader.poll()) == 2
        assert len(set(reader.texts)) == 5

    def test_retry_after_reaches_the_caller(self, harness: Harness, reader: Reader) -> None:
        """What the source asks for is passed on in seconds."""
        if self.own_faults is not None:
            pytest.skip("a kind without a network is told nothing about when to come back")
        harness.fail(429, retry_after="120")
        error = _poll_fails(reader, SourceUnavailable)
        assert isinstance(error, SourceUnavailable)
        assert error.retry_after == 120

    def test_no_posts_at_all_is_not_a_failure(self, harness: Harness, reader: Reader) -> None:
        """A source without posts is read successfully, and forgets nothing."""
        assert reader.poll() == []
        everything = harness.posts = drafts(3)
        reader.poll()
        harness.posts = []
        assert reader.poll() == []
        harness.posts = everything
        assert reader.poll() == []

    def test_memory_is_bounded(self, harness: Harness, reader: Reader) -> None:
        """2,000 posts cost less than 50 MB."""
        harness.posts = drafts(2000)
        tracemalloc.start()
        reader.poll()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 50_000_000

    def test_settings_do_not_print_secrets(self, harness: Harness) -> None:
        """What a connector or its settings print of themselves holds no secret."""
        connector = harness.connect()
        assert SECRET not in repr(connector)
        assert SECRET not in repr(vars(connector))
