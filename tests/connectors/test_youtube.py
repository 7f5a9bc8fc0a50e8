"""YouTube comments. What every kind promises stands in test_contract.py."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.errors import SourceError, SourceRejected, SourceUnavailable
from connectors.post import Batch
from connectors.youtube import YouTubeConnector, YouTubeSettings
from connectors.youtube_api import Purse
from connectors.youtube_post import to_post
from tests.connectors.youtube_server import (
    CHANNEL,
    VIDEO,
    YouTubeServer,
    comment,
    found_video,
    running_youtube,
)

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)  # midnight of that day in California
DATA = Path(__file__).resolve().parents[1] / "data" / "youtube"
KEY = "keyThatNobodyMaySee"


@pytest.fixture
def server() -> Iterator[YouTubeServer]:
    with running_youtube() as server:
        yield server


class Monitor:
    """The monitor's side of one source, restarted before each poll."""

    def __init__(self, server: YouTubeServer, folder: Path) -> None:
        self._server = server
        self.key_file = folder / "key"
        self.key_file.write_text(KEY)
        self.cursor: Any = {}
        self.batches: list[Batch] = []
        self.error: SourceError | None = None

    def connector(self, *, terms: tuple[str, ...] = (), **settings: Any) -> YouTubeConnector:
        given: dict[str, Any] = {"channels": (CHANNEL,), "timeout_s": 10} | settings
        configured = YouTubeSettings(
            api_key_file=self.key_file, api_url=self._server.url, allow_private=True, **given
        )
        return YouTubeConnector(configured, source="youtube", terms=terms)

    def poll(self, *, now: datetime = NOW, **settings: Any) -> list[str]:
        """Poll; a failure is kept in `error`, what came before it is committed."""
        self.batches, self.error = [], None
        try:
            for batch in self.connector(**settings).poll(self.cursor, now=now):
                self.batches.append(batch)
                self.cursor = json.loads(json.dumps(batch.cursor))
        except SourceError as error:
            self.error = error
        assert KEY not in str(self.error)
        return [post.text for batch in self.batches for post in batch.posts]


@pytest.fixture
def monitor(server: YouTubeServer, tmp_path: Path) -> Monitor:
    return Monitor(server, tmp_path)


def test_a_page_of_threads_gives_its_posts() -> None:
    """A recorded shape gives exactly the posts written beside it."""
    page = json.loads((DATA / "threads.json").read_text(encoding="utf-8"))
    posts = [
        asdict(to_post(one, thread, community="Larkmoor"))
        for thread in page["items"]
        for one in (
            thread["snippet"]["topLevelComment"],
            *thread.get("replies", {}).get("comments", []),
        )
    ]
    expected = (DATA / "threads.json.expected.json").read_text(encoding="utf-8")
    assert json.loads(json.dumps(posts, default=str)) == json.loads(expected)


def test_the_key_travels_in_a_header_only(
    server: YouTubeServer, monitor: Monitor, caplog: pytest.LogCaptureFixture
) -> None:
    """No URL, and no log line at any level, holds the key; the API gets it as a header."""
    caplog.set_level(logging.DEBUG)
    monitor.poll()
    server.reasons["commentThreads"] = (403, "forbidden")
    monitor.poll()
    assert {request["x-goog-api-key"] for request in server.requests} == {KEY}
    assert KEY not in "".join(server.paths)
    assert KEY not in caplog.text


def test_all_replies_of_a_thread_are_delivered_and_paid_for_once(
    server: YouTubeServer, monitor: Monitor
) -> None:
    """Beyond the five replies that come with a thread the others are asked for, when there are new."""
    replies = [comment(f"t.{number}", f"Reply {number}", at=NOW) for number in range(8)]
    server.threads = [(comment("t", "Top", at=NOW), replies)]
    assert len(monitor.poll()) == 9
    assert monitor.poll() == []
    assert server.calls == ["commentThreads", "comments", "commentThreads"]
    replies.append(comment("t.new", "New reply", at=NOW))
    assert monitor.poll() == ["New reply"]


def test_a_reply_under_an_old_comment_is_delivered(server: YouTubeServer, monitor: Monitor) -> None:
    """A thread of three weeks ago that wakes up is seen."""
    top = comment("t", "Top", at=NOW - timedelta(days=21))
    server.threads = [(top, [])]
    monitor.poll()
    server.threads = [(top, [comment("t.1", "Late reply", at=NOW)])]
    assert monitor.poll() == ["Late reply"]


def test_pages_are_read_back_to_thirty_days(server: YouTubeServer, monitor: Monitor) -> None:
    """A page that is older than 30 days throughout ends the reading."""
    ages = [*range(100), *[1000] * 300]
    server.threads = [
        (comment(f"c{n}", f"Comment {n}", at=NOW - timedelta(days=age)), [])
        for n, age in enumerate(ages)
    ]
    assert len(monitor.poll()) == 31
    assert server.calls == ["commentThreads"] * 2


def test_more_threads_than_a_poll_reads_are_a_gap(server: YouTubeServer, monitor: Monitor) -> None:
    """When not even the last page that is read holds anything known, that is said."""
    server.threads = [(comment("known", "Known", at=NOW), [])]
    monitor.poll()
    fresh = [(comment(f"c{n}", f"Comment {n}", at=NOW), []) for n in range(300)]
    server.threads = [*fresh, *server.threads]
    assert len(monitor.poll(max_pages=2)) == 200
    assert "channel 1 of 1: nothing known was left" in str(monitor.batches[0].gap)


@pytest.mark.parametrize("reason", ["commentsDisabled", "videoNotFound"])
def test_a_video_without_comments_is_no_failure(
    server: YouTubeServer, monitor: Monitor, reason: str
) -> None:
    """Switched-off comments and a removed video hide no other video, and are noted."""
    server.threads = [(comment("c", "Comment", at=NOW), [])]
    server.reasons["offoffoffof"] = (404 if "Not" in reason else 403, reason)
    assert monitor.poll(videos=("offoffoffof",)) == ["Comment"]
    assert monitor.error is None
    assert str(monitor.batches[-1].note).endswith("; 1 without comments")


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (400, "keyInvalid", SourceRejected),
        (403, "accessNotConfigured", SourceRejected),
        (404, "channelNotFound", SourceRejected),
        (400, "processingFailure", SourceUnavailable),
        (403, "rateLimitExceeded", SourceUnavailable),
    ],
)
def test_each_reason_has_its_error(
    server: YouTubeServer, monitor: Monitor, status: int, reason: str, error: type[SourceError]
) -> None:
    """What a person must change is told apart from what passes."""
    server.reasons["commentThreads"] = (status, reason)
    monitor.poll()
    assert type(monitor.error) is error


def test_a_handle_is_looked_up_once(server: YouTubeServer, monitor: Monitor) -> None:
    """A channel's handle costs one request, ever; an unknown one is named by its place."""
    server.channels["@larkmoortrust"] = CHANNEL
    server.threads = [(comment("c", "Comment", at=NOW), [])]
    assert monitor.poll(channels=("@larkmoortrust",)) == ["Comment"]
    monitor.poll(channels=("@larkmoortrust",))
    assert server.calls.count("channels") == 1
    monitor.poll(channels=(CHANNEL, "@nobody-there"))
    assert str(monitor.error) == "youtube: channel 2 of 2: there is no channel of that name"


def test_a_channel_that_is_gone_hides_no_other(server: YouTubeServer, monitor: Monitor) -> None:
    """The other channels are read, and then the missing one is named."""
    server.threads = [(comment("c", "Comment", at=NOW), [])]
    gone = "UC" + "g" * 22
    server.reasons[gone] = (404, "channelNotFound")
    assert monitor.poll(channels=(gone, CHANNEL)) == ["Comment"]
    assert str(monitor.error) == "youtube: channel 1 of 2 does not exist"


def test_a_first_run_that_fails_halfway_still_looks_back_no_further(
    server: YouTubeServer, monitor: Monitor
) -> None:
    """After a failed first poll the old comments stay passed over."""
    old = NOW - timedelta(days=20)
    server.threads = [(comment("c", "Old", at=old), []), (comment("d", "New", at=NOW), [])]
    server.status = 500
    assert monitor.poll(lookback_days=7) == []
    server.status = 200
    assert monitor.poll(lookback_days=7) == ["New"]
    assert monitor.poll(lookback_days=7) == []


# --- quota -----------------------------------------------------------------------------------------


def test_units_are_counted_as_youtube_counts_them(server: YouTubeServer, monitor: Monitor) -> None:
    """The note's figure is what the server counted, over polls, failures and restarts."""
    server.threads = [(comment(f"c{n}", f"Comment {n}", at=NOW), []) for n in range(150)]
    monitor.poll(searches_per_day=2, terms=("Larkmoor School",))
    monitor.poll()
    server.status = 500
    monitor.poll()
    assert monitor.batches[-1].note == "quota: 105 of 10,000 units used today"
    assert monitor.cursor["quota"]["used"] == server.units == 105


def test_an_empty_purse_waits_for_california(server: YouTubeServer, monitor: Monitor) -> None:
    """When the own limit is reached nothing is asked until midnight Pacific time."""
    server.threads = [(comment("c", "Comment", at=NOW), [])]
    monitor.cursor = {"quota": {"day": "2026-11-21", "used": 100}}
    late = NOW + timedelta(hours=22, minutes=30)
    assert monitor.poll(daily_quota=100, now=late) == []
    assert isinstance(monitor.error, SourceUnavailable)
    assert monitor.error.retry_after == 90 * 60
    assert server.calls == []
    assert monitor.poll(daily_quota=100, now=NOW + timedelta(days=1)) == ["Comment"]


def test_quota_exceeded_keeps_what_was_read_and_waits(
    server: YouTubeServer, monitor: Monitor
) -> None:
    """When YouTube says first that the quota is used, what was read is delivered, then it waits."""
    server.threads = [(comment("c", "Comment", at=NOW), [])]
    server.reasons[VIDEO] = (403, "quotaExceeded")
    assert monitor.poll(videos=(VIDEO,)) == ["Comment"]
    assert isinstance(monitor.error, SourceUnavailable)
    assert monitor.error.retry_after == 24 * 3600
    assert monitor.cursor["quota"]["used"] == 10_000


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2026, 3, 8, 8, 0, tzinfo=UTC), 23 * 3600),
        (datetime(2026, 11, 1, 7, 0, tzinfo=UTC), 25 * 3600),
    ],
)
def test_a_pacific_day_may_have_23_or_25_hours(now: datetime, seconds: int) -> None:
    """The wait is right on the days on which California's clocks change."""
    assert Purse({}, now=now, daily=1).empty().retry_after == seconds


# --- search ----------------------------------------------------------------------------------------


def test_a_search_finds_videos_and_reads_their_comments(
    server: YouTubeServer, monitor: Monitor
) -> None:
    """A video about the organisation is a post, and its comments are read; terms are quoted."""
    server.found = [found_video(VIDEO, "Larkmoor School on fire", at=NOW, about="Live")]
    server.by_video[VIDEO] = [(comment("c", "Poor children", at=NOW), [])]
    settings: dict[str, Any] = {"channels": (), "searches_per_day": 4}
    terms = ("Larkmoor School", "#LarkmoorTrust", "Fellgate High")
    assert sorted(monitor.poll(terms=terms, **settings)) == ["Live", "Poor children"]
    assert "q=%22Larkmoor+School%22%7C%22Fellgate+High%22" in server.paths[0]
    assert monitor.poll(terms=terms, now=NOW + timedelta(hours=5), **settings) == []
    assert server.calls.count("search") == 1
    monitor.poll(terms=terms, now=NOW + timedelta(hours=6), **settings)
    assert server.calls.count("search") == 2
    assert monitor.batches[-1].gap is None


def test_a_search_never_spends_the_last_units(server: YouTubeServer, monitor: Monitor) -> None:
    """When a search can't be paid, the channels are still read."""
    server.threads = [(comment("c", "Comment", at=NOW), [])]
    told = monitor.poll(daily_quota=100, searches_per_day=1, terms=("Larkmoor School",))
    assert told == ["Comment"]
    assert monitor.error is None
    assert "search" not in server.calls


# --- what is gone ----------------------------------------------------------------------------------


def test_what_is_gone_is_told_in_few_requests(server: YouTubeServer, monitor: Monitor) -> None:
    """Of stored comments and videos, those that YouTube no longer shows are gone: 30 a request."""
    server.threads = [(comment(f"c{n}", "Still here", at=NOW), []) for n in range(40)]
    server.found = [found_video(VIDEO, "Larkmoor School", at=NOW)]
    stored = [f"comment:c{n}" for n in range(45)] + [f"video:{VIDEO}", "video:gonegonegon"]
    connector = monitor.connector()
    gone = connector.check_gone([*stored, "other:1"])
    assert gone == {f"comment:c{n}" for n in range(40, 45)} | {"video:gonegonegon"}
    assert server.calls == ["comments", "comments", "videos"]
    *_, last = connector.poll({}, now=NOW)
    assert last.cursor["quota"]["used"] == server.units == 4


def test_what_cannot_be_told_is_not_gone(server: YouTubeServer, monitor: Monitor) -> None:
    """A failing look-up erases nothing."""
    server.reasons["comments"] = (404, "commentNotFound")
    assert monitor.connector().check_gone(["comment:c"]) == frozenset()
    server.reasons.clear()
    server.status = 500
    with pytest.raises(SourceUnavailable):
        monitor.connector().check_gone(["comment:c"])


# --- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["", "two words", "ключ", "a\nb"])
def test_a_damaged_key_file_is_named(monitor: Monitor, body: str) -> None:
    """A key file that holds no key is named; its content is not."""
    monitor.key_file.write_text(body, encoding="utf-8")
    monitor.poll()
    assert isinstance(monitor.error, SourceRejected)
    assert "api_key_file" in str(monitor.error)
    assert not body or body not in str(monitor.error)


def test_a_missing_key_file_is_named(monitor: Monitor) -> None:
    """Without the file the fault names it and says what is wrong."""
    monitor.key_file.unlink()
    monitor.poll()
    assert str(monitor.error).endswith("No such file or directory")


@pytest.mark.parametrize(
    "settings", [{}, {"channels": ["larkmoor"]}, {"videos": ["https://youtu.be/larkmoorvid"]}]
)
def test_settings_must_name_something_to_read(settings: dict[str, Any], tmp_path: Path) -> None:
    """Neither nothing nor something else than ids and handles is taken."""
    with pytest.raises(ValidationError):
        YouTubeSettings(api_key_file=tmp_path, **settings)


def test_one_damaged_comment_hides_no_other(server: YouTubeServer, monitor: Monitor) -> None:
    """Comments that can't be read are counted, the rest is delivered."""
    server.threads = [
        (comment("a", "Good", at=NOW), []),
        (comment("b", "", at=NOW), []),
        ({"id": "c", "snippet": {}}, []),
    ]
    assert monitor.poll() == ["Good"]
    assert monitor.batches[0].skipped == 2
