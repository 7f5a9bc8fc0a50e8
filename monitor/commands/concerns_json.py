"""The concern log as JSON. The keys are a promise: they are added to, never renamed or taken away.

A concern in short (`list`, every move, `people`):

    case, with, state, severity, labels, schools, rung, due, overdue, owner, awaiting, posts, closing,
    merged_into, campaign

`with` is "dsl" or "chair" for what the asker may not see: then every key but `case`, `with` and
`schools` is null. Times are ISO 8601 in UTC. `show` adds author, flags, own_account, about_head,
reasons, facts, suggestion, posts with their words, replies and history. No other command prints words
of a post or a reply.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from monitor.commands.concerns import Office
from monitor.domain import Concern, ConcernEvent, Mention, Person, Reply
from monitor.policy import life
from monitor.policy.life import Move
from monitor.policy.life.next import awaited

SHORT = (
    "state",
    "severity",
    "labels",
    "rung",
    "due",
    "overdue",
    "owner",
    "awaiting",
    "posts",
    "closing",
    "merged_into",
    "campaign",
)


def short(office: Office, concern: Concern, viewer: Person | None, posts: int) -> dict[str, Any]:
    """One concern as far as `viewer` may see it."""
    hidden = office.hidden(concern, viewer)
    known = {
        "case": concern.reference,
        "with": hidden.split()[-1].lower() if hidden else None,
        "schools": [] if hidden else list(concern.organisations),
    }
    if hidden:
        return known | dict.fromkeys(SHORT)
    due = concern.suggestion.due_at
    return known | {
        "state": concern.state,
        "severity": concern.severity,
        "labels": sorted(concern.labels),
        "rung": concern.suggestion.rung,
        "due": at(due),
        "overdue": is_overdue(concern, office.now),
        "owner": concern.owner,
        "awaiting": list(awaited(concern, office.book.people, office.today)),
        "posts": posts,
        "closing": concern.closing,
        "merged_into": concern.merged_into,
        "campaign": concern.campaign,
    }


def is_overdue(concern: Concern, now: datetime) -> bool:
    """True when the rung's clock has run out and nothing has stopped it."""
    due = concern.suggestion.due_at
    return due is not None and due < now and not life.met(concern)


def full(office: Office, concern: Concern, viewer: Person | None) -> dict[str, Any]:
    """One concern with everything, for whoever may see it."""
    suggestion = asdict(concern.suggestion) | {
        "due_at": at(concern.suggestion.due_at),
        "since": at(concern.suggestion.since),
        "approvers": sorted(concern.suggestion.approvers),
    }
    return short(office, concern, viewer, len(concern.mentions)) | {
        "author": concern.author,
        "flags": sorted(concern.flags),
        "own_account": concern.own_account,
        "about_head": concern.about_head,
        "on_hold": life.on_hold(concern),
        "reasons": list(concern.reasons),
        "facts": sorted(life.established(concern.history).facts),
        "suggestion": suggestion,
        "posts": [_post(mention) for mention in concern.mentions],
        "replies": [_reply(reply) for reply in concern.replies],
        "history": [event_json(event) for event in concern.history],
    }


def _post(mention: Mention) -> dict[str, Any]:
    post = mention.post
    return {
        "mention": mention.id,
        "platform": post.platform,
        "url": post.url,
        "seen": at(mention.first_seen_at),
        "title": post.title,
        "text": post.text,
        "why_ours": [match.reason for match in mention.matches],
    }


def _reply(reply: Reply) -> dict[str, Any]:
    return asdict(reply) | {
        name: at(getattr(reply, name)) for name in ("drafted_at", "decided_at", "sent_at")
    }


def event_json(event: ConcernEvent) -> dict[str, Any]:
    return {
        "at": at(event.at),
        "who": event.who,
        "action": event.action,
        "why": event.why,
        "details": dict(event.details),
    }


def move_json(move: Move) -> dict[str, Any]:
    """A row of the table of moves."""
    spec = life.TABLE[move]
    return {
        "move": move,
        "from": sorted(spec.start),
        "to": spec.to or spec.leads or "stays",
        "needs": list(spec.needs),
        "takes": list(spec.takes),
        "why": spec.because,
        "roles": sorted(spec.may),
        "establishes": spec.fact,
        "help": spec.help,
    }


def at(moment: datetime | date | None) -> str | None:
    return moment.isoformat() if moment else None
