"""When somebody is told now, and when the digest is soon enough: each answer with its reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import Concern, ConcernEvent, ConcernState, Disclosure, Notice, Role
from monitor.policy.digest import WITH_DSL
from monitor.policy.routes.alerting import REPEAT, Alert, Quiet, alerting
from monitor.policy.routes.routing import Routing
from tests.policy.builders import person, triaged

NOW = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)
SOMEBODY = Routing(
    notices=(Notice(person=person("slt", Role.SLT), disclosure=Disclosure.FULL, because="x"),),
    confidential=False,
    because="x",
)
NOBODY = Routing(notices=(), confidential=False, because="x")


def concern(
    *labels: Label,
    severity: Severity = Severity.URGENT,
    alerted_ago: timedelta | None = timedelta(minutes=5),
    acknowledged_ago: timedelta | None = None,
) -> Concern:
    moments = (("alerted", alerted_ago), ("acknowledged", acknowledged_ago))
    return Concern(
        id=1,
        reference="2026-0001",
        state=ConcernState.OPEN,
        severity=severity,
        labels=frozenset(labels),
        sentiment=Sentiment.NEGATIVE,
        organisations=("larch",),
        suggestion=WITH_DSL,
        reasons=(),
        confidential=False,
        needs_review=False,
        opened_at=NOW,
        updated_at=NOW,
        history=tuple(
            ConcernEvent(at=NOW - ago, who="monitor", action=action, why="")
            for action, ago in moments
            if ago is not None
        ),
    )


THREAT = triaged([Label.THREAT], severity=Severity.URGENT)
CASES = [
    ("nobody to tell", None, THREAT, NOBODY, Quiet, "nobody needs to know"),
    ("new", None, THREAT, SOMEBODY, Alert, "a new concern"),
    (
        "known, never alerted",
        concern(Label.THREAT, alerted_ago=None),
        THREAT,
        SOMEBODY,
        Alert,
        "what came to it",
    ),
    ("pile-on", concern(Label.THREAT), THREAT, SOMEBODY, Quiet, "nothing new"),
    (
        "graver",
        concern(Label.SAFEGUARDING, severity=Severity.CONCERN),
        triaged([Label.SAFEGUARDING], severity=Severity.URGENT),
        SOMEBODY,
        Alert,
        "graver",
    ),
    ("new harm", concern(Label.ABUSE), THREAT, SOMEBODY, Alert, "threat"),
    (
        "after it was acknowledged",
        concern(Label.THREAT, acknowledged_ago=timedelta(minutes=1)),
        THREAT,
        SOMEBODY,
        Alert,
        "acknowledged",
    ),
    (
        "four hours later",
        concern(Label.THREAT, alerted_ago=REPEAT),
        THREAT,
        SOMEBODY,
        Alert,
        "four hours",
    ),
    (
        "harmless follow-up",
        concern(Label.THREAT, alerted_ago=REPEAT),
        triaged([Label.COMPLAINT], severity=Severity.CONCERN),
        SOMEBODY,
        Quiet,
        "nothing new",
    ),
]


@pytest.mark.parametrize(
    ("before", "triage", "routing", "answer", "because"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_alerting(before, triage, routing, answer, because) -> None:  # type: ignore[no-untyped-def]
    """The table of what alerts and what joins quietly."""
    found = alerting(before, triage, routing, now=NOW)
    assert isinstance(found, answer)
    assert because in found.because
