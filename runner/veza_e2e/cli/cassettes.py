"""`replay` and `cassettes`: recorded walkthroughs again, and what is kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file
from importlib.resources import files as resources
from pathlib import Path

import click

from veza_e2e import lean
from veza_e2e.cassette import files
from veza_e2e.cassette.errors import PREFLIGHT, CassetteError, Mismatch
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items, say
from veza_e2e.config import Settings, read_secrets
from veza_e2e.events import CallFailed, CallFinished
from veza_e2e.onscreen import plain
from veza_e2e.redaction import Redactor

FOLDER = Path("cassettes")


def names() -> list[str]:
    """Return the committed cassettes, by name."""
    if not FOLDER.is_dir():
        return []
    return sorted(entry.name for entry in FOLDER.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def chosen(wanted: Sequence[str]) -> list[Path]:
    """Return the folders of the cassettes that are meant: all of them where none is named.

    Raises:
        Stop: there is none, or none of this name.
    """
    known = names()
    for name in wanted:
        if name not in known:
            raise Stop(
                Exit.USAGE, f"there is no cassette {name!r:.80} in {FOLDER}", f"known: {', '.join(known) or 'none'}"
            )
    if not known:
        raise Stop(Exit.USAGE, f"there is no cassette in {FOLDER}", "run `veza-e2e run --record NAME` to make one")
    return [FOLDER / name for name in (wanted or known)]


@click.command()
@click.argument("wanted", metavar="[NAME]...", nargs=-1)
@click.option("--accept", "accepting", is_flag=True, help="Make what differs in report and summary the expected.")
@click.pass_obj
def replay(invocation: Invocation, *, wanted: tuple[str, ...], accepting: bool) -> int:
    """Replay recorded walkthroughs: no network, no person, no waiting."""
    rows = [_replayed(folder, accepting=accepting) for folder in chosen(wanted)]
    ok = all(row.status in {"ok", "accepted"} for row in rows)
    items(invocation, rows, ok=ok)
    return int(Exit.PASSED if ok else Exit.DIFFERS)


def _replayed(folder: Path, *, accepting: bool) -> Item:
    with lean.without_clients():
        from veza_e2e.cassette.keep import accept, compare  # noqa: PLC0415 - vcrpy is imported here
        from veza_e2e.cassette.perform import perform  # noqa: PLC0415

    name = folder.name
    try:
        played = perform(folder)
        difference = compare(folder, played)
    except Mismatch as mismatch:
        return Item(name, "differs", str(mismatch))
    except CassetteError as error:
        return Item(name, "unusable", str(error))
    if difference is None:
        calls = sum(isinstance(line.event, CallFinished | CallFailed) for line in played.lines)
        return Item(name, "ok", f"{calls} calls, report and summary as expected")
    for line in difference.lines:
        say(plain(line))
    if not accepting:
        return Item(name, "differs", f"step {difference.step or PREFLIGHT}: report or summary is not what is expected")
    accept(folder, played)
    return Item(name, "accepted", "expected report and summary were written anew")


@click.group()
def cassettes() -> None:
    """Keep recordings of walkthroughs, and check those that are kept."""


@cassettes.command()
@click.argument("session")
@click.argument("name")
@click.pass_obj
def keep(invocation: Invocation, *, session: str, name: str) -> int:
    """Publish the recording of a SESSION as cassettes/NAME. Look at it before you commit it."""
    from veza_e2e.cli.calling import settings_of  # noqa: PLC0415 - a replay does not need what talks to backends

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
    """Check every cassette: safe to load, no secret, valid against the contract; old recordings are warned of."""
    with lean.without_clients():
        from veza_e2e.cassette.check import check  # noqa: PLC0415 - brings the schema validator, and vcrpy
        from veza_e2e.cassette.spec import Spec  # noqa: PLC0415
    from veza_e2e.cli.calling import settings_of  # noqa: PLC0415 - as in keep

    redactor, now = _redactor(settings_of(invocation)), invocation.machine.clock.now()
    rows: list[Item] = []
    try:
        with as_file(resources("veza").joinpath("openapi.json")) as contract:
            spec = Spec(other or contract)
        for folder in chosen(()):
            found = list(check(folder, spec, redactor, now))
            rows += [Item(folder.name, one.status, one.message) for one in found]
            if not found:
                rows.append(Item(folder.name, "ok", "loads, holds no secret, answers to the contract"))
    except CassetteError as error:
        raise Stop(Exit.DIFFERS, str(error)) from error
    ok = all(row.status != "bad" for row in rows)
    items(invocation, rows, ok=ok)
    return int(Exit.PASSED if ok else Exit.DIFFERS)


def publish(invocation: Invocation, settings: Settings, session: str, name: str) -> Path:  # noqa: ARG001 - as the other commands
    """Publish the recording of a session.

    Args:
        invocation: the command's.
        settings: tell where recordings are.
        session: its id, or the beginning of it.
        name: the cassette's.

    Returns:
        The cassette's folder.

    Raises:
        Stop: there is no such recording, it does not replay, or it cannot be written.
    """
    with lean.without_clients():
        from veza_e2e.cassette.keep import publish as put  # noqa: PLC0415 - as above

    recording = _recording(settings.state / "recordings", session)
    try:
        target = files.named(FOLDER, name)
    except CassetteError as error:
        raise Stop(Exit.USAGE, str(error)) from error
    try:
        put(recording, target, _redactor(settings))
    except CassetteError as error:
        raise Stop(Exit.DIFFERS, str(error), "what was published before is untouched") from error
    except Mismatch as mismatch:
        raise Stop(Exit.DIFFERS, f"the recording does not replay: {mismatch}", "record it again") from mismatch
    except OSError as error:
        raise Stop(
            Exit.DIFFERS, f"{error.filename or target}: {error.strerror}", "what was published before is untouched"
        ) from error
    return target


def _redactor(settings: Settings) -> Redactor:
    from veza_e2e import compose  # noqa: PLC0415 - as above

    secrets = read_secrets()
    return Redactor(
        compose.known_secrets(compose.rehearsal_account(secrets) if settings.environment.embedded else secrets)
    )


def _recording(folder: Path, session: str) -> Path:
    known = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    found = [name for name in known if session and name.startswith(session)]
    if len(found) != 1:
        which = "no recording" if not found else "more than one recording"
        raise Stop(
            Exit.USAGE, f"there is {which} of a session {session!r:.40} in {folder}", "live runs are never recorded"
        )
    return folder / found[0]
