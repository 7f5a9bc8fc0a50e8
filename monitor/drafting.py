"""The draft check with what this trust may say: its own contacts, sites and names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.config import Config
from monitor.domain import Concern
from monitor.policy.drafts.check import DraftContext, DraftRules, Finding, check_draft
from monitor.policy.matching.organisations import Organisation


@dataclass(frozen=True, slots=True)
class Checker:
    """The draft check as the desk asks it: with the posts that the draft answers."""

    rules: DraftRules
    context: DraftContext

    def check(self, text: str, public: bool, concern: Concern) -> tuple[Finding, ...]:  # noqa: FBT001
        """What is wrong with a reply to this concern."""
        quoted = [mention.post.text for mention in concern.mentions]
        return check_draft(text, self.rules, self.context.for_reply(public=public, quoted=quoted))


def context_from(config: Config) -> DraftContext:
    """What a reply of this trust may say: its configured contacts, sites and names."""
    organisations = config.watchlist.organisations
    replies = config.replies
    sites = (site for o in organisations for site in (o.website, *o.domains))
    pages = (replies.complaints_url, replies.info_url, replies.rules_url)
    contacts = (replies.contact, *(o.contact for o in organisations))
    return DraftContext(
        contacts=_given((*contacts, *(o.postcode for o in organisations))),
        hosts=frozenset(_site(address) for address in _given((*sites, *pages))),
        organisations=tuple(name for o in organisations for name in names_of(o)),
        known_names=_given(o.headteacher for o in organisations),
    )


def names_of(organisation: Organisation) -> tuple[str, ...]:
    """All that an organisation is called, and where it is: what may be said and shown of it."""
    return _given(
        (
            organisation.name,
            *organisation.aliases,
            *organisation.former_names,
            *organisation.nicknames,
            *organisation.initialisms,
            *organisation.handles,
            *organisation.hashtags,
            organisation.town,
            organisation.county,
        )
    )


def _site(address: str) -> str:
    """ "https://www.trust.example/" as "trust.example"; a path stays, for a page on a shared site."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    return (parts.hostname or "").removeprefix("www.") + parts.path.rstrip("/")


def _given(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(value for value in values if value)
