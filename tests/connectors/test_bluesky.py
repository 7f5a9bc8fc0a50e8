"""The Bluesky connector, fault by fault. What every kind promises stands in test_contract.py; what only a
real network can show, in test_bluesky_network.py."""

from __future__ import annotations

import json
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.bluesky import BlueskyConnector, BlueskySettings, to_post
from connectors.bluesky_record import MAX_TEXT
from connectors.bluesky_search import phrase
from connectors.errors import SourceRejected, SourceUnavailable
from connectors.post import Batch
from tests.connectors.bluesky_server import (
    COLLECTION,
    DID,
    PASSWORD,
    BlueskyServer,
    Faults,
    minutes,
    record,
    running,
)

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
DATA = Path(__file__).resolve().parents[1] / "data"
RECORDS = json.loads((DATA / "bluesky" / "records.json").read_text(encoding="utf-8"))
CERTIFICATE = DATA / "tls" / "localhost.pem"
OTHER = "did:plc:someoneelse234567abcdefg"


@pytest.fixture
def bluesky() -> Iterator[BlueskyServer]:
    """A small Bluesky of this test's own."""
    with running() as server:
        yield server


@pytest.fixture
def account(bluesky: BlueskyServer, tmp_path: Path) -> dict[str, Any]:
    """The keys with which the trust's account signs in."""
    (tmp_path / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    return {
        "account": "monitor.example",
        "password_file": tmp_path / "password",
        "session_file": tmp_path / "session",
        "pds": bluesky.url,
    }


def connector(server: BlueskyServer, *terms: str, **settings: Any) -> BlueskyConnector:
    keys: dict[str, Any] = {
        "jetstream": (server.stream_url,),
        "appview": server.url,
        "catch_up_hours": 24,
        "timeout_s": 3,
        "allow_private": True,
    }
    return BlueskyConnector(BlueskySettings(**keys | settings), source="bluesky", terms=terms)


def poll(
    server: BlueskyServer, cursor: Any = None, *terms: str, now: datetime = NOW, **settings: Any
) -> list[Batch]:
    """One poll, as a fresh instance."""
    return list(connector(server, *terms, **settings).poll(cursor or {}, now=now))


def texts(batches: list[Batch]) -> list[str]:
    return [post.text for batch in batches for post in batch.posts]


# --- one record -----------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", RECORDS, ids=[pair["what"] for pair in RECORDS])
def test_a_record_gives_its_post(pair: dict[str, Any]) -> None:
    """Each record gives exactly the post written beside it."""
    post = to_post(DID, "3labc", pair["record"], NOW)
    expected = {"published_at": None, "language": None, "thread_id": None} | pair["post"]
    published = post.published_at.isoformat() if post.published_at else None
    assert expected == {
        "text": post.text,
        "published_at": published,
        "language": post.language,
        "thread_id": post.thread_id,
    }
    assert post.native_id == f"at://{DID}/{COLLECTION}/3labc"
    assert post.url == f"https://bsky.app/profile/{DID}/post/3labc"
    assert post.author == DID


@pytest.mark.parametrize(
    ("did", "key", "said"),
    [
        ("did:plc:x/../../evil", "3l", "a"),
        ("javascript:alert(1)", "3l", "a"),
        (DID, "3l?x=1", "a"),
        (DID, "", "a"),
        (DID, "3l", None),
        (DID, "3l", ["a"]),
    ],
)
def test_what_is_no_post_is_refused(did: str, key: str, said: object) -> None:
    """An address that would lead elsewhere, or a record without words, makes no post."""
    with pytest.raises(ValueError, match=r"not|without"):
        to_post(did, key, {"text": said}, NOW)


KEYS = """
features facets index byteStart byteEnd uri tag did embed images items alt external title media record
reply root tags langs createdAt
""".split()  # noqa: SIM905 - a list of words reads as words
BESIDE = ["facets", "embed", "tags", "langs", "reply", "createdAt"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(BESIDE), JSON))
def test_no_record_is_too_strange(strange: dict[str, Any]) -> None:
    """Whatever stands beside the text, the post comes, bounded, not dated later than it was seen."""
    post = to_post(DID, "3l", strange | {"text": "Mossgate School"}, NOW)
    assert post.text.startswith("Mossgate School")
    assert len(post.text) <= MAX_TEXT
    assert post.published_at is None or NOW - timedelta(days=1) <= post.published_at <= NOW


# --- the stream -----------------------------------------------------------------------------------


def test_a_deletion_is_passed_on_though_nobody_saw_the_post(bluesky: BlueskyServer) -> None:
    """Deletions name the post, whenever it was written."""
    bluesky.delete("3lold", NOW)
    assert poll(bluesky)[0].deleted == (f"at://{DID}/{COLLECTION}/3lold",)


def test_a_post_deleted_at_once_is_not_delivered(bluesky: BlueskyServer) -> None:
    """Written and deleted within one batch, a post is only deleted."""
    bluesky.write("3la", record("Mossgate School", NOW), NOW)
    bluesky.delete("3la", NOW)
    (batch,) = poll(bluesky)
    assert batch.posts == ()
    assert len(batch.deleted) == 1


def test_a_post_written_again_after_its_deletion_comes_in_a_later_batch(
    bluesky: BlueskyServer,
) -> None:
    """A batch is stored before it is erased from, so a new post never stands beside its deletion."""
    bluesky.delete("3la", NOW)
    bluesky.write("3la", record("Mossgate School again", NOW), NOW)
    first, second = poll(bluesky)
    assert (first.deleted, first.posts) == ((f"at://{DID}/{COLLECTION}/3la",), ())
    assert texts([second]) == ["Mossgate School again"]
    assert texts(poll(bluesky, first.cursor)) == ["Mossgate School again"]


def test_an_edit_replaces_the_first_wording(bluesky: BlueskyServer) -> None:
    """Written and edited within one batch, a post comes once, in its last wording."""
    bluesky.write("3la", record("Mossgate School is fine", NOW), NOW)
    bluesky.write("3la", record("Mossgate School is awful", NOW), NOW, edit=True)
    assert texts(poll(bluesky)) == ["Mossgate School is awful"]


@pytest.mark.parametrize(
    ("active", "status", "gone"),
    [
        (False, "deactivated", True),
        (False, "deleted", True),
        (False, "takendown", True),
        (False, "suspended", True),
        (False, None, True),
        (False, "throttled", False),
        (False, "desynchronized", False),
        (True, None, False),
    ],
)
def test_an_account_that_is_gone_takes_its_posts_along(
    bluesky: BlueskyServer, active: bool, status: str | None, gone: bool
) -> None:
    """A deactivated, deleted or removed account is passed on; one that only lags is not."""
    bluesky.write("3la", record("Mossgate School", NOW), NOW)
    bluesky.write("3lb", record("Mossgate School too", NOW), NOW, did=OTHER)
    bluesky.account(NOW, active=active, status=status)
    batches = poll(bluesky)
    assert batches[0].gone == ((f"at://{DID}/",) if gone else ())
    assert ("Mossgate School" in texts(batches)) is not gone
    assert "Mossgate School too" in texts(batches)


def test_an_account_that_returns_posts_after_its_erasure(bluesky: BlueskyServer) -> None:
    """What an account writes after it came back stands in a later batch than its going."""
    bluesky.account(NOW, active=False, status="deactivated")
    bluesky.account(NOW, active=True)
    bluesky.write("3la", record("Mossgate School, I am back", NOW), NOW)
    first, second = poll(bluesky)
    assert first.gone
    assert not first.posts
    assert texts([second]) == ["Mossgate School, I am back"]


def test_other_collections_pass_by(bluesky: BlueskyServer) -> None:
    """A like or a profile, should the server send one, is no post."""
    body = {"operation": "create", "collection": "app.bsky.feed.like", "rkey": "3l", "record": {}}
    bluesky.emit("commit", NOW, **body)
    (batch,) = poll(bluesky)
    assert (batch.posts, batch.skipped) == ((), 0)


def test_an_event_that_can_not_be_read_is_counted_and_passed(bluesky: BlueskyServer) -> None:
    """A post without text costs itself only, and is not met again."""
    body = {"operation": "create", "collection": COLLECTION, "rkey": "3l", "record": {"text": 5}}
    bluesky.emit("commit", NOW, **body)
    bluesky.write("3la", record("Mossgate School", NOW), NOW)
    batches = poll(bluesky)
    assert texts(batches) == ["Mossgate School"]
    assert sum(batch.skipped for batch in batches) == 1
    bluesky.emit("identity", NOW, identity={})
    assert sum(batch.skipped for batch in poll(bluesky, batches[-1].cursor)) == 0


@pytest.mark.parametrize(
    "frame",
    ["", "[]", "null", '{"$type": "message"}', '{"$type": "message", "payload": 7}', "\x00"],
)
def test_a_frame_of_rubbish_among_others_is_counted(bluesky: BlueskyServer, frame: str) -> None:
    """One bad frame does not end the stream."""
    bluesky.write("3la", record("Mossgate School", NOW), NOW)
    bluesky.frames = [frame]
    batches = poll(bluesky)
    assert texts(batches) == ["Mossgate School"]
    assert sum(batch.skipped for batch in batches) == 1


def test_posts_come_within_a_second_though_the_stream_stays_open(bluesky: BlueskyServer) -> None:
    """A quiet stream delivers what it has after one second, and goes on until its time is over."""
    bluesky.stay = True
    bluesky.write("3la", record("Mossgate School", NOW), NOW)
    started = time.monotonic()
    batches = connector(bluesky, timeout_s=2.5).poll({}, now=NOW)
    assert texts([next(batches)]) == ["Mossgate School"]
    assert time.monotonic() - started < 1.9
    assert list(batches) == []
    assert 2.4 < time.monotonic() - started < 4


def test_a_silent_stream_is_a_failure(bluesky: BlueskyServer) -> None:
    """The whole network is never silent: a stream that is, is broken, and what came stays good."""
    bluesky.stay = True
    bluesky.write("3la", record("Mossgate School", NOW), NOW)
    batches = connector(bluesky, silence_s=1.5, timeout_s=10).poll({}, now=NOW)
    assert texts([next(batches)]) == ["Mossgate School"]
    with pytest.raises(SourceUnavailable, match=r"silent for 1\.5 s"):
        next(batches)


@pytest.mark.parametrize("code", ["ConsumerTooSlow", "SomethingNew"])
def test_an_error_frame_after_events_only_ends_the_poll(bluesky: BlueskyServer, code: str) -> None:
    """What came before is delivered, and the next poll goes on behind it."""
    bluesky.write("3la", record("Mossgate School", NOW), NOW)
    bluesky.frames = [json.dumps({"$type": "error", "error": code, "message": "bye"})]
    batches = poll(bluesky)
    assert texts(batches) == ["Mossgate School"]
    assert batches[-1].cursor["stream"]["seq"] == 1


def test_an_error_frame_at_once_is_a_failure_in_our_words(bluesky: BlueskyServer) -> None:
    """A server's own message is not repeated: it may quote anything."""
    bluesky.frames = ['{"$type": "error", "error": "Nope <b>", "message": "Mossgate School"}']
    with pytest.raises(SourceUnavailable, match=r"with an error$"):
        poll(bluesky)


def test_a_forgotten_place_is_a_gap_and_what_is_left_is_read(bluesky: BlueskyServer) -> None:
    """CursorTooOld: the rest is delivered from the time on where it was left, and the gap is told."""
    bluesky.write("3la", record("Mossgate one", NOW), NOW)
    cursor = poll(bluesky)[-1].cursor
    bluesky.forget()
    bluesky.write("3lb", record("Mossgate two", NOW), NOW + minutes(3))
    batches = poll(bluesky, cursor)
    assert texts(batches) == ["Mossgate two"]
    assert batches[0].gap == (
        "the live stream could not be taken up where it was left at 08:00 UTC on 21 November: "
        "posts may have been missed"
    )
    assert bluesky.cursors[-2:] == [1, int((NOW - minutes(1)).timestamp() * 1e6)]


def test_a_server_that_counts_anew_is_read_by_time(bluesky: BlueskyServer) -> None:
    """FutureCursor: our number lies beyond its count, so nothing is skipped by its number."""
    for number in range(5):
        bluesky.write(f"3l{number}", record(f"Mossgate {number}", NOW), NOW)
    cursor = poll(bluesky)[-1].cursor
    bluesky.count_anew()
    bluesky.write("3lx", record("Mossgate anew", NOW), NOW + minutes(1))
    batches = poll(bluesky, cursor)
    assert texts(batches) == ["Mossgate anew"]
    assert batches[0].gap


def test_another_host_is_resumed_by_time_without_a_gap(bluesky: BlueskyServer) -> None:
    """When the first host fails the next is taken, from a minute before, since each counts alone."""
    bluesky.write("3la", record("Mossgate one", NOW - minutes(30)), NOW - minutes(30))
    bluesky.write("3lb", record("Mossgate two", NOW), NOW)
    cursor = poll(bluesky)[-1].cursor
    with running() as second:
        for _ in range(70):
            second.emit("identity", NOW - minutes(60), identity={})
        second.write("3lb", record("Mossgate two", NOW), NOW + timedelta(seconds=1))
        second.write("3lc", record("Mossgate three", NOW), NOW + minutes(1))
        bluesky.faults = Faults(status=503)
        batches = poll(bluesky, cursor, jetstream=(bluesky.stream_url, second.stream_url))
        assert texts(batches) == ["Mossgate two", "Mossgate three"]  # the store knows the first
        assert not any(batch.gap for batch in batches)
        assert batches[-1].cursor["stream"]["host"] == second.stream_url
        bluesky.faults = Faults()
        second.write("3ld", record("Mossgate four", NOW), NOW + minutes(2))
        both = (bluesky.stream_url, second.stream_url)
        assert texts(poll(bluesky, batches[-1].cursor, jetstream=both)) == ["Mossgate four"]


def test_our_settings_ask_for_posts_and_account_events(bluesky: BlueskyServer) -> None:
    """The first run looks back `catch_up_hours`, by time."""
    bluesky.emit("identity", NOW, identity={})
    poll(bluesky, catch_up_hours=2)
    assert bluesky.cursors == [int((NOW - timedelta(hours=2)).timestamp() * 1e6)]


# --- the search -----------------------------------------------------------------------------------


def test_queries_are_phrases_of_the_terms(bluesky: BlueskyServer, account: Any) -> None:
    """Each term is one quoted phrase, newest first; no operator can be smuggled in."""
    terms = ("Mossgate School", "#Mossgate", 'from:"someone" x', " ", "Mossgate School")
    poll(bluesky, {}, *terms, jetstream=(), **account)
    asked = [params["q"][0] for method, params in bluesky.asked if method.endswith("searchPosts")]
    assert asked == ['"Mossgate School"', "#Mossgate", '"from: someone x"']
    assert all(
        params["sort"] == ["latest"] for method, params in bluesky.asked if "searchPosts" in method
    )


def test_a_term_looks_back_when_it_is_new(bluesky: BlueskyServer, account: Any) -> None:
    """Its first search goes 30 days back, also when it is added later; then none is bounded by date."""
    cursor = poll(bluesky, {}, "Mossgate School", jetstream=(), **account)[-1].cursor
    both = ("Mossgate School", "Mossgate Academy")
    poll(bluesky, cursor, *both, jetstream=(), now=NOW + timedelta(days=1), **account)
    since = {
        (params["q"][0], params.get("since", [""])[0])
        for method, params in bluesky.asked
        if method.endswith("searchPosts")
    }
    assert since == {
        ('"Mossgate School"', "2026-10-22T08:00:00.000Z"),
        ('"Mossgate School"', ""),
        ('"Mossgate Academy"', "2026-10-23T08:00:00.000Z"),
    }


@given(st.text(max_size=60))
def test_no_term_escapes_its_quotes(term: str) -> None:
    """Whatever a term holds, the query is one hashtag or one phrase."""
    query = phrase(term)
    assert query.startswith("#") or (query[0] == query[-1] == '"' and query.count('"') == 2)
    assert "\\" not in query


def test_one_session_serves_every_start(bluesky: BlueskyServer, account: Any) -> None:
    """The session is kept in a file that only its owner reads; later starts don't sign in."""
    for _ in range(3):
        poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    assert bluesky.sign_ins == 1
    assert stat.S_IMODE(account["session_file"].stat().st_mode) == 0o600
    assert PASSWORD not in account["session_file"].read_text(encoding="utf-8")


def test_a_session_near_its_end_is_renewed_and_kept(bluesky: BlueskyServer, account: Any) -> None:
    """A token with less than 15 minutes left is renewed, and the new one written to the file."""
    bluesky.token_s = 60
    poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    kept = account["session_file"].read_text(encoding="utf-8")
    bluesky.token_s = 7200
    poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    assert bluesky.sign_ins == 1
    assert bluesky.refreshes == 2  # one of them within the first poll
    assert account["session_file"].read_text(encoding="utf-8") != kept


def test_a_session_that_is_refused_is_replaced_once(bluesky: BlueskyServer, account: Any) -> None:
    """An expired session leads to one new sign-in, and not to another one within five minutes."""
    poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    kept = json.loads(account["session_file"].read_text(encoding="utf-8"))
    kept["signed_in_at"] -= 301
    account["session_file"].write_text(json.dumps(kept), encoding="utf-8")
    bluesky.tokens.clear()
    poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    assert bluesky.sign_ins == 2
    bluesky.tokens.clear()
    for _ in range(3):
        with pytest.raises(SourceRejected, match="had just signed in"):
            poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    assert bluesky.sign_ins == 2


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"of": "x", "session": 5}'])
def test_a_damaged_session_file_is_replaced(
    bluesky: BlueskyServer, account: Any, damage: bytes
) -> None:
    """What can't be read as our session is not used, and not fatal."""
    account["session_file"].write_bytes(damage)
    poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    assert bluesky.sign_ins == 1


def test_another_accounts_session_is_not_used(bluesky: BlueskyServer, account: Any) -> None:
    """After `account` was changed, the kept session is not taken."""
    poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    account["account"] = "other.example"
    poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    assert bluesky.sign_ins == 2


def test_a_missing_password_names_its_key(bluesky: BlueskyServer, account: Any) -> None:
    """Without its file nothing is sent, and the message says which key to mend."""
    account["password_file"].unlink()
    with pytest.raises(SourceRejected, match="password_file"):
        poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    assert bluesky.sign_ins == 0


def test_a_folder_that_can_not_be_written_is_told_before_signing_in(
    bluesky: BlueskyServer, account: Any
) -> None:
    """A session that could not be kept is never begun: it would be begun at every start."""
    account["session_file"] = account["session_file"].parent / "missing" / "session"
    with pytest.raises(SourceRejected, match="session_file"):
        poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    assert bluesky.sign_ins == 0


def test_a_rate_limit_without_retry_after_is_read_from_its_reset(
    bluesky: BlueskyServer, account: Any
) -> None:
    """Bluesky's 429 names a moment in `ratelimit-reset`; until then nothing is asked."""
    poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    source = connector(bluesky, "Mossgate School", jetstream=(), **account)
    reset = str(int(time.time()) + 90)
    bluesky.faults = Faults(status=429, headers={"ratelimit-reset": reset})
    with pytest.raises(SourceUnavailable) as caught:
        list(source.poll({}, now=NOW))
    assert 80 < (caught.value.retry_after or 0) <= 90
    asked = len(bluesky.asked)
    bluesky.faults = Faults()
    with pytest.raises(SourceUnavailable) as caught:
        list(source.poll({}, now=NOW))
    assert 80 < (caught.value.retry_after or 0) <= 90
    assert len(bluesky.asked) == asked


def test_the_last_of_an_allowance_is_left(bluesky: BlueskyServer, account: Any) -> None:
    """With ten requests left the search stops by itself, and goes on with the next terms later."""
    reset = str(int(time.time()) + 90)
    bluesky.answer_headers = {"ratelimit-remaining": "10", "ratelimit-reset": reset}
    terms = ("Mossgate School", "Mossgate Academy")
    batches = poll(bluesky, {}, *terms, jetstream=(), **account)
    bluesky.answer_headers = {}
    poll(bluesky, batches[-1].cursor, *terms, jetstream=(), **account)
    asked = [params["q"][0] for method, params in bluesky.asked if method.endswith("searchPosts")]
    assert asked == ['"Mossgate School"', '"Mossgate Academy"', '"Mossgate School"']


def test_pages_that_were_read_are_kept_when_a_later_one_fails(
    bluesky: BlueskyServer, account: Any
) -> None:
    """A failure in the middle delivers what was read, and the next poll reads the rest."""
    for number in range(250):
        at = NOW - minutes(number + 1)
        bluesky.write(f"3l{number}", record(f"Mossgate School {number}", at), at)
    poll(bluesky, {}, "no such words", jetstream=(), **account)
    source = connector(bluesky, "Mossgate School", jetstream=(), **account)
    bluesky.pages = 1
    batches = source.poll({}, now=NOW)
    first = next(batches)
    with pytest.raises(SourceUnavailable):
        next(batches)
    bluesky.pages = None
    rest = list(source.poll(first.cursor, now=NOW))
    assert (len(texts([first])), len(texts(rest))) == (100, 150)
    assert len({*texts([first]), *texts(rest)}) == 250


def test_posts_of_the_wrong_shape_are_counted(bluesky: BlueskyServer, account: Any) -> None:
    """One strange post on a page costs itself only."""
    bluesky.write("3la", record("Mossgate School", NOW), NOW - minutes(1))
    uri = bluesky.write("3lb", record("Mossgate School", NOW), NOW - minutes(2))
    bluesky.shown[uri].record["text"] = None
    batches = poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    assert len(texts(batches)) == 1
    assert sum(batch.skipped for batch in batches) == 1


def test_a_redirect_gets_no_password(bluesky: BlueskyServer, account: Any) -> None:
    """A server that sends us elsewhere is not followed."""
    bluesky.faults = Faults(status=307, headers={"Location": f"{bluesky.url}/elsewhere"})
    with pytest.raises(SourceUnavailable, match="redirect"):
        poll(bluesky, {}, "Mossgate School", jetstream=(), **account)
    assert len(bluesky.asked) == 1


# --- both -----------------------------------------------------------------------------------------


def test_both_search_at_first_and_then_follow(bluesky: BlueskyServer, account: Any) -> None:
    """The first run finds thirty days by search, and the stream from then on; within the hour it is
    not searched again."""
    month = NOW - timedelta(days=20)
    bluesky.write("3la", record("Mossgate School long ago", month), month)
    bluesky.write("3lb", record("nothing to do with it", NOW), NOW)
    batches = poll(bluesky, {}, "Mossgate School", **account)
    assert texts(batches) == ["Mossgate School long ago", "nothing to do with it"]
    searches = len(bluesky.asked)
    bluesky.write("3lc", record("Mossgate School today", NOW), NOW)
    later = poll(bluesky, batches[-1].cursor, "Mossgate School", now=NOW + minutes(5), **account)
    assert texts(later) == ["Mossgate School today"]
    assert len(bluesky.asked) == searches


def test_a_gap_in_the_stream_is_searched_and_that_is_said(
    bluesky: BlueskyServer, account: Any
) -> None:
    """What the stream forgot is found by the next poll's search, which says that it made up for it."""
    bluesky.write("3la", record("Mossgate School one", NOW), NOW)
    cursor = poll(bluesky, {}, "Mossgate School", **account)[-1].cursor
    bluesky.write("3lb", record("Mossgate School two", NOW), NOW + minutes(2))
    bluesky.forget()
    bluesky.emit("identity", NOW + minutes(4), identity={})
    after = poll(bluesky, cursor, "Mossgate School", now=NOW + minutes(5), **account)
    assert [batch.gap for batch in after if batch.gap]
    assert texts(after) == []
    bluesky.emit("identity", NOW + minutes(6), identity={})
    healed = poll(bluesky, after[-1].cursor, "Mossgate School", now=NOW + minutes(7), **account)
    assert "Mossgate School two" in texts(healed)
    assert "the search has made up for what the live stream missed" in [b.note for b in healed]
    bluesky.emit("identity", NOW + minutes(8), identity={})
    quiet = poll(bluesky, healed[-1].cursor, "Mossgate School", now=NOW + minutes(9), **account)
    assert not any(batch.note or batch.gap for batch in quiet)


def test_without_the_stream_the_search_takes_over(bluesky: BlueskyServer, account: Any) -> None:
    """A stream that is down fails no poll while the search works: it is said, every five minutes
    searched, and tried again after a minute."""
    keys = account | {"jetstream": ("ws://127.0.0.1:9",)}
    source = connector(bluesky, "Mossgate School", **keys)
    at = NOW - minutes(1)
    bluesky.write("3la", record("Mossgate School", at), at)
    batches = list(source.poll({}, now=NOW))
    assert texts(batches) == ["Mossgate School"]
    assert [batch.note for batch in batches if batch.note] == [
        "searched instead: 127.0.0.1: no live stream could be opened"
    ]
    bluesky.write("3lb", record("Mossgate School again", NOW), NOW)
    asked = len(bluesky.asked)
    soon = list(source.poll(batches[-1].cursor, now=NOW + minutes(1)))
    assert len(bluesky.asked) == asked
    later = list(source.poll(soon[-1].cursor, now=NOW + minutes(6)))
    assert "Mossgate School again" in texts(later)


def test_without_the_search_the_stream_goes_on(bluesky: BlueskyServer, account: Any) -> None:
    """A refused account is said, and costs nothing of the stream."""
    account["password_file"].write_text("wrong-password", encoding="utf-8")
    bluesky.write("3la", record("Mossgate School", NOW), NOW)
    batches = poll(bluesky, {}, "Mossgate School", **account)
    assert texts(batches) == ["Mossgate School"]
    assert batches[0].note == (
        "only the live stream is seen: 127.0.0.1: HTTP status 401; check account and password_file"
    )
    assert "wrong-password" not in repr(batches)


def test_both_down_is_a_failure(bluesky: BlueskyServer, account: Any) -> None:
    """When neither way works, the poll fails, and nothing is forgotten."""
    bluesky.write("3la", record("Mossgate School", NOW), NOW)
    cursor = poll(bluesky, {}, "Mossgate School", **account)[-1].cursor
    bluesky.faults = Faults(status=503)
    with pytest.raises(SourceUnavailable):
        poll(bluesky, cursor, "Mossgate School", now=NOW + timedelta(hours=2), **account)


# --- what is gone ---------------------------------------------------------------------------------


def test_check_gone_asks_25_at_a_time_without_an_account(bluesky: BlueskyServer) -> None:
    """Of sixty posts the two deleted ones are gone; nobody signs in for that."""
    uris = [bluesky.write(f"old-{n}", record(f"Mossgate {n}", NOW), NOW) for n in range(60)]
    for number in (3, 58):
        bluesky.delete(f"old-{number}", NOW)
    assert connector(bluesky).check_gone(uris) == {uris[3], uris[58]}
    assert [method for method, _ in bluesky.asked] == ["app.bsky.feed.getPosts"] * 3


def test_a_fresh_post_is_never_gone(bluesky: BlueskyServer) -> None:
    """A post that may not be indexed yet, by the time in its key, is not among the gone."""
    fresh = f"at://{DID}/{COLLECTION}/{_tid(time.time() - 60)}"
    old = f"at://{DID}/{COLLECTION}/{_tid(time.time() - 7200)}"
    assert connector(bluesky).check_gone([fresh, old, "https://elsewhere.example/1"]) == {old}


def _tid(seconds: float) -> str:
    number, key = int(seconds * 1e6) << 10, ""
    for _ in range(13):
        number, digit = divmod(number, 32)
        key = "234567abcdefghijklmnopqrstuvwxyz"[digit] + key
    return key


def test_a_server_that_shows_nothing_at_all_is_not_believed(bluesky: BlueskyServer) -> None:
    """An AppView that lost everything would erase everything: that is a fault, not an answer."""
    uris = [f"at://{DID}/{COLLECTION}/old-{number}" for number in range(25)]
    with pytest.raises(SourceUnavailable, match="taken for a fault"):
        connector(bluesky).check_gone(uris)
    assert connector(bluesky).check_gone(uris[:24]) == set(uris[:24])


def test_check_gone_fails_rather_than_guess(bluesky: BlueskyServer) -> None:
    """When the server can't be asked, nothing is called gone."""
    uri = bluesky.write("old", record("Mossgate", NOW), NOW)
    for faults in (Faults(status=502), Faults(body=b'{"posts": {}}'), Faults(body=b"<html>")):
        bluesky.faults = faults
        with pytest.raises(SourceUnavailable):
            connector(bluesky).check_gone([uri])


# --- settings and safety --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"jetstream": ("ws://jetstream.example",)},
        {"jetstream": ("https://jetstream.example",)},
        {"jetstream": ("wss://name:word@jetstream.example",)},
        {"jetstream": ()},
        {"account": "monitor.example"},
        {"pds": "http://pds.example"},
        {"pds": "pds.example"},
        {"appview": "http://10.0.0.1"},
        {"author": "someone.example"},
        {"dids": ["did:plc:x"]},
        {"lookback_days": 31},
    ],
    ids=str,
)
def test_settings_refuse_what_is_unsafe_or_unfinished(settings: dict[str, Any]) -> None:
    """No plain text but to this machine, no half an account, no secret in an address, nobody to watch."""
    with pytest.raises(ValidationError) as caught:
        BlueskySettings(**settings)
    assert "word@" not in str(caught.value)


def test_no_key_names_a_person_to_follow() -> None:
    """The only account in the settings is the one that signs in."""
    forbidden = ("author", "actor", "profile", "handle", "user", "dids", "follow", "query", "terms")
    assert not [
        key for key in BlueskySettings.model_fields if any(word in key for word in forbidden)
    ]


@pytest.mark.parametrize("way", ["stream", "search", "check"])
def test_private_machines_are_refused(bluesky: BlueskyServer, account: Any, way: str) -> None:
    """Without allow_private nothing on our own network is talked to."""
    keys: dict[str, Any] = {"allow_private": False}
    if way == "search":
        keys |= account | {"jetstream": ()}
    source = connector(bluesky, "Mossgate School", **keys)

    def ask() -> object:
        uri = f"at://{DID}/{COLLECTION}/old"
        return source.check_gone([uri]) if way == "check" else list(source.poll({}, now=NOW))

    with pytest.raises(SourceRejected, match="not a"):
        ask()
    assert bluesky.asked == []
    assert bluesky.cursors == []


def test_the_stream_is_read_over_tls_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody vouches for is refused; one that is trusted, and names the host, is not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with running(context) as server:
        server.write("3la", record("Mossgate School", NOW), NOW)
        with pytest.raises(SourceUnavailable, match="its TLS certificate was refused"):
            poll(server)
        trusting = ssl.create_default_context(cafile=CERTIFICATE)
        monkeypatch.setattr("connectors.bluesky_stream.tls", lambda: trusting)
        assert texts(poll(server)) == ["Mossgate School"]
        server.stream_url = server.stream_url.replace("localhost", "127.0.0.2")
        with pytest.raises(SourceUnavailable):
            poll(server)


def test_a_stream_needs_no_package_for_the_search(bluesky: BlueskyServer) -> None:
    """The stream alone loads nothing of the atproto package, which takes seconds and memory."""
    code = (
        "import sys; from connectors.bluesky import *; "
        "BlueskyConnector(BlueskySettings(), source='x'); "
        "sys.exit(any(name.startswith('atproto') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
