"""A call's few words, for a telephone or a chat room: that a case waits, its number and how to take it.

Never a word of what was said, nor of what kind it is; the school only where the case isn't confidential.
The sentences stand in monitor/templates/other/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from classifiers.verdict import Severity
from monitor.delivery.message import KEY_HEADER
from monitor.delivery.words import clean, clip
from monitor.domain import Call, Case

SHOWN = 5  # cases that one message names; a text message has little room
COMMAND = "trust-monitor concerns acknowledge {reference} --who {person}"
_BLANK_LINES = re.compile(r"\n{3,}")

Acknowledge = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case as its line shows it. `link` acknowledges it for the one reader of a personal channel."""

    reference: str
    urgent: bool
    school: str | None
    with_dsl: bool
    link: str | None
    command: str


class CallWriter:
    """Implements `monitor.ports.Calls` for one trust. `organisations` maps ids to names as people
    know them; `acknowledge` gives a (case, person)'s address, or None where there is no page."""

    def __init__(
        self,
        *,
        trust_name: str,
        organisations: Mapping[str, str],
        acknowledge: Acknowledge | None = None,
    ) -> None:
        self._trust = clip(clean(trust_name), characters=60, words=8)
        self._organisations = organisations
        self._acknowledge = acknowledge

    def call(self, call: Call, *, key: str, now: datetime) -> bytes:
        """The message as it will be sent at every attempt: Subject, text, Date and key."""
        values = {
            "trust": self._trust,
            "cases": [self._case(case, call) for case in call.cases],
            "shown": SHOWN,
            "of_sources": call.of_sources,
        }
        text = _environment().get_template("other/body.txt.j2").render(values)
        message = EmailMessage(policy=SMTP)
        message["Date"] = now.astimezone(UTC).replace(microsecond=0)
        message["Subject"] = (
            _environment().get_template("other/subject.txt.j2").render(values).strip()
        )
        message[KEY_HEADER] = key
        message.set_content(_BLANK_LINES.sub("\n\n", text).strip() + "\n", cte="quoted-printable")
        return message.as_bytes()

    def _case(self, case: Case, call: Call) -> CaseView:
        concern, reader = case.concern, call.reader
        link = None
        if reader and case.may_answer and self._acknowledge:
            link = self._acknowledge(concern.reference, reader.id)
        return CaseView(
            reference=concern.reference,
            urgent=concern.severity is Severity.URGENT or concern.confidential,
            school=None if concern.confidential else self._school(concern.organisations),
            with_dsl=concern.confidential and reader is not None and not case.may_answer,
            link=link,
            command=COMMAND.format(
                reference=concern.reference, person=reader.id if reader else "YOUR-ID"
            ),
        )

    def _school(self, organisations: tuple[str, ...]) -> str | None:
        if not organisations:
            return None
        name = self._organisations.get(organisations[0], organisations[0])
        more = len(organisations) - 1
        return clip(clean(name), characters=60, words=8) + (f" and {more} more" if more else "")


def words_of(message: bytes) -> tuple[str, str]:
    """(subject, text) of what `CallWriter.call` made."""
    parsed = message_from_bytes(message, policy=default)
    return str(parsed["Subject"]), str(parsed.get_content()).strip()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("monitor"),
        autoescape=False,  # noqa: S701 - plain text, and nothing in it that a stranger wrote
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
