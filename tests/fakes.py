"""Fakes that one can talk to, for what a test wants to steer: a source, a judge, a relay, a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from classifiers.verdict import Evidence, Label, Sentiment, Verdict
from connectors.post import Batch, Post
from monitor.domain import Outcome, Sent


@dataclass
class FakeClock:
    """A clock that moves when told to."""

    now: datetime = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class FakeSource:
    """A source whose next poll yields what was `said` since the last, or raises `error`."""

    platform: str = "rss"
    error: Exception | None = None
    gap: str | None = None
    deleted: tuple[str, ...] = ()
    posts: list[Post] = field(default_factory=list)

    def says(self, text: str, native_id: str | None = None, **more: Any) -> Post:
        post = Post(
            platform=self.platform, native_id=native_id or f"n{len(self.posts)}", text=text, **more
        )
        self.posts.append(post)
        return post

    def poll(self, cursor: Mapping[str, Any], *, now: datetime) -> Iterator[Batch]:
        start = cursor.get("read", 0)
        if self.error:
            raise self.error
        yield Batch(
            posts=tuple(self.posts[start:]),
            cursor={"read": len(self.posts)},
            gap=self.gap,
            deleted=self.deleted,
        )


class FakeClassifier:
    """Gives the labels whose names stand in the text ("... THREAT ..."); `fails` on chosen words."""

    model, version = "fake", "1"

    def __init__(self) -> None:
        self.fails: Callable[[str], bool] = lambda _text: False
        self.batches: list[int] = []

    def warm(self) -> None:
        pass

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        self.batches.append(len(texts))
        if any(self.fails(text) for text in texts):
            raise RuntimeError("the model broke")
        return [self._verdict(text) for text in texts]

    def _verdict(self, text: str) -> Verdict:
        found = [label for label in Label if label.value.upper() in text]
        return Verdict(
            labels={label: 0.95 if label in found else 0.02 for label in Label},
            sentiment={Sentiment.NEGATIVE: 0.6, Sentiment.NEUTRAL: 0.3, Sentiment.POSITIVE: 0.1},
            evidence=tuple(Evidence(label, 0, 1, "fake") for label in found),
            model=self.model,
            version=self.version,
        )


class FakeMailer:
    """Accepts everything unless `answers` holds other outcomes, taken one by one."""

    channel = "email"

    def __init__(self) -> None:
        self.answers: list[Outcome] = []
        self.sent: list[tuple[str, bytes]] = []

    def send(self, recipient: str, message: bytes, *, attempt: int) -> Sent:
        outcome = self.answers.pop(0) if self.answers else Outcome.ACCEPTED
        if outcome in {Outcome.ACCEPTED, Outcome.AMBIGUOUS}:
            self.sent.append((recipient, message))
        return Sent(
            outcome=outcome, detail="250" if outcome is Outcome.ACCEPTED else "451", relay="r"
        )

    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.sent]
