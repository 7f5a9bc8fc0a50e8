"""What is with the safeguarding lead stays there, in every letter; and a head reads nothing about
themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy

import pytest

from classifiers.verdict import Label, Severity
from connectors.post import Post
from monitor.delivery.letters import Letters
from monitor.delivery.render import Renderer
from monitor.domain import Absence, Concern, Disclosure, Mention, Notice, Person, Role
from monitor.policy import digest
from monitor.policy.life.rules import matter
from monitor.policy.routes import escalation, readers, routing
from tests.policy.builders import person
from tests.policy.test_escalation import concern as a_concern

NOW = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)
DAY = date(2026, 3, 10)
SECRETS = ("Hollowmere", "zebra", "stripes", "teller", "at risk", "recognise", "allegation")

DSL = person("dsl", Role.DSL)
DEPUTY = person("deputy", Role.DEPUTY_DSL)
SLT = person("slt", Role.SLT)
COMMS = person("comms", Role.COMMS)
HEAD = person("head", Role.HEAD, Role.COMMS, schools=["hill"])
PEOPLE = (DSL, DEPUTY, SLT, COMMS, HEAD)

POST = Post(
    platform="rss",
    native_id="1",
    url="https://stripes.example/1",
    title="zebra",
    text="zebra stripes at Hollowmere Primary",
    author="teller",
)


@dataclass
class Desk:
    """Renders letters, and reads them as their reader does."""

    letters: Letters

    def said(self, raw: bytes) -> str:
        letter = message_from_bytes(raw, policy=policy.default)
        return f"{letter['Subject']}\n" + "\n".join(
            part.get_content() for part in letter.iter_parts()
        )

    def alert(self, concern: Concern, notice: Notice) -> str:
        return self.said(self.letters.alert(concern, notice, key="alert:x:1", now=NOW))

    def digest(self, person: Person, *concerns: Concern) -> str:
        composed = digest.compose(
            day=DAY,
            since=NOW.replace(hour=0),
            until=NOW,
            now=NOW,
            concerns=concerns,
            routine=(),
            sources=(),
            gaps=(),
            undelivered=0,
            organisations=("hill", "mill"),
        )
        read = readers.as_read_by(composed, person, PEOPLE)
        return self.said(self.letters.digest(read, person, key="digest:x", now=NOW))


@pytest.fixture
def desk() -> Desk:
    names = {"hill": "Hollowmere Primary", "mill": "Millrace School"}
    renderer = Renderer(
        trust_name="Tarnbeck Learning Trust", organisations=names, excerpt="full", redact=str
    )
    return Desk(Letters(renderer, "monitor@trust.example"))


def logged(*labels: Label, **more: object) -> Concern:
    mention = Mention(
        id=1, source="feed", post=POST, matches=(), first_seen_at=NOW.replace(hour=8), revision=1
    )
    reasons = ("very probably a child at risk: zebra", "a pupil, teller, can be recognised")
    return a_concern(*labels, mentions=(mention,), reasons=reasons, **more)


CHILD = [
    {Label.SAFEGUARDING},
    {Label.IDENTIFIES_CHILD},
    {Label.SAFEGUARDING, Label.THREAT},
    {Label.IDENTIFIES_CHILD, Label.HATE, Label.MEDIA},
    {Label.SAFEGUARDING, Label.ALLEGATION, Label.COMPLAINT},
]


@pytest.mark.parametrize("labels", CHILD, ids=lambda labels: "+".join(sorted(labels)))
@pytest.mark.parametrize("severity", [Severity.CONCERN, Severity.URGENT])
def test_no_letter_but_the_leads_says_what_it_is(
    desk: Desk, labels: set[Label], severity: Severity
) -> None:
    """Every notice of the alert and of every step after it: who is no lead learns neither school nor
    category nor a word of the post."""
    concern = logged(*labels, severity=severity)
    routed = routing.route(concern.triage, concern.organisations, PEOPLE, day=DAY)
    assert routed.confidential
    steps = [n for tier in escalation.chain(concern, PEOPLE, day=DAY) for n in tier.notices()]
    assert {n.disclosure for n in steps} == {Disclosure.FULL, Disclosure.RING}
    for notice in (*routed.notices, *steps):
        if notice.person in {DSL, DEPUTY}:
            continue
        assert notice.disclosure is not Disclosure.FULL
        said = desk.alert(concern, notice)
        for secret in SECRETS:
            assert secret.casefold() not in said.casefold(), notice.disclosure
        assert concern.reference in said


@pytest.mark.parametrize("labels", CHILD, ids=lambda labels: "+".join(sorted(labels)))
def test_the_digest_says_that_it_is_with_the_lead_and_no_more(
    desk: Desk, labels: set[Label]
) -> None:
    """Communications read the case number and who has it."""
    said = desk.digest(COMMS, logged(*labels))
    assert "2026-0001" in said
    for secret in SECRETS:
        assert secret.casefold() not in said.casefold()


def test_what_was_a_child_at_risk_stays_with_the_lead(desk: Desk) -> None:
    """A concern whose labels were mended is confidential still, and so is the next step."""
    concern = logged(Label.THREAT, confidential=True)
    assert matter(concern).child
    told = [n for tier in escalation.chain(concern, PEOPLE, day=DAY) for n in tier.notices()]
    assert {n.person.id for n in told if n.disclosure is Disclosure.FULL} == {"dsl", "deputy"}
    again = routing.route(concern.triage, concern.organisations, PEOPLE, day=DAY, confidential=True)
    assert {n.person.id for n in again.notices if n.disclosure is Disclosure.FULL} == {"dsl"}
    assert {n.disclosure for n in again.notices} == {Disclosure.FULL, Disclosure.WITHHELD}


def test_a_heads_own_digest_has_nothing_about_them(desk: Desk) -> None:
    """A head who writes for communications too reads other schools' concerns, and no allegation about
    themselves; their colleague reads both."""
    about = logged(Label.ALLEGATION, about_head=True)
    other = replace(logged(Label.COMPLAINT), reference="2026-0002", organisations=("mill",))
    assert "2026-0001" not in desk.digest(HEAD, about, other)
    assert "2026-0002" in desk.digest(HEAD, about, other)
    assert "2026-0001" in desk.digest(COMMS, about, other)


def test_the_digest_reaches_who_stands_in() -> None:
    """Communications' cover gets the digest beside them, on the days of the absence only."""
    away = replace(COMMS, absences=(Absence(since=DAY, until=DAY, cover="slt"),))
    people = (away, SLT, DSL)
    assert [p.id for p in readers.digest_readers(people, DAY)] == ["comms", "slt"]
    assert [p.id for p in readers.digest_readers(people, date(2026, 3, 11))] == ["comms"]
