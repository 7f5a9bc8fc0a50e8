"""Circumstances and ladders to try the ladder's rules on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hypothesis import strategies as st

from classifiers.verdict import Label, Severity
from monitor import ladders
from monitor.domain import AuthorRole, Circumstances, Fact, Flag
from monitor.policy import ladder
from monitor.policy.ladder import Ladder
from monitor.policy.ladder.stops import HARM_FLAGS
from monitor.policy.triage import HARMS
from tests.policy.builders import triaged

PROFILES: Mapping[str, Ladder] = {name: ladders.load(name) for name in ladders.profiles()}
BASE = PROFILES["base"]
VALUES = {
    "school": "Fernhollow Primary",
    "contact": "office@fernhollow.example",
    "complaints_url": "https://fernhollow.example/complaints",
    "info_url": "https://fernhollow.example/faq",
    "rules_url": "https://fernhollow.example/rules",
    "trust": "Larkmoor Trust",
}


def standing(
    labels: Iterable[Label] = (),
    *facts: Fact,
    flags: Iterable[Flag] = (),
    author: AuthorRole = AuthorRole.UNKNOWN,
    own_account: bool = False,
    chosen: str | None = None,
    fresh: Iterable[Fact] | None = None,
    severity: Severity = Severity.CONCERN,
    hints: Mapping[Label, float] | None = None,
    needs_review: bool = False,
) -> Circumstances:
    """A concern with these labels, about which these facts are established."""
    return Circumstances(
        triage=triaged(labels, severity, hints=hints, needs_review=needs_review),
        flags=frozenset(flags),
        author=author,
        own_account=own_account,
        facts=frozenset(facts),
        fresh=frozenset(facts if fresh is None else fresh),
        chosen=chosen,
    )


def suggested(c: Circumstances, on: Ladder = BASE, **values: str | None):
    """What the ladder suggests to a school with everything configured."""
    return ladder.suggest(c, on, VALUES | values, due_at=None)


def _circumstances(labels, flags, author, own, facts, fresh, chosen, severity, review, hints):  # noqa: PLR0917
    return Circumstances(
        triage=triaged(labels, severity, hints=hints, needs_review=review),
        flags=flags,
        author=author,
        own_account=own,
        facts=facts,
        fresh=facts & fresh if chosen else facts,
        chosen=chosen,
    )


facts = st.frozensets(st.sampled_from(Fact))
RUNG_IDS = [*BASE.rung, "G1", "X1"]


def circumstances(
    labels: Iterable[Label] = tuple(Label), flags: Iterable[Flag] = tuple(Flag)
) -> st.SearchStrategy[Circumstances]:
    """Anything that may be known of a concern, with no other labels and flags than these."""
    return st.builds(
        _circumstances,
        st.frozensets(st.sampled_from(sorted(labels))),
        st.frozensets(st.sampled_from(sorted(flags))),
        st.sampled_from(AuthorRole),
        st.booleans(),
        st.one_of(st.just(frozenset(Fact)), facts),
        facts,
        st.one_of(st.none(), st.sampled_from(RUNG_IDS)),
        st.sampled_from(Severity),
        st.booleans(),
        st.dictionaries(st.sampled_from(Label), st.floats(0, 0.49)),
    )


anything = circumstances()
lawful = circumstances(set(Label) - HARMS, set(Flag) - HARM_FLAGS)
"""Criticism, complaint, campaign, question, praise: whatever is known beside it, there's no harm."""


_rung = st.fixed_dictionaries(
    {
        "name": st.just("Take it down"),
        "who": st.just("anybody"),
        "approver": st.just("nobody"),
        "clock": st.just("none"),
        "source": st.just("none"),
    },
    optional={
        "public": st.just("Please delete this, {school} will see to it."),
        "private": st.just("Delete this or else."),
        "harms_only": st.booleans(),
        "own_account_only": st.booleans(),
        "needs": st.just([]),
        "options": st.lists(st.sampled_from(RUNG_IDS), max_size=4),
        "exits": st.lists(
            st.fixed_dictionaries(
                {
                    "when": st.lists(st.sampled_from(Fact), min_size=1, max_size=2),
                    "to": st.sampled_from(RUNG_IDS),
                }
            ),
            max_size=3,
        ),
    },
)
_choice = st.fixed_dictionaries(
    {
        "labels": st.dictionaries(
            st.sampled_from(Label), st.sampled_from([0.0, 0.2, 0.5]), min_size=1, max_size=3
        ),
        "rung": st.sampled_from(RUNG_IDS),
        "drafts": st.just(["Please delete this."]),
    },
    optional={"own_account": st.booleans()},
)


def _hostile(rungs, choices, anytime):
    written = {key: {"id": key, **spec} for key, spec in zip(RUNG_IDS, rungs, strict=True)}
    return Ladder.model_validate(
        {
            "name": "hostile",
            "review": "R0",
            "nothing": "L0",
            "rung": {
                key: spec | ({"harms_only": False} if key in {"L0", "R0"} else {})
                for key, spec in written.items()
            },
            "choice": choices,
            "anytime": anytime,
        }
    )


hostile_ladders = st.builds(
    _hostile,
    st.lists(_rung, min_size=len(RUNG_IDS), max_size=len(RUNG_IDS)),
    st.lists(_choice, max_size=6),
    st.lists(st.sampled_from(RUNG_IDS)),
)
"""Ladder files as bad as they can be: everything leads anywhere, and drafts a demand to delete."""

any_ladder = st.one_of(st.sampled_from(list(PROFILES.values())), hostile_ladders)
