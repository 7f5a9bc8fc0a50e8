"""Alerts and digests as words: a subject, a text part and an HTML part with its styles inlined.

The sentences stand in monitor/templates/; what may be told and in which order was decided before.
Subjects are made of our own vocabulary and of configured names only, never of a post.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from monitor.delivery.viewer import ALERT_ROOMS, Excerpt, Viewer
from monitor.delivery.words import clean, clip
from monitor.domain import Concern, Digest, Disclosure, Notice, Person

_BLANK_LINES = re.compile(r"\n{3,}")  # what optional parts of a text template leave behind
SUBJECT_CHARACTERS = 80
ALERT_WORDS = 120
ACKNOWLEDGE = "trust-monitor concerns ack {reference} --who {person}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One message's words. `urgent` marks an alert: mail programs show it as important."""

    subject: str
    text: str
    html: str
    urgent: bool


class Renderer:
    """Words for one trust.

    `organisations` maps ids to names as people know them; `timezone` is an IANA name; `excerpt` says
    how much of a post may stand in mail; `redact` masks people's names and slurs and is called for
    "redacted" only; `acknowledge` is the command (or link) with {reference} and {person}.
    """

    def __init__(
        self,
        *,
        trust_name: str,
        organisations: Mapping[str, str],
        timezone: str = "Europe/London",
        excerpt: Excerpt = "redacted",
        redact: Callable[[str], str],
        acknowledge: str = ACKNOWLEDGE,
    ) -> None:
        self._shared = {
            "trust": clip(clean(trust_name), characters=60, words=8),
            "place": timezone.rpartition("/")[2].replace("_", " "),
        }
        self._viewer = Viewer(
            organisations=organisations,
            timezone=timezone,
            excerpt=excerpt,
            redact=redact,
            acknowledge=acknowledge,
        )

    def alert(self, concern: Concern, notice: Notice) -> Rendered:
        """One concern for one person: a subject of at most 80 characters, a text of at most 120 words.

        Withheld notices say that the case exists and who has it; confidential ones (for the
        safeguarding lead) give link, deadline and acknowledgement, and nothing of the post.
        """
        kind = _alert_kind(concern, notice)
        for room in ALERT_ROOMS:
            item = self._viewer.item(concern, notice.person, room)
            because = clip(clean(notice.because), characters=120, words=room.reasons)
            name = item.who if kind == "alert_withheld" else item.school
            rendered = self._render(kind, name=name, urgent=True, item=item, because=because)
            if len(rendered.text.split()) <= ALERT_WORDS:
                break
        return rendered

    def digest(self, digest: Digest, person: Person) -> Rendered:
        """One day for one person; also when nothing happened."""
        view = self._viewer.digest(digest, person)
        return self._render("digest", name=self._shared["trust"], urgent=False, digest=view)

    def _render(self, kind: str, *, name: str, urgent: bool, **values: object) -> Rendered:
        environment = _environment()
        values |= self._shared

        def part(file: str, **more: object) -> str:
            return environment.get_template(f"{kind}/{file}.j2").render(values | more)

        room = SUBJECT_CHARACTERS - len(part("subject.txt", name=""))
        subject = part("subject.txt", name=clip(name, characters=room) if room > 1 else "").strip()
        return Rendered(
            subject=subject,
            text=_BLANK_LINES.sub("\n\n", part("body.txt")).strip() + "\n",
            html=_inliner().inline(part("body.html", subject=subject)),
            urgent=urgent,
        )


def _alert_kind(concern: Concern, notice: Notice) -> str:
    if notice.disclosure is Disclosure.WITHHELD:
        return "alert_withheld"
    return "alert_dsl" if concern.confidential else "alert"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("monitor"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


@cache
def _inliner() -> css_inline.CSSInliner:
    # Media queries (dark mode, phones) can't be inlined and stay; nothing is ever fetched.
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
