"""`trust-monitor report`: files that a governor can be handed."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from classifiers.verdict import Label, Sentiment, Severity
from monitor import app
from monitor.cli import cli
from monitor.commands.report import Reporter, term, week_before
from monitor.config_file import load_config
from monitor.errors import MonitorError
from monitor.store.migrate import migrate
from monitor.store.store import SqlStore
from tests.store.samples import MATCH, draft, post

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 16, 9, tzinfo=UTC)
SAID = "Zanzibar Quibble of Year 5 was seen at Fellgate High"
HANDLE = "@nosy-neighbour"


@pytest.fixture
def reporter(database: sa.Engine) -> Reporter:
    """A log of one complaint last week, over both databases."""
    store = SqlStore(database)
    seen = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)
    with store.begin() as rows:
        rows.mentions.record("feed", [(post("1", SAID, author=HANDLE), (MATCH,))], now=seen)
        (claimed,) = rows.mentions.claim(owner="t", lease_s=60, limit=9, now=seen)
        made = draft(Severity.CONCERN, Label.COMPLAINT)
        logged = rows.concerns.open(made, why="new", now=seen)
        rows.mentions.assessed(claimed, made.triage, model="t", now=seen)
        rows.mentions.belongs_to(claimed.mention.id, logged.id)
        rows.tally.add(seen.date(), ["fellgate", "trust"], Sentiment.NEGATIVE)
        rows.tally.add(seen.date(), ["fellgate"], Sentiment.NEGATIVE)
        rows.tally.add(date(2026, 3, 8), ["fellgate"], Sentiment.POSITIVE)
    config = load_config(ROOT / "tests/data/config/good.toml")
    return Reporter(store=store, watchlist=config.watchlist, timezone=config.timezone)


def test_the_week_before_a_day_is_whole() -> None:
    """From any day, the week reported ended on the Sunday before."""
    for day in range(16, 23):
        period = week_before(date(2026, 3, day))
        assert (period.first, period.last) == (date(2026, 3, 9), date(2026, 3, 15))


def test_the_page_tells_figures_and_nobody(reporter: Reporter, tmp_path: Path) -> None:
    """The page counts by school, and holds neither a post's words nor its author."""
    (page,) = reporter.write(week_before(date(2026, 3, 16)), tmp_path, pdf=False, now=NOW)
    html = page.read_text(encoding="utf-8")
    assert "9 March 2026 to 15 March 2026" in html
    assert "<strong>1</strong> concern logged" in " ".join(html.split())
    for word in ("Zanzibar", "Quibble", HANDLE, "2026-0001"):
        assert word not in html
    fellgate = reporter.compose(week_before(date(2026, 3, 16)), now=NOW).schools
    assert {(s.negative, s.total_before) for s in fellgate if "Fellgate" in s.name} == {(2, 1)}


def test_figures_outlive_the_posts(reporter: Reporter) -> None:
    """A term's report counts posts that retention has erased since."""
    with reporter.store.begin() as rows:
        rows.mentions.erase_ids([1], now=NOW)
    made = reporter.compose(term("Spring", date(2026, 1, 5), date(2026, 3, 27)), now=NOW)
    assert made.mentions == 4


def test_the_pdf_is_one(reporter: Reporter, tmp_path: Path) -> None:
    """With --pdf there is a PDF of one or two pages beside the page."""
    try:
        import weasyprint  # noqa: F401, PLC0415
    except (ImportError, OSError):
        pytest.skip("NO PDF IS TESTED: WeasyPrint, or the system's Pango, is missing")
    _, pdf = reporter.write(week_before(date(2026, 3, 16)), tmp_path, pdf=True, now=NOW)
    data = pdf.read_bytes()
    assert data.startswith(b"%PDF-")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    metadata = [zlib.decompress(s) for s in streams if s.startswith(b"x")] + [data]
    assert any(b"pdfuaid" in stream for stream in metadata), "not PDF/UA"


def test_days_that_can_not_be_reported(reporter: Reporter, tmp_path: Path) -> None:
    """Days in the wrong order, too far apart or ahead are refused with what to do."""
    with pytest.raises(MonitorError, match="swap"):
        term("Spring", date(2026, 3, 2), date(2026, 3, 1))
    with pytest.raises(MonitorError, match="more than a year"):
        term("All", date(2024, 3, 2), date(2026, 3, 1))
    with pytest.raises(MonitorError, match="not here yet"):
        reporter.write(
            term("Next", date(2027, 1, 1), date(2027, 2, 1)), tmp_path, pdf=False, now=NOW
        )


def test_a_folder_that_can_not_be_written(reporter: Reporter, tmp_path: Path) -> None:
    """A file where the folder should be is named, with the option to change."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(MonitorError, match="--out"):
        reporter.write(week_before(date(2026, 3, 16)), tmp_path / "taken", pdf=False, now=NOW)


def test_the_command_names_what_it_wrote(tmp_path: Path) -> None:
    """`report week --out FOLDER` prints the path of the page."""
    path = tmp_path / "config.toml"
    path.write_text((ROOT / "tests/data/config/good.toml").read_text(encoding="utf-8"))
    migrate(app.database(load_config(path)))
    result = CliRunner().invoke(
        cli, ["report", "week", "-c", str(path), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.output
    assert list((tmp_path / "out").glob("report-*.html"))
