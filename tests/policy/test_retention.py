"""How long the text of a post is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label, Severity
from monitor.domain import ConcernState, Settled
from monitor.errors import ConfigError
from monitor.policy.retention import erase_after, expired, load_rules
from tests.policy.builders import labels_sets, packaged

TEXT = packaged("retention.toml")
RULES = load_rules(TEXT)
L = Label
SEEN = datetime(2026, 3, 10, tzinfo=UTC)
CLOSED = SEEN + timedelta(days=5)


@pytest.mark.parametrize(
    ("labels", "days"),
    [
        ({L.SAFEGUARDING}, 30),
        ({L.ALLEGATION, L.ABUSE}, 30),
        ({L.IDENTIFIES_CHILD, L.THREAT}, 30),
        ({L.THREAT}, 365),
        ({L.ABUSE, L.COMPLAINT}, 365),
        ({L.CAMPAIGN, L.COMPLAINT}, 365),
        ({L.COMPLAINT, L.QUERY}, 180),
        ({L.QUERY}, 90),
        (set(), 180),
    ],
)
def test_the_days_after_closure(labels, days):
    """Each kind of closed concern keeps its text for the days that the file gives."""
    due = erase_after(Severity.CONCERN, frozenset(labels), ConcernState.CLOSED, CLOSED, SEEN, RULES)
    assert due == CLOSED + timedelta(days=days)


def test_praise_goes_after_a_month():
    """A routine mention goes 30 days after it was seen."""
    due = erase_after(Severity.ROUTINE, frozenset({L.PRAISE}), None, None, SEEN, RULES)
    assert due == SEEN + timedelta(days=30)


@given(labels_sets, st.sampled_from(Severity))
def test_what_is_open_stays(labels, severity):
    """Nothing that somebody still has to deal with is erased under their hands."""
    for state in (ConcernState.OPEN, ConcernState.ACKNOWLEDGED):
        assert erase_after(severity, labels, state, None, SEEN, RULES) is None


def test_what_is_not_logged_yet_stays():
    """A mention that should be a concern and has none yet is not erased."""
    assert erase_after(Severity.URGENT, frozenset(), None, None, SEEN, RULES) is None


@pytest.mark.parametrize(("days", "gone"), [(29.9, False), (30, True), (400, True)])
def test_a_mention_expires_on_its_day(days, gone):
    """A settled mention may be erased from its day on, not before."""
    item = Settled(
        mention=1,
        severity=Severity.ROUTINE,
        labels=frozenset(),
        state=None,
        closed_at=None,
        seen_at=SEEN,
    )
    assert expired(item, RULES, now=SEEN + timedelta(days=days)) is gone


def test_a_closed_concern_needs_its_date():
    """A closed concern without a date is a fault of the caller."""
    with pytest.raises(ValueError, match="closed_at"):
        erase_after(Severity.CONCERN, frozenset(), ConcernState.CLOSED, None, SEEN, RULES)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("days = 365", "days = -1", r"rule\.1\.days"),
        ('"query"', '"querry"', r"rule\.3\.labels"),
        ("other_days", "other", "other"),
    ],
)
def test_a_faulty_file_is_refused(old, new, named):
    """A wrong number or an unknown label is refused with its key path."""
    with pytest.raises(ConfigError, match=named):
        load_rules(TEXT.replace(old, new, 1))
