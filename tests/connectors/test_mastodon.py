"""The Mastodon connector against the stand-in: several hashtags, the search, Mastodon's traps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.errors import SourceRejected, SourceUnavailable
from connectors.mastodon import MastodonConnector, MastodonSettings
from connectors.post import CursorState, Post
from tests.connectors.api_server import Answer, Call
from tests.connectors.contract import NOW
from tests.connectors.mastodon_server import MastodonServer, Status, running, snowflake, status

TOKEN = "tokenThatNobodyMaySee"
HOUR_AGO = NOW - timedelta(hours=1)


@dataclass
class Desk:
    """A stand-in instance, and a monitor that reads it: `poll` starts anew each time."""

    server: MastodonServer
    token_file: Path
    keys: dict[str, Any] = field(default_factory=dict)
    terms: Sequence[str] = ("#FellgateHigh", "#LarkmoorTrust", "Fellgate High")
    cursor: CursorState = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)

    def connector(self) -> MastodonConnector:
        keys = {"instance": self.server.url, "timeout_s": 5, "allow_private": True} | self.keys
        settings = MastodonSettings.model_validate(keys)
        return MastodonConnector(settings, source="mastodon", terms=self.terms)

    def poll(self) -> list[Post]:
        posts: list[Post] = []
        for batch in self.connector().poll(self.cursor, now=NOW):
            posts += batch.posts
            self.gaps += [batch.gap] if batch.gap else []
            self.cursor = batch.cursor
        return posts

    def asked(self) -> list[str]:
        """What was asked for since the last look, without the question of what the instance offers."""
        paths = [call.path for call in self.server.calls if "instance" not in call.path]
        self.server.calls.clear()
        return paths

    def sign_in(self) -> None:
        self.keys["token_file"] = self.token_file


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    token_file = tmp_path / "token"
    token_file.write_text(f"{TOKEN}\n", encoding="utf-8")
    with running(TOKEN) as server:
        yield Desk(server, token_file)


def toots(count: int, *, start: int = 0, **more: Any) -> list[Status]:
    """Statuses a second apart, the newest an hour old."""
    return [
        status(
            snowflake(at := HOUR_AGO - timedelta(seconds=5000 - number)),
            f"toot {number}",
            at=at,
            **more,
        )
        for number in range(start, start + count)
    ]


# --- what is read ----------------------------------------------------------------------------------


def test_hashtags_are_read_without_a_token_and_phrases_with_one(desk: Desk) -> None:
    """Nobody needs an account for hashtags; the search joins in when there is one."""
    said = [
        status(snowflake(HOUR_AGO, 1), "no tag of ours, but Fellgate High", tags=[], at=HOUR_AGO),
        status(snowflake(HOUR_AGO, 2), "well done", tags=["larkmoortrust"], at=HOUR_AGO),
        status(snowflake(HOUR_AGO, 3), "of no interest", tags=["Weather"], at=HOUR_AGO),
    ]
    desk.server.statuses = said
    assert [post.text for post in desk.poll()] == ["well done"]
    assert not any("authorization" in call.headers for call in desk.server.calls)
    desk.sign_in()
    assert [post.text for post in desk.poll()] == ["no tag of ours, but Fellgate High"]
    assert desk.poll() == []


def test_only_organisations_are_asked_for_and_nothing_is_written(desk: Desk) -> None:
    """Timelines of hashtags by `min_id`, and searches of statuses: GETs all, no account asked for."""
    desk.keys["contact"] = "web@larkmoortrust.example"
    desk.sign_in()
    desk.server.statuses = toots(50)
    desk.poll()
    calls = desk.server.calls
    assert all(call.method == "GET" for call in calls)
    assert all("web@larkmoortrust.example" in call.headers["user-agent"] for call in calls)
    assert any("min_id" in call.query for call in calls)
    assert not any({"max_id", "since_id", "account_id"} & set(call.query) for call in calls)
    (search,) = [call for call in calls if "search" in call.path]
    assert (search.given("q"), search.given("type")) == ('"Fellgate High"', "statuses")
    assert {path for path in desk.asked() if "tag" in path} == {
        "/api/v1/timelines/tag/FellgateHigh",
        "/api/v1/timelines/tag/LarkmoorTrust",
    }


def test_a_post_with_two_hashtags_that_the_search_finds_too_comes_once(desk: Desk) -> None:
    """The same status on several ways is one post, and so is its edit."""
    desk.sign_in()
    tags = ["FellgateHigh", "LarkmoorTrust"]
    name = snowflake(HOUR_AGO)
    desk.server.statuses = [status(name, "Fellgate High is shut", tags=tags, at=HOUR_AGO)]
    assert len(desk.poll()) == 1
    words = "Fellgate High is open after all"
    desk.server.statuses = [status(name, words, tags=tags, at=HOUR_AGO, edited_at="2026-11-21")]
    assert [post.text for post in desk.poll()] == [words]
    assert desk.poll() == []


@pytest.mark.parametrize("found_late", [False, True])
def test_a_lagging_search_brings_no_old_words_back(desk: Desk, found_late: bool) -> None:
    """What the search still shows as it was, though its hashtag showed the edit, is not told."""
    desk.sign_in()
    name = snowflake(HOUR_AGO)
    old = status(name, "Fellgate High is shut", at=HOUR_AGO)
    new = status(name, "Fellgate High is open", at=HOUR_AGO)
    desk.server.statuses = [old]
    desk.server.befalls = lambda call: "search" in call.path
    desk.server.fault = Answer(content={"statuses": [] if found_late else [old]})
    assert len(desk.poll()) == 1
    desk.server.statuses = [new]
    desk.server.fault = Answer(content={"statuses": [old]})
    assert [post.text for post in desk.poll()] == ["Fellgate High is open"]
    assert desk.poll() == []
    desk.server.recover()
    assert desk.poll() == []


def test_an_edit_that_the_search_shows_first_is_not_lost(desk: Desk) -> None:
    """The hashtag tells it, once, when it shows it too."""
    desk.sign_in()
    name = snowflake(HOUR_AGO)
    old = status(name, "Fellgate High is shut", at=HOUR_AGO)
    new = status(name, "Fellgate High is open", at=HOUR_AGO)
    desk.server.statuses = [old]
    desk.server.befalls = lambda call: "search" in call.path
    desk.server.fault = Answer(content={"statuses": []})
    desk.poll()
    desk.server.fault = Answer(content={"statuses": [new]})
    assert desk.poll() == []
    desk.server.statuses = [new]
    assert [post.text for post in desk.poll()] == ["Fellgate High is open"]
    assert desk.poll() == []


def test_what_arrives_late_behind_what_is_known_is_found(desk: Desk) -> None:
    """A status that reaches the instance late has an older id than what was read: 60 behind, say."""
    everything = toots(100)
    desk.server.statuses = everything[:40] + everything[41:]
    assert len(desk.poll()) == 99
    desk.server.statuses = everything
    assert desk.poll() == []  # nothing on the newest page told of it
    desk.server.statuses = [*everything, *toots(1, start=100)]
    assert sorted(post.text for post in desk.poll()) == ["toot 100", "toot 40"]


def test_a_burst_beyond_one_poll_goes_on_in_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much there is, a poll reads so many pages, and the next one goes on from there."""
    monkeypatch.setattr("connectors.mastodon.MAX_PAGES", 3)
    desk.terms = ["#FellgateHigh"]
    desk.server.statuses = toots(300)
    read = [post.text for _ in range(10) for post in desk.poll()]
    assert read == [f"toot {number}" for number in range(300)]
    assert desk.gaps == []


def test_deletions_on_the_newest_page_bring_nothing_old_up(desk: Desk) -> None:
    """What moves up from before the look-back, because newer ones went, is not told."""
    old = [
        status(snowflake(at := NOW - timedelta(days=60, seconds=number)), f"old {number}", at=at)
        for number in range(60)
    ]
    desk.server.statuses = [*old, *toots(20)]
    assert len(desk.poll()) == 20
    desk.server.statuses = [*old, *toots(5)]
    assert desk.poll() == []
    desk.server.statuses = [*old, *toots(6)]
    assert desk.poll() == []


def test_boosts_and_what_is_not_public_are_passed_over(desk: Desk) -> None:
    """Boosts are not followed, and what is for a few is not read."""
    boost = status(snowflake(HOUR_AGO, 1), "", at=HOUR_AGO, reblog=toots(1)[0])
    private = status(snowflake(HOUR_AGO, 2), "for friends", at=HOUR_AGO, visibility="private")
    desk.server.statuses = [boost, private]
    assert desk.poll() == []


def test_many_searches_take_turns(desk: Desk) -> None:
    """30 phrases in one poll, the others in the next."""
    desk.sign_in()
    desk.terms = [f"School Number {number}" for number in range(40)]
    desk.poll()
    desk.poll()
    asked = [call.given("q") for call in desk.server.calls if "search" in call.path]
    assert len(asked) == 60
    assert len(set(asked)) == 40


def test_more_found_than_read_is_a_gap(desk: Desk) -> None:
    """Five pages of a search are read: when all of it is new, there may be more."""
    desk.sign_in()
    desk.terms = ["Fellgate High"]
    desk.server.statuses = [
        status(snowflake(HOUR_AGO, number), f"Fellgate High {number}", tags=[], at=HOUR_AGO)
        for number in range(201)
    ]
    assert len(desk.poll()) == 200
    assert ["Fellgate High" in gap for gap in desk.gaps] == [True]
    assert desk.poll() == []
    assert len(desk.gaps) == 1


# --- deletions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_lists", [True, False])
def test_deletions_are_found_by_id(desk: Desk, has_lists: bool) -> None:
    """20 at a time, or one by one before Mastodon 4.3; other instances' ids are left alone."""
    desk.server.statuses = toots(45)
    desk.server.has_lists = has_lists
    ids = [post.native_id for post in desk.poll()]
    desk.server.statuses = desk.server.statuses[1:]
    desk.asked()
    elsewhere = "other.example/1"
    assert desk.connector().check_gone([*ids, elsewhere]) == {ids[0]}
    assert len(desk.asked()) == (3 + 1 if has_lists else 3 + 45)


def test_deletions_that_cannot_be_checked_are_no_deletions(desk: Desk) -> None:
    """When the instance doesn't answer well, check_gone raises."""
    desk.server.statuses = toots(1)
    ids = [post.native_id for post in desk.poll()]
    for code, error in ((500, SourceUnavailable), (429, SourceUnavailable), (401, SourceRejected)):
        desk.server.fault = Answer(status=code)
        with pytest.raises(error):
            desk.connector().check_gone(ids)


# --- faults ----------------------------------------------------------------------------------------


def is_timeline(call: Call) -> bool:
    return "timelines" in call.path


FAULTS: dict[str, tuple[Answer, type[Exception], float | None]] = {
    "429 with a reset": (
        Answer(
            status=429,
            headers={
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": "2026-11-21T08:05:00.000000Z",
                "Date": "Sat, 21 Nov 2026 08:00:00 GMT",
            },
        ),
        SourceUnavailable,
        300,
    ),
    "429 with retry-after": (
        Answer(
            status=429, headers={"Retry-After": "77", "X-RateLimit-Reset": "2026-11-21T08:05:00Z"}
        ),
        SourceUnavailable,
        77,
    ),
    "429 with a reset in the past": (
        Answer(status=429, headers={"X-RateLimit-Reset": "2020-01-01T00:00:00Z"}),
        SourceUnavailable,
        None,
    ),
    "503": (Answer(status=503, content=b"<h1>toot 0</h1>"), SourceUnavailable, None),
    "422": (Answer(status=422, content={"error": "toot 0"}), SourceRejected, None),
    "redirect": (Answer(status=301, headers={"Location": "/elsewhere"}), SourceRejected, None),
    "html": (Answer(content=b"<!doctype html><p>toot 0"), SourceUnavailable, None),
    "nothing": (Answer(content=b""), SourceUnavailable, None),
    "null": (Answer(content=None), SourceUnavailable, None),
    "an object": (Answer(content={"error": "toot 0"}), SourceUnavailable, None),
    "deep": (Answer(content=b'{"a":' * 50_000), SourceUnavailable, None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_a_timeline(desk: Desk, fault: str) -> None:
    """Each is asked for once, at once told as what it is, quotes nothing, and loses nothing."""
    desk.server.statuses = toots(2)
    desk.server.befalls = is_timeline
    desk.server.fault, error, retry_after = FAULTS[fault]
    started = time.monotonic()
    with pytest.raises(error) as caught:
        desk.poll()
    assert time.monotonic() - started < 2
    assert getattr(caught.value, "retry_after", None) == retry_after
    assert "toot" not in str(caught.value)
    assert len(desk.asked()) == 1
    desk.server.recover()
    assert len(desk.poll()) == 2


def test_odd_limit_headers_do_no_harm(desk: Desk) -> None:
    """Mastodon.py raises for a reset that it can't parse, though all is well."""
    desk.server.statuses = toots(2)
    desk.server.headers = {"X-RateLimit-Reset": "soon", "X-RateLimit-Remaining": "many"}
    assert len(desk.poll()) == 2


def test_a_burst_cut_short_goes_on_where_it_stopped(desk: Desk) -> None:
    """Pages that were committed before the instance failed are not read again and again."""
    desk.terms = ["#FellgateHigh"]
    desk.server.statuses = toots(400)
    desk.server.befalls = lambda call: (
        sum("timelines" in known.path for known in desk.server.calls) > 5
    )
    desk.server.fault = Answer(status=503)
    with pytest.raises(SourceUnavailable):
        desk.poll()
    desk.server.recover()
    assert len(desk.poll()) == 240
    assert desk.gaps == []


# --- credentials and settings ----------------------------------------------------------------------


def test_an_instance_that_wants_a_token_says_so(desk: Desk) -> None:
    """Hashtags for signed-in people only: the key to set is named, and setting it helps."""
    desk.server.statuses = toots(1)
    desk.server.needs_token = True
    with pytest.raises(SourceRejected, match="token_file"):
        desk.poll()
    desk.sign_in()
    assert len(desk.poll()) == 1


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda path: path.unlink(), "token_file .*No such file"),
        (lambda path: path.write_text(" \n"), "token_file .*one token"),
        (lambda path: path.write_text("a\nb"), "token_file .*one token"),
        (lambda path: path.write_bytes(b"\xff\xfe\xfd"), "token_file .*not text"),
        (lambda path: path.write_text("wrong"), "401.*token_file"),
    ],
)
def test_a_bad_token_is_told(desk: Desk, spoil: Callable[[Path], object], complaint: str) -> None:
    """The key to mend is named, the token never."""
    desk.sign_in()
    spoil(desk.token_file)
    with pytest.raises(SourceRejected, match=complaint) as caught:
        desk.poll()
    assert "wrong" not in str(caught.value)


def test_nothing_to_read_is_a_refusal(desk: Desk) -> None:
    """Without hashtags and without a token, the source doesn't pretend to be well."""
    desk.terms = ["Fellgate High"]
    with pytest.raises(SourceRejected, match="no hashtags"):
        desk.poll()


def test_hashtags_of_the_settings_and_of_the_watchlist_are_one_list(desk: Desk) -> None:
    """However it is written, a hashtag is read once."""
    desk.keys["hashtags"] = ["fellgatehigh", "#StMarysLarkmoor"]
    desk.poll()
    assert sorted(path.rpartition("/")[2] for path in desk.asked()) == [
        "LarkmoorTrust",
        "StMarysLarkmoor",
        "fellgatehigh",
    ]


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"instance": "mastodon.example"}, "instance's address"),
        ({"instance": "https://mastodon.example/@somebody"}, "without a page or a profile"),
        ({"instance": "https://me:secret@mastodon.example"}, "instance's address"),
        ({"hashtags": ["two words"]}, "should match"),
        ({"hashtags": ["../accounts/7"]}, "should match"),
        ({"accounts": ["somebody"]}, "Extra inputs"),
        ({"query": "from:somebody"}, "Extra inputs"),
    ],
)
def test_settings_are_refused(desk: Desk, keys: dict[str, Any], complaint: str) -> None:
    """An instance and hashtags only, never a person."""
    desk.keys = keys
    with pytest.raises(ValidationError, match=complaint) as caught:
        desk.connector()
    assert "secret" not in str(caught.value)


def test_how_to_get_a_token_is_said_in_words() -> None:
    """The class can tell a trust without a token what to do."""
    assert "read:search" in MastodonConnector.apply_for
