"""What a template may say: words and numbers only, bounded and safe to set. `viewer` draws them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PostView:
    """One post. Times are words in the trust's zone, `seen_after` shorter when it follows `posted`;
    `link` is safe to put into href and names
    nobody; None: the post is read through the case."""

    platform: str
    link: str | None
    host: str | None
    posted: str | None
    seen: str
    seen_after: str
    excerpt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One concern. `category` is a label's value, "review" or "mention", `state` a state's; for both
    templates/shared/words.j2 has the words. `number` is the case number without its year.

    `owner` and `drafter` are names of our own people. `target` is the role that it is aimed at.
    `quotable` False: no word of the post may stand in mail, and the alert says so. `read` and
    `command` are for the command line, `acknowledge` is an address or None. `missing` and `exits`
    say in words what must be recorded, and where that leads.
    """

    reference: str
    number: str
    severity: str
    state: str
    category: str
    school: str
    more_schools: int
    posts: int
    authors: int
    post: PostView | None
    quotable: bool
    target: str
    reasons: tuple[str, ...]
    step: str
    who: str
    approver: str
    approval: str
    reply: str | None
    no_reply_because: str | None
    do: tuple[str, ...]
    dont: tuple[str, ...]
    missing: tuple[str, ...]
    exits: tuple[str, ...]
    due: str | None
    late: bool
    read: str
    command: str
    acknowledge: str | None
    owner: str | None
    drafter: str | None
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
class BarView:
    """Posts in stretches of two hours. `columns` are (posts, height in pixels); `blocks` is the same
    as a line of text; `peak_from` and `peak_to` bound the busiest stretch, of `most` posts."""

    columns: tuple[tuple[int, int], ...]
    blocks: str
    begin: str
    end: str
    most: int
    peak_from: str
    peak_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RallyView:
    """A campaign: its own case, figures and chart. `topic` is our own phrase, or None."""

    item: ItemView
    topic: str | None
    posts: int
    authors: int
    cases: int
    first: str | None
    bars: BarView


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionView:
    school: str
    category: str
    sentiment: str
    post: PostView


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedView:
    """A post that could not be judged, and where to read it."""

    school: str
    platform: str
    seen: str
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanView:
    """One week of one school. `shares` are (sentiment, percentage of the busiest school's week), for
    widths and never for reading; `rest` is what is left of the line. `signs` is the same as text."""

    total: int
    negative: int
    neutral: int
    positive: int
    shares: tuple[tuple[str, int], ...]
    rest: int
    signs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolView:
    name: str
    this: SpanView
    last: SpanView


@dataclass(frozen=True, slots=True, kw_only=True)
class GapView:
    source: str
    since: str
    until: str | None
    reason: str
    closed_by: str | None = None  # "backfill": nothing missed; "lost": posts may be missing


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    source: str
    last_success: str | None
    failures: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """Everything that the digest's three templates use. `yours` counts what needs the reader, and
    `late` what of it is overdue; under `few` posts a week show no trend."""

    day: str
    since: str
    until: str
    yours: int
    late: int
    next_due: str | None
    next_reference: str | None
    overdue: Listed
    needs_you: Listed
    ready: Listed
    for_approval: Listed
    second_opinion: Listed
    in_hand: Listed
    waiting: Listed
    campaigns: tuple[RallyView, ...]
    with_dsl: tuple[str, ...]
    posts: int
    organisations: int
    schools: tuple[SchoolView, ...]
    more_schools: int
    few: int
    posts_a_sign: int
    routine: tuple[MentionView, ...]
    more_routine: int
    praise: tuple[MentionView, ...]
    more_praise: int
    sources: tuple[SourceView, ...]
    gaps: tuple[GapView, ...]
    undelivered: int
    parked: tuple[ParkedView, ...] = ()
