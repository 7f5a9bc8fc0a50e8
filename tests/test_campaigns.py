"""Campaigns in the real store, on both databases: one case, one notice, and nothing grave in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import Any

import pytest
import sqlalchemy as sa

from classifiers.verdict import Label, Sentiment, Severity
from connectors.post import Post
from monitor import app
from monitor.delivery.letters import Letters
from monitor.delivery.render import Renderer
from monitor.domain import (
    Concern,
    ConcernState,
    DeliveryKind,
    DeliveryState,
    Match,
    Person,
    Role,
    Strength,
    Suggestion,
    Triage,
)
from monitor.pipeline.campaigns import Campaigns
from monitor.policy import ladder, triage
from monitor.policy.assessment import Rulebook
from monitor.policy.campaigns.case import topic
from monitor.policy.campaigns.theme import load_rules
from monitor.policy.deadlines import Calendar
from monitor.policy.life import Move
from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.ports import ConcernDraft
from monitor.store.store import SqlStore
from tests.fakes import FakeClock
from tests.store.samples import leave

NAME = "Wrenbury Fold Academy"
WATCHLIST = Watchlist(
    trust=Organisation(id="trust", name="Ashgill Learning Trust"),
    schools=(Organisation(id="wrenbury", name=NAME, aliases=("Wrenbury Fold",)),),
)
PEOPLE = tuple(
    Person(id=role.value, name=role.value, email=f"{role}@ashgill.example", roles=frozenset({role}))
    for role in (Role.COMMS, Role.SLT, Role.DSL)
)
PETITION = (
    "Sign the petition about the new blazers at Wrenbury Fold",
    "Wrenbury Fold uniform petition, please sign",
    "Signed the petition about the uniform of Wrenbury Fold",
)
LIVE = [state for state in ConcernState if state is not ConcernState.MERGED]


@dataclass
class Scene:
    """A store into which people post, and the room under test."""

    campaigns: Campaigns
    store: SqlStore
    clock: FakeClock
    woken: list[str]

    def says(
        self,
        author: str,
        text: str,
        *labels: Label,
        severity: Severity = Severity.CONCERN,
        confidential: bool = False,
    ) -> str | None:
        """One post, seen and assessed now; its case number, when it has one."""
        now = self.clock()
        judged = Triage(
            severity=severity,
            labels=frozenset(labels or {Label.COMPLAINT}),
            sentiment=Sentiment.NEGATIVE,
            scores=dict.fromkeys(Label, 0.0),
            reasons=("because",),
        )
        post = Post(platform="bluesky", native_id=f"{author}{now}{text}", text=text, author=author)
        match = Match(
            organisation="wrenbury",
            term=NAME,
            field="text",
            span=(0, 4),
            strength=Strength.DISTINCTIVE,
            reason="the name",
        )
        with self.store.begin() as rows:
            rows.mentions.record("feed", [(post, (match,))], now=now)
            (claimed,) = rows.mentions.claim(owner="t", lease_s=60, limit=1, now=now)
            rows.mentions.assessed(claimed, judged, model="t", now=now)
            if severity is Severity.ROUTINE:
                return None
            draft = ConcernDraft(
                triage=judged,
                organisations=("wrenbury",),
                suggestion=SUGGESTION,
                confidential=confidential,
            )
            concern = rows.concerns.open(draft, why="a post", now=now)
            rows.mentions.belongs_to(claimed.mention.id, concern.id)
        return concern.reference

    def petition(self) -> list[str]:
        return [
            self.says(author, text) or ""
            for author, text in zip(("ash", "birch", "cedar"), PETITION, strict=True)
        ]

    def concerns(self) -> Sequence[Concern]:
        with self.store.read() as rows:
            return rows.concerns.listed(states=LIVE)

    def heads(self) -> list[Concern]:
        return [concern for concern in self.concerns() if concern.campaign == concern.reference]

    def case(self, reference: str) -> Concern:
        return next(concern for concern in self.concerns() if concern.reference == reference)

    def letters(self) -> list[tuple[str, str, str]]:
        """(recipient, subject, text) of whatever is queued."""
        with self.store.begin() as rows:
            told = []
            while delivery := rows.outbox.claim(
                list(DeliveryKind), owner="t", lease_s=60, now=self.clock()
            ):
                mail = message_from_bytes(delivery.message, policy=policy.default)
                body = mail.get_body(("plain",))
                assert body is not None
                rows.outbox.mark(
                    delivery,
                    DeliveryState.SENT,
                    detail="",
                    due_at=self.clock(),
                    ambiguous=False,
                    now=self.clock(),
                )
                told.append((delivery.recipient, str(mail["Subject"]), body.get_content()))
        return told


SUGGESTION = Suggestion(
    rung="L1",
    rung_name="Acknowledge",
    who="communications",
    approver="a second person",
    reply="Hello",
    private_reply=None,
    no_reply_because=None,
    do=(),
    dont=(),
    due_at=None,
    source="a clause",
)


@pytest.fixture
def scene(database: sa.Engine) -> Scene:
    store, clock = SqlStore(database), FakeClock()
    woken: list[str] = []
    renderer = Renderer(
        trust_name=WATCHLIST.trust.name,
        organisations={o.id: o.name for o in WATCHLIST.organisations},
        redact=lambda text: text,
    )
    return Scene(
        campaigns=Campaigns(
            store=store,
            book=Rulebook(
                triage=triage.load_rules(app.data("triage.toml")),
                ladder=ladder.load_profile("base", lambda name: app.data(f"ladders/{name}.toml")),
                calendar=Calendar(),
                people=PEOPLE,
                watchlist=WATCHLIST,
                contact="office@ashgill.example",
                complaints_url=None,
                info_url=None,
            ),
            rules=load_rules(app.data("campaign.toml")),
            clock=clock,
            letters=Letters(renderer, "monitor@ashgill.example"),
            channel="email",
            wake=woken.append,
        ),
        store=store,
        clock=clock,
        woken=woken,
    )


def test_three_voices_on_one_theme_get_one_case_and_one_notice(scene: Scene) -> None:
    """The case stands on the campaign's rung with a deadline; comms and SLT hear of it once."""
    cases = scene.petition()
    assert scene.campaigns.look()
    (head,) = scene.heads()
    assert head.labels == {Label.CAMPAIGN}
    assert head.suggestion.rung == "C1"
    assert head.suggestion.due_at is not None
    assert topic(head) == "the school uniform"
    assert "strongly about the school uniform." in (head.suggestion.reply or "")
    assert [scene.case(case).campaign for case in cases] == [head.reference] * 3
    letters = scene.letters()
    assert sorted(recipient for recipient, _, _ in letters) == [
        "comms@ashgill.example",
        "slt@ashgill.example",
    ]
    assert {subject for _, subject, _ in letters} == {f"Campaign – case {head.reference} – {NAME}"}
    assert all("3 posts by 3 people" in text and "lawful" in text for _, _, text in letters)
    assert scene.woken == ["deliver"]


def test_looking_again_changes_nothing(scene: Scene) -> None:
    """The same posts open no second case, write no second line and send no second notice."""
    scene.petition()
    scene.campaigns.look()
    before = scene.concerns()
    scene.letters()
    scene.clock.forward(minutes=2)
    assert not scene.campaigns.look()
    assert scene.concerns() == before
    assert scene.letters() == []


def test_further_posts_join_without_a_further_notice(scene: Scene) -> None:
    """A day later one more voice is folded in, noted in the history, and nobody is alerted."""
    scene.petition()
    scene.campaigns.look()
    scene.letters()
    scene.clock.forward(hours=30)
    late = scene.says("dell", "Has the Wrenbury Fold uniform petition been handed in, I signed")
    assert late
    assert scene.campaigns.look()
    (head,) = scene.heads()
    assert scene.case(late).campaign == head.reference
    assert [event.action for event in head.history].count("updated") == 1
    assert scene.letters() == []


def test_posts_without_a_case_are_counted_to_the_campaigns(scene: Scene) -> None:
    """A routine post on the theme belongs to the campaign's own case from then on."""
    scene.petition()
    scene.says("elm", "That uniform petition, Wrenbury Fold. Signed", severity=Severity.ROUTINE)
    scene.campaigns.look()
    (head,) = scene.heads()
    assert [mention.post.author for mention in head.mentions] == ["elm"]


@pytest.mark.parametrize(
    "grave",
    [
        {"severity": Severity.URGENT, "labels": (Label.THREAT,)},
        {"severity": Severity.CONCERN, "labels": (Label.ABUSE, Label.CAMPAIGN)},
        {"severity": Severity.CONCERN, "labels": (Label.SAFEGUARDING,), "confidential": True},
    ],
    ids=["threat", "abuse", "child"],
)
def test_what_is_grave_is_never_folded_in(scene: Scene, grave: dict[str, Any]) -> None:
    """A threat in the midst of a petition keeps its own case, and is not counted."""
    scene.petition()
    labels = grave["labels"]
    more = {name: value for name, value in grave.items() if name != "labels"}
    alone = scene.says("fern", "Wrenbury Fold uniform petition, sign or else", *labels, **more)
    scene.campaigns.look()
    (head,) = scene.heads()
    assert alone
    assert scene.case(alone).campaign is None
    assert "3 posts" in head.reasons[0]


def test_a_case_that_turns_grave_is_let_go(scene: Scene) -> None:
    """A threat that joins a folded case takes it out of the campaign again."""
    cases = scene.petition()
    scene.campaigns.look()
    first = scene.case(cases[0])
    with scene.store.begin() as rows:
        worse = Triage(
            severity=Severity.URGENT,
            labels=frozenset({Label.THREAT}),
            sentiment=Sentiment.NEGATIVE,
            scores=dict.fromkeys(Label, 0.0),
            reasons=("threatens",),
        )
        draft = ConcernDraft(
            triage=worse, organisations=("wrenbury",), suggestion=SUGGESTION, confidential=False
        )
        rows.concerns.update(first.id, draft, why="a further post", now=scene.clock())
    assert scene.campaigns.look()
    assert scene.case(cases[0]).campaign is None


def test_a_case_in_somebodys_hands_is_left_to_them(scene: Scene) -> None:
    """Its post counts, and it stays a case of its own."""
    cases = scene.petition()
    taken = scene.case(cases[0])
    with scene.store.begin() as rows:
        leave(rows, taken.id, Move.ACKNOWLEDGE, who="comms", now=scene.clock())
    scene.campaigns.look()
    assert len(scene.heads()) == 1
    assert scene.case(cases[0]).campaign is None


def test_a_closed_campaign_starts_again_only_from_new_voices(scene: Scene) -> None:
    """Once people closed it, its old posts open nothing; three new voices do."""
    scene.petition()
    scene.campaigns.look()
    (head,) = scene.heads()
    with scene.store.begin() as rows:
        leave(rows, head.id, Move.CLOSE, who="comms", now=scene.clock())
    scene.clock.forward(hours=1)
    assert not scene.campaigns.look()
    for author in ("gorse", "hazel", "ivy"):
        scene.says(author, "Uniform petition at Wrenbury Fold, sign it again please")
    assert scene.campaigns.look()
    assert len(scene.heads()) == 2


def test_a_campaigns_case_takes_in_no_post_by_its_wording(scene: Scene) -> None:
    """A near copy of a routine post in it is judged as a new incident, so that nothing hides there."""
    scene.petition()
    scene.says("elm", "That uniform petition, Wrenbury Fold. Signed", severity=Severity.ROUTINE)
    scene.campaigns.look()
    (head,) = scene.heads()
    with scene.store.read() as rows:
        found = rows.concerns.candidates(since=scene.clock().replace(year=2000))
    assert head.id not in {candidate.concern_id for candidate in found}


def test_old_posts_found_today_are_no_burst(scene: Scene) -> None:
    """Posts published on different days count on the days on which they were written."""
    for number, text in enumerate(PETITION):
        scene.says(f"a{number}", text)
        scene.clock.forward(hours=30)
    assert not scene.campaigns.look()
    assert scene.heads() == []
