"""`cassettes`: publishes recordings and checks those that are kept."""

from __future__ import annotations

from importlib.resources import as_file
from importlib.resources import files as resources
from pathlib import Path

import click

from veza_e2e.cassettes.errors import CassetteError
from veza_e2e.cli import lean
from veza_e2e.cli.lookup import settings_of
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items
from veza_e2e.cli.recordings import chosen, publish, redactor_of


@click.group()
def cassettes() -> None:
    """Keep recordings, and check those that are kept."""


@cassettes.command()
@click.argument("session")
@click.argument("name")
@click.pass_obj
def keep(invocation: Invocation, *, session: str, name: str) -> int:
    """Publish the recording of a SESSION as cassettes/NAME. Look at it before you commit it."""
    settings = settings_of(invocation)
    folder = publish(invocation, settings, session, name)
    items(
        invocation,
        [Item(name, "ok", f"{folder} holds the walkthrough of {session}; look at it before you commit")],
        ok=True,
    )
    return int(Exit.PASSED)


@cassettes.command("check")
@click.option(
    "--spec", "other", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Another API description."
)
@click.pass_obj
def check_all(invocation: Invocation, *, other: Path | None) -> int:
    """Check every cassette.

    It must be safe to load, hold no secret and be valid against the contract. An old recording is warned of.
    """
    with lean.only_httpx_stub():
        from veza_e2e.cassettes.check import check  # noqa: PLC0415 - brings the schema validator, and vcrpy
        from veza_e2e.cassettes.spec import Spec  # noqa: PLC0415
    redactor, now = redactor_of(settings_of(invocation)), invocation.machine.clock.now()
    rows: list[Item] = []
    try:
        with as_file(resources("veza").joinpath("openapi.json")) as contract:
            try:
                spec = Spec(other or contract)
            except CassetteError as error:
                raise Stop(Exit.USAGE, str(error), "name a file that holds an OpenAPI description") from error
        for folder in chosen(()):
            found = list(check(folder, spec, redactor, now))
            rows += [Item(folder.name, one.status, one.message) for one in found]
            if not found:
                rows.append(Item(folder.name, "ok", "loads, holds no secret, answers to the contract"))
    except CassetteError as error:
        raise Stop(
            Exit.DIFFERS, str(error), "take the cassette from the version control, or record it again"
        ) from error
    ok = all(row.status != "bad" for row in rows)
    items(invocation, rows, ok=ok)
    return int(Exit.PASSED if ok else Exit.DIFFERS)
