"""What became of each post, read from the database and the mail folder, against what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import sqlalchemy as sa

from monitor.daemon import App
from monitor.delivery.message import KEY_HEADER
from monitor.demo.setting import POLL_EVERY_S
from monitor.demo.site import Published
from monitor.domain import Concern, ConcernState, DeliveryState, Role
from monitor.policy.ladder import LAWFUL_RUNGS
from monitor.store import schema

ALERT_WITHIN_S = 60.0
SETTLES_IN = timedelta(seconds=POLL_EVERY_S * 1.1 + 2.5)  # a poll at its latest, and the work


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One post's outcome.

    `became` is "urgent", "concern", "routine" or "unmatched"; "not yet" for a post that no poll need
    have seen. `alerted_s`: seconds from appearance to the delivered alert, 0 where its case had been
    alerted before. `wrong` holds the promises that were broken; other differences break none.
    """

    post: Published
    became: str
    case: str | None
    alerted_s: float | None
    wrong: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        """True when the severity is the one that the script names."""
        return self.became in {self.post.script.expect, "not yet"} and not self.wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message of the mail folder. `key` is its occasion, `said` all its text and HTML."""

    path: Path
    key: str
    to: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The whole demo, judged. `failures` are sentences; none: all promises were kept."""

    rows: tuple[Row, ...]
    concerns: tuple[Concern, ...]
    letters: tuple[Letter, ...]
    failures: tuple[str, ...]


def examine(app: App, posts: Sequence[Published], *, ended_at: datetime) -> Outcome:
    """Judge what `app` made of `posts`, when it stopped at `ended_at`."""
    folder = app.config.mail.folder or Path()
    letters = tuple(_letter(path) for path in sorted(folder.glob("*.eml")))
    with app.store.read() as rows:
        concerns = rows.concerns.listed(states=tuple(ConcernState))
    look = _Look(app, concerns, letters, ended_at)
    judged = tuple(look.row(post) for post in posts)
    failures = [f"{row.post.script.key}: {wrong}" for row in judged for wrong in row.wrong]
    if not any(row.alerted_s is not None for row in judged):
        failures.append("no urgent alert was delivered: run it for longer")
    if not any(letter.key.startswith("digest:") for letter in letters):
        failures.append(
            f"no digest was delivered: it was due at {app.config.digest.at:%H:%M:%S}, "
            "so run it beyond that"
        )
    return Outcome(rows=judged, concerns=concerns, letters=letters, failures=tuple(failures))


def _letter(path: Path) -> Letter:
    message = message_from_bytes(path.read_bytes(), policy=default)
    parts = [part for part in message.walk() if isinstance(part, EmailMessage)]
    said = "\n".join(part.get_content() for part in parts if part.get_content_maintype() == "text")
    return Letter(path=path, key=str(message[KEY_HEADER]), to=str(message["To"]), said=said)


class _Look:
    """Everything that one post's outcome is read from."""

    def __init__(
        self, app: App, concerns: Sequence[Concern], letters: Sequence[Letter], ended_at: datetime
    ) -> None:
        self._letters = letters
        self._ended_at = ended_at
        self._leads = {person.email for person in app.config.people if Role.DSL in person.roles}
        self._concerns = {concern.id: concern for concern in concerns}
        with app.database.connect() as connection:
            self._mentions = {
                row["url"]: row for row in connection.execute(sa.select(schema.mention)).mappings()
            }
            sent = schema.delivery.c.state == DeliveryState.SENT.value
            self._sent_at = {
                (row["key"], row["recipient"]): row["finished_at"]
                for row in connection.execute(sa.select(schema.delivery).where(sent)).mappings()
            }
        self._cases = {
            url: self._concerns.get(mention["concern_id"])
            for url, mention in self._mentions.items()
        }

    def row(self, post: Published) -> Row:
        """Judge one post."""
        mention = self._mentions.get(post.url)
        case = self._cases.get(post.url)
        alerts = self._alerts(case)
        became = self._became(post, mention)
        alerted_s = None
        if alerts and post.script.expect == "urgent":
            first = min(self._sent_at[letter.key, letter.to] for letter in alerts)
            alerted_s = max(0.0, (first - post.appeared_at).total_seconds())
        wrong = (
            () if became == "not yet" else tuple(self._wrong(post, became, case, alerts, alerted_s))
        )
        return Row(
            post=post,
            became=became,
            case=case.reference if case else None,
            alerted_s=alerted_s,
            wrong=wrong,
        )

    def _became(self, post: Published, mention: sa.RowMapping | None) -> str:
        young = post.changed_at > self._ended_at - SETTLES_IN
        if mention is None:
            return "not yet" if young and post.script.expect != "unmatched" else "unmatched"
        severity: str | None = mention["severity"]
        return severity or ("not yet" if young else "not assessed")

    def _alerts(self, case: Concern | None) -> list[Letter]:
        """The letters of a case that lie in the folder and that the outbox says are sent."""
        if case is None:
            return []
        return [
            letter
            for letter in self._letters
            if letter.key.startswith(f"alert:{case.reference}:")
            and (letter.key, letter.to) in self._sent_at
        ]

    def _wrong(
        self,
        post: Published,
        became: str,
        case: Concern | None,
        alerts: Sequence[Letter],
        alerted_s: float | None,
    ) -> list[str]:
        script = post.script
        wrong: list[str] = []
        if script.expect == "unmatched" and became != "unmatched":
            wrong.append("is not about the trust's schools, and was stored")
        if script.expect == "urgent" and alerted_s is None:
            wrong.append("is urgent, and no alert for it was delivered")
        if alerted_s is not None and alerted_s > ALERT_WITHIN_S:
            wrong.append(f"its alert took {alerted_s:.0f} s; {ALERT_WITHIN_S:.0f} s are promised")
        if script.dsl_only and self._others_know(post, alerts):
            wrong.append("was told to somebody besides the safeguarding lead")
        if script.lawful and case and case.suggestion.rung not in LAWFUL_RUNGS:
            wrong.append(
                f"is lawful criticism, and the ladder suggests {case.suggestion.rung_name}"
            )
        if script.joins and case is not self._cases.get(self._beside(post, script.joins)):
            wrong.append(f"belongs to the case of {script.joins}, and has another")
        return wrong

    def _others_know(self, post: Published, alerts: Sequence[Letter]) -> bool:
        if any(letter.to not in self._leads for letter in alerts):
            return True
        return any(
            post.url in letter.said for letter in self._letters if letter.to not in self._leads
        )

    @staticmethod
    def _beside(post: Published, key: str) -> str:
        return post.url.rpartition("/")[0] + f"/{key}"
