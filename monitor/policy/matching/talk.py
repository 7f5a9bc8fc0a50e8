"""What a post talks of beside a name: school life, a person's, a pub's."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from ahocorasick_rs import BytesAhoCorasick

from monitor.policy.matching.senses import Senses
from monitor.policy.matching.text import WORD_BYTE


class Kind(Enum):
    SCHOOL = "school"
    NEAR_SCHOOL = "near_school"
    PERSON = "person"
    OFF_TOPIC = "off_topic"


class Talk:
    """The phrases of `Senses` as one small automaton."""

    def __init__(self, senses: Senses) -> None:
        listed = [(kind, phrase) for kind in Kind for phrase in sorted(getattr(senses, kind.value))]
        self._kinds = [kind for kind, _ in listed]
        self._automaton = BytesAhoCorasick([f" {phrase}".encode() for _, phrase in listed])

    def find(self, key: bytes) -> Iterator[tuple[Kind, int, int]]:
        """(kind, first byte, end) of each whole phrase in the key."""
        for index, start, end in self._automaton.find_matches_as_indexes(key, True):
            if not WORD_BYTE[key[end]]:
                yield self._kinds[index], start + 1, end
