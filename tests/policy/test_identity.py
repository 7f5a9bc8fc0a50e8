"""Which mentions are one incident."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.post import Post
from monitor.domain import Candidate
from monitor.policy.identity import LONGEST_TEXT, fingerprint, incident_for, normalise, thread_keys

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
STORY = (
    "The minibus for Larkmoor left nine children standing at the swimming baths on Tuesday and "
    "nobody from the office answered the telephone for forty minutes"
)


def post(text, *, platform="reddit", native_id="new", thread_id=None, title=None):
    """A post with the parts that grouping looks at."""
    return Post(platform=platform, native_id=native_id, text=text, thread_id=thread_id, title=title)


def candidate(text=STORY, *, concern_id=7, threads=(), organisations=("lark",), age_days=1.0):
    """A concern whose only mention said `text`."""
    return Candidate(
        concern_id=concern_id,
        threads=frozenset(threads),
        texts=(normalise(text),),
        organisations=frozenset(organisations),
        last_seen=NOW - timedelta(days=age_days),
    )


def joins(new, *candidates, organisations=("lark",)):
    """The concern that the post joins."""
    return incident_for(new, organisations, candidates, now=NOW)


@pytest.mark.parametrize(
    "told_again",
    [
        STORY,
        STORY.upper() + "!!! 😡",
        f"RT {STORY} https://example.example/1",
        STORY.replace("forty", "40").replace("nobody", "no one"),
        STORY.replace("Tuesday", "tuesday,").replace("the office", "the school office"),
        f"{STORY}. Disgraceful.",
    ],
)
def test_the_same_story_anywhere_is_one_incident(told_again):
    """Case, links, a few words or another platform do not make a second incident."""
    assert joins(post(told_again, platform="bluesky"), candidate()) == 7


def test_a_text_split_into_title_and_body_is_the_same():
    """A feed that puts the first words into the title is recognised."""
    assert joins(post(STORY[30:], title=STORY[:30]), candidate()) == 7


@pytest.mark.parametrize(
    "other",
    [
        "shame on you",
        "The minibus for Larkmoor was on time on Tuesday and the children loved the swimming",
        "Who do I ring about the after school club at Larkmoor, the office is shut on Tuesday",
    ],
)
def test_another_story_is_another_incident(other):
    """Shared words about the same school do not glue different stories together."""
    assert joins(post(other), candidate()) is None


@pytest.mark.parametrize(
    "generic", ["shame on you", "Disgusting!!", "this school is a joke", "Wow"]
)
def test_short_generic_words_join_nothing(generic):
    """Two people who say "shame on you" speak of two things."""
    assert joins(post(generic), candidate(generic)) is None


def test_a_reply_joins_its_thread():
    """A reply joins the concern of the post that opened its thread, whatever it says."""
    first = post("Anyone seen this?", native_id="t3_1")
    reply = post("shame on you", native_id="t1_9", thread_id="t3_1")
    assert joins(reply, candidate("x", threads=thread_keys(first))) == 7


def test_the_first_post_joins_a_reply_that_was_seen_before_it():
    """The order in which a thread is collected does not matter."""
    first = post("Anyone seen this?", native_id="t3_1")
    reply = post("shame on you", native_id="t1_9", thread_id="t3_1")
    assert joins(first, candidate("x", threads=thread_keys(reply))) == 7


def test_the_same_number_on_another_platform_is_another_thread():
    """Thread ids are the platform's own and mean nothing elsewhere."""
    there = post("Hello", platform="mastodon", native_id="1")
    assert joins(post("Hello", native_id="1"), candidate("x", threads=thread_keys(there))) is None


def test_another_school_is_another_incident():
    """A chain letter about two schools is two incidents."""
    assert joins(post(STORY), candidate(), organisations=("mill",)) is None


@pytest.mark.parametrize(("age", "expected"), [(7.0, 7), (7.01, None)])
def test_a_week_later_is_another_incident(age, expected):
    """What was last seen more than seven days ago is over."""
    assert joins(post(STORY), candidate(age_days=age)) == expected


def test_the_latest_of_two_wins():
    """Where two concerns fit, the one that was seen last is joined."""
    old, new = candidate(concern_id=1, age_days=3), candidate(concern_id=2, age_days=1)
    assert joins(post(STORY), old, new) == 2


@given(st.text(max_size=3000))
def test_normalising_twice_changes_nothing(text):
    """Normalised text is its own normal form and bounded."""
    once = normalise(text)
    assert normalise(once) == once
    assert len(once) <= LONGEST_TEXT
    assert fingerprint(once) == fingerprint(text)


def test_fingerprints_differ_by_words_only():
    """Case, punctuation and links leave a fingerprint as it is; a word changes it."""
    assert fingerprint("Late AGAIN! https://a.example/x") == fingerprint("late again")
    assert fingerprint("late again") != fingerprint("late always")


def test_the_cost_of_one_mention_is_bounded():
    """A burst with thousands of long open concerns is still decided in well under a second."""
    words = " ".join(f"word{number}" for number in range(200))
    crowd = [candidate(f"{words} {n} {'z' * (n % 90)}", concern_id=n) for n in range(5000)]
    started = perf_counter()
    joins(post(" ".join(f"other{number}" for number in range(200))), *crowd)
    assert perf_counter() - started < 1.0


def test_a_closed_concern_is_joined_by_its_thread_only():
    """A closed concern takes in what stands in its thread, however old its last post, and no story
    told again; a live one in the same thread goes first."""
    closed = replace(candidate(threads={"reddit:t1"}, age_days=10), closed=True)
    assert joins(post("more of it", thread_id="t1"), closed) == 7
    assert joins(post(STORY), closed) is None
    live = candidate("other", concern_id=3, threads={"reddit:t1"}, age_days=6)
    assert joins(post("more of it", thread_id="t1"), closed, live) == 3
