"""The watchlist's shape: a trust and its schools, as written in TOML. Organisations, never people.

`headteacher` may be given because the schools register carries it; it is used to mask that name in
mail, and is never a search term.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Organisation(BaseModel):
    """A school or the trust. Every list is optional; spelling variants that differ only in case,
    accents, apostrophes, hyphens or "&"/"and" need not be listed.

    Whether a name matches alone is decided from its words; `distinctive` and `ambiguous` list terms
    for which the trust knows better (a listed term matches alone, or only with support)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    name: str = Field(min_length=2)
    aliases: tuple[str, ...] = ()
    former_names: tuple[str, ...] = ()
    nicknames: tuple[str, ...] = ()
    initialisms: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    website: str | None = None
    domains: tuple[str, ...] = ()
    town: str | None = None
    county: str | None = None
    postcode: str | None = None
    exclusions: tuple[str, ...] = ()
    distinctive: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    headteacher: str | None = None
    contact: str | None = None
    urn: str | None = None


class Watchlist(BaseModel):
    """A trust and at least one school; ids are unique over both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trust: Organisation
    schools: tuple[Organisation, ...] = Field(min_length=1)

    @property
    def organisations(self) -> tuple[Organisation, ...]:
        """The trust first, then the schools in their own order."""
        return (self.trust, *self.schools)
