"""A ladder as a picture: on a terminal, and as Markdown with a Mermaid chart for the docs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitor.domain import Rung
from monitor.policy.ladder import Ladder, approvers_for
from monitor.policy.ladder.file import HANDOVERS, LAWFUL_RUNGS, Choice
from monitor.policy.ladder.words import CLOCK_WORDS, FACT_WORDS, MET_BY_WORDS, facts_in_words

_LEGEND = "──▶ by itself, once recorded   ⋯▶ a person may choose   ■ may be closed"
_OURS = " on our own account"
_COLOURS = {"against": "red", "handed over": "magenta", "lawful": "cyan"}


def draw(ladder: Ladder, console: Console) -> None:
    """Draw a ladder, its usual way first; every line fits the console's width."""
    console.print(Text(ladder.title or ladder.name, style="bold"))
    console.print(f"profile {ladder.name}", highlight=False)
    if ladder.path:
        steps = " → ".join(f"{rung_id} {ladder.rung[rung_id].name}" for rung_id in ladder.path)
        console.print(f"the usual way: {steps}", highlight=False)
    for line in _agreements(ladder):
        console.print(line, highlight=False)
    console.print()
    console.print(_starts(ladder))
    console.print()
    console.print(Text(_LEGEND, style="dim"))
    for rung in in_order(ladder):
        console.print(_panel(rung, ladder))


def in_order(ladder: Ladder) -> tuple[Rung, ...]:
    """The rungs: the usual way, then the other lawful ones, steps against a post, handed over."""
    rest = [rung.id for rung in ladder.rungs if rung.id not in ladder.path]
    groups = ("lawful", "against", "handed over")
    ordered = sorted(rest, key=lambda rung_id: groups.index(_kind(ladder.by_id(rung_id))))
    return tuple(ladder.by_id(rung_id) for rung_id in (*ladder.path, *ordered))


def _kind(rung: Rung) -> str:
    if rung.id in HANDOVERS:
        return "handed over"
    return "lawful" if rung.id in LAWFUL_RUNGS else "against"


def _agreements(ladder: Ladder) -> Iterator[str]:
    approval = ladder.approval
    yield f"who approves holds: {_roles(approval.roles)}"
    if approval.public_roles:
        yield f"whatever is said in public: {_roles(approval.public_roles)}"
    if approval.hold_min:
        yield f"between draft and approval: at least {approval.hold_min} minutes"
    if approval.authorised_drafters:
        yield "who drafts: only people whom a senior leader has authorised"
    if ladder.deadlines.weekend_rule:
        yield f"a deadline on a day off: {ladder.deadlines.weekend_rule}"
    if ladder.off:
        yield f"off: {', '.join(sorted(ladder.off))}"


def _roles(roles: Iterable[str]) -> str:
    return " and ".join(sorted(str(role) for role in roles)) or "no role: any second person"


def _starts(ladder: Ladder) -> Table:
    table = Table(
        title="Where a concern starts: the first that fits", title_justify="left", box=None
    )
    table.add_column("what the post is", ratio=3)
    table.add_column("rung", ratio=2)
    for conditions, rung_id in start_rows(ladder):
        table.add_row(Text(conditions), Text(f"{rung_id} {ladder.rung[rung_id].name}"))
    return table


def start_rows(ladder: Ladder) -> tuple[tuple[str, str], ...]:
    """(conditions in words, rung id), most restrictive first; neighbours with one rung are joined."""
    rows: list[tuple[list[str], str]] = []
    for choice in ladder.choices:
        if rows and rows[-1][1] == choice.rung:
            rows[-1][0].append(_conditions(choice))
        else:
            rows.append(([_conditions(choice)], choice.rung))
    rest = [("not judged, or in doubt", ladder.review), ("anything else", ladder.nothing)]
    return (*(("; ".join(_told_once(words)), rung) for words, rung in rows), *rest)


def _told_once(words: list[str]) -> Iterator[str]:
    """Without "abuse on our own account" where plain abuse leads to the same rung."""
    return (each for each in words if each.removesuffix(_OURS) not in words or _OURS not in each)


def _conditions(choice: Choice) -> str:
    labels = [
        label if least >= 0.5 else f"a hint of {label}" for label, least in choice.labels.items()
    ]
    flags = [f"flag {flag}" for flag in sorted(choice.flags)]
    authors = [f"author {author}" for author in sorted(choice.author)]
    words = " + ".join((*labels, *flags, *authors)).replace("_", " ")
    return f"{words}{_OURS}" if choice.own_account else words


def _panel(rung: Rung, ladder: Ladder) -> Panel:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", no_wrap=True, min_width=8)
    grid.add_column(ratio=1)
    for label, value in _lines(rung, ladder):
        grid.add_row(label, Text(value))
    return Panel(
        grid,
        title=Text(f"{rung.id} {rung.name}", style="bold"),
        title_align="left",
        subtitle=Text(CLOCK_WORDS[rung.clock]),
        subtitle_align="right",
        border_style=_COLOURS[_kind(rung)],
    )


def _lines(rung: Rung, ladder: Ladder) -> Iterator[tuple[str, str]]:
    if entry := ladder.rung[rung.id].enter:
        yield "when", entry
    yield "who", rung.who
    yield "approves", approval_of(rung, ladder)
    yield "says", says(rung, ladder)
    yield "until", MET_BY_WORDS[rung.met_by] if rung.clock != "none" else "–"
    if gate := gate_of(rung):
        yield "gate", gate
    for way in rung.exits:
        yield "", f"──{facts_in_words(way.when)}──▶ {way.to} {ladder.rung[way.to].name}"
    if rung.options:
        yield "", f"⋯▶ {' '.join(rung.options)}"
    if closes := ladder.rung[rung.id].closes:
        yield "", f"■ {', '.join(FACT_WORDS[fact] for fact in closes)}"
    read = f", read {rung.reviewed_on.isoformat()}" if rung.reviewed_on else ""
    yield "source", f"{rung.source}{read}"


def approval_of(rung: Rung, ladder: Ladder) -> str:
    """Who approves, in words, with the roles that it takes in brackets where it takes any."""
    roles = approvers_for(rung, ladder)
    return f"{rung.approver} ({_roles(roles)})" if roles else rung.approver


def says(rung: Rung, ladder: Ladder) -> str:
    """Which drafts a rung has, or why it has none."""
    drafts = [
        f"{place} draft, {len(draft)} characters"
        for place, draft in (("public", rung.public), ("private", rung.private))
        if draft
    ]
    if rung.stop:
        return " · ".join((f"no reply: {rung.stop}", *drafts))
    return " · ".join(drafts) or f"nothing: {ladder.rung[rung.id].silent_because}"


def gate_of(rung: Rung) -> str:
    """What must hold before the step may be taken, in words; "" when nothing."""
    parts = [
        "harm only, never for criticism" if rung.harms_only else "",
        "our own accounts only" if rung.own_account_only else "",
        facts_in_words(rung.needs),
    ]
    return "; ".join(part for part in parts if part)


def markdown(ladder: Ladder) -> str:
    """The ladder for the docs: a Mermaid chart and a table, with no trailing spaces."""
    lines = [f"### {ladder.name}", "", ladder.title, "", *(f"- {a}" for a in _agreements(ladder))]
    lines += ["", "```mermaid", *_mermaid(ladder), "```", ""]
    lines += ["| what the post is | rung |", "| --- | --- |"]
    lines += [
        f"| {words} | {rung} {ladder.rung[rung].name} |" for words, rung in start_rows(ladder)
    ]
    lines += ["", "| rung | who | approves | deadline | gate | says | clause |"]
    lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
    for rung in in_order(ladder):
        cells = (
            f"**{rung.id}** {rung.name}",
            rung.who,
            approval_of(rung, ladder),
            CLOCK_WORDS[rung.clock],
            gate_of(rung) or "–",
            says(rung, ladder),
            rung.source,
        )
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _mermaid(ladder: Ladder) -> Iterator[str]:
    yield "flowchart TD"
    for rung in in_order(ladder):
        yield f'  {rung.id}["{rung.id} {rung.name}"]:::{_kind(rung).replace(" ", "_")}'
    for rung in in_order(ladder):
        for way in rung.exits:
            yield f'  {rung.id} -->|"{facts_in_words(way.when)}"| {way.to}'
        for option in rung.options:
            if option not in {way.to for way in rung.exits}:
                yield f"  {rung.id} -.-> {option}"
    yield "  classDef against stroke:#b00020"
    yield "  classDef handed_over stroke:#7b1fa2"
    yield "  classDef lawful stroke:#00796b"


def as_data(ladder: Ladder) -> dict[str, object]:
    """The ladder for a program: approval, starts and rungs, in plain JSON types."""
    return {
        "ladder": ladder.name,
        "path": list(ladder.path),
        "approval": ladder.approval.model_dump(mode="json"),
        "weekend_rule": ladder.deadlines.weekend_rule,
        "starts": [{"when": words, "rung": rung_id} for words, rung_id in start_rows(ladder)],
        "rungs": [ladder.rung[rung.id].model_dump(mode="json") for rung in in_order(ladder)],
    }
