"""The manual file drop. What every kind promises stands in test_contract.py."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import tracemalloc
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import SourceRejected
from connectors.file_drop import FileDropConnector, FileDropSettings, to_post
from connectors.post import Batch
from connectors.rows import MAX_LINE, rows

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
DATA = Path(__file__).resolve().parents[1] / "data" / "file_drop"
COLUMNS = {
    "listening-tool.csv": {},
    "tool.jsonl": {"author": "author.name"},
    "windows.csv": {"text": "beitrag", "author": "Autor"},
}


class Folder:
    """A drop folder and the monitor's side of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cursor: Any = {}
        self.batches: list[Batch] = []

    def write(self, name: str, body: str | bytes, *, age_s: float = 3600) -> Path:
        file = self.path / name
        file.write_bytes(body.encode() if isinstance(body, str) else body)
        self.age(file, age_s)
        return file

    def age(self, file: Path, age_s: float) -> None:
        changed = NOW.timestamp() - age_s
        os.utime(file, (changed, changed))

    def poll(self, *, commits: int | None = None, **settings: Any) -> list[str]:
        """Poll as a fresh instance, killed after so many commits; return the texts."""
        configured = FileDropSettings(folder=self.path, **settings)
        self.batches = []
        connector = FileDropConnector(configured, source="drop")
        for done, batch in enumerate(connector.poll(self.cursor, now=NOW)):
            if done == commits:
                break
            self.batches.append(batch)
            self.cursor = json.loads(json.dumps(batch.cursor))
        return [post.text for batch in self.batches for post in batch.posts]

    @property
    def gaps(self) -> list[str]:
        return [batch.gap for batch in self.batches if batch.gap]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize("name", COLUMNS)
def test_an_export_gives_its_posts(name: str) -> None:
    """Each export gives exactly the posts written beside it, and names the lines it can't read."""
    settings = FileDropSettings(folder=DATA, columns=COLUMNS[name], community="Elsewhere")
    form = "jsonl" if name.endswith("jsonl") else "csv"
    with (DATA / name).open("rb") as file:
        read = list(rows(file, form=form, columns=COLUMNS[name]))
    found = {
        "posts": [asdict(to_post(row.fields, settings)) for row in read if not row.problem],
        "problems": [[row.line, row.problem] for row in read if row.problem],
    }
    expected = (DATA / f"{name}.expected.json").read_text(encoding="utf-8")
    assert json.loads(json.dumps(found, default=str)) == json.loads(expected)


def test_bad_rows_are_counted_and_named_without_their_words(folder: Folder) -> None:
    """A row that can't be read is told by file, line and reason; the others are delivered."""
    folder.write("export.csv", (DATA / "listening-tool.csv").read_bytes())
    assert len(folder.poll()) == 3
    assert sum(batch.skipped for batch in folder.batches) == 2
    assert folder.gaps == ["not read: export.csv, line 6: no text and 1 more rows"]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("text\ngood\n\n\n" + "x" * 2 * MAX_LINE + "\nalso good\n", 5),
        ('text,date\n"good",\n"' + "x" * 140_000 + '",\n"also good",\n', 3),
        ("text\ngood\n\xff,\xff\nalso good\n", 3),
    ],
    ids=["endless line", "huge cell", "too many cells"],
)
def test_reading_goes_on_behind_a_bad_row(folder: Folder, body: str, line: int) -> None:
    """Neither an endless line nor a huge cell hides the rows behind it."""
    folder.write("export.csv", body.encode("cp1252"))
    assert folder.poll() == ["good", "also good"]
    assert f"line {line}:" in folder.gaps[0]


def test_a_file_that_is_still_written_is_left_alone(folder: Folder) -> None:
    """A file changed just now waits; when it rests, it is read."""
    file = folder.write("export.csv", "text\nFirst half", age_s=1)
    assert folder.poll() == []
    file.write_text("text\nFirst half and all the rest\n")
    folder.age(file, 0.5)
    assert folder.poll() == []
    folder.age(file, 60)
    assert folder.poll() == ["First half and all the rest"]


def test_a_server_with_a_clock_ahead_delays_a_file_by_one_poll(folder: Folder) -> None:
    """A file dated in the future is read once it has not changed between two polls."""
    folder.write("export.csv", "text\nFrom tomorrow\n", age_s=-86_400)
    assert folder.poll() == []
    assert folder.poll() == ["From tomorrow"]
    assert folder.poll() == []


@pytest.mark.parametrize(
    "name", [".export.csv", "~$export.csv", "export.csv.part", "export.xlsx", "export"]
)
def test_unfinished_and_other_files_are_passed_over(folder: Folder, name: str) -> None:
    """Transfers under way, editors' locks and other kinds of file are not read."""
    folder.write(name, "text\nNot yet\n")
    assert folder.poll() == []


def test_a_renamed_upload_is_read_under_its_new_name(folder: Folder) -> None:
    """Written under another name and renamed is the best way to drop a file."""
    file = folder.write("export.csv.part", "text\nWhole\n")
    file.rename(folder.path / "export.csv")
    assert folder.poll() == ["Whole"]


def test_pipes_links_and_folders_are_no_exports(folder: Folder, tmp_path: Path) -> None:
    """What isn't a plain file is passed over: a pipe would block, a link lead elsewhere."""
    os.mkfifo(folder.path / "pipe.csv")
    (folder.path / "folder.csv").mkdir()
    (folder.path / "link.csv").symlink_to(DATA / "listening-tool.csv")
    assert folder.poll() == []


def test_files_are_only_read(folder: Folder) -> None:
    """After a poll the folder is byte for byte as it was, and a read-only file is fine."""
    file = folder.write("export.csv", "text\nHello\n")
    file.chmod(stat.S_IRUSR)
    before = (file.read_bytes(), file.stat().st_mtime_ns, list(folder.path.iterdir()))
    folder.poll()
    assert (file.read_bytes(), file.stat().st_mtime_ns, list(folder.path.iterdir())) == before


def test_the_same_row_in_two_exports_is_one_post(folder: Folder) -> None:
    """Overlapping exports deliver each row once, with an id or without."""
    folder.write("monday.csv", "id,text\n1,Identified\n,Nameless\n")
    folder.write("tuesday.csv", "id,text\n,Nameless\n1,Identified\n2,New\n", age_s=1800)
    assert folder.poll() == ["Identified", "Nameless", "New"]


def test_rows_that_are_merely_numbered_do_not_collide(folder: Folder) -> None:
    """Row 1 of two exports with different links are two posts."""
    folder.write("a.csv", "id,text,url\n1,One,https://a.example/1\n")
    folder.write("b.csv", "id,text,url\n1,Two,https://a.example/2\n")
    assert sorted(folder.poll()) == ["One", "Two"]


def test_a_file_that_grew_gives_its_new_rows(folder: Folder) -> None:
    """An export that is appended to delivers what was appended."""
    folder.write("log.jsonl", '{"text": "One"}\n')
    assert folder.poll() == ["One"]
    folder.write("log.jsonl", '{"text": "One"}\n{"text": "Two"}\n', age_s=1800)
    assert folder.poll() == ["Two"]


@pytest.mark.parametrize("commits", range(7))
def test_a_restart_goes_on_behind_the_last_committed_row(folder: Folder, commits: int) -> None:
    """Wherever it dies, also between quoted line breaks, each row comes once in the end."""
    out = io.StringIO()
    csv.writer(out).writerows([["text"], *([f"Row {number}\nof ten"] for number in range(10))])
    folder.write("export.csv", "\ufeff" + out.getvalue())
    told = folder.poll(commits=commits, max_items=3)
    told += folder.poll(max_items=3)
    assert told == [f"Row {number}\nof ten" for number in range(10)]


def test_a_poll_out_of_time_leaves_the_rest_to_the_next(folder: Folder) -> None:
    """A file longer than a poll is read over several, and that is noted."""
    folder.write("export.jsonl", "".join(f'{{"text": "Row {n}"}}\n' for n in range(20)))
    assert len(folder.poll(max_items=2, timeout_s=1e-9)) == 2
    assert folder.batches[-1].note == "more rows wait for the next poll"
    assert len(folder.poll(max_items=2)) == 18


def test_a_long_first_run_looks_back_no_further_in_its_second_half(folder: Folder) -> None:
    """What is older than the look-back stays passed over when the first run takes two polls."""
    old = (NOW - timedelta(days=31)).isoformat()
    folder.write("export.csv", f"text,date\nNew,\nOld,{old}\n")
    assert folder.poll(max_items=1, timeout_s=1e-9) == ["New"]
    assert folder.poll(max_items=1) == []
    folder.write("late.csv", f"text,date\nLate,{old}\n", age_s=60)
    assert folder.poll() == ["Late"]


def test_a_damaged_file_hides_no_other_and_is_named(folder: Folder) -> None:
    """The other files are delivered; then the fault names file, line and what to do, every time."""
    folder.write("a.csv", "when,who\nsecret words,1\n", age_s=7200)
    folder.write("b.csv", "text\nGood\n")
    told: list[str] = []
    for _ in range(2):
        with pytest.raises(
            SourceRejected, match=r"a.csv, line 1: no column for the text"
        ) as caught:
            folder.poll()
        told += [post.text for batch in folder.batches for post in batch.posts]
        assert "secret" not in str(caught.value)
    assert told == ["Good"]


def test_a_column_that_is_configured_must_be_there(folder: Folder) -> None:
    """A mapped column that the file lacks is named with its key."""
    folder.write("a.csv", "text\nHello\n")
    with pytest.raises(SourceRejected, match=r"no column 'Snippet' \(columns.text"):
        folder.poll(columns={"text": "Snippet"})


def test_an_oversized_file_is_refused_by_name(folder: Folder) -> None:
    """A file beyond max_bytes is named, not read."""
    folder.write("a.csv", "text\n" + "Hello\n" * 2000)
    with pytest.raises(SourceRejected, match=r"a.csv, longer than 10,000 bytes"):
        folder.poll(max_bytes=10_000)


def test_half_characters_of_json_can_be_stored(folder: Folder) -> None:
    """A cut-off emoji, which JSON can hold and no database takes, becomes a replacement mark."""
    half = chr(92) + "ud83d"
    folder.write(
        "a.jsonl", f'{{"id": "{half}", "text": "Fire {half}", "url": "https://a.example/{half}"}}'
    )
    assert folder.poll() == ["Fire \ufffd"]
    assert str(folder.batches[0].posts[0].url).encode() == b"https://a.example/"


def test_a_header_alone_and_an_empty_file_are_no_faults(folder: Folder) -> None:
    """An export without results is not an error."""
    folder.write("a.csv", "text,date\n")
    folder.write("b.csv", "")
    folder.write("c.jsonl", "\n")
    assert folder.poll() == []
    assert len(folder.cursor["done"]) == 3


def test_a_big_file_costs_little_memory(folder: Folder) -> None:
    """20,000 rows in 4 MB take under 12 MB, and the cursor stays below 300 KB."""
    with (folder.path / "big.csv").open("w") as file:
        file.write("id,text\n")
        file.writelines(f"{number},{'Larkmoor School ' * 12}\n" for number in range(20_000))
    folder.age(folder.path / "big.csv", 60)
    settings = FileDropSettings(folder=folder.path, max_items=1000, timeout_s=60)
    count = 0
    tracemalloc.start()
    for batch in FileDropConnector(settings, source="drop").poll({}, now=NOW):
        count += len(batch.posts)
        assert len(json.dumps(batch.cursor)) < 300_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 12_000_000


_CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


@given(st.lists(st.tuples(_CELL, _CELL), max_size=8), st.integers(0, 8))
def test_any_csv_is_read_alike_from_any_row_on(table: list[tuple[str, str]], at: int) -> None:
    """Whatever a spreadsheet writes comes back, also from the end of any row on."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("text", "title"), *table])
    file = io.BytesIO(out.getvalue().encode())
    whole = list(rows(file, form="csv", columns={}))
    read = [(row.fields["text"], row.fields["title"]) for row in whole]
    assert read == table
    if at < len(whole):
        rest = list(rows(file, form="csv", columns={}, start=whole[at].end))
        assert rest == whole[at + 1 :]
