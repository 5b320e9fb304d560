"""`rehearsal serve`: runs the rehearsal backend alone, for a person, a browser or another program."""

from __future__ import annotations

import signal
import threading

import click

from veza_e2e.cli.fault_switches import wrong_fault
from veza_e2e.cli.output import Exit, Invocation, Stop, document, say
from veza_e2e.config import STATE, read_secrets
from veza_e2e.journal import disk
from veza_e2e.redaction import mask
from veza_e2e.rehearsal_process import RehearsalError, check_faults, rehearsal_account, run_backend


@click.group()
def rehearsal() -> None:
    """Run the rehearsal backend: API, processor stub, checkout page."""


@rehearsal.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free port.")
@click.option("--database", metavar="URL", help="sqlite:///PATH or postgresql://…; else a file in .veza-e2e.")
@click.option(
    "--environment",
    type=click.Choice(["sandbox", "live"]),
    default="sandbox",
    show_default=True,
    help="What /status reports.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="SWITCH",
    help="A fault to inject, such as webhook_lost. Can be repeated.",
)
@click.pass_obj
def serve(invocation: Invocation, *, port: int, database: str | None, environment: str, faults: tuple[str, ...]) -> int:
    """Serve the rehearsal backend on this machine until Ctrl-C."""
    try:
        switches = check_faults(faults)
    except ValueError as error:
        raise wrong_fault(error, faults, "rehearsal", "serve") from error
    account = rehearsal_account(read_secrets())
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    disk.make_ignored(STATE)
    folder = STATE / "rehearsal" / "serve"
    try:
        with run_backend(folder, account, switches, port=port, database=database, environment=environment) as backend:
            if invocation.json:
                document({"ok": True, "items": [{"name": "base_url", "status": "ok", "message": backend.base_url}]})
            else:
                click.echo(f"The rehearsal backend is at {backend.base_url} ({environment}); Ctrl-C ends it.")
            say(f"account {mask(account.email or '')}; books: {backend.base_url}/rehearsal/books")
            backend.wait(over)
    except RehearsalError as error:
        raise Stop(
            Exit.REFUSED, str(error), "if the port is taken, choose a free one: veza-e2e rehearsal serve --port 0"
        ) from error
    return int(Exit.PASSED)
