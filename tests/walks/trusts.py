"""Five invented trusts, one for each published policy, with their people and places."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.domain import Role

CONFIG = """\
state_dir = "."
timezone = "Europe/London"

[trust]
id = "trust"
name = "{trust}"
town = "{town}"

[[schools]]
id = "{school_id}"
name = "{school}"
town = "{town}"

[[schools]]
id = "{primary_id}"
name = "{primary}"
town = "{town}"
{people}
[[accounts]]
id = "page"
platform = "website"
url = "https://{host}/news"
school = "trust"
owner = "comms"
approved_by = ["slt-1", "slt-2"]
moderators = ["comms", "slt-1"]

[[sources]]
id = "forum"
kind = "rss"
platform = "forum"
community = "{forum}"
url = "{forum_url}"
allow_private = true

[[sources]]
id = "page"
kind = "rss"
platform = "website"
account = "page"
url = "{page_url}"
allow_private = true

[mail]
channel = "folder"
folder = "mail"
sender = "monitor@{host}"

[replies]
contact = "office@{host}"
complaints_url = "https://{host}/complaints"
info_url = "https://{host}/parents"
rules_url = "https://{host}/page-rules"

[ladder]
profile = "{profile}"
"""

PEOPLE: Mapping[str, tuple[str, tuple[Role, ...]]] = {
    "comms": ("Rowan Tillott", (Role.COMMS,)),
    "slt-1": ("Asha Merrow", (Role.SLT,)),
    "slt-2": ("Gareth Linnell", (Role.SLT, Role.MEDIA)),
    "head": ("Nerys Oldacre", (Role.HEAD,)),
    "dsl": ("Priya Lannock", (Role.DSL,)),
    "deputy-dsl": ("Idris Fallowby", (Role.DEPUTY_DSL,)),
    "chair": ("Wilf Tarraway", (Role.CHAIR,)),
    "hr": ("Mina Culverhay", (Role.HR,)),
}
"""Who works for each of the trusts: the same roles everywhere, so that the walks can be compared."""

AUTHORISED = {"comms": 'authorised_by = "slt-1"\nauthorised_on = 2025-09-01\n'}


@dataclass(frozen=True, kw_only=True)
class Trust:
    """One trust. `people` are added to PEOPLE, or stand in place of those with the same id."""

    profile: str
    name: str
    town: str
    school: str
    primary: str
    host: str
    people: Mapping[str, tuple[str, tuple[Role, ...]]] = field(default_factory=dict)
    of_person: Mapping[str, str] = field(default_factory=dict)

    @property
    def forum(self) -> str:
        """The town's public forum."""
        return f"{self.town} Town Talk"

    def config(self, *, forum_url: str, page_url: str) -> str:
        """The trust's config.toml; the two feeds are served at the addresses given."""
        people = "".join(
            f'\n[[people]]\nid = "{who}"\nname = "{name}"\nemail = "{who}@{self.host}"\n'
            f"roles = {json.dumps(roles)}\n"
            + (f'schools = ["{_id(self.school)}"]\n' if Role.HEAD in roles else "")
            + self.of_person.get(who, "")
            for who, (name, roles) in {**PEOPLE, **self.people}.items()
        )
        return CONFIG.format(
            trust=self.name,
            town=self.town,
            school=self.school,
            school_id=_id(self.school),
            primary=self.primary,
            primary_id=_id(self.primary),
            host=self.host,
            forum=self.forum,
            forum_url=forum_url,
            page_url=page_url,
            profile=self.profile,
            people=people,
        )


def _id(school: str) -> str:
    return school.split(maxsplit=1)[0].lower()


TRUSTS = {
    trust.profile: trust
    for trust in (
        Trust(
            profile="trust-online-safety",
            name="Brackenhay Learning Trust",
            town="Brackenhay",
            school="Brackenhay High School",
            primary="Ottermere Primary School",
            host="brackenhay.example",
        ),
        Trust(
            profile="coast",
            name="Gullhaven Schools Trust",
            town="Gullhaven",
            school="Gullhaven Academy",
            primary="Marram Primary School",
            host="gullhaven.example",
        ),
        Trust(
            profile="yes",
            name="Thistlecombe Schools Trust",
            town="Thistlecombe",
            school="Thistlecombe School",
            primary="Copperlea Primary School",
            host="thistlecombe.example",
            people={"comms-2": ("Jonty Sarre", (Role.COMMS,))},
            of_person=AUTHORISED,
        ),
        Trust(
            profile="fierte",
            name="Penwarrow Academies Trust",
            town="Penwarrow",
            school="Penwarrow Academy",
            primary="Furzedown Primary Academy",
            host="penwarrow.example",
            people={
                "slt-2": ("Gareth Linnell", (Role.SLT, Role.DSL)),
                "slt-3": ("Bethan Ruddock", (Role.SLT, Role.DEPUTY_DSL)),
            },
        ),
        Trust(
            profile="bradgate",
            name="Hollinbeck Education Partnership",
            town="Hollinbeck",
            school="Hollinbeck High School",
            primary="Larchfield Primary School",
            host="hollinbeck.example",
        ),
    )
}
