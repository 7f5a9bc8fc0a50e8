"""The ladder's facts and clocks in words, as a person reads them in a suggestion or a drawing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.domain import Fact, MetBy

FACT_WORDS: Mapping[Fact, str] = {
    Fact.REPLIED: "a reply was posted",
    Fact.NO_REPLY: "decided not to reply",
    Fact.CONTACTED: "contact made",
    Fact.SILENT: "no contact in five working days",
    Fact.RESOLVED: "resolved",
    Fact.UNRESOLVED: "not resolved",
    Fact.COMPLAINT_ASKED: "asks for the complaints procedure",
    Fact.PASSED_ON: "passed on to another record",
    Fact.EVIDENCE_KEPT: "evidence kept",
    Fact.HARM_CONFIRMED: "harm confirmed by two people",
    Fact.REMOVAL_ASKED: "asked to remove it",
    Fact.NO_ANSWER: "no answer in three working days",
    Fact.REMOVED: "removed",
    Fact.REFUSED: "refused",
    Fact.CONTINUED: "continues after refusing",
    Fact.MODERATED: "moderated on our own account",
    Fact.HOST_TOLD: "reported to the platform",
    Fact.HOST_DECLINED: "the platform declined, or 48 hours without a result",
    Fact.WORDING_CHECKED: "a lawyer checked the wording",
    Fact.LETTER_SENT: "letter sent",
    Fact.ADVICE_TAKEN: "legal advice taken",
    Fact.POLICE_TOLD: "police told",
    Fact.DSL_ACCEPTED: "the safeguarding lead has accepted it",
    Fact.LADO_TOLD: "the local authority's designated officer told",
    Fact.CASE_MANAGER: "case manager named",
    Fact.MEDIA_TAKEN: "the media lead has taken it over",
    Fact.HR_ACCEPTED: "human resources have accepted it",
    Fact.BOARD_TOLD: "the board told",
    Fact.QUIET: "quiet for 72 hours",
}

CLOCK_WORDS: Mapping[str, str] = {
    "none": "no deadline",
    "standard": "24 hours, or the next working day",
    "same_day": "the same working day",
    "elapsed_24h": "24 hours, weekends too",
    "urgent_15min": "15 minutes, day and night",
    "staffed_1h": "1 staffed hour",
    "staffed_2h": "2 staffed hours",
    "working_days_1": "1 working day",
    "working_days_2": "2 working days",
    "working_days_3": "3 working days",
    "working_days_5": "5 working days",
    "working_days_10": "10 working days",
}

MET_BY_WORDS: Mapping[MetBy, str] = {
    MetBy.REPLY: "a reply, or the decision not to reply",
    MetBy.ACCEPTANCE: "somebody taking it in hand",
    MetBy.STEP: "the step itself, recorded",
    MetBy.EXIT: "moving on or closing",
}


def facts_in_words(facts: Iterable[Fact]) -> str:
    """ "contact made, silence and not resolved": in the order in which things happen."""
    wanted = set(facts)
    *others, last = [words for fact, words in FACT_WORDS.items() if fact in wanted] or [""]
    return f"{', '.join(others)} and {last}" if others else last
