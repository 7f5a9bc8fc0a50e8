"""How much was said about whom, by day: figures that outlive the posts they were counted from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import sqlalchemy as sa

from classifiers.verdict import Sentiment
from monitor.store.dialect import insert_ignoring
from monitor.store.schema import tally as table


class TallyRows:
    """Implements `monitor.ports.Tally` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, day: date, organisations: Sequence[str], sentiment: Sentiment) -> None:
        """Count one mention of each of `organisations` on the local `day`."""
        for organisation in organisations:
            key = {"day": day, "organisation": organisation, "sentiment": sentiment.value}
            insert_ignoring(self._connection, table, key | {"mentions": 0})
            self._connection.execute(
                sa.update(table)
                .where(*(table.c[name] == value for name, value in key.items()))
                .values(mentions=table.c.mentions + 1)
            )

    def between(self, first: date, last: date) -> Mapping[str, Mapping[Sentiment, int]]:
        """Mentions by organisation and sentiment from `first` to `last`, both included."""
        found: dict[str, dict[Sentiment, int]] = {}
        for row in self._connection.execute(
            sa.select(
                table.c.organisation,
                table.c.sentiment,
                sa.func.sum(table.c.mentions).label("mentions"),
            )
            .where(table.c.day.between(first, last))
            .group_by(table.c.organisation, table.c.sentiment)
        ):
            by_sentiment = found.setdefault(row.organisation, dict.fromkeys(Sentiment, 0))
            by_sentiment[Sentiment(row.sentiment)] = int(row.mentions)
        return found
