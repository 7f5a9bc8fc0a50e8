"""`trust-monitor ladder check` and `show`: is the ladder fit to climb, and what does it look like?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from json import dumps
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape

from monitor import ladders
from monitor.app import data
from monitor.config import Config
from monitor.domain import Placeholders
from monitor.drafting import context_from
from monitor.policy.drafts.check import DraftContext, load_rules
from monitor.policy.ladder import Ladder
from monitor.policy.ladder.check import Trial, Weakness, check_ladder

TYPICAL: Placeholders = {
    "school": "St Bartholomew's Church of England Primary School",
    "trust": "Larkmoor and Fellgate Learning Trust",
    "contact": "01632 960 123 or office@stbartholomews.example",
    "complaints_url": "https://larkmoortrust.example/our-trust/complaints",
    "info_url": "https://larkmoortrust.example/our-trust/contact",
    "rules_url": "https://larkmoortrust.example/page-rules",
}
"""Values as long as they get in practice, where no configuration gives the trust's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One ladder, and what is wrong with it."""

    ladder: Ladder
    weaknesses: tuple[Weakness, ...]

    @property
    def serious(self) -> bool:
        """Whether anything is so wrong that the ladder should not be run."""
        return any(weakness.serious for weakness in self.weaknesses)


def named(profile_or_file: str) -> Ladder:
    """The packaged profile of that name, or else the file. Raises ConfigError."""
    if profile_or_file in ladders.profiles():
        return ladders.load(profile_or_file)
    path = Path(profile_or_file)
    if path.suffix == ".toml" or path.exists():
        return ladders.load_file(path)
    return ladders.load(profile_or_file)  # raises, and names the profiles that there are


def check(ladder: Ladder, config: Config | None, *, today: date) -> Checked:
    """Try a ladder with the trust's own values, or with long typical ones."""
    trial = _configured(config, today) if config else _typical(today)
    return Checked(ladder=ladder, weaknesses=check_ladder(ladder, trial))


def print_checked(checked: Checked, console: Console, *, json: bool) -> int:
    """Print what is wrong, for a person or a program; 1 when anything is serious, else 0."""
    if json:
        answer = {
            "ladder": checked.ladder.name,
            "fit": not checked.serious,
            "weaknesses": [
                {
                    "where": weakness.where,
                    "problem": weakness.problem,
                    "remedy": weakness.remedy,
                    "serious": weakness.serious,
                }
                for weakness in checked.weaknesses
            ],
        }
        console.print(dumps(answer, ensure_ascii=False), markup=False, soft_wrap=True)
        return int(checked.serious)
    for weakness in checked.weaknesses:
        style, word = ("red", "fault") if weakness.serious else ("yellow", "remark")
        console.print(f"[{style}]{word}[/] [bold]{escape(weakness.where)}[/]")
        console.print(f"  {escape(weakness.problem)}. {escape(weakness.remedy)}")
    console.print(_summary(checked), highlight=False)
    return int(checked.serious)


def _summary(checked: Checked) -> str:
    name = f"{checked.ladder.name}, {len(checked.ladder.rung)} rungs"
    faults = sum(weakness.serious for weakness in checked.weaknesses)
    remarks = len(checked.weaknesses) - faults
    if not checked.weaknesses:
        return f"[green]{name}: fit to climb.[/]"
    return f"{name}: {faults} to mend, {remarks} to think about."


def _typical(today: date) -> Trial:
    texts = {name: value or "" for name, value in TYPICAL.items()}
    context = DraftContext(
        contacts=(texts["contact"],),
        hosts=frozenset({urlsplit(texts["complaints_url"]).netloc}),
        organisations=(texts["school"], texts["trust"]),
    )
    return Trial(
        values=TYPICAL, rules=load_rules(data("draft_check.toml")), context=context, today=today
    )


def _configured(config: Config, today: date) -> Trial:
    """The longest of what each organisation would fill in: what fits then fits everywhere."""
    organisations = config.watchlist.organisations
    contacts = [o.contact or config.replies.contact for o in organisations]
    rules_url = config.replies.rules_url
    context = context_from(config)
    if rules_url:
        context = DraftContext(
            contacts=context.contacts,
            hosts=context.hosts | {urlsplit(rules_url).netloc},
            organisations=context.organisations,
            known_names=context.known_names,
        )
    return Trial(
        values={
            "school": max((o.name for o in organisations), key=len),
            "trust": config.watchlist.trust.name,
            "contact": max(contacts, key=len),
            "complaints_url": config.replies.complaints_url,
            "info_url": config.replies.info_url,
            "rules_url": rules_url,
        },
        rules=load_rules(data("draft_check.toml")),
        context=context,
        today=today,
    )
