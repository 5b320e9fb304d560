"""`rows`: supplies the rows of seller_transfers later, or reads them again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from veza_e2e.archive.sessions import Stored
from veza_e2e.bootstrap import assemble
from veza_e2e.cli.asking import stored_passwords
from veza_e2e.cli.calling import translated
from veza_e2e.cli.lookup import settings_of, stored_session, summary_of, written
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items
from veza_e2e.cli.resumption import first_of
from veza_e2e.config import Settings, read_secrets
from veza_e2e.engine.finish import show
from veza_e2e.engine.session import Parts, Stage, open_stage
from veza_e2e.engine.supply import PasteError, RowsSkipped, Supplied, supply
from veza_e2e.evidence import RowsSupplied, Summary
from veza_e2e.journal import FileSink, MemorySink, Reading, parse, timestamp
from veza_e2e.journal.events import SessionStarted, TailCut
from veza_e2e.money.transfer_rows import REVOKED, Verdict
from veza_e2e.ports.interrupts import Interrupts
from veza_e2e.ports.machine import Machine
from veza_e2e.ports.protocols import EndOfInput
from veza_e2e.rehearsal_process import reachable, rehearsal_account
from veza_e2e.steps.step import Failed

_LARGEST = 1024 * 1024
_STATUS = {"booked": "met", "reversed": "met", "late": "pending", "refused": "not_met", "wrong": "not_met"}


@click.command()
@click.argument("session")
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="F",
    help="What `psql -X --csv` printed. Without it, the rows are read from VEZA_DATABASE_URL, or pasted.",
)
@click.pass_obj
def rows(invocation: Invocation, session: str, file: Path | None) -> None:
    """Supply the rows of seller_transfers later, or read them again.

    They show the seller's transfer, its reversal and, if configured, the license's status.
    """
    settings = settings_of(invocation)
    stored = stored_session(invocation, session)
    text = None if file is None else _text(file)
    with translated(invocation.command("rows", session)):
        try:
            supplied, place = _supplied(settings, stored, text, invocation.machine)
        except PasteError as error:
            raise Stop(Exit.USAGE, f"{file}: {error}", "write it with `psql -X --csv -f FILE.sql -o F`") from error
        except Failed as error:
            raise Stop(Exit.FAILED, error.observed, error.todo) from error
        except (RowsSkipped, EndOfInput) as error:
            raise Stop(
                Exit.INCOMPLETE, "no rows were supplied", f"when they are there: {invocation.command('rows', session)}"
            ) from error
    _tell(invocation, stored, supplied, place)


def _text(file: Path) -> str:
    if file.stat().st_size > _LARGEST:
        raise Stop(
            Exit.USAGE,
            f"{file} is larger than 1 MiB; this is not psql's answer for one order",
            "give the output of the SQL that step 7 shows",
        )
    return file.read_text(encoding="utf-8", errors="replace")


def _supplied(settings: Settings, stored: Stored, text: str | None, machine: Machine) -> tuple[Supplied, Path]:
    interrupts = Interrupts()
    interrupts.install()
    reading = stored.read()
    if not reading.ended:
        sink = FileSink(stored.journal, create=False)
        try:
            reading = parse(sink.load(), stored.journal)
            if not reading.ended:
                return _appended(settings, stored, sink, reading, text, interrupts, machine), stored.journal
        finally:
            sink.close()
    first = first_of(reading, stored.journal, settings, any_version=True, command="rows")
    with _parts(settings, first, interrupts, machine, asks=text is None) as parts:
        stage = open_stage(parts, MemorySink(), idempotency=first.idempotency, lines=reading.lines)
        supplied = supply(stage, text)
        addendum = _addendum(stored, supplied, timestamp(machine.clock.now()))
        return supplied, written(lambda: stored.add(addendum, parts.redactor))


def _appended(
    settings: Settings,
    stored: Stored,
    sink: FileSink,
    reading: Reading,
    text: str | None,
    interrupts: Interrupts,
    machine: Machine,
) -> Supplied:
    """Append the rows to an open session's journal, and make its views again; the session stays open."""
    first = first_of(reading, stored.journal, settings, any_version=True, command="rows")
    if reading.torn:
        sink.cut(reading.torn)
    with _parts(settings, first, interrupts, machine, asks=text is None) as parts:
        stage: Stage = open_stage(parts, sink, idempotency=first.idempotency, lines=reading.lines)
        if reading.torn:
            stage.journal.append(TailCut(bytes=reading.torn))
        supplied = supply(stage, text)
        with interrupts.deferred():
            show(stage, stored)
    return supplied


@contextmanager
def _parts(
    settings: Settings, first: SessionStarted, interrupts: Interrupts, machine: Machine, *, asks: bool
) -> Iterator[Parts]:
    """Yield the session's parts without its password: nothing is asked of the API."""
    secrets = read_secrets()
    with ExitStack() as stack:
        own = None
        if settings.environment.embedded:
            secrets = rehearsal_account(secrets)
            if asks:
                own = stack.enter_context(reachable(settings, secrets, first.session, first.faults, machine))
        parts = stack.enter_context(
            assemble(
                settings, secrets, interrupts, machine, unattended=first.unattended, own=own, session=first.session
            )
        )
        for password in stored_passwords(secrets.email, [first.environment]):
            parts.redactor.give("password", password)
        yield parts


def _addendum(stored: Stored, supplied: Supplied, at: str) -> RowsSupplied:
    summary = summary_of(stored)
    return RowsSupplied(
        session=stored.session,
        session_hash=summary.last_hash,
        number=1,
        seq=summary.events + 1,
        at=at,
        source=supplied.event.source,
        sql=supplied.event.sql,
        rows=supplied.event.rows,
    )


def _tell(invocation: Invocation, stored: Stored, supplied: Supplied, place: Path) -> None:
    after = summary_of(stored)
    found = [
        Item("rows", "ok", f"{len(supplied.event.rows)} from {supplied.event.source}, kept in {place}"),
        _item("transfer", supplied.booking, "total - tax = transfers + fees"),
        _item("reversal", supplied.reversal, "transferred = reversed"),
        _license(supplied, after),
        Item("decision", after.decision, after.reason),
    ]
    if after.rehearsed_decision:
        found.append(Item("rehearsed_decision", after.rehearsed_decision, "as it would be with real money"))
    late = {"not_met", "pending"}
    statuses = {item.status for item in found if item.name in {"transfer", "reversal"} or item.status in late}
    items(invocation, found, ok="not_met" not in statuses)
    if "not_met" in statuses:
        raise click.exceptions.Exit(Exit.FAILED)
    if statuses & {"pending", "not_checked"}:
        raise click.exceptions.Exit(Exit.INCOMPLETE)


def _license(supplied: Supplied, after: Summary) -> Item:
    judged = after.item("license_revoked")
    if supplied.license is None:
        return Item("license", "not_checked", "not told")
    if supplied.license != REVOKED and supplied.reversal is not None and judged.status in {"not_met", "pending"}:
        return Item("license", judged.status, judged.reason)
    return Item("license", supplied.license, "by the database")


def _item(name: str, verdict: Verdict | None, rule: str) -> Item:
    if verdict is None:
        return Item(name, "not_applicable", "no refund was asked for")
    if verdict.problem:
        return Item(name, _STATUS.get(verdict.status, "not_checked"), verdict.problem)
    if not verdict.compared:
        return Item(name, "not_checked", "the rows do not tell every part of the sum")
    tax = f"; only the database tells the tax of {verdict.tax}" if verdict.tax else ""
    return Item(name, _STATUS[verdict.status], f"{rule}: {verdict.left} = {verdict.right}{tax}")
