"""The configuration's shape: frozen models of what `config.example.toml` explains key by key.

Only the composition root (`app.py`) and the commands see a whole `Config`; every room below gets the
few values that it needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from monitor.delivery.email import Relay
from monitor.domain import Channel, Person, Role
from monitor.policy.deadlines import Calendar, Division, WeekendRule
from monitor.policy.matching.organisations import Watchlist

_ADDRESS = re.compile(r"[^\s@,;:<>()\"\\\[\]]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def _one_address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("must be one plain e-mail address, such as office@trust.example")
    return value


def is_web_address(value: str) -> bool:
    """Whether `value` is one address of the web, and nothing else."""
    return bool(re.fullmatch(r"https?://[^\s/]+\S*", value))


def _web_address(value: str) -> str:
    if not is_web_address(value):
        raise ValueError("must begin with https:// or http://")
    return value


Address = Annotated[str, AfterValidator(_one_address)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class Section(BaseModel):
    """A table of the file: unknown keys are refused, values can't change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Secret(Section):
    """Where a password lies: in a file, or in a systemd credential (LoadCredential=)."""

    password_file: Path | None = None
    password_credential: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if self.password_file and self.password_credential:
            raise ValueError("password_file and password_credential exclude each other: keep one")
        return self


class DatabaseConfig(Secret):
    url: str | None = None


class AbsenceConfig(Section):
    """Both days are included; without `cover` whoever comes next for the role stands in."""

    since: date
    until: date
    cover: Identifier | None = None

    @model_validator(mode="after")
    def _in_order(self) -> AbsenceConfig:
        if self.until < self.since:
            raise ValueError("until lies before since: an absence ends on its last day away")
        return self


class PersonConfig(Section):
    id: Identifier
    name: str = Field(min_length=1)
    email: Address
    roles: frozenset[Role] = Field(min_length=1)
    schools: frozenset[str] = frozenset()
    absences: tuple[AbsenceConfig, ...] = ()
    authorised_by: Identifier | None = None
    authorised_on: date | None = None

    @model_validator(mode="after")
    def _authorised_by_somebody_one_day(self) -> PersonConfig:
        if (self.authorised_by is None) != (self.authorised_on is None):
            raise ValueError("authorised_by and authorised_on belong together: give both or none")
        return self


class FormerOwner(Section):
    """Who had an account before, and who took the access away when they left. `owner` is the id that
    they had; it may be gone from [[people]]."""

    owner: Identifier
    until: date
    revoked_on: date
    revoked_by: Identifier


class AccountConfig(Section):
    """One official account, page or site of the trust. `school` is an id of the watchlist."""

    id: Identifier
    platform: str = Field(min_length=1)
    url: WebAddress
    school: Identifier
    owner: Identifier
    approved_by: tuple[Identifier, ...] = Field(min_length=2, max_length=2)
    moderators: tuple[Identifier, ...] = Field(min_length=1)
    former: tuple[FormerOwner, ...] = ()


class ClassifierConfig(Section):
    kind: Literal["auto", "lexicon", "transformer"] = "auto"
    model: str | None = None
    revision: str | None = None
    batch_size: int = Field(default=16, ge=1, le=256)
    threads: int = Field(default=2, ge=1, le=64)
    max_tokens: int = Field(default=256, ge=16, le=8192)

    @model_validator(mode="after")
    def _names_its_model(self) -> ClassifierConfig:
        if self.kind == "transformer" and not self.model:
            raise ValueError('kind = "transformer" needs model = "<directory or hub id>"')
        return self


class RelayConfig(Secret):
    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    ca_file: Path | None = None


class MailConfig(Section):
    channel: Literal["smtp", "folder"] = "smtp"
    sender: Address
    excerpt: Literal["none", "redacted", "full"] = "redacted"
    folder: Path | None = None
    relays: tuple[RelayConfig, ...] = Field(default=(), max_length=2)

    @model_validator(mode="after")
    def _has_a_way_out(self) -> MailConfig:
        if self.channel == "smtp" and not self.relays:
            raise ValueError('channel = "smtp" needs at least one [[mail.relays]] table')
        if self.channel == "folder" and self.folder is None:
            raise ValueError('channel = "folder" needs folder = "<path>"')
        return self


class DigestConfig(Section):
    at: time = time(7, 30)


class RepliesConfig(Section):
    contact: str = Field(min_length=3)
    complaints_url: WebAddress | None = None
    info_url: WebAddress | None = None
    rules_url: WebAddress | None = None


class LadderConfig(Section):
    profile: Identifier = "base"
    file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_of_them(cls, given: Any) -> Any:
        if isinstance(given, dict) and {"profile", "file"} <= set(given):
            raise ValueError("profile and file exclude each other: a file inherits from a profile")
        return given


class CalendarConfig(Section):
    division: Division = Division.ENGLAND_AND_WALES
    weekend_rule: WeekendRule = WeekendRule.ROLL
    closures: tuple[date, ...] = ()
    staffed_from: time = time(8, 0)
    staffed_until: time = time(17, 0)


class WebConfig(Section):
    """Where the acknowledgement page is served, and the address at which people reach it."""

    host: str = "127.0.0.1"
    port: int = Field(default=8765, ge=1, le=65535)
    public_url: WebAddress | None = None
    certificate: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _in_private(self) -> WebConfig:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: give both or none")
        if self.certificate is None and self.host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError(
                "host is not this machine's own, and there is no certificate: give certificate and "
                'key, or keep host = "127.0.0.1" behind a reverse proxy that ends TLS'
            )
        return self


class ChannelConfig(Section):
    """Another way to reach people when mail doesn't. Its Apprise URL holds tokens: it lies in a file,
    or in a systemd credential."""

    id: Identifier
    people: tuple[Identifier, ...] = Field(min_length=1)
    url_file: Path | None = None
    url_credential: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> ChannelConfig:
        if (self.url_file is None) == (self.url_credential is None):
            raise ValueError("give url_file or url_credential, and not both")
        return self


class HealthConfig(Section):
    """/healthz and /metrics, on this machine's loopback only."""

    port: int = Field(default=8766, ge=1, le=65535)
    disk_free_mb: int | None = Field(default=None, ge=1)


class CanaryConfig(Section):
    """The mailbox that the hourly test alert goes to: nobody's of [[people]]."""

    recipient: Address


class HeartbeatConfig(Section):
    """The address that is asked for while all is well. Whoever has it can say so: it is a secret."""

    url_file: Path | None = None
    url_credential: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> HeartbeatConfig:
        if (self.url_file is None) == (self.url_credential is None):
            raise ValueError("give url_file or url_credential, and not both")
        return self


class LoggingConfig(Section):
    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class SourceConfig(Section):
    """The keys that every source has; the rest of its table belongs to its connector."""

    id: Identifier
    kind: str
    every_s: int = Field(default=300, ge=5, le=86_400)
    account: Identifier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A configured source: `settings` is an instance of its connector's own Settings model. `account`
    is the id of the account of our own whose comments it reads."""

    id: str
    kind: str
    every_s: int
    settings: Any
    fingerprint: str
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherChannel:
    """A configured channel and the secret URL that it is reached by."""

    channel: Channel
    url: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole configuration, checked and with every secret read."""

    path: Path
    state_dir: Path
    timezone: ZoneInfo
    watchlist: Watchlist
    database_url: str
    database_password: SecretStr | None
    people: tuple[Person, ...]
    sources: tuple[Source, ...]
    classifier: ClassifierConfig
    mail: MailConfig
    relays: tuple[Relay, ...]
    digest: DigestConfig
    replies: RepliesConfig
    ladder: LadderConfig
    calendar: Calendar
    logging: LoggingConfig
    accounts: tuple[AccountConfig, ...] = ()
    web: WebConfig | None = None
    channels: tuple[OtherChannel, ...] = ()
    health: HealthConfig | None = None
    canary: CanaryConfig | None = None
    heartbeat_url: SecretStr | None = None


def own_sources(config: Config) -> frozenset[str]:
    """The ids of the sources whose posts stand on an account or site that the trust runs."""
    return frozenset(source.id for source in config.sources if source.account is not None)
