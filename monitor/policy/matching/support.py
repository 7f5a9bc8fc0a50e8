"""Which place speaks for an organisation in a post, and how loudly."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.policy.matching.fields import Fields
from monitor.policy.matching.lexis import Pattern
from monitor.policy.matching.text import WORD_BYTE

RANK = {"text": 3, "title": 3, "url": 2, "community": 2, "feed_title": 2, "author_location": 1}


@dataclass(frozen=True, slots=True)
class Support:
    """The strongest place that speaks for an organisation: what, in which field, how strongly."""

    place: str
    field: str
    rank: int


class Supports:
    """The places found in one post, asked by organisation."""

    def __init__(self, fields: Fields, places: list[tuple[Pattern, int]]) -> None:
        self._fields = fields
        self._key = fields.key
        self.places = places
        self._supports: dict[int, Support | None] = {}

    def of(self, owner: int) -> Support | None:
        """The place that speaks loudest for an organisation: the text's before the source's, and
        the author's location last."""
        if owner not in self._supports:
            found = [
                self._read(pattern, start)
                for pattern, start in self.places
                if owner in pattern.residents
            ]
            known = [support for support in found if support]
            self._supports[owner] = max(known, key=lambda each: each.rank, default=None)
        return self._supports[owner]

    def _read(self, pattern: Pattern, start: int) -> Support | None:
        """What this place supports with; None where it is only the beginning of another word, which
        counts in the name of a community or in an address ("r/ludwickmums")."""
        field, _ = self._fields.field_at(start + 1)
        place = pattern.place or ""
        end = start + 1 + len(place.encode())
        if self._key[start + 1 : end] != place.encode():
            end -= place.count(" ")
        tail = self._key[end : end + 2]
        whole = not WORD_BYTE[tail[0]] or (tail[:1] == b"s" and not WORD_BYTE[tail[1]])
        if not whole and field not in {"community", "url"}:
            return None
        return Support(place, field, RANK[field])
