"""Texts as people twist them: leet, asterisks, spacing, typos, dialect, and other schools' names.

Every change keeps the label. Obfuscation falls on all kinds of posts, so that it is no sign of anything.
"""

from __future__ import annotations

import random
import re

LEET = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"})
SIGNS = str.maketrans({"a": "@", "i": "!", "s": "$", "o": "*", "u": "*", "e": "*"})
DIALECT = [
    (r"\bnothing\b", "nowt"),
    (r"\bsomething\b", "summat"),
    (r"\bthe\b", "da"),
    (r"\bthink\b", "fink"),
    (r"\byour\b", "ur"),
    (r"\byou're\b", "ur"),
    (r"\byou\b", "u"),
    (r"\bare\b", "r"),
    (r"\bbecause\b", "cos"),
    (r"\bbefore\b", "b4"),
    (r"\bplease\b", "pls"),
    (r"\bpeople\b", "ppl"),
    (r"\bmy\b", "me"),
    (r"ing\b", "in"),
]
NAMES = [
    *("Alderbrook", "Brackenfield", "Coldharbour", "Dunsgate", "Elmstead", "Farrowby", "Greystone"),
    *("Hollinwood", "Inglemere", "Jessop", "Kirkholme", "Larchfield", "Mossbank", "Netherby"),
    *("Oakhanger", "Penhallow", "Quarrydene", "Rushmere", "Selwick", "Thornhaven", "Yarrowdale"),
]
_KINDS = "High|Primary|Academy|Infants?|Juniors?|School|College|Grammar"
_SCHOOL = re.compile(rf"\b([A-Z][a-z]{{3,}})(?=(?: [A-Z][a-z]+)? (?:{_KINDS})\b)")
_WORD = re.compile(r"[A-Za-z]{4,}")


def twisted(text: str, rng: random.Random, strength: float = 1.0) -> str:
    """`text`, changed with some luck. `strength` 0 changes nothing."""
    if rng.random() < 0.4 * strength:
        name = rng.choice(NAMES)
        text = _SCHOOL.sub(name, text)
    if rng.random() < 0.15 * strength:
        text = text.lower()
    elif rng.random() < 0.02 * strength:
        text = text.upper()
    if rng.random() < 0.15 * strength:
        text = text.replace("'", "").replace("’", "")
    if rng.random() < 0.08 * strength:
        for pattern, other in rng.sample(DIALECT, 4):
            text = re.sub(pattern, other, text)
    if rng.random() < 0.2 * strength:
        text = obfuscated(text, rng, words=rng.choice((1, 1, 2, 3)))
    return text


def obfuscated(text: str, rng: random.Random, words: int) -> str:
    """`text` with up to `words` words of four letters or more disguised."""
    found = list(_WORD.finditer(text))
    for match in sorted(rng.sample(found, min(words, len(found))), key=lambda m: -m.start()):
        text = text[: match.start()] + disguised(match.group(), rng) + text[match.end() :]
    return text


def disguised(word: str, rng: random.Random) -> str:
    """One word in one of the usual disguises."""
    at = rng.randrange(1, len(word) - 1)
    return rng.choice(
        (
            word.translate(LEET),
            word.translate(SIGNS),
            word[0] + "*" * (len(word) - 2) + word[-1],
            word[:at] + "*" + word[at + 1 :],
            word[:at] + word[at] * 2 + word[at:],
            word[:at] + word[at + 1 :],
            word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
            " ".join(word),
            ".".join(word),
        )
    )
