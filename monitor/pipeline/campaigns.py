"""Campaigns: many voices on one theme get one case, one notice and one line in the digest.

    look()  recent posts* -> clusters -> COMMIT* {one case for each, its posts' cases folded in, notice}

(* = effect.) Run it every couple of minutes; run twice, it changes nothing the second time. What is
urgent, harmful or confidential is never folded in, and is let go again if it became so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from monitor.domain import MONITOR, Concern, DeliveryKind, Notice, Rally
from monitor.pipeline.alerts import hold_back
from monitor.policy import assessment
from monitor.policy.assessment import Rulebook
from monitor.policy.campaigns import campaign
from monitor.policy.campaigns import case as campaign_case
from monitor.policy.campaigns.campaign import Cluster
from monitor.policy.campaigns.theme import CampaignRules, Themes
from monitor.policy.life.rules import matter
from monitor.policy.routes import silences
from monitor.policy.routes.alerting import ALERTED
from monitor.ports import ConcernDraft, Letters, NewDelivery, Store, Transaction

log = structlog.get_logger("monitor.pipeline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaigns:
    """Looks for campaigns. `channel` is the one that notices go out by; `wake` is called with
    "deliver" after a commit that left mail to send."""

    store: Store
    book: Rulebook
    rules: CampaignRules
    clock: Callable[[], datetime]
    letters: Letters
    channel: str
    wake: Callable[[str], None]

    def look(self) -> bool:
        """Open, carry on or leave campaigns as they are; False when nothing changed."""
        now = self.clock()
        themes = Themes(self.rules, self.book.watchlist.organisations)
        with self.store.read() as rows:
            voices = rows.campaigns.voices(since=now - themes.quiet)
        found = campaign.clusters(voices, themes, now=now)
        strayed = sorted(
            {voice.concern for voice in voices if voice.alone and voice.campaign and voice.concern}
        )
        with self.store.begin() as rows:
            rows.campaigns.unfold(strayed)
            events = [event for each in found if (event := self._keep(rows, each, now))]
        for event in events:
            log.info("campaign", **event)
        if any(event["notices"] for event in events):
            self.wake("deliver")
        return bool(events or strayed)

    def _keep(self, rows: Transaction, cluster: Cluster, now: datetime) -> dict[str, object] | None:
        """Carry on the cluster's campaign, or open one; None when there is nothing new."""
        before = rows.concerns.by_reference(cluster.campaign) if cluster.campaign else None
        fresh = cluster.concerns or cluster.loose
        if before is not None and not fresh and cluster.last <= before.updated_at:
            return None
        head = self._log(rows, cluster, before, now)
        rows.campaigns.fold(cluster.concerns, head.reference)
        for mention in cluster.loose:
            rows.mentions.belongs_to(mention, head.id)
        notices: Sequence[Notice] = ()
        if before is None:
            day = now.astimezone(self.book.calendar.tz).date()
            notices = campaign_case.notices(cluster, self.book.people, day=day)
            if notices and self._silenced(rows, head, notices[0].because, now):
                notices = ()  # the digest tells of it
            self._tell(rows, head, cluster, notices, now)
        return {
            "concern": head.reference,
            "organisations": [cluster.organisation],
            "posts": cluster.posts,
            "notices": len(notices),
        }

    def _log(
        self, rows: Transaction, cluster: Cluster, before: Concern | None, now: datetime
    ) -> Concern:
        after = campaign_case.as_concern(cluster, before, now=now)
        draft = ConcernDraft(
            triage=after.triage,
            organisations=after.organisations,
            suggestion=assessment.reconsider(after, self.book, now=now),
            confidential=after.confidential,
        )
        why = campaign_case.reason(cluster)
        if before is None:
            opened = rows.concerns.open(draft, why=why, now=now)
            rows.campaigns.head(opened.id)
        else:
            opened = before
            rows.concerns.update(before.id, draft, why=why, now=now)
        if before is None or campaign_case.topic(after) != campaign_case.topic(before):
            rows.concerns.note(
                opened.id,
                who=MONITOR,
                action=campaign_case.NAMED,
                why=campaign_case.NAMED_WHY,
                now=now,
                details={"topic": campaign_case.topic(after)},
            )
        return rows.concerns.standing(opened.id)

    def _silenced(self, rows: Transaction, head: Concern, why: str, now: datetime) -> bool:
        """True, and written down, when a silence holds the campaign's notice back."""
        silence = silences.holding(
            matter(head),
            head.reference,
            (),
            rows.silences.standing(now=now),
            people=self.book.people,
            now=now,
        )
        if silence:
            hold_back(rows, head, silence, why=silences.because(silence, why), now=now)
        return silence is not None

    def _tell(
        self,
        rows: Transaction,
        head: Concern,
        cluster: Cluster,
        notices: Sequence[Notice],
        now: datetime,
    ) -> None:
        """The comms lead and the senior leaders hear of it, once."""
        if not notices:
            return
        number = rows.concerns.alerted(head.id)
        rows.concerns.note(
            head.id,
            who=MONITOR,
            action=ALERTED,
            why=notices[0].because,
            now=now,
            details={
                "people": ",".join(notice.person.id for notice in notices),
                "round": str(number),
            },
        )
        key = f"alert:{head.reference}:{number}"
        rally = _rally(head, cluster)
        rows.outbox.enqueue(
            [
                NewDelivery(
                    key=key,
                    kind=DeliveryKind.ALERT,
                    concern=head.id,
                    recipient=notice.person.email,
                    channel=self.channel,
                    message=self.letters.campaign(rally, notice, key=key, now=now),
                )
                for notice in notices
            ],
            now=now,
        )


def _rally(head: Concern, cluster: Cluster) -> Rally:
    return Rally(
        concern=head,
        topic=campaign_case.topic(head),
        posts=cluster.posts,
        authors=cluster.authors,
        first=cluster.first,
        last=cluster.last,
        until=cluster.until,
        per_2h=cluster.per_2h,
        cases=(),
    )
