"""At whom a post seems to be aimed: a role, and never a name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label
from monitor.policy.campaigns.target import aimed_at
from tests.policy.test_digest import concern

ROLES = {
    "the head",
    "a pupil",
    "the school",
    "a member of staff",
    "pupils",
    "parents",
    "governors or trustees",
}


def saying(text, *labels, **more):
    made = concern(1)
    post = replace(made.mentions[0].post, text=text)
    return replace(
        made, labels=frozenset(labels), mentions=(replace(made.mentions[0], post=post),), **more
    )


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("The headteacher is a disgrace", "the head"),
        ("Mrs Trenchard is useless, worst teacher ever", "a member of staff"),
        ("those year 9 kids are feral", "pupils"),
        ("The mums at the gate are poison", "parents"),
        ("Every trustee should resign, the board too", "governors or trustees"),
        ("What a dump", "the school"),
        ("", "the school"),
    ],
)
def test_the_role_that_is_spoken_of_most(text, role):
    """What the words show; the school when they show nobody."""
    assert aimed_at(saying(text, Label.ABUSE)) == role


def test_what_a_person_or_the_labels_say_counts_before_the_words():
    """A case marked as being about the head, or one in which a child can be recognised."""
    assert aimed_at(saying("that teacher", about_head=True)) == "the head"
    assert aimed_at(saying("that teacher", Label.IDENTIFIES_CHILD)) == "a pupil"


@given(st.text(max_size=300))
def test_whatever_is_said_only_a_role_comes_back(text):
    """No word of a post reaches the alert this way."""
    assert aimed_at(saying(text)) in ROLES
