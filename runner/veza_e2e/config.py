"""Reads the configuration once, at the edge: `veza-e2e.toml` and the environment's variables."""

from __future__ import annotations

import difflib
import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import field, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from veza.money import Money
from veza_e2e import config_values as values
from veza_e2e import ledger_names, signing
from veza_e2e.config_values import ConfigError as ConfigError  # noqa: PLC0414 - config raises it
from veza_e2e.config_values import is_loopback
from veza_e2e.frozen import dataclass
from veza_e2e.ledger_names import LedgerNames
from veza_e2e.signing import Signing

T = TypeVar("T")
REHEARSAL = "rehearsal"
CONFIG_FILE = Path("veza-e2e.toml")
PUBLISHED_ARCHIVE = Path("docs/archive/payment-e2e")
REHEARSAL_ARCHIVE = Path("build/rehearsals")
STATE = Path(".veza-e2e")
_DURATION = re.compile(r"([0-9]{1,5})\s*(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Environment:
    """A backend to walk through."""

    name: str
    base_url: str
    """The part before `/api/v1`; empty for the rehearsal backend, which gets a free port."""
    expected_environment: tuple[str, ...]
    live: bool | None = None
    """True: real money, `--live` is required. It decides alone only if no word of the backend's name tells."""
    idempotency: bool = False
    checkout_hosts: tuple[str, ...] = ()
    hyperswitch_url: str | None = None
    checkout_page: str | None = None
    """The checkout page of a backend that gives no checkout URL; holds `{client_secret}` or `{payment_id}`."""
    ledger: LedgerNames = field(default_factory=LedgerNames)
    """The real names of seller_transfers and orders."""

    @property
    def embedded(self) -> bool:
        """Whether the runner starts this backend itself."""
        return self.name == REHEARSAL

    @property
    def loopback(self) -> bool:
        """Whether the backend is on this machine."""
        import httpx  # noqa: PLC0415 - only where a backend is used

        return self.embedded or is_loopback(httpx.URL(self.base_url).host)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a session may cost, and how long it waits."""

    max_amount: Money = field(default_factory=lambda: Money(1000, "EUR"))
    poll_timeout: int | None = None
    """Seconds; None takes the default: 30 minutes, or less if a script pays at the rehearsal backend."""


@dataclass(frozen=True, slots=True)
class Report:
    """What report and site name and link to."""

    operator: str | None = None
    canary_release: str | None = None
    go_no_go: str | None = None
    hyperswitch_dashboard: str | None = None
    stripe_dashboard: str | None = None

    @property
    def links(self) -> dict[str, str]:
        """The configured links by name."""
        names = ("canary_release", "go_no_go", "hyperswitch_dashboard", "stripe_dashboard")
        return {name: str(getattr(self, name)) for name in names if getattr(self, name)}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything but secrets."""

    environment: Environment
    archive: Path
    limits: Limits = field(default_factory=Limits)
    report: Report = field(default_factory=Report)
    signing: Signing = field(default_factory=Signing)
    state: Path = STATE
    window: bool = False
    """Whether a browser can open a window on this machine."""


SECRET_VARIABLES = {
    "email": "OPERATOR_EMAIL",
    "password": "OPERATOR_PASSWORD",
    "hyperswitch_api_key": "HYPERSWITCH_API_KEY",
    "database_url": "VEZA_DATABASE_URL",
    "access_token": "VEZA_ACCESS_TOKEN",
}


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets in the environment's variables; never printed."""

    email: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    hyperswitch_api_key: str | None = field(default=None, repr=False)
    database_url: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)


def read_secrets(variables: Mapping[str, str] = os.environ) -> Secrets:
    """Return the secrets that the environment's variables hold; empty ones count as absent."""
    return Secrets(**{name: variables.get(variable) or None for name, variable in SECRET_VARIABLES.items()})


def load(
    name: str, *, config: Path | None = None, archive: Path | None = None, variables: Mapping[str, str] = os.environ
) -> Settings:
    """Return the settings for the environment `name`.

    Args:
        name: `rehearsal`, or an environment of the file.
        config: the file; None takes `veza-e2e.toml` of the working folder, if it exists.
        archive: replaces the default archive.
        variables: the environment's.

    Raises:
        ConfigError: the file or the environment cannot be used.
    """
    path = config or CONFIG_FILE
    return _settings(path, tables(path, required=config is not None), name, archive, variables)


def check(path: Path, text: str) -> None:
    """Raise ConfigError if `text`, written to `path`, could not be used for each environment that it names."""
    table = _parsed(path, text)
    for name in (REHEARSAL, *values.table(path, table, "env")):
        _settings(path, table, name, None, {})


def _settings(
    path: Path, table: Mapping[str, Any], name: str, archive: Path | None, variables: Mapping[str, str]
) -> Settings:
    values.known(path, table, {"env", "limits", "report", "signing"}, "")
    environments = values.table(path, table, "env")
    if REHEARSAL in environments:
        raise ConfigError(f"{path}: [env.{REHEARSAL}]: this name is the embedded backend's; give yours another")
    return Settings(
        environment=_environment(path, name, environments),
        archive=archive or (REHEARSAL_ARCHIVE if name == REHEARSAL else PUBLISHED_ARCHIVE),
        limits=_limits(path, values.table(path, table, "limits")),
        report=_report(path, values.table(path, table, "report")),
        signing=_read_by(partial(signing.read, path.parent), path, "signing.", values.table(path, table, "signing")),
        window=sys.platform == "darwin" or any(map(variables.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))),
    )


def environments(config: Path | None) -> tuple[str, ...]:
    """Return the names of all environments, the embedded one included; of a file that cannot be read none."""
    try:
        table = tables(config or CONFIG_FILE, required=False)
    except ConfigError:
        table = {}
    named = table.get("env")
    return (REHEARSAL, *named) if isinstance(named, dict) else (REHEARSAL,)


def moves_cursor(variables: Mapping[str, str] = os.environ) -> bool:
    """Whether `TERM` names a terminal that can redraw a line."""
    return variables.get("TERM", "") not in {"", "dumb", "unknown"}


def wants_color(variables: Mapping[str, str] = os.environ) -> bool:
    """Whether colours are wanted: `NO_COLOR` is empty or absent, and the terminal is not a dumb one."""
    return not variables.get("NO_COLOR") and variables.get("TERM") != "dumb"


def tables(path: Path, *, required: bool) -> dict[str, Any]:
    """Return the tables of a file; none if there is no file, and none is required.

    Raises:
        ConfigError: the file cannot be read, or is not TOML.
    """
    if not required and not path.exists():
        return {}
    try:
        return _parsed(path, path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error


def _environment(path: Path, name: str, environments: Mapping[str, Any]) -> Environment:
    if name == REHEARSAL:
        return Environment(name, "", ("sandbox",), idempotency=True)
    if name not in environments:
        known = [REHEARSAL, *environments]
        there = "" if path.exists() else f" (there is no {path})"
        error = ConfigError(f"there is no environment {name!r:.60}; known: {', '.join(known)}{there}")
        error.meant = next(iter(difflib.get_close_matches(name, known, n=1)), None)
        raise error
    table = values.table(path, environments, name)
    where = f"env.{name}."
    values.known(path, table, {f.name for f in fields(Environment)} - {"name"}, where)
    expected = "expected_environment"
    for required in ("base_url", expected):
        if required not in table:
            raise ConfigError(f"{path}: {where}{required} is missing")
    hyperswitch = table.get("hyperswitch_url")
    return Environment(
        name=name,
        base_url=values.url(path, f"{where}base_url", table["base_url"]),
        expected_environment=values.strings(
            path, f"{where}expected_environment", table["expected_environment"], some=True
        ),
        live=values.boolean(path, f"{where}live", table["live"]) if "live" in table else None,
        idempotency=values.boolean(path, f"{where}idempotency", table.get("idempotency", False)),
        checkout_hosts=values.strings(path, f"{where}checkout_hosts", table.get("checkout_hosts", [])),
        hyperswitch_url=None if hyperswitch is None else values.url(path, f"{where}hyperswitch_url", hyperswitch),
        checkout_page=values.page(path, f"{where}checkout_page", table.get("checkout_page")),
        ledger=_read_by(ledger_names.read, path, f"{where}ledger.", values.table(path, table, "ledger")),
    )


def _read_by(reader: Callable[[Mapping[str, Any]], T], path: Path, where: str, table: Mapping[str, Any]) -> T:
    try:
        return reader(table)
    except ValueError as error:
        raise ConfigError(f"{path}: {where}{error}") from error


def _limits(path: Path, table: Mapping[str, Any]) -> Limits:
    values.known(path, table, {"max_amount", "poll_timeout"}, "limits.")
    amount, timeout = (limits := Limits()).max_amount, limits.poll_timeout
    if "max_amount" in table:
        try:
            amount = Money.parse(str(table["max_amount"]))
        except ValueError as error:
            raise ConfigError(f"{path}: limits.max_amount: {table['max_amount']!r:.40}: {error}") from error
        if amount.minor <= 0:
            raise ConfigError(f"{path}: limits.max_amount: {amount} buys nothing")
    if "poll_timeout" in table:
        found = _DURATION.fullmatch(str(table["poll_timeout"]).strip())
        if found is None:
            raise ConfigError(f'{path}: limits.poll_timeout: {table["poll_timeout"]!r:.40} is not like "30m" or "90s"')
        timeout = int(found[1]) * _SECONDS[found[2]]
    return Limits(amount, timeout)


def _report(path: Path, table: Mapping[str, Any]) -> Report:
    values.known(path, table, set(names := [f.name for f in fields(Report)]), "report.")
    for name in names:
        if not isinstance(table.get(name, ""), str):
            raise ConfigError(f"{path}: report.{name} must be a text, not {table[name]!r:.40}")
        if name != "operator" and re.search("://[^/]*@", table.get(name, "")):
            raise ConfigError(f"{path}: report.{name} holds a user name or password; it would stand in every report")
    return Report(**{name: table.get(name) for name in names})
