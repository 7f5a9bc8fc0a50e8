"""Where each state stands in the digest, what a campaign folds in, and the weeks side by side."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import ConcernEvent, ConcernState, Week
from tests.policy.test_digest import HOUR, NOW, composed, concern, groups, ids

PLAIN = {"labels": frozenset({Label.COMPLAINT}), "needs_review": False}


def plain(number, **more):
    """A complaint that could be part of a campaign."""
    made = concern(number)
    said = replace(made.mentions[0].post, author=f"author-{number}")
    mentions = (replace(made.mentions[0], post=said),)
    return replace(made, **(PLAIN | {"mentions": mentions} | more))


def head(number=50, **more):
    """A campaign's own case, without a post of its own."""
    named = ConcernEvent(
        at=NOW, who="monitor", action="campaign", why="x", details={"topic": "homework"}
    )
    return plain(
        number, campaign=f"2026-{number:04}", **({"mentions": (), "history": (named,)} | more)
    )


@pytest.mark.parametrize(
    ("state", "group"),
    [
        (ConcernState.OPEN, "needs_you"),
        (ConcernState.APPROVED, "ready"),
        (ConcernState.FOR_APPROVAL, "for_approval"),
        (ConcernState.SECOND_OPINION, "second_opinion"),
        (ConcernState.ACKNOWLEDGED, "in_hand"),
        (ConcernState.WAITING, "waiting"),
    ],
)
def test_each_state_has_its_group(state, group):
    """What is in time stands where its state says, and nowhere else."""
    digest = composed(concerns=[concern(1, state=state)])
    assert ids(getattr(digest, group)) == [1]
    assert sum(len(each) for each in groups(digest)) == 1


def test_a_campaign_is_one_line_for_its_open_cases():
    """Its cases stand in no list; the line counts their posts, authors and hours."""
    members = [plain(n, campaign="2026-0050") for n in (1, 2, 3)]
    digest = composed(concerns=[*members, head(), plain(4)])
    assert ids(digest.needs_you) == [4]
    (rally,) = digest.campaigns
    assert (rally.concern.id, rally.posts, rally.authors) == (50, 3, 3)
    assert rally.cases == ("2026-0001", "2026-0002", "2026-0003")
    assert rally.topic == "homework"
    assert rally.per_2h == (0,) * 11 + (3,)
    assert digest.late_campaigns == frozenset()


@pytest.mark.parametrize(
    ("change", "group"),
    [
        ({"severity": Severity.URGENT}, "needs_you"),
        ({"labels": frozenset({Label.ABUSE})}, "needs_you"),
        ({"confidential": True}, "with_dsl"),
        ({"state": ConcernState.FOR_APPROVAL}, "for_approval"),
        ({"state": ConcernState.ACKNOWLEDGED}, "in_hand"),
    ],
    ids=str,
)
def test_a_case_that_became_grave_or_is_in_hand_keeps_its_place(change, group):
    """Folding hides nothing that somebody must see."""
    digest = composed(concerns=[plain(1, campaign="2026-0050", **change), head()])
    assert ids(getattr(digest, group)) == [1]
    assert digest.campaigns[0].cases == ()


@pytest.mark.parametrize("confidential", [True, False])
def test_grave_posts_are_not_counted_to_the_campaign(confidential):
    """Neither their number nor their hour shows in the chart."""
    grave = plain(
        1, campaign="2026-0050", labels=frozenset({Label.THREAT}), confidential=confidential
    )
    (rally,) = composed(concerns=[grave, head()]).campaigns
    assert (rally.posts, sum(rally.per_2h)) == (0, 0)


def test_cases_of_a_campaign_that_is_over_stand_alone_again():
    """Nothing is folded into what is not shown."""
    digest = composed(concerns=[plain(1, campaign="2026-0050"), head(state=ConcernState.CLOSED)])
    assert ids(digest.needs_you) == [1]
    assert digest.campaigns == ()


def test_a_late_campaign_is_said_to_be_late():
    """Its line is marked, and it stands in no other group."""
    late = head()
    late = replace(late, suggestion=replace(late.suggestion, due_at=NOW - HOUR))
    digest = composed(concerns=[late])
    assert digest.late_campaigns == {"2026-0050"}
    assert not any(groups(digest))


def test_a_campaign_label_alone_is_no_campaign():
    """A single call to sign is a case like others."""
    digest = composed(concerns=[plain(1, labels=frozenset({Label.CAMPAIGN}))])
    assert ids(digest.needs_you) == [1]
    assert digest.campaigns == ()


def test_weeks_stand_side_by_side_for_whoever_was_spoken_of():
    """Silent schools are left out; a week without posts is zeros."""
    negative, zeros = {Sentiment.NEGATIVE: 3}, dict.fromkeys(Sentiment, 0)
    digest = composed(this_week={"mill": negative}, last_week={"trust": negative, "hill": zeros})
    assert digest.weeks == {
        "trust": Week(this=zeros, last=zeros | negative),
        "mill": Week(this=zeros | negative, last=zeros),
    }


def test_posts_published_earlier_stand_where_they_were_published():
    """A post found hours later fills the hour in which it was written."""
    old = plain(1, campaign="2026-0050")
    said = replace(old.mentions[0].post, published_at=NOW - timedelta(hours=20))
    old = replace(old, mentions=(replace(old.mentions[0], post=said),))
    (rally,) = composed(concerns=[old, head()]).campaigns
    assert rally.per_2h.index(1) == 1
