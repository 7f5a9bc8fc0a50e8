"""One post, read closely: which of the names found in it count, and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.domain import Match, Strength
from monitor.policy.matching.fields import Fields
from monitor.policy.matching.lexis import Lexis, Pattern
from monitor.policy.matching.organisations import Organisation
from monitor.policy.matching.senses import Senses
from monitor.policy.matching.support import RANK, Support, Supports
from monitor.policy.matching.surroundings import (
    Site,
    longer_name,
    other_sense,
    place_beside,
    places_elsewhere,
)
from monitor.policy.matching.talk import Kind
from monitor.policy.matching.terms import Level, Term, is_initialism
from monitor.policy.matching.text import WORD_BYTE, plain

if TYPE_CHECKING:
    from monitor.policy.matching.misspelling import Misspellings

Found = tuple[Pattern, int, int]
_NEAR = 6  # words from a name to a weak word of school life
_CLOSE = 3  # the same, where the post also speaks of pubs, property or pets
_IN_WORDS = {
    "text": "the text",
    "title": "the title",
    "url": "the address",
    "community": "the community name",
    "feed_title": "the feed title",
    "author_location": "the author's location",
}


@dataclass(slots=True)
class Candidate:
    """A term found at key bytes start..end (without its leading space). Its field and span in the
    original text are filled in when it is weighed: most candidates lie inside a longer one."""

    term: Term
    start: int
    end: int
    field: str = "text"
    span: tuple[int, int] = (0, 0)
    sole: bool = True  # no other organisation of the watchlist is called so
    misspelt: bool = False


class Reading:
    """One post with its key. `judge` weighs exact names, `correct` misspelt ones."""

    def __init__(
        self,
        fields: Fields,
        organisations: Sequence[Organisation],
        lexis: Lexis,
        senses: Senses,
        places: list[tuple[Pattern, int]],
    ) -> None:
        self._key = fields.key
        self._fields = fields
        self._texts = fields.texts
        self._organisations = organisations
        self._lexis = lexis
        self._senses = senses
        self._accepted: list[tuple[Candidate, Strength, str]] = []
        self._weighed: list[tuple[int, int]] = []
        self._supports = Supports(fields, places)

    # -- judging -----------------------------------------------------------------------------

    def judge(self, names: list[Found], exclusions: list[Found]) -> None:
        """Accept what counts. The surest first, because they support the others."""
        candidates = [
            candidate
            for pattern, start, end in names
            for candidate in self._candidates(pattern, start, end)
            if not _excluded(candidate, exclusions)
        ]
        candidates.sort(key=lambda each: (each.term.level, each.start - each.end))
        doubtful = []
        for candidate in candidates:
            if self._covered(candidate) or not self._is_whole(candidate):
                continue
            reason = self._reason(candidate)
            if reason:
                self._accept(candidate, reason)
            elif self._needs_school_word(candidate) and self._may_be_mutual(candidate):
                doubtful.append(candidate)
        self._accept_mutual(doubtful)

    def correct(self, misspellings: Misspellings) -> None:
        """Accept misspelt names of schools whose own town is named, where no other school of that town
        was found."""
        known = {candidate.term.owner for candidate, _, _ in self._accepted}
        towns = {
            pattern.place: None
            for pattern, _ in self._supports.places
            if pattern.town and pattern.place and pattern.residents.isdisjoint(known)
        }
        for term, start, end in misspellings.find(self._key, towns, known):
            if term.owner in known or self._is_weighed(start, end):
                continue
            field, span = self._fields.locate(start, end)
            candidate = Candidate(term, start, end, field, span, misspelt=True)
            reason = self._reason(candidate)
            if reason:
                self._accept(candidate, reason)
                known.add(term.owner)

    def matches(self) -> tuple[Match, ...]:
        """What was accepted, in the order of the key; of one organisation's overlapping terms, the
        longest."""
        kept: list[Match] = []
        for candidate, strength, reason in sorted(self._accepted, key=lambda each: each[0].start):
            kept.append(
                Match(
                    organisation=self._organisations[candidate.term.owner].id,
                    term=candidate.term.said,
                    field=candidate.field,
                    span=candidate.span,
                    strength=strength,
                    reason=reason,
                )
            )
        return tuple(kept)

    def _candidates(self, pattern: Pattern, start: int, end: int) -> list[Candidate]:
        begin = start + 1 if self._key[start] == 0x20 else start
        owners: Collection[int] = pattern.terms
        if len(owners) > 1:
            here = (place.residents & pattern.terms.keys() for place, _ in self._supports.places)
            owners = frozenset().union(*here)
        if not owners or self._fields.field_at(begin)[0] == "author_location":
            return []
        sole = len(pattern.terms) == 1
        return [Candidate(pattern.terms[owner], begin, end, sole=sole) for owner in owners]

    def _is_whole(self, candidate: Candidate) -> bool:
        """Fills in field and span. False for "Hill tops": an s must have its apostrophe."""
        candidate.field, candidate.span = self._fields.locate(candidate.start, candidate.end)
        if not WORD_BYTE[self._key[candidate.end]]:
            return True
        behind = self._texts[candidate.field][candidate.span[1] :][:1]
        return behind in {"'", "’", "‘", "`"}

    def _covered(self, candidate: Candidate) -> bool:
        """True inside a longer name that was already judged: longest second."""
        whole = (candidate.start, candidate.end)
        return any(
            start <= candidate.start and candidate.end <= end and (start, end) != whole
            for start, end in self._weighed
        )

    def _is_weighed(self, start: int, end: int) -> bool:
        """True where a name was read already: an accepted one, or a withheld one as long as this."""
        if any(start < each.end and each.start < end for each, _, _ in self._accepted):
            return True
        return any(other <= start and end <= other_end for other, other_end in self._weighed)

    def _accept(self, candidate: Candidate, reason: str) -> None:
        distinctive = candidate.term.level <= Level.DISTINCTIVE and not candidate.misspelt
        strength = Strength.DISTINCTIVE if distinctive else Strength.SUPPORTED
        self._accepted.append((candidate, strength, reason))
        self._weighed.append((candidate.start, candidate.end))

    def _reason(self, candidate: Candidate) -> str | None:
        """Why the candidate counts, in words; None when it doesn't."""
        term = candidate.term
        if term.level is Level.CERTAIN:
            return self._certain(candidate)
        contrary = self._contrary(candidate)
        if contrary:
            self._weighed.append((candidate.start, candidate.end))
            return None
        if term.level is Level.DISTINCTIVE and not candidate.misspelt:
            return f"'{term.said}' names it alone"
        return self._supported(candidate)

    def _certain(self, candidate: Candidate) -> str | None:
        said = candidate.term.said
        if said.startswith("@"):
            return f"its handle {said}"
        if said.startswith("#"):
            return f"its hashtag {said}"
        text = self._texts[candidate.field]
        start, end = candidate.span
        before, behind = text[:start][-1:], text[end : end + 2]
        longer = (
            (behind[:1] in {".", "-"} and behind[1:].isalnum()) or before.isalnum() or before == "-"
        )
        if longer:
            return None
        return f"its website or handle {said}"

    def _contrary(self, candidate: Candidate) -> str | None:
        site = Site(self._texts[candidate.field], *candidate.span)
        home = self._lexis.homes[candidate.term.owner]
        term, senses = candidate.term, self._senses
        support = self._supports.of(term.owner)
        said_here = support is not None and support.rank == 3
        return (
            other_sense(site, term, senses)
            or longer_name(site, term, home, senses)
            or place_beside(site, term, home, senses, own_place_said=said_here)
            or self._another_person(candidate)
        )

    def _another_person(self, candidate: Candidate) -> str | None:
        if candidate.term.personal and self._fields.said(
            Kind.PERSON, candidate.start, candidate.end
        ):
            return "the post speaks of the person"
        return None

    def _supported(self, candidate: Candidate) -> str | None:
        term = candidate.term
        support = self._supports.of(term.owner)
        backing = self._backing(candidate, support)
        if backing is None:
            return None
        if candidate.misspelt:
            shaped = not self._senses.types.isdisjoint(plain(term.said).split())
            if support is None or not (shaped or self._school_said(candidate)):
                return None
            return f"a misspelling of '{term.said}' {backing}"
        if self._needs_school_word(candidate) and not self._school_said(candidate):
            befriended = support is not None and self._friends(candidate)
            return f"'{term.said}' {backing}" if befriended else None
        return f"'{term.said}' {backing}"

    def _needs_school_word(self, candidate: Candidate) -> bool:
        """A plain word does; so does an initialism in small letters, or among talk of other things."""
        if candidate.term.level is Level.PLAIN:
            return True
        if not is_initialism(candidate.term.said):
            return False
        start, end = candidate.span
        small = self._texts[candidate.field][start:end].islower()
        return small or self._fields.said(Kind.OFF_TOPIC, candidate.start, candidate.end)

    def _backing(self, candidate: Candidate, support: Support | None) -> str | None:
        if support is not None and not self._elsewhere(candidate, support):
            return f"with {self._place_in_words(candidate.term.owner, support)} in {_IN_WORDS[support.field]}"
        friends = self._friends(candidate) if candidate.sole else None
        if friends and not self._elsewhere(candidate, None):
            return f"beside {friends}"
        return None

    def _place_in_words(self, owner: int, support: Support) -> str:
        organisation = self._organisations[owner]
        for kind, place in (
            ("the town", organisation.town),
            ("the postcode", organisation.postcode),
        ):
            if place and support.place == " ".join(place.casefold().split()):
                return f"{kind} {place}"
        return f"the place {support.place}"

    def _elsewhere(self, candidate: Candidate, support: Support | None) -> str | None:
        """A known other place said more loudly than the supporting one."""
        rank = support.rank if support else 0
        home = self._lexis.homes[candidate.term.owner]
        for field, text in self._texts.items():
            if text and RANK[field] > rank and field != "url":
                place = places_elsewhere(text, home, self._senses)
                if place:
                    return place
        return None

    def _friends(self, candidate: Candidate) -> str | None:
        """Another name of the watchlist that was accepted, and does not overlap this one."""
        for other, _, _ in self._accepted:
            apart = other.end <= candidate.start or candidate.end <= other.start
            if apart:
                return f"'{other.term.said}'"
        return None

    def _school_said(self, candidate: Candidate) -> bool:
        """True when the post speaks of school life; near the name when it also speaks of pubs."""
        start, end = candidate.start, candidate.end
        near = _CLOSE if self._fields.said(Kind.OFF_TOPIC, start, end) else _NEAR
        if self._fields.said(Kind.SCHOOL, start, end, within=near if near == _CLOSE else 0):
            return True
        return self._fields.said(Kind.NEAR_SCHOOL, start, end, within=near)

    # -- two common names of one town support each other -----------------------------------------

    def _may_be_mutual(self, candidate: Candidate) -> bool:
        if (candidate.start, candidate.end) in self._weighed:
            return False
        support = self._supports.of(candidate.term.owner)
        return support is not None and self._elsewhere(candidate, support) is None

    def _accept_mutual(self, doubtful: list[Candidate]) -> None:
        named = {candidate.start: candidate.end for candidate in doubtful}
        for start, end in tuple(named.items()):
            if any(other < start < named[other] or (start < other < end) for other in named):
                named.pop(start, None)
        off_topic = self._fields.said(Kind.OFF_TOPIC, 0, 0)
        if off_topic or (not self._accepted and len(named) < 2):
            return
        for candidate in doubtful:
            if candidate.term.owner in {each.term.owner for each, _, _ in self._accepted}:
                continue
            support = self._supports.of(candidate.term.owner)
            if support is None:
                continue
            place = self._place_in_words(candidate.term.owner, support)
            self._accept(
                candidate, f"'{candidate.term.said}' with {place} and another school's name"
            )


def _excluded(candidate: Candidate, exclusions: list[Found]) -> bool:
    return any(
        candidate.term.owner in pattern.excludes and start < candidate.end and candidate.start < end
        for pattern, start, end in exclusions
    )
