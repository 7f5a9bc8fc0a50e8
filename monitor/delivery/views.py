"""What a template may say: words and numbers only, bounded and safe to set. `viewer` draws them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PostView:
    """One post. Times are words in the trust's zone; `link` is safe to put into href."""

    platform: str
    link: str | None
    host: str | None
    posted: str | None
    seen: str
    excerpt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One concern. `category` is a label's value, "review" or "mention"; templates/shared/words.j2
    has the words for it. `number` is the case number without its year."""

    reference: str
    number: str
    severity: str
    state: str
    category: str
    school: str
    more_schools: int
    posts: int
    post: PostView | None
    reasons: tuple[str, ...]
    step: str
    who: str
    approver: str
    reply: str | None
    no_reply_because: str | None
    do: tuple[str, ...]
    dont: tuple[str, ...]
    due: str | None
    acknowledge: str
    holder: str | None
    needs_review: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list cut at a length that a person reads, and how many more there are."""

    items: tuple[ItemView, ...]
    more: int

    @property
    def total(self) -> int:
        return len(self.items) + self.more


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionView:
    school: str
    category: str
    sentiment: str
    post: PostView


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolView:
    """One row of the table by school; shares are whole percentages of the busiest school's total."""

    name: str
    total: int
    negative: int
    neutral: int
    positive: int
    shares: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GapView:
    source: str
    since: str
    until: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    source: str
    last_success: str | None
    failures: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """Everything that the digest's three templates use."""

    day: str
    since: str
    until: str
    waiting: int
    next_due: str | None
    next_reference: str | None
    needs_you: Listed
    overdue: Listed
    in_hand: Listed
    with_dsl: tuple[str, ...]
    posts: int
    schools: tuple[SchoolView, ...]
    more_schools: int
    routine: tuple[MentionView, ...]
    more_routine: int
    praise: tuple[MentionView, ...]
    more_praise: int
    sources: tuple[SourceView, ...]
    gaps: tuple[GapView, ...]
    undelivered: int
