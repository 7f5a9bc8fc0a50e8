"""A database with something in every table, through the store's own door."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from connectors.post import Post
from monitor.domain import DeliveryKind
from monitor.ports import NewDelivery, SourceSpec
from monitor.store.database import reading
from monitor.store.schema import metadata
from monitor.store.store import SqlStore
from tests.store.samples import MATCH, NOW, draft, post

ERASED = "wisteria-and-bindweed"


def fill(engine: sa.Engine) -> None:
    """Sources, mentions (one of them erased), a concern with its history, letters, a digest."""
    with SqlStore(engine).begin() as rows:
        rows.sources.register(
            [SourceSpec(id="gazette", kind="rss", interval_s=60, fingerprint="f1")], now=NOW
        )
        rows.sources.advance("gazette", {"seen": {"a": "b"}})
        rows.sources.silent("gazette", since=NOW, reason="answers 503")
        rows.mentions.record(
            "gazette", [(each, (MATCH,)) for each in (*_posts(), _to_be_erased())], now=NOW
        )
        rows.deletions.gone("rss", ["erased"], now=NOW)
        concern = rows.concerns.open(draft(), why="a complaint", now=NOW)
        rows.mentions.belongs_to(1, concern.id)
        rows.outbox.enqueue([_letter("alert:1:1"), _letter("digest:2026-03-10")], now=NOW)
        rows.digests.record(NOW.date(), since=NOW - timedelta(days=1), until=NOW)
        rows.tally.add(NOW.date(), ["larch"], concern.triage.sentiment)


def counts(engine: sa.Engine) -> dict[str, int]:
    """How many rows each table has that is there."""
    with reading(engine) as connection:
        present = set(sa.inspect(connection).get_table_names()) & metadata.tables.keys()
        return {
            name: connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in sorted(present)
        }


def _posts() -> list[Post]:
    return [post(f"n{number}", f"Larch Hill Primary, again {number}") for number in range(20)]


def _to_be_erased() -> Post:
    return post("erased", f"Larch Hill Primary {ERASED} " * 200)


def _letter(key: str) -> NewDelivery:
    return NewDelivery(
        key=key,
        kind=DeliveryKind.ALERT if key.startswith("alert") else DeliveryKind.DIGEST,
        concern=None,
        recipient="slt@trust.example",
        channel="email",
        message=b"Subject: x\r\n\r\nwords",
    )
