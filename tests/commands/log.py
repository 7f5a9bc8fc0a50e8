"""A made-up trust with a concern log of its own, worked on through the real command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from classifiers.verdict import Label, Severity
from monitor import app
from monitor.cli import cli
from monitor.config_file import load_config
from monitor.domain import Concern
from monitor.policy.assessment import Rulebook, reconsider
from monitor.store.migrate import migrate
from monitor.store.store import SqlStore
from tests.store.samples import MATCH, NOW, draft, post

HERE = replace(MATCH, organisation="tarnside")
CONFIG = """
timezone = "Europe/London"

[trust]
id = "trust"
name = "Quillmere Learning Trust"
town = "Quillmere"

[[schools]]
id = "tarnside"
name = "Tarnside High School"
town = "Tarnside"
{people}
[[sources]]
id = "gazette"
kind = "rss"
url = "https://gazette.example/feed/"

[mail]
channel = "folder"
folder = "mail"
sender = "monitor@quillmere.example"

[replies]
contact = "office@quillmere.example"
complaints_url = "https://quillmere.example/complaints"
{more}
"""
PEOPLE = {
    "comms": ["comms"],
    "comms-2": ["comms"],
    "slt-1": ["slt"],
    "slt-2": ["slt"],
    "dsl-1": ["dsl"],
    "dsl-2": ["deputy_dsl"],
    "head": ["head", "slt"],
    "chair": ["chair"],
}
ANSWER = (
    "Hello, thank you for letting us know. Please contact us on office@quillmere.example so that the "
    "right person can help. – Tarnside High School team"
)


def config_text(more: str = "", people: Mapping[str, list[str]] = PEOPLE) -> str:
    told = "".join(
        f'\n[[people]]\nid = "{who}"\nname = "{who.title()}"\nemail = "{who}@quillmere.example"\n'
        f"roles = {json.dumps(roles)}\n" + ('schools = ["tarnside"]\n' if "head" in roles else "")
        for who, roles in people.items()
    )
    return CONFIG.format(people=told, more=more)


@dataclass
class Log:
    """A folder with a configuration and a database. `say` runs a command there."""

    folder: Path
    more: str = ""
    posts: int = 0
    runner: CliRunner = field(default_factory=CliRunner)

    def __post_init__(self) -> None:
        self.path.write_text(config_text(self.more), encoding="utf-8")
        engine = app.database(load_config(self.path))
        migrate(engine)
        self.store = SqlStore(engine)
        self.book: Rulebook = app.build_rulebook(load_config(self.path))

    @property
    def path(self) -> Path:
        return self.folder / "config.toml"

    def opens(
        self,
        *labels: Label,
        severity: Severity = Severity.CONCERN,
        posts: int = 1,
        text: str = "the zebra in the hall",
        **fields: Any,
    ) -> str:
        """Log a concern with posts of its own; return its case number."""
        with self.store.begin() as rows:
            made = draft(severity, *labels)
            opened = rows.concerns.open(
                replace(made, organisations=("tarnside",), **fields), why="new", now=NOW
            )
            for _ in range(posts):
                self.posts += 1
                rows.mentions.record(
                    "feed", [(post(str(self.posts), f"{text} {self.posts}"), (HERE,))], now=NOW
                )
                (claimed,) = rows.mentions.claim(owner="t", lease_s=60, limit=9, now=NOW)
                rows.mentions.assessed(claimed, made.triage, model="t", now=NOW)
                rows.mentions.belongs_to(claimed.mention.id, opened.id)
            suggestion = reconsider(opened, self.book, now=NOW)
            rows.concerns.save(replace(opened, suggestion=suggestion))
        return opened.reference

    def say(self, *words: str, status: int = 0) -> str:
        """What `trust-monitor concerns <words>` prints; it must end with `status`."""
        told = [] if words[0] == "moves" else ["-c", str(self.path)]
        result = self.runner.invoke(
            cli, ["concerns", *words, *told], env={"COLUMNS": "160", "NO_COLOR": "1"}
        )
        assert result.exit_code == status, result.output + repr(result.exception)
        return result.output

    def json(self, *words: str) -> Any:
        return json.loads(self.say(*words, "--json"))

    def concern(self, reference: str) -> Concern:
        with self.store.read() as rows:
            found = rows.concerns.by_reference(reference)
        assert found is not None
        return found
