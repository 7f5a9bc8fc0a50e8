"""The log as the page sees it: through the same desk, and with the same rules, as everybody's."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.domain import Concern, ConcernState
from monitor.pipeline.desk import Desk, Refused
from monitor.policy import life
from monitor.policy.matching.organisations import Watchlist
from monitor.policy.routes.alerting import ACKNOWLEDGED
from monitor.web.links import Invitation
from monitor.web.pages import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCases:
    """Implements `monitor.web.pages.CaseBook`."""

    desk: Desk
    watchlist: Watchlist

    def look(self, invitation: Invitation) -> Case | None:
        """The case as its reader may see it; None when there is none, or it is not theirs."""
        with self.desk.store.read() as rows:
            concern = rows.concerns.by_reference(invitation.reference)
        return self._case(concern, invitation.person)

    def acknowledge(self, invitation: Invitation) -> Case | None:
        """Give the case to its reader, unless somebody has it already; None as above."""
        if self.look(invitation) is None:
            return None
        try:
            self.desk.do(
                invitation.reference, life.Move.ACKNOWLEDGE, invitation.person, "by the link"
            )
        except Refused:
            return self.look(invitation)  # somebody was quicker
        return self.look(invitation)

    def _case(self, concern: Concern | None, who: str) -> Case | None:
        people = {person.id: person for person in self.desk.book.people}
        reader = people.get(who)
        if concern is None or reader is None:
            return None
        if life.may_see(concern, reader, tuple(people.values())):
            return None
        untaken = concern.state is ConcernState.OPEN
        taken = next((e for e in reversed(concern.history) if e.action in ACKNOWLEDGED), None)
        owner = people.get(concern.owner or "")
        return Case(
            reference=concern.reference,
            title=self._title(concern),
            reader=reader.name,
            due_at=concern.suggestion.due_at,
            taken_by=None if untaken else owner.name if owner else "somebody",
            taken_at=taken.at if taken and not untaken else None,
        )

    def _title(self, concern: Concern) -> str:
        if concern.confidential:
            return f"Safeguarding item, case {concern.reference}"
        names = {o.id: o.name for o in self.watchlist.organisations}
        about = ", ".join(names.get(id_, id_) for id_ in concern.organisations)
        return f"{concern.severity.value.capitalize()}: case {concern.reference}, {about}"
