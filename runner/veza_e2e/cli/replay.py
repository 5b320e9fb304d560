"""`replay`: replays recorded walkthroughs offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import click

from veza_e2e.cassettes.errors import PREFLIGHT, CassetteError, Mismatch
from veza_e2e.cli import lean
from veza_e2e.cli.lookup import home
from veza_e2e.cli.output import Exit, Invocation, Item, items, say
from veza_e2e.cli.recordings import chosen
from veza_e2e.cli.writing import write_file
from veza_e2e.journal.events import CallFailed, CallFinished
from veza_e2e.ports.screen import plain

_GOOD = frozenset({"ok", "accepted"})


@click.command()
@click.argument("wanted", metavar="[NAME]...", nargs=-1)
@click.option("--accept", "accepting", is_flag=True, help="Accept the changed report and summary as expected.")
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the results to FILE as JUnit XML, for CI.",
)
@click.pass_obj
def replay(invocation: Invocation, *, wanted: tuple[str, ...], accepting: bool, junit: Path | None) -> int:
    """Replay recordings: no network, no person, no waiting."""
    rows = [_replayed(folder, accepting=accepting) for folder in chosen(wanted)]
    if junit is not None:
        write_file("--junit", junit, _junit(rows), home(invocation))
    ok = all(row.status in _GOOD for row in rows)
    items(invocation, rows, ok=ok)
    return int(Exit.PASSED if ok else Exit.DIFFERS)


def _junit(rows: Sequence[Item]) -> bytes:
    """Return the results as JUnit XML: a test case for each recording."""
    wrong = [row for row in rows if row.status not in _GOOD]
    suite = ET.Element("testsuite", name="veza-e2e replay", tests=str(len(rows)), failures=str(len(wrong)))
    for row in rows:
        case = ET.SubElement(suite, "testcase", classname="cassettes", name=plain(row.name))
        if row in wrong:
            ET.SubElement(case, "failure", message=row.status).text = plain(row.message)
    document: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return document


def _replayed(folder: Path, *, accepting: bool) -> Item:
    with lean.only_httpx_stub():
        from veza_e2e.cassettes.keep import accept, compare  # noqa: PLC0415 - vcrpy is imported here
        from veza_e2e.cassettes.perform import perform  # noqa: PLC0415

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
