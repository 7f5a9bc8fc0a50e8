"""Google Alerts and Google News. What every kind promises stands in test_contract.py."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from connectors import feed_document
from connectors.errors import SourceRejected, SourceUnavailable
from connectors.feed_document import Item
from connectors.google import GoogleConnector, GoogleSettings, news_searches
from connectors.google_story import judge, to_story, unwrapped
from connectors.post import Batch
from tests.connectors.feed_server import FeedServer, rss, running
from tests.connectors.harness_google import alert_entry, alert_feed

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
DATA = Path(__file__).resolve().parents[1] / "data" / "google"
HEADLINE = "Parents' anger at <b>Larkmoor School</b> over gates"
LINK = "https://www.gazette.example/gates"


def poll(
    urls: Sequence[str], cursor: Any = None, *, terms: Sequence[str] = (), **settings: Any
) -> list[Batch]:
    """One poll of some alerts, as a fresh instance that is then asked for all its batches."""
    configured = GoogleSettings(alerts=tuple(urls), allow_private=True, **settings)
    connector = GoogleConnector(configured, source="google", terms=terms)
    return list(connector.poll(cursor or {}, now=NOW))


def texts(batches: list[Batch]) -> list[str]:
    return [post.text for batch in batches for post in batch.posts]


@pytest.mark.parametrize("path", sorted(DATA.glob("*.xml")), ids=lambda path: path.name)
def test_a_document_gives_its_stories(path: Path) -> None:
    """Each document of Google's gives exactly the posts written beside it."""
    document = feed_document.read(path.read_bytes(), content_type="application/xml", timeout_s=10)
    stories = [to_story(item, "https://www.google.com/") for item in document.items]
    found = json.loads(json.dumps([asdict(story.post) for story in stories], default=str))
    expected = path.with_name(f"{path.name}.expected.json").read_text(encoding="utf-8")
    assert found == json.loads(expected)


def test_an_alert_and_the_news_agree_on_a_story() -> None:
    """One story in an alert and in a news search has one key, publisher's suffix or none."""
    stories = [
        to_story(item, "https://www.google.com/")
        for name in ("alert.xml", "news.xml")
        for item in feed_document.parse((DATA / name).read_bytes(), "application/xml").items[:1]
    ]
    assert stories[0].key == stories[1].key


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("https://www.google.com/url?rct=j&url=https://a.example/x%3Fy%3D1&ct=ga", "https://a.example/x?y=1"),
        ("https://www.google.co.uk/url?q=http://a.example/", "http://a.example/"),
        ("https://google.com/url?url=javascript:alert(1)", None),
        ("https://www.google.com/url?url=", None),
        ("https://google.evil.example/url?url=https://a.example/", "https://google.evil.example/url?url=https://a.example/"),
        ("https://a.example/url?url=https://b.example/", "https://a.example/url?url=https://b.example/"),
        ("https://news.google.com/rss/articles/CBMiEmh0dHBzOi8vYS5leGFtcGxlL9IBAA?oc=5", "https://a.example/"),
        ("https://news.google.com/articles/CBMiEmh0dHBzOi8vYS5leGFtcGxlLw", "https://a.example/"),
        ("https://news.google.com/rss/articles/CBMi_wFo", "https://news.google.com/rss/articles/CBMi_wFo"),
        ("https://news.google.com/rss/articles/CBMi", "https://news.google.com/rss/articles/CBMi"),
        ("https://news.google.com/rss/articles/A", "https://news.google.com/rss/articles/A"),
        (None, None),
    ],
)  # fmt: skip
def test_a_redirect_is_unwrapped_to_a_web_page_or_left_alone(
    link: str | None, target: str | None
) -> None:
    """Google's redirects give the page that they name, and nothing that is no page; other links and
    opaque ones stay as they are."""
    assert unwrapped(link) == target


def test_one_story_in_several_alerts_is_delivered_once() -> None:
    """Two alerts that show one story with different snippets and ids deliver it once, for ever."""
    with running() as first, running() as second:
        first.feed = alert_feed([alert_entry(HEADLINE, "Angry", entry="1", link=LINK, date=NOW)])
        again = alert_entry(HEADLINE, "Very angry", entry="2", link=LINK + "?ref=2", date=NOW)
        second.feed = alert_feed([again])
        batches = poll([first.url, second.url])
        assert texts(batches) == ["Angry"]
        cursor = batches[-1].cursor
        first.feed = alert_feed([])  # it left the first alert, and stands in the second still
        assert texts(poll([first.url, second.url], cursor)) == []


def test_other_publishers_and_generic_headlines_are_other_stories(feed_server: FeedServer) -> None:
    """The same headline elsewhere is another story, and "Letters" is one a page."""
    feed_server.feed = alert_feed(
        [
            alert_entry(HEADLINE, "One", entry="1", link=LINK),
            alert_entry(HEADLINE, "Two", entry="2", link="https://post.example/gates"),
            alert_entry("Letters", "Three", entry="3", link="https://gazette.example/letters/1"),
            alert_entry("Letters", "Four", entry="4", link="https://gazette.example/letters/2"),
        ]
    )
    assert sorted(texts(poll([feed_server.url]))) == ["Four", "One", "Three", "Two"]


def _item(**fields: Any) -> Item:
    given = {"id": "1", "link": LINK, "title": HEADLINE, "text": "Angry", "published": None}
    rest = dict.fromkeys(["author", "comments", "reply_to", "language"])
    return Item(**(given | rest | fields))


@pytest.mark.parametrize(
    ("fields", "days", "news"),
    [
        ({}, 0, False),
        ({"text": "Calm"}, 0, True),  # the same entry was edited
        ({}, 30, False),  # re-dated
        ({"id": "2", "text": "Calm"}, 0, False),
        ({"id": "2"}, 7, False),
        ({"id": "2"}, 8, True),  # the same headline next week is another story
        ({"id": "2"}, -30, False),
        ({"id": "2"}, 400, False),  # in the future
    ],
)
def test_what_is_news_of_a_story_that_was_told(
    fields: dict[str, Any], days: int, news: bool
) -> None:
    """Told once: an edit and a late repeat of the headline are news, another copy is not."""
    first = NOW - timedelta(days=40)
    told = judge(to_story(_item(published=first.isoformat()), ""), None, now=NOW)
    assert told is not None
    again = _item(published=(first + timedelta(days=days)).isoformat(), **fields)
    again_told = judge(to_story(again, ""), told, now=NOW)
    assert (again_told is not None) == news
    if again_told:
        assert judge(to_story(again, ""), again_told, now=NOW) is None


def test_an_undated_copy_is_never_news() -> None:
    """A copy without a date can't claim to be another story."""
    told = judge(to_story(_item(), ""), None, now=NOW)
    assert judge(to_story(_item(id="2"), ""), told, now=NOW) is None
    dated = replace(_item(id="2"), published=NOW.isoformat())
    assert judge(to_story(dated, ""), told, now=NOW) is None


def test_the_news_is_searched_for_organisations_in_few_requests() -> None:
    """Names are quoted and joined, at most eight a search; hashtags are left out."""
    names = [f"Larkmoor School {number}" for number in range(9)]
    searches = news_searches("https://news.example/rss", [*names, "#LarkmoorTrust", names[0]])
    queries = [parse_qs(urlsplit(search).query) for search in searches]
    assert [query["q"][0].count('"') // 2 for query in queries] == [8, 1]
    assert queries[1] == {
        "q": ['"Larkmoor School 8"'], "hl": ["en-GB"], "gl": ["GB"], "ceid": ["GB:en"]
    }  # fmt: skip


def test_a_long_name_gets_a_search_of_its_own() -> None:
    """A query stays short enough to be read whole."""
    searches = news_searches("https://news.example/rss", ["L" * 150, "M" * 150])
    assert len(searches) == 2


def test_the_news_search_is_read(feed_server: FeedServer) -> None:
    """With news = true the search of the watchlist's names is polled."""
    feed_server.feed = (DATA / "news.xml").read_bytes()
    settings = GoogleSettings(news=True, news_url=feed_server.url, allow_private=True)
    connector = GoogleConnector(settings, source="google", terms=["Larkmoor School"])
    (batch,) = connector.poll({}, now=NOW)
    assert len(batch.posts) == 3
    assert {post.feed_title for post in batch.posts} == {None}  # it would be our own query
    assert "Larkmoor+School" in feed_server.paths[0]


def test_nothing_to_search_for_is_a_fault_to_mend() -> None:
    """A news search without names says so."""
    with pytest.raises(SourceRejected, match="no organisation's name"):
        poll([], news=True)


def test_settings_without_a_feed_are_refused() -> None:
    """A stanza with neither alerts nor news says what to write."""
    with pytest.raises(ValidationError, match="set news = true"):
        GoogleSettings()


def test_one_dead_alert_hides_no_other_and_is_told(feed_server: FeedServer) -> None:
    """What the other alerts show is delivered and committed; then the dead one is named."""
    feed_server.feed = alert_feed([alert_entry(HEADLINE, "Angry", entry="1", link=LINK)])
    with running() as dead:
        dead.status = 404
        settings = GoogleSettings(alerts=(dead.url, feed_server.url), allow_private=True)
        batches = GoogleConnector(settings, source="google").poll({}, now=NOW)
        assert [post.text for post in next(batches).posts] == ["Angry"]
        with pytest.raises(SourceRejected, match=r"alert 1 of 2: 127.0.0.1: HTTP status 404"):
            next(batches)


def test_a_hung_alert_leaves_time_to_the_others(feed_server: FeedServer) -> None:
    """One feed that never answers takes its share of the deadline, and no more."""
    feed_server.feed = alert_feed([alert_entry(HEADLINE, "Angry", entry="1", link=LINK)])
    with running() as hung:
        hung.hang = True
        settings = GoogleSettings(
            alerts=(hung.url, feed_server.url), allow_private=True, timeout_s=1.0
        )
        batches = GoogleConnector(settings, source="google").poll({}, now=NOW)
        assert len(next(batches).posts) == 1
        with pytest.raises(SourceUnavailable, match="alert 1 of 2"):
            next(batches)


def test_asked_to_go_away_no_further_feed_is_read(feed_server: FeedServer) -> None:
    """A Retry-After holds for all feeds: they are one service's."""
    with running() as busy:
        busy.status = 429
        busy.headers["Retry-After"] = "60"
        with pytest.raises(SourceUnavailable) as caught:
            poll([busy.url, feed_server.url])
    assert caught.value.retry_after == 60
    assert feed_server.requests == []


def test_feeds_take_turns(feed_server: FeedServer) -> None:
    """More feeds than one poll reads are read at the next ones, and each looks back at first."""
    old = NOW - timedelta(days=40)
    with running() as second:
        feed_server.feed = alert_feed([alert_entry(HEADLINE, "A", entry="1", link=LINK, date=NOW)])
        far = "https://post.example/"
        second.feed = alert_feed(
            [
                alert_entry(HEADLINE, "B", entry="2", link=far, date=NOW),
                alert_entry(f"{HEADLINE} again", "Old", entry="3", link=far, date=old),
            ]
        )
        urls = [feed_server.url, second.url]
        cursor: Any = {}
        told = []
        for _ in range(4):
            for batch in poll(urls, cursor, feeds_per_poll=1):
                told += texts([batch])
                cursor = json.loads(json.dumps(batch.cursor))
        assert told == ["A", "B"]
        assert len(feed_server.requests) == len(second.requests) == 2


def test_a_feed_that_is_not_google_s_shape_is_still_read(feed_server: FeedServer) -> None:
    """Items without a headline, a link or a date are delivered once each."""
    feed_server.feed = rss(["<item><description>Only words here</description></item>"])
    batches = poll([feed_server.url])
    assert texts(batches) == ["Only words here"]
    assert texts(poll([feed_server.url], batches[-1].cursor)) == []


def test_a_dead_feed_does_not_keep_the_turn(feed_server: FeedServer) -> None:
    """When the one feed of a poll can't be read, the next poll reads the next feed."""
    feed_server.feed = alert_feed([alert_entry(HEADLINE, "Angry", entry="1", link=LINK)])
    with running() as dead:
        dead.status = 503
        settings = GoogleSettings(
            alerts=(dead.url, feed_server.url), allow_private=True, feeds_per_poll=1
        )
        batches = GoogleConnector(settings, source="google").poll({}, now=NOW)
        cursor = next(batches).cursor
        with pytest.raises(SourceUnavailable, match="alert 1 of 2"):
            next(batches)
        (batch,) = GoogleConnector(settings, source="google").poll(cursor, now=NOW)
        assert [post.text for post in batch.posts] == ["Angry"]
