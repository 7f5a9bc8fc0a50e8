"""Moves on the command line: made at the desk, then told in a line with what comes next."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from rich.markup import escape

from monitor.commands.concerns import Office
from monitor.commands.concerns_json import short
from monitor.commands.concerns_list import COMMANDS, WORDS, print_json
from monitor.commands.concerns_show import next_step
from monitor.domain import ENDED, Concern
from monitor.errors import MonitorError
from monitor.pipeline.desk import Refused
from monitor.policy.life import Move, Rule


def make_move(
    office: Office,
    reference: str,
    move: Move,
    *,
    who: str,
    why: str,
    details: Mapping[str, str],
    as_json: bool,
) -> None:
    """Make a move and say what the concern is then. A refusal comes out as MonitorError, and with
    --json as a document too."""
    try:
        after = office.desk().do(reference, move, who, why, details)
    except Refused as refused:
        if as_json:
            print_json(office.console, _refusal(refused))
        raise MonitorError(f"{refused}{_instead(refused)}") from refused
    viewer = office.person(who)
    if as_json:
        print_json(office.console, short(office, after, viewer, len(after.mentions)))
        return
    if hidden := office.hidden(after, viewer):
        office.console.print(
            f"[green]Done[/green] ({COMMANDS[move]}). {after.reference} is now {hidden}, and no longer "
            "open to you. Whoever must hear of it is being told."
        )
        return
    owner = f"; it is with {after.owner}" if after.owner and after.state not in ENDED else ""
    new = " (the new one)" if move is Move.SPLIT else ""
    office.console.print(
        f"[green]Done[/green] ({COMMANDS[move]}). {after.reference}{new}: {WORDS[after.state]}{owner}."
    )
    office.console.print(f"Next: {escape(next_step(office, after))}")


def _instead(refused: Refused) -> str:
    if refused.refusal.rule is not Rule.STATE:
        return ""
    may = ", ".join(COMMANDS[move] for move in refused.allowed) or "nothing"
    return f"\nAllowed now: {may}."


def _refusal(refused: Refused) -> dict[str, object]:
    return {
        "case": refused.reference,
        "refused": refused.move,
        "rule": refused.refusal.rule,
        "why": refused.refusal.why,
        "source": refused.refusal.source,
        "allowed": list(refused.allowed),
    }


def draft_text(office: Office, reference: str, who: str, text: str, *, private: bool) -> str:
    """The words of a draft: as given, from standard input for "-", or what the ladder suggests for
    "suggested". Raises MonitorError when it suggests nothing."""
    if text == "-":
        return sys.stdin.read()
    if text != "suggested":
        return text
    with office.store.read() as rows:
        concern = rows.concerns.by_reference(reference)
    suggested = _suggested(office, concern, who, private=private)
    if suggested is None:
        raise MonitorError(
            f"{reference}: the ladder suggests no such reply. `concerns show {reference}` says why."
        )
    return suggested


def _suggested(office: Office, concern: Concern | None, who: str, *, private: bool) -> str | None:
    if concern is None or office.hidden(concern, office.person(who)):
        return None
    return concern.suggestion.private_reply if private else concern.suggestion.reply
