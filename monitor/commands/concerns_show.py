"""One concern, in full: what was said, why it is ours, what to do, what was done."""

from __future__ import annotations

from rich.markup import escape

from monitor.commands.concerns import Office
from monitor.commands.concerns_json import full, is_overdue, short
from monitor.commands.concerns_list import MET, WORDS, print_json, spoken
from monitor.domain import (
    ENDED,
    Closing,
    Concern,
    ConcernEvent,
    ConcernState,
    Fact,
    Mention,
    Reply,
    ReplyState,
    Suggestion,
)
from monitor.errors import MonitorError
from monitor.policy import life
from monitor.policy.ladder.words import FACT_WORDS
from monitor.policy.life import rules as life_rules
from monitor.policy.life.end_rules import ELSEWHERE
from monitor.policy.life.next import may_approve


def show_concern(office: Office, reference: str, who: str, *, as_json: bool) -> None:
    """Everything about one concern, as far as `who` may see it. Every view of a post's text by
    somebody in particular is written into the history."""
    viewer = office.person(who) if who else None
    with office.store.begin() as rows:
        concern = rows.concerns.by_reference(reference)
        if concern is None:
            raise MonitorError(f"no case {reference}. `trust-monitor concerns list` shows them.")
        hidden = office.hidden(concern, viewer)
        if viewer and not hidden:
            rows.concerns.note(concern.id, who=viewer.id, action="viewed", why="", now=office.now)
    if as_json:
        words = short(office, concern, viewer, 0) if hidden else full(office, concern, viewer)
        print_json(office.console, words)
    elif hidden:
        reader = "safeguarding lead" if concern.confidential else "chair"
        office.console.print(
            f"{reference}: {hidden}. The {reader} can read it with "
            f"[bold]concerns show {reference} --who <their id>[/bold]."
        )
    else:
        _Page(office).show(concern)


class _Page:
    """One concern for a person to read, from the top: what, what to do, the posts, the history."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._say = office.console.print

    def show(self, concern: Concern) -> None:
        self._head(concern)
        self._advice(concern)
        for reply in concern.replies:
            self._reply(reply)
        for mention in concern.mentions:
            self._post(mention)
        self._say("\n[bold]History[/bold]")
        for event in concern.history:
            self._event(event)
        self._next(concern)

    def _head(self, concern: Concern) -> None:
        say = self._say
        owner = f", with {concern.owner}" if concern.owner else ""
        say(
            f"[bold]Case {concern.reference}[/bold]  {WORDS[concern.state]}{owner}, {concern.severity}"
        )
        say(f"Schools: {', '.join(concern.organisations)}")
        say(f"What: {spoken(concern.labels) or 'to be read by a person'}")
        for reason in concern.reasons:
            say(f"  - {escape(reason)}")
        for line in _marks(concern):
            say(escape(line))

    def _advice(self, concern: Concern) -> None:
        say, suggestion = self._say, concern.suggestion
        if concern.state in ENDED:
            return
        say(f"Rung: {suggestion.rung} {suggestion.rung_name} ({suggestion.who})")
        if suggestion.due_at:
            late = " [bold red]overdue[/]" if is_overdue(concern, self._office.now) else ""
            met = f" ({MET[suggestion.met_by]})" if life.met(concern) else ""
            say(f"Due: {self._office.time(suggestion.due_at)}{met}{late}")
        if suggestion.reply:
            say(f"Suggested reply (approved by {escape(suggestion.approver)}):")
            say(f"  {escape(suggestion.reply)}")
        else:
            say(f"No reply: {escape(suggestion.no_reply_because or 'nothing to answer')}")
        if suggestion.private_reply:
            say(f"In private: {escape(suggestion.private_reply)}")
        if suggestion.route:
            say(f"It goes to: {escape(suggestion.route)}")
        for word, steps in (("Do", suggestion.do), ("Don't", suggestion.dont)):
            if steps:
                say(f"{word}: {escape(' '.join(steps))}")
        self._ways_on(suggestion)

    def _ways_on(self, suggestion: Suggestion) -> None:
        for word, lines in (
            ("Record what comes about", suggestion.exits),
            ("Missing", suggestion.missing),
        ):
            if lines:
                self._say("\n".join((f"{word}:", *(f"  - {escape(line)}" for line in lines))))
        if suggestion.options:
            names = {rung.id: rung.name for rung in self._office.book.ladder.rungs}
            options = (
                f"{option} {names.get(option, '')}".rstrip() for option in suggestion.options
            )
            self._say(f"You may step to: {escape('; '.join(options))}")

    def _reply(self, reply: Reply) -> None:
        kind = "public" if reply.public else "private"
        approver = f", approved by {reply.approver}" if reply.approver else ""
        self._say(
            f"\n[bold]Reply {reply.number}[/bold] ({kind}): {reply.state}, drafted by {reply.drafter} "
            f"{self._office.time(reply.drafted_at)}{approver}"
        )
        self._say(f"  {escape(reply.text)}")

    def _post(self, mention: Mention) -> None:
        post = mention.post
        seen = self._office.time(mention.first_seen_at)
        self._say(
            f"\n[bold]{escape(post.platform)}[/bold] (post {mention.id}), seen {seen}, "
            f"{escape(post.url or 'no link')}"
        )
        for match in mention.matches:
            self._say(f"  {match.organisation}: {escape(match.reason)}", style="dim")
        self._say(escape(f"{post.title or ''}\n{post.text}".strip()) or "(erased)")

    def _event(self, event: ConcernEvent) -> None:
        told = dict(event.details)
        what = f"{event.action} {told.pop('fact', '')}".strip()
        if closing := told.pop("closing", ""):
            what += f" as {closing}"
        private = told.pop("private", "") == life_rules.Answer.YES
        what += " private" if private else ""
        people = told.pop("people", "").replace(",", ", ")
        what += f" to {people}" if people else ""
        details = ", ".join(f"{key} {value}" for key, value in told.items() if key not in _COUNTERS)
        more = f" ({escape(details)})" if details else ""
        why = f"  {escape(event.why)}" if event.why else ""
        self._say(
            f"  {self._office.time(event.at)}  {event.who}: {what.replace('_', ' ')}{more}{why}"
        )

    def _next(self, concern: Concern) -> None:
        self._say(f"\n[bold]Next[/bold]: {escape(next_step(self._office, concern))}")


_COUNTERS = frozenset({"round", "tier", "again"})
"""What the escalation counts by; whom it told, and why, a person reads."""


def _marks(concern: Concern) -> list[str]:
    """What people have found out, each a line."""
    facts = life.established(concern.history).facts
    lines = [
        ("Author appears to be: ", "" if concern.author == "unknown" else concern.author.value),
        ("Flags: ", spoken(concern.flags)),
        ("Established: ", spoken(facts)),
        ("Merged into: ", concern.merged_into or ""),
        ("Campaign: ", concern.campaign or ""),
        ("How it ended: ", concern.closing or ""),
        ("On: ", "an account of ours" if concern.own_account else ""),
        ("About the head: ", "yes" if concern.about_head else ""),
        ("Evidence hold: ", "yes" if life.on_hold(concern) else ""),
    ]
    return [word + value for word, value in lines if value]


def next_step(office: Office, concern: Concern) -> str:
    """What is to do now, with the command for it."""
    case = concern.reference
    reply = concern.reply_in_hand
    drafter = reply.drafter if reply and reply.state is ReplyState.DRAFTED else None
    may = may_approve(concern, office.book.people, office.today)
    words = {
        "open": f"somebody takes it: `concerns ack {case} --who <id>`.",
        "acknowledged": "draft a reply, record what came about, or close it: "
        f"`concerns draft|no-reply|record|close {case} ...`.",
        "second_opinion": f"the colleague answers: `concerns opinion give {case} --who <id> --why ...`.",
        "for_approval": f"somebody other than {drafter} approves: "
        f"`concerns approve {case} --who <id>`"
        + (f" ({', '.join(may)})." if may else ". Nobody who may is there: see [[people]]."),
        "approved": "post it yourself, where the post is, then say so: "
        f"`concerns sent {case} --who <id> --where <link>`.",
        "waiting": f"their turn. When something comes about: `concerns record {case} <fact>`, or "
        f"`concerns close {case} ...`.",
        "closed": f"nothing. If it goes on: `concerns reopen {case} --who <id> --why ...`.",
        "merged": f"work on {concern.merged_into}.",
    }
    if concern.suggestion.reply is None and concern.suggestion.private_reply is None:
        words["acknowledged"] = (
            "nothing is answered. Do what the rung says, and write down what comes about: "
            f"`concerns record {case} <fact> ...`, or end it: `concerns close {case} ...`."
        )
    over = _ending(office, concern)
    if over and concern.state in {ConcernState.ACKNOWLEDGED, ConcernState.WAITING}:
        return f"{over[0]}: `concerns close {case} --who <id> --as {over[1]} --why ...`."
    return words[concern.state]


_ENDINGS = (
    (Fact.RESOLVED, Closing.RESOLVED),
    (Fact.REMOVED, Closing.RESOLVED),
    (Fact.MODERATED, Closing.RESOLVED),
    (Fact.SILENT, Closing.NO_CONTACT),
    (Fact.QUIET, Closing.NO_ACTION),
    *((fact, Closing.PASSED_ON) for fact in sorted(ELSEWHERE)),
)
"""What a concern may end by once it is established, and how it then closes."""


def _ending(office: Office, concern: Concern) -> tuple[str, Closing] | None:
    """What says that the concern's rung is done with, in words, and how to close it."""
    rung = office.book.ladder.rung.get(concern.suggestion.rung)
    facts = life.established(concern.history).facts
    ends = rung.closes if rung else ()
    return next(
        (
            (FACT_WORDS[fact], closing)
            for fact, closing in _ENDINGS
            if fact in facts and fact in ends
        ),
        None,
    )
