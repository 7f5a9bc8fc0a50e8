"""When single posts become a campaign, and what never does."""

from __future__ import annotations

import json
import random
import time
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import AuthorRole, Flag, Voice
from monitor.errors import ConfigError
from monitor.policy.campaigns.campaign import (
    BINS,
    bins,
    clusters,
    stands_alone,
    voiced,
)
from monitor.policy.campaigns.theme import Themes, load_rules, stem
from monitor.policy.matching.organisations import Organisation
from tests.policy.builders import packaged

NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ORGANISATIONS = (
    Organisation(id="trust", name="Ashgill Learning Trust", town="Ashgill"),
    Organisation(
        id="wrenbury",
        name="Wrenbury Fold Academy",
        aliases=("Wrenbury Fold",),
        hashtags=("WrenburyFold",),
        domains=("wrenburyfold.example",),
        town="Ashgill",
    ),
)
RULES = load_rules(packaged("campaign.toml"))
THEMES = Themes(RULES, ORGANISATIONS)
SCENARIOS = tomllib.loads(
    (Path(__file__).resolve().parents[1] / "data/campaigns/scenarios.toml").read_text("utf-8")
)["scenario"]


def voice(number: int, author: str | None, ago: timedelta, text: str, **more: object) -> Voice:
    """A complaint about Wrenbury Fold."""
    given: dict[str, object] = {
        "mention": number,
        "organisations": ("wrenbury",),
        "platform": "bluesky",
        "author": author,
        "at": NOW - ago,
        "text": text,
        "labels": frozenset({Label.COMPLAINT}),
        "sentiment": Sentiment.NEGATIVE,
        "concern": number,
        "foldable": True,
    }
    return Voice(**(given | more))  # type: ignore[arg-type]


def voices(posts: list[str]) -> list[Voice]:
    made = []
    for number, post in enumerate(posts, 1):
        author, ago, text = (part.strip() for part in post.split("|", 2))
        made.append(voice(number, author or None, int(ago) * HOUR, text))
    return made


PETITION = voices(
    [
        "ash | 1 | Sign the petition about the new blazers at Wrenbury Fold",
        "birch | 2 | Wrenbury Fold uniform petition, please sign",
        "cedar | 3 | Signed the petition about Wrenbury Fold's uniform",
    ]
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each["name"] for each in SCENARIOS])
def test_a_labelled_day(scenario):
    """One theme told by enough voices is one campaign with exactly its posts; other days have none."""
    found = clusters(voices(scenario["posts"]), THEMES, now=NOW)
    assert [cluster.posts for cluster in found] == ([scenario["joined"]] * bool(scenario["joined"]))
    if "theme" in scenario:
        assert scenario["theme"] in found[0].theme


def test_there_are_enough_labelled_days():
    """At least 25, of both kinds."""
    assert len(SCENARIOS) >= 25
    assert 10 <= sum(each["joined"] == 0 for each in SCENARIOS) <= len(SCENARIOS) - 10


@pytest.mark.parametrize(
    "change",
    [
        {"severity": Severity.URGENT},
        {"confidential": True},
        {"needs_review": True},
        {"flags": frozenset({Flag.DEFAMATION})},
        {"author": AuthorRole.PUPIL},
        {"author": AuthorRole.STAFF},
        {"author": AuthorRole.PRESS},
        *(
            {"labels": frozenset({label})}
            for label in (
                Label.THREAT,
                Label.HATE,
                Label.ABUSE,
                Label.SAFEGUARDING,
                Label.ALLEGATION,
                Label.IDENTIFIES_CHILD,
                Label.SECURITY,
                Label.MEDIA,
            )
        ),
    ],
    ids=str,
)
def test_what_could_hurt_stands_alone(change):
    """Urgent, harmful, confidential, unread or reviewed posts are never part of a campaign."""
    plain = {
        "severity": Severity.CONCERN,
        "labels": frozenset({Label.COMPLAINT, Label.CAMPAIGN}),
        "confidential": False,
    }
    assert not stands_alone(**plain)
    assert stands_alone(**(plain | change))
    third = replace(PETITION[2], alone=True)
    assert clusters([*PETITION[:2], third], THEMES, now=NOW) == ()


@pytest.mark.parametrize(
    ("labels", "sentiment", "counts"),
    [
        ({Label.COMPLAINT}, Sentiment.NEUTRAL, True),
        ({Label.CAMPAIGN}, Sentiment.POSITIVE, True),
        ((), Sentiment.NEGATIVE, True),
        ({Label.QUERY}, Sentiment.NEUTRAL, False),
        ((), Sentiment.NEUTRAL, False),
        ({Label.PRAISE}, Sentiment.POSITIVE, False),
        ({Label.PRAISE}, Sentiment.NEGATIVE, False),
    ],
)
def test_only_who_wants_something_changed_is_counted(labels, sentiment, counts):
    """Questions, news and praise on one subject are a busy day."""
    said = voice(1, "ash", HOUR, "x", labels=frozenset(labels), sentiment=sentiment)
    assert voiced(said) is counts


def test_a_cluster_says_who_what_and_when():
    """Posts, authors, first and last, by two hours, ids in order of time: and no word of a post."""
    more = [
        *PETITION,
        replace(
            PETITION[0], mention=4, concern=None, foldable=False, author="ASH", at=NOW - 2 * HOUR
        ),
    ]
    (found,) = clusters(reversed(more), THEMES, now=NOW)
    assert (found.organisation, found.posts, found.authors) == ("wrenbury", 4, 3)
    assert (found.first, found.last) == (NOW - 3 * HOUR, NOW - HOUR)
    assert found.theme == ("the school uniform",)
    assert found.mentions == (3, 2, 4, 1)
    assert found.concerns == (3, 2, 1)
    assert found.loose == (4,)
    assert found.per_2h == (0,) * 10 + (3, 1)
    assert found.campaign is None


def test_a_further_post_joins_a_running_campaign_by_itself():
    """One more voice on the theme two days later belongs to it; one on another matter does not."""
    old = [replace(each, at=each.at - 48 * HOUR, campaign="2026-0007") for each in PETITION]
    late = voice(9, "dell", HOUR, "Has the Wrenbury Fold uniform petition been handed in, I signed")
    other = voice(10, "elm", HOUR, "Wrenbury Fold homework again, three hours a night")
    (found,) = clusters([*old, late, other], THEMES, now=NOW)
    assert found.campaign == "2026-0007"
    assert found.mentions[-1] == 9
    assert found.posts == 4


def test_two_themes_are_two_campaigns():
    """Each post is counted to one of them."""
    buses = voices(
        [
            "fern | 1 | Wrenbury Fold cutting the 41 bus leaves us stranded",
            "gorse | 2 | The bus cut at Wrenbury Fold means a three mile walk",
            "hazel | 3 | Wrenbury Fold axed the school bus, no warning",
            "ivy | 4 | Bus route cut. Thanks Wrenbury Fold",
        ]
    )
    buses = [replace(each, mention=each.mention + 100) for each in buses]
    found = clusters([*PETITION, *buses], THEMES, now=NOW)
    assert [cluster.theme for cluster in found] == [("school transport",), ("the school uniform",)]
    ids = [mention for cluster in found for mention in cluster.mentions]
    assert len(ids) == len(set(ids)) == 7


def test_a_post_about_school_and_trust_is_counted_once():
    """A petition that names both is one campaign."""
    both = [replace(each, organisations=("trust", "wrenbury")) for each in PETITION]
    assert len(clusters(both, THEMES, now=NOW)) == 1


@given(order=st.permutations(PETITION))
def test_the_order_of_reading_changes_nothing(order):
    """The same posts give the same campaign."""
    assert clusters(order, THEMES, now=NOW) == clusters(PETITION, THEMES, now=NOW)


@settings(max_examples=50, deadline=None)
@given(
    texts=st.lists(st.text(max_size=200), max_size=25),
    authors=st.lists(st.sampled_from(["ash", "birch", "cedar", None]), min_size=25, max_size=25),
)
def test_any_texts_give_campaigns_that_meet_the_definition(texts, authors):
    """Whatever people write: three authors or ten posts, and each post at most once."""
    said = [
        voice(number, author, number * HOUR / 4, text)
        for number, (text, author) in enumerate(zip(texts, authors, strict=False))
    ]
    found = clusters(said, THEMES, now=NOW)
    for cluster in found:
        assert cluster.authors >= RULES.authors or cluster.posts >= RULES.posts
        assert set(cluster.theme) <= {topic.phrase for topic in RULES.topic}
    ids = [mention for cluster in found for mention in cluster.mentions]
    assert len(ids) == len(set(ids))


def test_bins_hold_the_last_day_and_nothing_else():
    """Twelve stretches; what is older or still to come is left out."""
    times = [NOW, NOW - HOUR, NOW - 2 * HOUR, NOW - 23 * HOUR, NOW - 24 * HOUR, NOW + HOUR]
    assert bins(times, NOW) == (1, *(0,) * (BINS - 3), 1, 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [("skirts", "skirt"), ("parties", "party"), ("locked", "locking"), ("fines", "fined")],
)
def test_forms_of_a_word_are_one(one, other):
    """Plural, past and -ing compare equal."""
    assert stem(one) == stem(other)


def test_a_burst_is_read_in_bounded_time():
    """5,000 posts in a burst take seconds, not minutes."""
    words = [
        "blazer",
        "bus",
        "lunch",
        "field",
        "toilets",
        "phone",
        "petition",
        "price",
        "cut",
        "late",
        "gate",
        "library",
        "hut",
    ]
    said = [
        voice(
            number,
            f"a{number % 700}",
            number * timedelta(seconds=10),
            f"Wrenbury Fold {words[number % 10]} {words[number % 7]} thing{number % 311} "
            f"w{number} {words[number % 5]} and more",
        )
        for number in range(5000)
    ]
    started = time.perf_counter()
    found = clusters(said, THEMES, now=NOW)
    assert time.perf_counter() - started < 15
    assert sum(cluster.posts for cluster in found) <= 5000


@pytest.mark.parametrize(
    ("line", "place"),
    [("authors = 1", "authors"), ("colour = 2", "colour"), ("quiet_hours = 0", "quiet_hours")],
)
def test_a_wrong_rule_is_refused_with_its_place(line, place):
    """The fault names file and key."""
    name = line.partition(" ")[0]
    rest = [each for each in packaged("campaign.toml").splitlines() if not each.startswith(name)]
    with pytest.raises(ConfigError, match=rf"campaign\.toml: {place}"):
        load_rules("\n".join([line, *rest]))


def test_unrelated_complaints_of_one_day_make_no_campaign():
    """Ten complaints about ten schools' matters, taken for one school's day: hardly ever a theme."""
    folder = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "school"
    if not folder.is_dir():
        pytest.skip(
            "PRECISION NOT MEASURED: the shared labelled posts are not beside this checkout"
        )
    harmful = set(Label) - {Label.COMPLAINT, Label.QUERY, Label.PRAISE, Label.SECURITY, Label.MEDIA}
    posts = (
        json.loads(line)
        for file in sorted(folder.glob("train_*.jsonl"))
        for line in file.read_text("utf-8").splitlines()
    )
    texts = [
        post["text"]
        for post in posts
        if "complaint" in post["labels"] and not harmful & set(post["labels"])
    ]
    days = [random.Random(day).sample(texts, 10) for day in range(100)]
    found = sum(
        bool(
            clusters(
                [voice(n, f"a{n}", n * HOUR, text) for n, text in enumerate(day)], THEMES, now=NOW
            )
        )
        for day in days
    )
    assert found <= 3
