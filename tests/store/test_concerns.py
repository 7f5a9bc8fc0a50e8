"""The concern log in the database: what a move stores, what a list reads, what may be taken up again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from classifiers.verdict import Label, Severity
from monitor.domain import (
    MONITOR,
    AuthorRole,
    Closing,
    Concern,
    ConcernEvent,
    ConcernState,
    Flag,
    MetBy,
    Reply,
    ReplyState,
    Role,
)
from monitor.store.store import SqlStore
from tests.store.samples import MATCH, NOW, draft, post

LATER = NOW + timedelta(hours=1)


def opened(store: SqlStore, native_id: str = "a1", **thread: str) -> Concern:
    """A concern with one post."""
    with store.begin() as rows:
        rows.mentions.record("feed", [(post(native_id, **thread), (MATCH,))], now=NOW)
        (claimed,) = rows.mentions.claim(owner="t", lease_s=60, limit=1, now=NOW)
        concern = rows.concerns.open(draft(Severity.CONCERN, Label.COMPLAINT), why="new", now=NOW)
        rows.mentions.belongs_to(claimed.mention.id, concern.id)
        return rows.concerns.get(concern.id)


def closed(store: SqlStore, concern: Concern, how: Closing) -> None:
    ended = replace(concern, state=ConcernState.CLOSED, closing=how, closed_at=NOW, updated_at=NOW)
    with store.begin() as rows:
        rows.concerns.save(ended)


def test_everything_a_move_sets_comes_back(store: SqlStore) -> None:
    """Each field of a concern, its replies and its history's details are stored as they were given."""
    before = opened(store)
    event = ConcernEvent(at=LATER, who="slt", action="flag", why="ß", details={"flag": "doxxing"})
    reply = Reply(
        number=1,
        public=False,
        text="Déjà 🙂",
        state=ReplyState.APPROVED,
        drafter="comms",
        drafted_at=NOW,
        approver="slt",
        decided_at=LATER,
    )
    after = replace(
        before,
        state=ConcernState.SECOND_OPINION,
        severity=Severity.URGENT,
        labels=frozenset({Label.ABUSE, Label.COMPLAINT}),
        scores={Label.ABUSE: 0.75},
        organisations=("larch", "trust"),
        suggestion=replace(
            before.suggestion, approvers=frozenset({Role.SLT, Role.DSL}), met_by=MetBy.EXIT
        ),
        reasons=("one", "two"),
        confidential=True,
        needs_review=True,
        ladder="coast",
        owner="comms",
        closing=Closing.PASSED_ON,
        author=AuthorRole.PARENT,
        flags=frozenset({Flag.DOXXING, Flag.BULLYING}),
        own_account=True,
        about_head=True,
        merged_into="2026-0007",
        campaign="2026-0008",
        updated_at=LATER,
        closed_at=LATER,
        history=(*before.history, event),
        replies=(reply,),
    )
    with store.begin() as rows:
        rows.concerns.save(after, event)
        rows.replies.put(after.id, after.replies)
    with store.read() as rows:
        assert rows.concerns.get(before.id) == after
        assert rows.concerns.take(before.reference) == after


def test_a_reply_keeps_its_wording(store: SqlStore) -> None:
    """Storing a reply again changes what became of it, never its words or its drafter."""
    concern = opened(store)
    reply = Reply(
        number=1, public=True, text="as drafted", state=ReplyState.DRAFTED, drafter="comms",
        drafted_at=NOW,
    )  # fmt: skip
    with store.begin() as rows:
        rows.replies.put(concern.id, [reply])
        other = replace(reply, text="other", drafter="slt", state=ReplyState.WITHDRAWN)
        rows.replies.put(concern.id, [other])
        (found,) = rows.concerns.get(concern.id).replies
    assert (found.text, found.drafter, found.state) == (
        "as drafted",
        "comms",
        ReplyState.WITHDRAWN,
    )


def test_a_further_post_leaves_what_people_said(store: SqlStore) -> None:
    """An update without an author or an account keeps the ones that a person gave."""
    concern = opened(store)
    known = replace(concern, author=AuthorRole.PRESS, own_account=True, ladder="coast")
    with store.begin() as rows:
        rows.concerns.save(known)
        rows.concerns.update(concern.id, draft(Severity.URGENT, Label.MEDIA), why="x", now=LATER)
        found = rows.concerns.standing(concern.id)
    assert (found.author, found.own_account, found.ladder) == (AuthorRole.PRESS, True, "coast")
    assert found.severity is Severity.URGENT
    assert found.scores[Label.MEDIA] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("how", "days", "found"),
    [
        (Closing.RESOLVED, 14, True),
        (Closing.RESOLVED, 15, False),
        (Closing.FALSE_ALARM, 1, False),
    ],
)
def test_closed_ones_may_be_taken_up(store: SqlStore, how: Closing, days: int, found: bool) -> None:
    """What was closed within a fortnight is a candidate for its thread; a false alarm never is."""
    concern = opened(store, thread_id="t9")
    closed(store, concern, how)
    now = NOW + timedelta(days=days)
    with store.read() as rows:
        candidates = rows.concerns.candidates(
            since=now - timedelta(days=7), closed_since=now - timedelta(days=14)
        )
        assert rows.concerns.candidates(since=NOW) == ()
    assert [one.closed for one in candidates] == ([True] if found else [])
    if found:
        assert "rss:t9" in candidates[0].threads


def test_reopened_by_the_monitor(store: SqlStore) -> None:
    """A reopened concern is open and unended; one that is not closed stays as it is."""
    concern = opened(store)
    closed(store, concern, Closing.RESOLVED)
    with store.begin() as rows:
        rows.concerns.reopen(concern.id, why="the thread goes on", now=LATER)
        found = rows.concerns.get(concern.id)
    assert (found.state, found.closing, found.closed_at) == (ConcernState.OPEN, None, None)
    assert (found.history[-1].who, found.history[-1].action) == (MONITOR, "reopened")


def test_a_list_reads_no_posts(store: SqlStore) -> None:
    """Outlines count posts without reading one, and of a pile-on's history the last post only."""
    concern = opened(store)
    with store.begin() as rows:
        for minute in range(1, 40):
            at = NOW + timedelta(minutes=minute)
            rows.concerns.update(concern.id, draft(), why="joins", now=at)
            rows.concerns.note(concern.id, who="comms", action="viewed", why="", now=at)
    seen: list[str] = []
    with store.read() as rows:
        engine = rows.concerns._connection.engine
        sa.event.listen(engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
        (outline,) = rows.concerns.outlines(states=tuple(ConcernState))
    assert outline.posts == 1
    assert outline.concern.mentions == ()
    assert [event.action for event in outline.concern.history] == ["opened", "updated"]
    assert outline.concern.history[-1].at == NOW + timedelta(minutes=39)
    assert not any("mention.text" in statement for statement in seen)


def test_the_register_is_every_moderation(store: SqlStore) -> None:
    """Each moderation of an own account is found with its concern, oldest first."""
    concern = opened(store)
    with store.begin() as rows:
        for action in ("hidden", "removed"):
            rows.concerns.note(
                concern.id,
                who="comms",
                action="moderate",
                why="broke the rules",
                now=LATER,
                details={"action": action},
            )
        entries = rows.concerns.register()
    assert [(found.reference, event.details["action"]) for found, event in entries] == [
        (concern.reference, "hidden"),
        (concern.reference, "removed"),
    ]
