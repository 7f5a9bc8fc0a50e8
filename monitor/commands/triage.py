"""`triage --jsonl` and `explain`: the decision about a post, without storing or sending anything."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TextIO

from classifiers.verdict import Classifier, Label, Severity, Verdict
from connectors.post import Post
from monitor.commands.posts import Line, read_posts
from monitor.domain import Circumstances, Match, Mention, Strength, Suggestion, Triage
from monitor.policy.assessment import Rulebook, decide, judge, suggestion
from monitor.ports import Matcher

BATCH = 64
NOT_OURS = "names no organisation of the watchlist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What would happen to one post. `suggestion` None: it names none of our schools."""

    post: Post
    matches: tuple[Match, ...]
    triage: Triage | None
    suggestion: Suggestion | None
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a decision needs. `matcher` None: every post is taken for a mention of `book`'s trust."""

    classifier: Classifier
    book: Rulebook
    matcher: Matcher | None
    now: datetime

    def judge(self, posts: list[Post]) -> list[Judged]:
        """Decide about each post as if it were the first of its incident."""
        found = self.matcher.match_many(posts) if self.matcher else [()] * len(posts)
        ours = [index for index, matches in enumerate(found) if matches or self.matcher is None]
        verdicts = dict(
            zip(ours, self.classifier.classify([said(posts[index]) for index in ours]), strict=True)
        )
        return [
            self._judged(post, found[index], verdicts.get(index))
            for index, post in enumerate(posts)
        ]

    def _judged(self, post: Post, matches: tuple[Match, ...], verdict: Verdict | None) -> Judged:
        if verdict is None:
            return Judged(post=post, matches=(), triage=None, suggestion=None, told=())
        mention = Mention(
            id=0,
            source="command line",
            post=post,
            matches=matches or (_assumed(self.book),),
            first_seen_at=self.now,
            revision=1,
        )
        decided = judge(verdict, self.book.triage)
        decision = decide(mention, decided, None, self.book, now=self.now)
        return Judged(
            post=post,
            matches=matches,
            triage=decided,
            suggestion=decision.draft.suggestion
            if decision.draft
            else suggestion(
                Circumstances(triage=decided), mention.organisations, self.book, due_at=None
            ),
            told=tuple(notice.person.id for notice in decision.notices),
        )


def said(post: Post) -> str:
    """The words that are judged: title and text."""
    return f"{post.title or ''}\n{post.text}".strip()


def triage_lines(bench: Bench, lines: Iterable[str], out: TextIO) -> int:
    """Read a post a line, print a decision a line; the exit status (65 when a line was refused)."""
    status = 0
    for batch in _batches(read_posts(lines)):
        good: list[Line] = []
        for line in batch:
            if line.post is None:
                print(f"line {line.number}: {line.problem}", file=sys.stderr)  # noqa: T201
                status = 65
            else:
                good.append(line)
        posts = [line.post for line in good if line.post is not None]
        for line, judged in zip(good, bench.judge(posts), strict=True):
            out.write(json.dumps(_json(line.id, judged), ensure_ascii=False) + "\n")
    return status


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while batch := list(islice(lines, BATCH)):
        yield batch


def _json(post_id: str, judged: Judged) -> dict[str, Any]:
    decided = judged.triage
    if decided is None:
        return {
            "id": post_id,
            "schools": [],
            "sentiment": None,
            "labels": {},
            "severity": Severity.ROUTINE,
            "reasons": [NOT_OURS],
            "rung": None,
            "reply": None,
        }
    step = judged.suggestion
    return {
        "id": post_id,
        "schools": list(dict.fromkeys(match.organisation for match in judged.matches)),
        "sentiment": decided.sentiment,
        "labels": {label: round(decided.scores[label], 4) for label in Label},
        "severity": decided.severity,
        "reasons": list(decided.reasons),
        "rung": step.rung if step else None,
        "reply": step.reply if step else None,
    }


def _assumed(book: Rulebook) -> Match:
    return Match(
        organisation=book.watchlist.schools[0].id,
        term="",
        field="text",
        span=(0, 0),
        strength=Strength.SUPPORTED,
        reason="assumed to be a mention",
    )
