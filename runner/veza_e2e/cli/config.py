"""`config`: says where each setting comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import click

from veza_e2e import config as configuration
from veza_e2e.cli.lookup import settings_of
from veza_e2e.cli.output import Invocation, Item, items
from veza_e2e.config import REHEARSAL, SECRET_VARIABLES, Settings, read_secrets
from veza_e2e.ledger_names import LedgerNames
from veza_e2e.redaction import mask

_UNSET = "not set"


@click.group()
def config() -> None:
    """Show the settings, and where each comes from."""


@config.command()
@click.pass_obj
def show(invocation: Invocation) -> None:
    """Show each setting of an environment and its source.

    The source is the file, an option, a variable or the default. Secrets are masked.
    """
    settings = settings_of(invocation)
    items(invocation, [*_settings(invocation, settings), *_secrets()], ok=True)


def _settings(invocation: Invocation, settings: Settings) -> Iterator[Item]:
    path = invocation.config or configuration.CONFIG_FILE
    table = configuration.tables(path, required=invocation.config is not None)
    name = settings.environment.name
    yield Item("environment", "default" if name == REHEARSAL else "--env", name)
    yield Item(
        "file", "--config" if invocation.config else "default", f"{path}{'' if path.exists() else ', not there'}"
    )
    yield Item("archive", "--archive" if invocation.archive else "default", str(settings.archive))
    groups = (
        (f"env.{name}", settings.environment, table.get("env", {}).get(name, {})),
        ("limits", settings.limits, table.get("limits", {})),
        ("report", settings.report, table.get("report", {})),
        ("signing", settings.signing, table.get("signing", {})),
    )
    for group, values, given in groups:
        for one in fields(values):
            if one.name != "name":
                source = str(path) if one.name in given else "built in" if name == REHEARSAL else "default"
                source = "default" if source == "built in" and not group.startswith("env.") else source
                yield Item(f"{group}.{one.name}", source, _shown(one.name, getattr(values, one.name)))


def _shown(name: str, value: object) -> str:
    match value:
        case None | "" | ():
            return {"base_url": "a free port on this machine", "poll_timeout": "30m"}.get(name, _UNSET)
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(map(str, value))
        case int():
            return f"{value} s"
        case LedgerNames():
            return str(value.document() or "the assumed names")
        case _:
            return str(value)


def _secrets() -> Iterator[Item]:
    secrets = read_secrets()
    for name, variable in SECRET_VARIABLES.items():
        value: str | None = getattr(secrets, name)
        shown = _UNSET if not value else mask(value) if name == "email" else "set, not shown"
        yield Item(variable, "variable" if value else "none", shown)
