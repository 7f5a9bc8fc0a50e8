"""Alerts and digests as words: a subject, a text part and an HTML part with its styles inlined.

The sentences stand in monitor/templates/; what may be told and in which order was decided before.
Subjects are made of our own vocabulary and of configured names only, never of a post.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from classifiers.verdict import Label, Severity
from monitor.delivery.quoting import Excerpt
from monitor.delivery.silence import silence_views
from monitor.delivery.viewer import ALERT_ROOMS, Acknowledge, Room, Viewer
from monitor.delivery.words import clean, clip
from monitor.domain import Concern, Digest, Disclosure, Notice, Outage, Person, Rally

_BLANK_LINES = re.compile(r"\n{3,}")  # what optional parts of a text template leave behind
SUBJECT_CHARACTERS = 80
ALERT_WORDS = 120
BUNDLE_TEXTS = 200  # letters of about a kilobyte each: mail servers refuse megabytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One message's words. `urgent` marks an alert: mail programs show it as important."""

    subject: str
    text: str
    html: str
    urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosed:
    """One letter within another. `case` is the number of the case that it is about, `acknowledge` its
    reader's own link; both None where it has none."""

    subject: str
    text: str
    urgent: bool
    case: str | None
    acknowledge: str | None


class Renderer:
    """Words for one trust.

    `organisations` maps ids to names as people know them, `people` those who work with the monitor;
    `timezone` is an IANA name; `excerpt` says how much of a harmless post may stand in mail, with
    names masked by `redact` whatever it is. `acknowledge` gives the address at which a person
    acknowledges a case, or None; `next_after_min` is when an urgent alert goes to the next person.
    """

    def __init__(
        self,
        *,
        trust_name: str,
        organisations: Mapping[str, str],
        timezone: str = "Europe/London",
        excerpt: Excerpt = "redacted",
        redact: Callable[[str], str],
        people: Mapping[str, str] | None = None,
        acknowledge: Acknowledge | None = None,
        next_after_min: int = 15,
    ) -> None:
        self._shared = {
            "trust": clip(clean(trust_name), characters=60, words=8),
            "place": timezone.rpartition("/")[2].replace("_", " "),
            "next_after_min": next_after_min,
        }
        self._viewer = Viewer(
            organisations=organisations,
            timezone=timezone,
            excerpt=excerpt,
            redact=redact,
            people=people or {},
            acknowledge=acknowledge,
        )

    def alert(self, concern: Concern, notice: Notice, *, still: bool = False) -> Rendered:
        """One concern for one person: a subject of at most 80 characters, a text of at most 120 words.

        Withheld notices say that the case exists and who has it; confidential ones (for the
        safeguarding lead) give link, deadline and acknowledgement, and nothing of the post. `still`:
        others were told before, and nobody has acknowledged it.
        """
        kind = _alert_kind(concern, notice)
        urgent = concern.severity is Severity.URGENT or concern.confidential or kind == "alert_ring"
        for room in ALERT_ROOMS:
            item = self._viewer.item(concern, notice.person, room)
            name = item.who if kind == "alert_withheld" else item.school
            because = self._because(notice, room)
            rendered = self._render(
                kind, name=name, urgent=urgent, item=item, because=because, still=still
            )
            if len(rendered.text.split()) <= ALERT_WORDS:
                break
        return rendered

    def campaign(self, rally: Rally, notice: Notice) -> Rendered:
        """A campaign's one notice, within the bounds of an alert."""
        for room in ALERT_ROOMS:
            view = self._viewer.rally(rally, notice.person, room)
            because = self._because(notice, room)
            rendered = self._render(
                "alert_campaign",
                name=view.item.school,
                urgent=False,
                rally=view,
                item=view.item,
                because=because,
                still=False,
            )
            if len(rendered.text.split()) <= ALERT_WORDS:
                break
        return rendered

    def digest(self, digest: Digest, person: Person) -> Rendered:
        """One day for one person; also when nothing happened."""
        view = self._viewer.digest(digest, person)
        return self._render("digest", name=str(self._shared["trust"]), urgent=False, digest=view)

    def outage(self, outage: Outage) -> Rendered:
        """Sources that have been silent for too long: what is not being seen, since when, and why."""
        first = outage.silences[0]
        return self._render(
            "source_stale",
            name=first.source,
            urgent=False,
            silences=silence_views(outage, self._viewer.when),
            configured=outage.configured,
            many=outage.many,
        )

    def canary(self) -> Rendered:
        """The hourly test of the way that an alert takes: nothing has happened."""
        return self._render("canary", name="", urgent=False)

    def bundle(self, letters: Sequence[Enclosed], *, per_hour: int) -> Rendered:
        """Letters in one, because their reader got `per_hour` by themselves: all subjects and links,
        then each letter's words, of the first `BUNDLE_TEXTS`. They were made for this reader, so that
        nothing is told that they might not know."""
        urgent = sum(letter.urgent for letter in letters)
        cases = dict.fromkeys(letter.case for letter in letters if letter.case)
        return self._render(
            "bundle",
            name=", ".join(cases),
            urgent=urgent > 0,
            letters=letters,
            count_urgent=urgent,
            texts=BUNDLE_TEXTS,
            per_hour=per_hour,
        )

    @staticmethod
    def _because(notice: Notice, room: Room) -> str:
        words = room.because
        return clip(clean(notice.because), characters=120, words=words) if words else ""

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
    if notice.disclosure is Disclosure.RING:
        return "alert_ring"
    if concern.confidential:
        return "alert_dsl"
    if Label.MEDIA in concern.labels and concern.severity is not Severity.URGENT:
        return "alert_media"
    return "alert"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("monitor"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    return environment


@cache
def _inliner() -> css_inline.CSSInliner:
    # Media queries (dark mode, phones) can't be inlined and stay; nothing is ever fetched.
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
