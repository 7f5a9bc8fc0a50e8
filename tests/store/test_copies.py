"""A backup is whole, taken while others write, and what is put back is what was backed up."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.errors import MonitorError, StorageFault, Trouble
from monitor.store import copies, copies_postgresql, copies_sqlite
from monitor.store import database as db
from monitor.store.store import SqlStore
from tests.store.rows import ERASED, counts, fill
from tests.store.samples import MATCH, NOW, post


def test_backup_holds_everything_and_only_its_owner_reads_it(
    database: sa.Engine, tmp_path: Path
) -> None:
    """Every row of every table is in the copy, which nobody else may read, and no trace of a half one."""
    fill(database)
    path = tmp_path / "copy"
    found = copies.back_up(database, path)
    assert found.rows == counts(database)
    assert found.revision == db.revisions(database)[1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.glob("*.part")] == []
    assert copies.examine_file(database, path) == found


def test_what_was_erased_is_not_backed_up(database: sa.Engine, tmp_path: Path) -> None:
    """A post erased before the backup can't be found in it, nor in its free pages."""
    fill(database)
    copies.back_up(database, tmp_path / "copy")
    if database.dialect.name == "sqlite":
        assert ERASED.encode() not in (tmp_path / "copy").read_bytes()
    else:
        copies_postgresql._run(
            ["pg_restore", "--file=-", str(tmp_path / "copy")],
            reader=lambda lines: pytest.fail("found") if ERASED.encode() in lines.read() else None,
        )


def test_backup_is_taken_while_others_write(database: sa.Engine, tmp_path: Path) -> None:
    """Writers go on during a backup, and each copy is one consistent moment: mentions and cursor agree."""
    fill(database)
    store, done = SqlStore(database), threading.Event()

    def write() -> None:
        for number in range(1_000_000):
            if done.is_set():
                return
            with store.begin() as rows:
                rows.mentions.record("gazette", [(post(f"w{number}"), (MATCH,))], now=NOW)
                rows.outbox.forget(before=NOW)
                rows.sources.advance("gazette", {"read": number + 1})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        taken = [copies.back_up(database, tmp_path / f"copy{number}") for number in range(3)]
    finally:
        done.set()
        writer.join()
    assert taken[0].rows["mention"] < counts(database)["mention"]
    for found in taken:
        copies.put_back(database, Path(found.where), tmp_path / f"aside-{Path(found.where).name}")
        with store.read() as rows:
            read = rows.sources.cursor("gazette").get("read", 0)
        assert counts(database)["mention"] == read + 21


def test_restore_brings_back_and_keeps_what_was_there(database: sa.Engine, tmp_path: Path) -> None:
    """After a restore the database is as at the backup; what it replaced can itself be put back."""
    fill(database)
    path, aside = tmp_path / "copy", tmp_path / "aside"
    copies.back_up(database, path)
    at_backup = counts(database)
    with SqlStore(database).begin() as rows:
        rows.mentions.record("gazette", [(post("later"), (MATCH,))], now=NOW)
    copies.put_back(database, path, aside)
    assert counts(database) == at_backup
    db.check(database)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.begin() as connection:
        connection.execute(sa.text("UPDATE concern_event SET why = 'other'"))
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600 or database.dialect.name == "sqlite"
    assert copies.examine_file(database, aside).rows["mention"] == at_backup["mention"] + 1
    copies.put_back(database, aside, tmp_path / "aside2")
    assert counts(database)["mention"] == at_backup["mention"] + 1


def test_restored_rows_go_on_counting(database: sa.Engine, tmp_path: Path) -> None:
    """New rows after a restore get new ids: sequences are restored too."""
    fill(database)
    copies.back_up(database, tmp_path / "copy")
    copies.put_back(database, tmp_path / "copy", tmp_path / "aside")
    before = counts(database)["mention"]
    with SqlStore(database).begin() as rows:
        rows.mentions.record("gazette", [(post("new"), (MATCH,))], now=NOW)
    assert counts(database)["mention"] == before + 1


def test_restore_of_an_older_revision_can_be_upgraded(
    bare_database: sa.Engine, tmp_path: Path
) -> None:
    """A backup from before an upgrade is put back over the newer tables, and upgrades again."""
    db.upgrade(bare_database, "0002")
    copies.back_up(bare_database, tmp_path / "old")
    db.upgrade(bare_database)
    fill(bare_database)
    copies.put_back(bare_database, tmp_path / "old", tmp_path / "aside")
    assert db.revisions(bare_database)[0] == "0002"
    db.upgrade(bare_database)
    db.check(bare_database)
    assert counts(bare_database)["mention"] == 0


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def _scramble(path: Path) -> None:
    told = bytearray(path.read_bytes())
    middle = len(told) // 2
    told[middle - 2_000 : middle + 2_000] = bytes(
        b ^ 0xA5 for b in told[middle - 2_000 : middle + 2_000]
    )
    path.write_bytes(told)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _other(path: Path) -> None:
    path.write_bytes(b"not a backup of anything" * 500)


@pytest.mark.parametrize("spoil", [_cut, _scramble, _empty, _other])
def test_a_damaged_backup_replaces_nothing(
    database: sa.Engine, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """A backup that was cut, altered, emptied or never was one is refused, and the database stays."""
    fill(database)
    path = tmp_path / "copy"
    copies.back_up(database, path)
    spoil(path)
    with pytest.raises(MonitorError) as refused:
        copies.put_back(database, path, tmp_path / "aside")
    assert ERASED not in str(refused.value)
    assert counts(database)["mention"] == 21
    assert not (tmp_path / "aside").exists()


def test_a_newer_backup_is_refused(database: sa.Engine, tmp_path: Path) -> None:
    """A backup made by a newer program is not put back by this one."""
    fill(database)
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    copies.back_up(database, tmp_path / "copy")
    with pytest.raises(MonitorError, match="newer one"):
        copies.put_back(database, tmp_path / "copy", tmp_path / "aside")


def test_restore_waits_for_nobody(database: sa.Engine, tmp_path: Path) -> None:
    """While anybody else is in a transaction, or connected, nothing is put back."""
    fill(database)
    copies.back_up(database, tmp_path / "copy")
    other = db.open_database(database.url)
    with other.begin() as connection:
        connection.execute(sa.text("UPDATE counter SET value = value + 1"))
        with pytest.raises(MonitorError):
            copies.put_back(database, tmp_path / "copy", tmp_path / "aside")
    other.dispose()
    assert counts(database)["mention"] == 21


def test_a_backup_overwrites_nothing(database: sa.Engine, tmp_path: Path) -> None:
    """An existing file is not replaced; a folder that isn't there is named."""
    (tmp_path / "copy").write_text("precious", "utf-8")
    with pytest.raises(MonitorError, match="exists already"):
        copies.back_up(database, tmp_path / "copy")
    with pytest.raises(MonitorError, match="nowhere"):
        copies.back_up(database, tmp_path / "nowhere" / "copy")
    assert (tmp_path / "copy").read_text("utf-8") == "precious"


def test_examining_a_whole_database(database: sa.Engine) -> None:
    """The database itself is read from end to end while somebody writes to it."""
    fill(database)
    other = db.open_database(database.url)
    with other.begin() as connection:
        connection.execute(sa.text("UPDATE counter SET value = value + 1"))
        assert copies.examine(database).rows == counts(database)
    other.dispose()


def test_a_damaged_page_is_found_at_the_start(tmp_path: Path) -> None:
    """A page overwritten on the disk is a named fault before the monitor begins."""
    engine = db.open_database(f"sqlite:///{tmp_path / 'monitor.db'}")
    db.upgrade(engine)
    fill(engine)
    copies_sqlite.look(engine)
    engine.dispose()
    _scramble(tmp_path / "monitor.db")
    with pytest.raises(StorageFault, match="db restore") as fault:
        copies_sqlite.look(engine)
    assert fault.value.trouble is Trouble.CORRUPT


def test_a_damaged_database_can_be_replaced(tmp_path: Path) -> None:
    """Restoring works when what it replaces can't even be opened; the damaged file is kept."""
    path = tmp_path / "monitor.db"
    engine = db.open_database(f"sqlite:///{path}")
    db.upgrade(engine)
    fill(engine)
    copies.back_up(engine, tmp_path / "copy")
    engine.dispose()
    path.write_bytes(b"\0" * 5_000)
    copies.put_back(engine, tmp_path / "copy", tmp_path / "aside")
    assert counts(engine)["mention"] == 21
    assert (tmp_path / "aside").read_bytes() == b"\0" * 5_000


def test_a_stale_log_is_not_applied_to_the_restored_file(tmp_path: Path) -> None:
    """What stands in the old file's write-ahead log after a kill never reaches the restored file."""
    path = tmp_path / "monitor.db"
    engine = db.open_database(f"sqlite:///{path}")
    db.upgrade(engine)
    fill(engine)
    copies.back_up(engine, tmp_path / "copy")
    with SqlStore(engine).begin() as rows:
        rows.mentions.record("gazette", [(post("later"), (MATCH,))], now=NOW)
    left = {tail: Path(f"{path}{tail}").read_bytes() for tail in ("", "-wal")}
    engine.dispose()
    for tail, content in left.items():  # as kill -9 leaves it
        Path(f"{path}{tail}").write_bytes(content)
    copies.put_back(engine, tmp_path / "copy", tmp_path / "aside")
    assert counts(engine)["mention"] == 21
    assert copies.examine_file(engine, tmp_path / "aside").rows["mention"] == 22
