"""Reads the configuration and refuses it aloud: every fault at once, each with what to write instead."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from pydantic import BaseModel, SecretStr, ValidationError

import connectors
from monitor import config_people, ladders
from monitor.config import (
    AccountConfig,
    CalendarConfig,
    CanaryConfig,
    ChannelConfig,
    ClassifierConfig,
    Config,
    DatabaseConfig,
    DigestConfig,
    HealthConfig,
    HeartbeatConfig,
    LadderConfig,
    LoggingConfig,
    MailConfig,
    OtherChannel,
    PersonConfig,
    RepliesConfig,
    Secret,
    Source,
    SourceConfig,
    WebConfig,
    is_web_address,
)
from monitor.delivery.email import Relay
from monitor.domain import Channel, Person, Role
from monitor.errors import ConfigError, Fault
from monitor.faults import faults_of, key_path
from monitor.policy.deadlines import Calendar
from monitor.policy.ladder import Ladder
from monitor.policy.matching.organisations import Watchlist
from monitor.policy.routes import staffing
from monitor.watchlist_file import load_watchlist, parse_watchlist

Model = TypeVar("Model", bound=BaseModel)

_TOP = {
    "state_dir",
    "timezone",
    "watchlist",
    "trust",
    "schools",
    "database",
    "people",
    "accounts",
    "sources",
    "classifier",
    "mail",
    "digest",
    "replies",
    "calendar",
    "ladder",
    "logging",
    "web",
    "channels",
    "health",
    "canary",
    "heartbeat",
}
_NEEDED_ROLES = {
    Role.COMMS: "who reads the daily digest",
    Role.SLT: "who gets urgent alerts",
    Role.DSL: "who gets the case when a child may be at risk",
}


def load_config(path: Path) -> Config:
    """Read, check and complete the configuration at `path`.

    Raises `ConfigError` with every fault that can be found in one reading.
    """
    return _Reader(path).config()


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file. Raises `ConfigError` naming the file, and the line where there is one."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        reason = error.strerror or "can't be read"
        remedy = "Check the path and that this account may read it."
        raise ConfigError([Fault(str(path), reason, remedy)]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([Fault(str(path), str(error), "Mend the TOML there.")]) from error


class _Reader:
    """One reading of one file: gathers faults as it goes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.name
        self._base = path.resolve().parent
        self._faults: list[Fault] = []
        self._data = read_toml(path)

    def config(self) -> Config:
        self._unknown_keys()
        state_dir = self._folder("state_dir", "state")
        timezone = self._timezone()
        watchlist = self._watchlist()
        database = self._section("database", DatabaseConfig)
        ladder, rungs = self._ladder()
        people = self._people(watchlist, rungs)
        sources = self._sources()
        accounts = self._accounts(watchlist, sources, people)
        classifier = self._section("classifier", ClassifierConfig)
        mail = self._section("mail", MailConfig)
        database_url = self._database_url(database, state_dir)
        database_password = self._secret(database, ("database",))
        relays = self._relays(mail)
        digest = self._section("digest", DigestConfig)
        replies = self._section("replies", RepliesConfig)
        calendar = self._calendar(timezone)
        logging = self._section("logging", LoggingConfig)
        web = self._web()
        channels = self._channels(people)
        health = self._section("health", HealthConfig) if "health" in self._data else None
        canary = self._canary(people)
        heartbeat_url = self._heartbeat()
        if self._faults or watchlist is None:
            raise ConfigError(self._faults)
        if mail.folder:
            mail = mail.model_copy(update={"folder": self._base / mail.folder})
        if classifier.model and (self._base / classifier.model).is_dir():
            found = str(self._base / classifier.model)
            classifier = classifier.model_copy(update={"model": found})
        return Config(
            path=self._path,
            state_dir=state_dir,
            timezone=timezone,
            watchlist=watchlist,
            database_url=database_url,
            database_password=database_password,
            people=people,
            sources=sources,
            classifier=classifier,
            mail=mail,
            relays=relays,
            digest=digest,
            replies=replies,
            ladder=ladder,
            calendar=calendar,
            logging=logging,
            accounts=accounts,
            web=web,
            channels=channels,
            health=health,
            canary=canary,
            heartbeat_url=heartbeat_url,
        )

    def _fault(self, keys: tuple[int | str, ...], problem: str, remedy: str) -> None:
        self._faults.append(Fault(f"{self._file}: {key_path(keys)}", problem, remedy))

    def _model(
        self, data: object, model: type[Model], prefix: tuple[int | str, ...]
    ) -> Model | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self._faults += faults_of(error, file=self._file, prefix=prefix, model=model)
            return None

    def _section(self, name: str, model: type[Model]) -> Model:
        """The table, or a blank stand-in that no caller sees: a fault stops the reading at its end."""
        found = self._model(self._data.get(name, {}), model, (name,))
        return model.model_construct() if found is None else found

    def _tables(self, name: str) -> list[Mapping[str, Any]]:
        tables = self._data.get(name, [])
        if isinstance(tables, list) and all(isinstance(table, dict) for table in tables):
            return tables
        self._fault((name,), "must be a list of tables", f"Write each one as [[{name}]].")
        return []

    def _unknown_keys(self) -> None:
        for key in sorted(set(self._data) - _TOP):
            self._fault((key,), "unknown key", "Remove it, or see config.example.toml.")

    def _folder(self, key: str, default: str) -> Path:
        value = self._data.get(key, default)
        if not isinstance(value, str) or not value:
            self._fault((key,), "must be a path in quotation marks", f'Write {key} = "{default}".')
            return self._base
        return self._base / Path(value).expanduser()

    def _timezone(self) -> ZoneInfo:
        name = self._data.get("timezone", "Europe/London")
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            remedy = 'Write an IANA name, such as timezone = "Europe/London".'
            self._fault(("timezone",), "is not a known time zone", remedy)
            return ZoneInfo("UTC")

    def _watchlist(self) -> Watchlist | None:
        named, inside = "watchlist" in self._data, "trust" in self._data or "schools" in self._data
        try:
            if named and not inside:
                return load_watchlist(self._base / str(self._data["watchlist"]))
            if inside and not named:
                tables: dict[str, Any] = {
                    key: self._data[key] for key in ("trust", "schools") if key in self._data
                }
                return parse_watchlist(tables, self._file)
        except ConfigError as error:
            self._faults += error.faults
            return None
        remedy = (
            'Write either watchlist = "watchlist.toml", or [trust] and [[schools]] tables here.'
        )
        self._fault(("watchlist",), "given twice" if named else "missing", remedy)
        return None

    def _people(self, watchlist: Watchlist | None, rungs: Ladder | None) -> tuple[Person, ...]:
        people: list[Person] = []
        tables = self._tables("people")
        for index, table in enumerate(tables):
            person = self._model(table, PersonConfig, ("people", index))
            if person is None:
                continue
            if any(person.id == other.id for other in people):
                self._fault(
                    ("people", index, "id"), "given twice", "Give each person their own id."
                )
            if watchlist is not None:
                known = {school.id for school in watchlist.schools}
                for school in sorted(person.schools - known):
                    remedy = f"Use one of the watchlist's ids: {', '.join(sorted(known)[:8])}."
                    self._fault(("people", index, "schools"), f"no school '{school}'", remedy)
            people.append(config_people.person_of(person))
        if len(people) == len(tables):  # else a role or an id may seem to be missing that isn't
            self._who_is_needed(people)
            for fault in config_people.people_faults(people):
                self._fault(*fault)
            if watchlist is not None and rungs is not None:
                for problem, remedy in staffing.shortages(people, watchlist, rungs):
                    self._fault(("people",), problem, remedy)
        return tuple(people)

    def _who_is_needed(self, people: list[Person]) -> None:
        if len({person.email.casefold() for person in people}) < 2:
            remedy = "Name at least two: a reply is drafted by one and approved by another."
            self._fault(("people",), "fewer than two people with addresses of their own", remedy)
        for role, reason in _NEEDED_ROLES.items():
            if not any(role in person.roles and not person.schools for person in people):
                remedy = f'Give roles = ["{role.value}"] to one, without schools ({reason}).'
                self._fault(("people",), f"nobody is trust-wide {role.value}", remedy)

    def _accounts(
        self, watchlist: Watchlist | None, sources: tuple[Source, ...], people: tuple[Person, ...]
    ) -> tuple[AccountConfig, ...]:
        tables = self._tables("accounts")
        read = [
            self._model(table, AccountConfig, ("accounts", index))
            for index, table in enumerate(tables)
        ]
        accounts = tuple(account for account in read if account is not None)
        if watchlist is not None and len(accounts) == len(tables):
            organisations = [organisation.id for organisation in watchlist.organisations]
            for fault in config_people.account_faults(accounts, sources, people, organisations):
                self._fault(*fault)
        return accounts

    def _sources(self) -> tuple[Source, ...]:
        found: list[Source] = []
        for index, table in enumerate(self._tables("sources")):
            source = self._source(index, table)
            if source is None:
                continue
            if any(source.id == other.id for other in found):
                self._fault(("sources", index, "id"), "given twice", "Give each source its own id.")
            found.append(source)
        if not self._data.get("sources"):
            self._fault(("sources",), "missing", "Add at least one [[sources]] table.")
        return tuple(found)

    def _source(self, index: int, table: Mapping[str, Any]) -> Source | None:
        at = ("sources", index)
        common = {key: value for key, value in table.items() if key in SourceConfig.model_fields}
        rest = {key: value for key, value in table.items() if key not in common}
        head = self._model(common, SourceConfig, at)
        if head is None:
            return None
        try:
            connector = connectors.load(head.kind)
        except KeyError:
            remedy = f"Write one of: {', '.join(connectors.kinds())}."
            self._fault((*at, "kind"), f"unknown kind '{head.kind}'", remedy)
            return None
        except connectors.PluginError as error:
            problem, _, remedy = str(error).partition(". ")
            self._fault((*at, "kind"), problem, remedy)
            return None
        settings = self._model(rest, connector.Settings, at)
        if settings is None:
            return None
        told = f"{head.kind}\n{settings.model_dump_json()}"
        files = {
            key: self._base / value for key, value in settings if isinstance(value, Path)
        }  # relative to this file, like every other path here
        return Source(
            id=head.id,
            kind=head.kind,
            every_s=head.every_s,
            settings=settings.model_copy(update=files),
            fingerprint=hashlib.blake2b(told.encode(), digest_size=16).hexdigest(),
            account=head.account,
        )

    def _web(self) -> WebConfig | None:
        if "web" not in self._data:
            return None
        web = self._section("web", WebConfig)
        for key in ("certificate", "key"):
            path = getattr(web, key, None)
            if path is not None and not (self._base / path).is_file():
                self._fault(("web", key), f"no such file: {path}", "Name the PEM file.")
        files = {
            key: self._base / path
            for key in ("certificate", "key")
            if (path := getattr(web, key, None)) is not None
        }
        return web.model_copy(update=files)

    def _ladder(self) -> tuple[LadderConfig, Ladder | None]:
        """Where the ladder is, and what stands there: every fault in it is told at start."""
        chosen = self._section("ladder", LadderConfig)
        if chosen.file is not None:
            chosen = chosen.model_copy(update={"file": self._base / chosen.file})
        try:
            return chosen, ladders.configured(chosen.profile, chosen.file)
        except ConfigError as error:
            self._faults += error.faults
        return chosen, None

    def _calendar(self, timezone: ZoneInfo) -> Calendar:
        days = self._section("calendar", CalendarConfig)
        try:
            return Calendar(
                division=days.division,
                weekend_rule=days.weekend_rule,
                closures=frozenset(days.closures),
                tz=timezone,
                staffed_from=days.staffed_from,
                staffed_until=days.staffed_until,
            )
        except ValueError as error:
            remedy = "Leave some working days, and some hours in them."
            self._fault(("calendar",), str(error), remedy)
            return Calendar()

    def _relays(self, mail: MailConfig) -> tuple[Relay, ...]:
        found: list[Relay] = []
        for index, relay in enumerate(mail.relays):
            at = ("mail", "relays", index)
            password = self._secret(relay, at)
            try:
                found.append(
                    Relay(
                        host=relay.host,
                        port=relay.port,
                        security=relay.security,
                        username=relay.username,
                        password=password.get_secret_value() if password else None,
                        ca_file=self._base / relay.ca_file if relay.ca_file else None,
                    )
                )
            except ValueError as error:
                self._fault(at, str(error), "config.example.toml shows a whole relay.")
        return tuple(found)

    def _database_url(self, database: DatabaseConfig, state_dir: Path) -> str:
        if database.url is None:
            return f"sqlite:///{state_dir / 'monitor.db'}"
        try:
            url = sa.make_url(database.url)
        except sa.exc.ArgumentError:
            remedy = 'Write url = "postgresql+psycopg://monitor@db.trust.example/monitor".'
            self._fault(("database", "url"), "is not a database URL", remedy)
            return ""
        if url.password:
            remedy = "Take the password out of the URL and name its file with password_file."
            self._fault(("database", "url"), "holds a password", remedy)
        if url.get_backend_name() not in {"sqlite", "postgresql"}:
            remedy = "Write a sqlite:/// or postgresql+psycopg:// URL."
            self._fault(("database", "url"), "is neither SQLite nor PostgreSQL", remedy)
        return database.url

    def _channels(self, people: tuple[Person, ...]) -> tuple[OtherChannel, ...]:
        found: list[OtherChannel] = []
        tables = self._tables("channels")
        known = {person.id for person in people}
        for index, table in enumerate(tables):
            at = ("channels", index)
            given = self._model(table, ChannelConfig, at)
            if given is None:
                continue
            if any(given.id == other.channel.id for other in found):
                self._fault((*at, "id"), "given twice", "Give each channel its own id.")
            unknown = sorted(set(given.people) - known)
            if unknown and len(people) == len(self._tables("people")):
                remedy = "Name ids of all who read this channel; they stand in [[people]]."
                self._fault((*at, "people"), f"nobody has the id '{unknown[0]}'", remedy)
            url = self._secret_at(at, "url", given.url_file, given.url_credential)
            if url is not None:
                channel = Channel(id=given.id, people=tuple(dict.fromkeys(given.people)))
                found.append(OtherChannel(channel=channel, url=url))
        return tuple(found)

    def _canary(self, people: tuple[Person, ...]) -> CanaryConfig | None:
        if "canary" not in self._data:
            return None
        if "health" not in self._data:
            remedy = "Add a [health] table: the canary's feed is served on its port."
            self._fault(("canary",), "needs [health]", remedy)
        canary = self._section("canary", CanaryConfig)
        to = getattr(canary, "recipient", "").casefold()
        if any(person.email.casefold() == to for person in people):
            remedy = (
                "Name a mailbox that nobody has to read: a test threat arrives there every hour."
            )
            self._fault(("canary", "recipient"), "is the address of one of [[people]]", remedy)
        return canary

    def _heartbeat(self) -> SecretStr | None:
        if "heartbeat" not in self._data:
            return None
        if "canary" not in self._data:
            remedy = "Add a [canary] table: only what a canary has proved is told outside."
            self._fault(("heartbeat",), "needs [canary]", remedy)
        at = ("heartbeat",)
        given = self._model(self._data["heartbeat"], HeartbeatConfig, at)
        if given is None:
            return None
        url = self._secret_at(at, "url", given.url_file, given.url_credential)
        if url is not None and not is_web_address(url.get_secret_value()):
            remedy = "Put one address that begins with https:// or http:// into the file."
            self._fault(at, "holds no web address", remedy)
        return url

    def _secret(self, holder: Secret, at: tuple[int | str, ...]) -> SecretStr | None:
        return self._secret_at(at, "password", holder.password_file, holder.password_credential)

    def _secret_at(
        self, at: tuple[int | str, ...], what: str, file: Path | None, credential: str | None
    ) -> SecretStr | None:
        """The secret that the keys `<what>_file` and `<what>_credential` lead to; None without them,
        and where it can't be read."""
        if credential:
            key, folder = f"{what}_credential", os.environ.get("CREDENTIALS_DIRECTORY")
            if not folder:
                remedy = f"Start under systemd with LoadCredential=, or use {what}_file."
                self._fault((*at, key), "systemd gave this process no credentials", remedy)
                return None
            path = Path(folder) / credential
        elif file:
            key, path = f"{what}_file", self._base / file
        else:
            return None
        try:
            secret = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not text"
            self._fault(
                (*at, key), f"secret file {path}: {reason}", "Create it, readable by us only."
            )
            return None
        if not secret:
            self._fault((*at, key), f"secret file {path} is empty", f"Put the {what} into it.")
            return None
        return SecretStr(secret)
