"""The Reddit connector against the stand-in: several listings, Reddit's traps, credentials."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import praw.config
import pytest
from pydantic import ValidationError

from connectors.errors import SourceRejected, SourceUnavailable
from connectors.post import Batch, CursorState, Post
from connectors.reddit import RedditConnector, RedditSettings
from tests.connectors.api_server import Answer, Call
from tests.connectors.contract import NOW
from tests.connectors.reddit_server import (
    CLIENT_ID,
    RedditServer,
    as_deleted,
    comment,
    running,
    submission,
)

SECRET = "secretThatNobodyMaySee"
HOUR_AGO = NOW - timedelta(hours=1)


@dataclass
class Desk:
    """A stand-in Reddit, and a monitor that reads it: `poll` starts anew each time."""

    server: RedditServer
    secret_file: Path
    keys: dict[str, Any] = field(default_factory=dict)
    terms: Sequence[str] = ("Fellgate High",)
    cursor: CursorState = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def connector(self) -> RedditConnector:
        keys = {
            "subreddits": ["Larkmoor", "Northshire"],
            "client_id": CLIENT_ID,
            "client_secret_file": self.secret_file,
            "contact": "web@larkmoortrust.example",
            "timeout_s": 5,
            "allow_private": True,
            "site": self.server.url,
            "api_url": self.server.url,
        }
        settings = RedditSettings.model_validate(keys | self.keys)
        return RedditConnector(settings, source="reddit", terms=self.terms)

    def poll(self, *, now: datetime = NOW) -> list[Post]:
        posts: list[Post] = []
        batch: Batch
        for batch in self.connector().poll(self.cursor, now=now):
            posts += batch.posts
            self.deleted += batch.deleted
            self.gaps += [batch.gap] if batch.gap else []
            self.cursor = batch.cursor
        return posts

    def listed(self) -> list[str]:
        """The paths of the listings asked for since the last look."""
        paths = [call.path for call in self.server.calls if call.method == "GET"]
        self.server.calls.clear()
        return paths


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    secret_file = tmp_path / "reddit-secret"
    secret_file.write_text(f"{SECRET}\n", encoding="utf-8")
    with running(SECRET) as server:
        yield Desk(server, secret_file)


def comments(count: int, *, start: int = 0, subreddit: str = "Larkmoor") -> list[Any]:
    """Comments, newest first."""
    return [
        comment(f"t1_c{number}", f"remark {number}", subreddit=subreddit, at=HOUR_AGO)
        for number in reversed(range(start, start + count))
    ]


def is_listing(call: Call) -> bool:
    return call.method == "GET"


# --- what is read ----------------------------------------------------------------------------------


def test_comments_posts_and_search_results_come_once_each(desk: Desk) -> None:
    """A post that its subreddit lists and the search finds comes once; so does one from elsewhere."""
    desk.server.things = [
        comment("t1_a", "No school named here", at=HOUR_AGO),
        submission("t3_b", "Fellgate High open day", "Went well", at=HOUR_AGO),
        submission("t3_c", "Fellgate High?", subreddit="AskNorth", at=HOUR_AGO),
        submission("t3_d", "Nothing to do with us", subreddit="AskNorth", at=HOUR_AGO),
    ]
    assert sorted(post.native_id for post in desk.poll()) == ["t1_a", "t3_b", "t3_c"]
    assert desk.poll() == []


def test_only_organisations_are_asked_for_and_nothing_is_written(desk: Desk) -> None:
    """Each poll asks for an application-only token, then only reads listings, never by `before` and
    never of a person, and says who we are."""
    desk.server.things = comments(150)
    desk.poll()
    token, *listings = desk.server.calls
    assert (token.method, token.body) == ("POST", "grant_type=client_credentials")
    assert all(call.method == "GET" and "before" not in call.query for call in listings)
    assert all("web@larkmoortrust.example" in call.headers["user-agent"] for call in listings)
    assert {call.path for call in listings} == {
        "/r/Larkmoor/comments/",
        "/r/Larkmoor/new/",
        "/r/Northshire/comments/",
        "/r/Northshire/new/",
        "/search/",
    }
    assert [call.given("q") for call in listings if call.path == "/search/"] == ['"Fellgate High"']


def test_the_search_can_be_kept_within_the_subreddits_or_left_out(desk: Desk) -> None:
    """`search` decides where the search looks."""
    desk.keys = {"search": "subreddits"}
    desk.poll()
    (search,) = [call for call in desk.server.calls if "search" in call.path]
    assert (search.path, search.given("restrict_sr")) == ("/r/Larkmoor+Northshire/search/", "1")
    desk.server.calls.clear()
    desk.keys = {"search": "off"}
    desk.poll()
    assert not any("search" in call.path for call in desk.server.calls)


OLD = submission("t3_b", "Fellgate High", "was dreadful", at=HOUR_AGO)
NEW = submission("t3_b", "Fellgate High", "was fine in the end", at=HOUR_AGO, edited=1.0)


def search_shows(desk: Desk, *things: Any) -> None:
    """The search has an index of its own, which knows of `things` only."""
    desk.server.befalls = lambda call: call.path == "/search/"
    desk.server.fault = Answer(
        content={"kind": "Listing", "data": {"after": None, "children": things}}
    )


@pytest.mark.parametrize("found", [[], [OLD]])
def test_an_edit_comes_once_though_the_search_still_shows_the_old_words(
    desk: Desk, found: list[Any]
) -> None:
    """A search index that lags behind, or finds a post late, brings nothing back."""
    desk.server.things = [OLD]
    search_shows(desk, *found)
    assert len(desk.poll()) == 1
    desk.server.things = [NEW]
    search_shows(desk, OLD)
    assert [post.text for post in desk.poll()] == ["was fine in the end"]
    assert desk.poll() == []
    desk.server.recover()
    assert desk.poll() == []


def test_an_edit_that_the_search_shows_first_is_not_lost(desk: Desk) -> None:
    """The subreddit's listing tells it, once, when it shows it too."""
    desk.server.things = [OLD]
    search_shows(desk)
    desk.poll()
    search_shows(desk, NEW)
    assert desk.poll() == []
    desk.server.things = [NEW]
    assert [post.text for post in desk.poll()] == ["was fine in the end"]
    assert desk.poll() == []


def test_the_deleted_newest_post_stalls_nothing(desk: Desk) -> None:
    """What comes after the newest known post was deleted arrives; by `before` it never would."""
    desk.server.things = comments(3)
    desk.poll()
    desk.server.things = comments(2, start=3) + desk.server.things
    desk.server.deleted = {"t1_c2"}
    by_before = Call(
        method="GET",
        path="/r/Larkmoor/comments/",
        query={"before": ["t1_c2"]},
        headers={"authorization": "bearer app-only-token"},
        body="",
    )
    assert desk.server.respond(by_before).content["data"]["children"] == []
    assert [post.text for post in desk.poll()] == ["remark 3", "remark 4"]
    assert desk.gaps == []


def test_what_is_deleted_or_removed_is_told_once(desk: Desk) -> None:
    """Deleted comments, removed posts, and link posts of which only the title is left, are erased."""
    taken = submission("t3_b", "Fellgate High", at=HOUR_AGO, url="https://gazette.example/1")
    desk.server.things = [comment("t1_a", "spiteful", at=HOUR_AGO), taken]
    desk.poll()
    desk.server.things = [
        as_deleted(desk.server.things[0]),
        {"kind": "t3", "data": taken["data"] | {"removed_by_category": "moderator"}},
    ]
    assert desk.poll() == []
    assert sorted(desk.deleted) == ["t1_a", "t3_b"]
    assert desk.poll() == []
    assert len(desk.deleted) == 2


def test_deletions_are_found_again_by_id(desk: Desk) -> None:
    """check_gone asks for 100 at a time, and takes silence about an id for no answer."""
    desk.server.things = comments(230)
    desk.server.deleted = {"t1_c7", "t1_c229"}
    asked = [*(f"t1_c{number}" for number in range(230)), "t1_neverheardof"]
    assert desk.connector().check_gone(asked) == {"t1_c7", "t1_c229"}
    assert desk.listed() == ["/api/info/"] * 3


@pytest.mark.parametrize("status", [401, 403, 500])
def test_deletions_that_cannot_be_checked_are_no_deletions(desk: Desk, status: int) -> None:
    """When Reddit doesn't answer, check_gone raises."""
    desk.server.befalls = is_listing
    desk.server.fault = Answer(status=status)
    with pytest.raises((SourceRejected, SourceUnavailable), match="reddit"):
        desk.connector().check_gone(["t1_a"])


# --- gaps ------------------------------------------------------------------------------------------


def test_more_than_reddit_lists_is_a_gap(desk: Desk) -> None:
    """At the first run, and when more than 1,000 came between two polls, what is missing is told."""
    desk.keys = {"subreddits": ["Larkmoor"]}
    desk.server.things = comments(1100)
    assert len(desk.poll()) == 1000
    assert len(desk.gaps) == 1
    assert "r/Larkmoor comments" in desk.gaps[0]
    desk.server.things = comments(1001, start=1100)
    assert len(desk.poll()) == 1000
    assert len(desk.gaps) == 2
    assert desk.poll() == []
    assert len(desk.gaps) == 2


def test_a_quiet_search_is_no_gap(desk: Desk) -> None:
    """Results leave the search after a month: finding only others then misses nothing."""
    desk.keys = {"subreddits": []}
    desk.server.things = [submission("t3_a", "Fellgate High", at=HOUR_AGO)]
    desk.poll()
    desk.server.things = [submission("t3_b", "Fellgate High", at=HOUR_AGO)]
    assert len(desk.poll()) == 1
    assert desk.gaps == []


def test_a_closed_subreddit_is_a_gap_and_the_others_are_read(desk: Desk) -> None:
    """Private or banned: the rest is delivered, each poll says what isn't, and it heals by itself."""
    desk.server.things = [
        *comments(1),
        *comments(1, start=1, subreddit="Northshire"),
    ]
    desk.server.private = {"larkmoor"}
    assert [post.native_id for post in desk.poll()] == ["t1_c1"]
    desk.server.private, desk.server.banned = set(), {"larkmoor"}
    desk.listed()
    desk.poll()
    assert sum("/r/Larkmoor/" in path for path in desk.listed()) == 1
    assert ["private" in desk.gaps[0], "banned" in desk.gaps[1], len(desk.gaps)] == [True, True, 2]
    desk.server.banned = set()
    assert [post.native_id for post in desk.poll()] == ["t1_c0"]


def test_everything_closed_is_a_refusal(desk: Desk) -> None:
    """When nothing at all can be read, a person must act."""
    desk.keys = {"search": "off"}
    desk.server.private = {"larkmoor", "northshire"}
    with pytest.raises(SourceRejected, match=r"r/Larkmoor: private.*r/Northshire: private"):
        desk.poll()


def test_nothing_to_read_is_a_refusal(desk: Desk) -> None:
    """A source without subreddits and without terms doesn't pretend to be well."""
    desk.keys, desk.terms = {"subreddits": []}, ()
    with pytest.raises(SourceRejected, match="no subreddits"):
        desk.poll()


# --- limits and faults behind the token ------------------------------------------------------------


def test_used_up_limits_end_the_poll_without_waiting(desk: Desk) -> None:
    """praw would sleep for ten minutes. The rest is read first next time."""
    desk.server.things = comments(1)
    desk.server.limit_headers = {
        "x-ratelimit-remaining": "0.0",
        "x-ratelimit-used": "100",
        "x-ratelimit-reset": "590",
    }
    read: list[str] = []
    for _ in range(5):
        started = time.monotonic()
        with pytest.raises(SourceUnavailable) as caught:
            desk.poll()
        assert time.monotonic() - started < 2
        assert caught.value.retry_after == pytest.approx(590, abs=2)
        read += desk.listed()
    assert len(set(read)) == len(read) == 5


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ratelimit-remaining": "99.5", "x-ratelimit-used": "0.5", "x-ratelimit-reset": "12.5"},
        {"x-ratelimit-remaining": "nan", "x-ratelimit-used": "many", "x-ratelimit-reset": "-1"},
        {"x-ratelimit-remaining": "inf", "x-ratelimit-used": "", "x-ratelimit-reset": ""},
        {"x-ratelimit-remaining": "0"},
    ],
)
def test_odd_limit_headers_do_no_harm(desk: Desk, headers: dict[str, str]) -> None:
    """Fractions, which make praw raise ValueError, and rubbish are read past."""
    desk.server.things = comments(1)
    desk.server.limit_headers = headers
    assert len(desk.poll()) == 1


FAULTS: dict[str, tuple[Answer, type[Exception], float | None]] = {
    "429 with retry-after": (
        Answer(status=429, headers={"Retry-After": "77", "x-ratelimit-reset": "300"}),
        SourceUnavailable,
        77,
    ),
    "429 with a reset": (
        Answer(status=429, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "300"}),
        SourceUnavailable,
        300,
    ),
    "429 with neither": (Answer(status=429, content=b"Too Many"), SourceUnavailable, None),
    "401, which is praw's KeyError": (Answer(status=401), SourceRejected, None),
    "401 with a header of its own": (
        Answer(status=401, headers={"www-authenticate": 'Bearer realm="reddit"'}),
        SourceRejected,
        None,
    ),
    "503": (Answer(status=503, content=b"<h1>busy</h1>"), SourceUnavailable, None),
    "html": (Answer(content=b"<!doctype html><p>remark 0"), SourceUnavailable, None),
    "nothing": (Answer(content=b""), SourceUnavailable, None),
    "null": (Answer(content=None), SourceUnavailable, None),
    "a list": (Answer(content=[]), SourceUnavailable, None),
    "204": (Answer(status=204, content=b""), SourceUnavailable, None),
    "400": (Answer(status=400, content={"reason": "remark 0"}), SourceRejected, None),
    "deep": (Answer(content=b'{"a":' * 50_000), SourceUnavailable, None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_behind_the_token(desk: Desk, fault: str) -> None:
    """Each is asked for once, at once told as what it is, quotes nothing, and loses nothing."""
    desk.server.things = comments(2)
    desk.server.befalls = is_listing
    desk.server.fault, error, retry_after = FAULTS[fault]
    started = time.monotonic()
    with pytest.raises(error) as caught:
        desk.poll()
    assert time.monotonic() - started < 2
    assert getattr(caught.value, "retry_after", None) == retry_after
    assert "remark" not in str(caught.value)
    assert desk.listed() == ["/r/Larkmoor/comments/"]
    desk.server.recover()
    assert len(desk.poll()) == 2


def test_a_drip_in_a_later_page_keeps_the_deadline(desk: Desk) -> None:
    """The deadline is the whole poll's, not one request's; the next poll has everything."""
    desk.keys = {"timeout_s": 1}
    desk.server.things = comments(150)
    desk.server.befalls = lambda call: "after" in call.query
    desk.server.drip = 0.05
    started = time.monotonic()
    with pytest.raises(SourceUnavailable, match="deadline"):
        desk.poll()
    assert time.monotonic() - started < 2
    desk.server.recover()
    assert len(desk.poll()) == 150


# --- credentials -----------------------------------------------------------------------------------


def test_wrong_credentials_say_what_to_check(desk: Desk) -> None:
    """A refused token names the two keys, and never the secret."""
    desk.server.secret = "another"
    with pytest.raises(SourceRejected, match="client_id") as caught:
        desk.poll()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda path: path.unlink(), "client_secret_file .*No such file"),
        (lambda path: path.write_text(" \n"), "client_secret_file .*is empty"),
        (lambda path: path.write_bytes(b"\xff\xfe\xfd"), "client_secret_file .*not text"),
    ],
)
def test_a_missing_secret_is_told(
    desk: Desk, spoil: Callable[[Path], object], complaint: str
) -> None:
    """Without a secret nothing is sent, and the key to mend is named."""
    spoil(desk.secret_file)
    with pytest.raises(SourceRejected, match=complaint):
        desk.poll()
    assert desk.server.calls == []


def test_credentials_follow_no_redirect(desk: Desk) -> None:
    """A token endpoint that points elsewhere is refused: the secret isn't sent on."""
    desk.server.fault = Answer(status=307, headers={"Location": f"{desk.server.url}/elsewhere"})
    with pytest.raises(SourceRejected):
        desk.poll()
    assert [call.path for call in desk.server.calls] == ["/api/v1/access_token"]


def test_no_praw_ini_and_no_environment_redirects_us(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file planted where the monitor runs, or a proxy variable, changes nothing."""
    nowhere = "http://127.0.0.1:9"
    ini = f"[DEFAULT]\noauth_url={nowhere}\nreddit_url={nowhere}\nusername=x\npassword=y\n"
    (tmp_path / "praw.ini").write_text(ini, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(praw.config.Config, "CONFIG", None)
    monkeypatch.setenv("PRAW_ALLOW_ENDPOINT_OVERRIDE", "1")
    monkeypatch.setenv("praw_refresh_token", "x")
    monkeypatch.setenv("HTTP_PROXY", nowhere)
    desk.server.things = comments(1)
    assert len(desk.poll()) == 1


# --- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"subreddits": ["u_somebody"]}, "never people"),
        ({"subreddits": ["r/U_Somebody"]}, "never people"),
        ({"subreddits": ["all"]}, "not a community"),
        ({"subreddits": ["Larkmoor/about"]}, "should match"),
        ({"subreddits": ["Larkmoor+u_x"]}, "should match"),
        ({"subreddits": [], "search": "subreddits"}, "name subreddits"),
        ({"author": "somebody"}, "Extra inputs"),
        ({"redditors": ["somebody"]}, "Extra inputs"),
        ({"query": "author:somebody"}, "Extra inputs"),
        ({"allow_private": False}, "stand-ins"),
        ({"site": "ftp://reddit.example"}, "full http"),
    ],
)
def test_settings_are_refused(desk: Desk, keys: dict[str, Any], complaint: str) -> None:
    """Places only, never a person; and the API's address is Reddit's own."""
    desk.keys = keys
    with pytest.raises(ValidationError, match=complaint):
        desk.connector()


def test_the_usual_ways_to_write_a_subreddit_are_one(desk: Desk) -> None:
    """Larkmoor, r/Larkmoor and /r/Larkmoor are read once."""
    desk.keys = {"subreddits": ["Larkmoor", "r/Larkmoor", "/r/Larkmoor"], "search": "off"}
    desk.poll()
    assert desk.listed() == ["/r/Larkmoor/comments/", "/r/Larkmoor/new/"]


def test_what_to_apply_for_is_said_in_words() -> None:
    """The class can tell a trust without credentials what to do."""
    assert "client_secret_file" in RedditConnector.apply_for
