"""Intake: what a member of staff has seen where the monitor can't look takes the same way as a post.

Most talk about schools is in closed groups. Nobody is asked to log in there for us, and no picture is
taken in: words, place and time are enough to judge by.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.post import Post
from monitor.domain import Match, Strength
from monitor.errors import MonitorError
from monitor.pipeline.assess import Assessor
from monitor.policy.assessment import REPORTED
from monitor.policy.matching.organisations import Watchlist
from monitor.ports import Matcher, Store

LONGEST = 20_000  # characters
OLDEST = timedelta(days=365)
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".heic", ".webp", ".pdf", ".mp4", ".mov")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What somebody saw. `where` is a place in words ("closed group of Year 6 parents"), `seen_at`
    aware, `seen_by` a role rather than a name ("class teacher"); `schools` are ids, and may be empty
    when the words name the school themselves."""

    text: str
    where: str
    seen_at: datetime
    seen_by: str
    schools: tuple[str, ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes sightings into triage, ladder and log. `clock` returns an aware time in UTC."""

    store: Store
    matcher: Matcher
    watchlist: Watchlist
    assessor: Assessor
    clock: Callable[[], datetime]

    def add(self, sighting: Sighting) -> str:
        """Log a sighting and judge it at once; return the case number.

        Raises MonitorError, saying which option to change, for what can't be taken in.
        """
        now = self.clock()
        _check(sighting, now)
        post = Post(
            platform=REPORTED,
            native_id=uuid.uuid4().hex,
            text=sighting.text.strip(),
            url=sighting.url,
            community=sighting.where,
            published_at=sighting.seen_at,
        )
        with self.store.begin() as rows:
            rows.mentions.record(REPORTED, [(post, self._matches(post, sighting))], now=now)
        # The row is safe from here on: should this end now, the running monitor judges it.
        while self.assessor.assess():
            pass
        with self.store.read() as rows:
            reference = rows.mentions.concern_of(REPORTED, post.native_id)
        if reference is None:
            raise MonitorError(
                "Taken in, and being judged by the running monitor at this moment: "
                "`trust-monitor concerns list` shows it shortly. Don't enter it again."
            )
        return reference

    def _matches(self, post: Post, sighting: Sighting) -> tuple[Match, ...]:
        names = {o.id: o.name for o in self.watchlist.organisations}
        for school in sighting.schools:
            if school not in names:
                raise MonitorError(f"--school {school}: no such id. Known: {', '.join(names)}.")
        said = tuple(
            Match(
                organisation=school,
                term=names[school],
                field="reported",
                span=(0, 0),
                strength=Strength.DISTINCTIVE,
                reason=f"reported by {sighting.seen_by} as being about {names[school]}",
            )
            for school in dict.fromkeys(sighting.schools)
        )
        found = tuple(
            match
            for match in self.matcher.match(post)
            if match.organisation not in sighting.schools
        )
        if not (said or found):
            raise MonitorError(
                "The words name none of our schools: say which one it is about with --school "
                f"({', '.join(names)})."
            )
        return said + found


def _check(sighting: Sighting, now: datetime) -> None:
    text = sighting.text.strip()
    if not text:
        raise MonitorError("There are no words: write what was said, or what is to be seen.")
    if len(text) > LONGEST:
        raise MonitorError(f"The text is longer than {LONGEST:,} characters: enter what matters.")
    if text.lower().endswith(_PICTURES) and len(text.split()) == 1:
        raise MonitorError(
            "Pictures are not taken in, least of all of children: say in words what is to be seen. "
            "If a picture of a child is concerned, ring the safeguarding lead."
        )
    if not sighting.where.strip() or not sighting.seen_by.strip():
        raise MonitorError("--where and --seen-by are needed: the place, and who saw it (a role).")
    if sighting.seen_at > now + timedelta(minutes=5):
        raise MonitorError("--seen lies in the future: give the time at which it was seen.")
    if now - sighting.seen_at > OLDEST:
        raise MonitorError(
            "--seen is more than a year ago: note it in the case that it belongs to."
        )
