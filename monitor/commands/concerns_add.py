"""`trust-monitor concerns add`: what staff have seen where the monitor can't look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor import app, lock
from monitor.commands.concerns import Office
from monitor.commands.concerns_json import short
from monitor.commands.concerns_list import print_json
from monitor.commands.concerns_show import next_step
from monitor.domain import AuthorRole
from monitor.errors import MonitorError
from monitor.pipeline import Refused, Sighting
from monitor.policy.life import Move, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The command's options as typed. `seen` is local, "2026-03-10 09:15"; empty: just now."""

    text: str
    where: str
    seen: str
    seen_by: str
    schools: tuple[str, ...]
    url: str | None
    author: str


def add(office: Office, told: Told, *, who: str, as_json: bool) -> None:
    """Log what was seen and judge it at once; say which case it is and what comes next.

    Raises MonitorError, naming the option, for what can't be taken in.
    """
    person = office.person(who)
    author = _author(told.author)
    reference = app.build_intake(office.config, office.store, office.clock).add(
        Sighting(
            text=told.text,
            where=told.where,
            seen_at=_seen_at(told.seen, office),
            seen_by=told.seen_by if author is None else f"{told.seen_by} (author: {author.value})",
            schools=told.schools,
            url=told.url,
        )
    )
    if author is not None:
        _say_who_wrote(office, reference, author, who)
    with office.store.read() as rows:
        concern = rows.concerns.by_reference(reference)
    if concern is None:
        raise MonitorError(f"{reference} is gone: `trust-monitor db` has more to say.")
    if as_json:
        print_json(office.console, short(office, concern, person, len(concern.mentions)))
    elif hidden := office.hidden(concern, person):
        office.console.print(
            f"Logged as {reference}. It is {hidden} now, and no longer open to you."
        )
    else:
        office.console.print(f"Logged as {reference}: {concern.severity.value}.")
        office.console.print(f"Next: {next_step(office, concern)}", markup=False)
    if not as_json and not lock.is_held(office.config.state_dir):
        office.console.print(
            "[yellow]The monitor is not running: alerts go out when it starts.[/yellow] If it is "
            "urgent, ring."
        )


def _say_who_wrote(office: Office, reference: str, author: AuthorRole, who: str) -> None:
    try:
        office.desk().do(
            reference,
            Move.AUTHOR,
            who,
            "as reported with it",
            {"role": author.value, "basis": "reported"},
        )
    except Refused as refused:
        if refused.refusal.rule is not Rule.CONFIDENTIAL:
            raise  # with the safeguarding lead already, who reads it beside the post


def _author(given: str) -> AuthorRole | None:
    if not given:
        return None
    if given not in set(AuthorRole):
        raise MonitorError(f"--author {given}: choose one of {', '.join(AuthorRole)}.")
    return AuthorRole(given)


def _seen_at(given: str, office: Office) -> datetime:
    if not given:
        return office.now
    try:
        seen = datetime.fromisoformat(given)
    except ValueError as error:
        raise MonitorError(
            f'--seen {given}: write day and time, such as "2026-03-10 09:15".'
        ) from error
    return seen if seen.tzinfo else seen.replace(tzinfo=office.config.timezone)


def read_text(text: str, file: Path | None) -> str:
    """The words as given, or those in `file`. Raises MonitorError for neither or both, and for a
    file that isn't text."""
    if bool(text) == bool(file):
        raise MonitorError("Give the words, or --file with them: one of the two.")
    if file is None:
        return text
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise MonitorError(
            f"{file} is not text. Pictures are not taken in, least of all of children: say in words "
            "what is to be seen. If a picture of a child is concerned, ring the safeguarding lead."
        ) from error
    except OSError as error:
        raise MonitorError(f"{file}: {error.strerror}. Check the path.") from error
