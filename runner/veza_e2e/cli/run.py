"""`run`: runs the pre-flight, then the nine steps."""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from veza.money import Money
from veza_e2e.canonical import JSON
from veza_e2e.cassettes.files import NAMED, VALID_NAME
from veza_e2e.cassettes.session import close_recording
from veza_e2e.cli import output
from veza_e2e.cli.begun import begun, blocked, document_of, gate_of_stage
from veza_e2e.cli.calling import concluded, translated
from veza_e2e.cli.fault_switches import wrong_fault
from veza_e2e.cli.lookup import archive_of, settings_of
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, say
from veza_e2e.config import Settings
from veza_e2e.engine.consent import agreed
from veza_e2e.engine.finish import keep, walk
from veza_e2e.engine.session import Stage
from veza_e2e.engine.start import Asked
from veza_e2e.journal.events import PreflightFinished
from veza_e2e.ports.protocols import EndOfInput
from veza_e2e.rehearsal_process import check_faults

_POSITIVE = 'name the most that the order may cost, such as --max-amount "10.00 EUR"'


class _Amount(click.ParamType[Money]):
    name = "amount"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Money:
        if isinstance(value, Money):
            return value
        try:
            return Money.parse(str(value).upper())
        except ValueError as error:
            self.fail(f"{value!r} is not an amount: {error}", param, ctx)


@click.command()
@click.option("--live", is_flag=True, help="Real money: your own card is charged.")
@click.option("--release", metavar="NAME", help="The release that this session is evidence for.")
@click.option("--plan", is_flag=True, help="Run the pre-flight and show the steps, then stop. Read-only.")
@click.option("--unattended", is_flag=True, help="Answer and pay without a person. Rehearsal backend only.")
@click.option("--refund/--no-refund", default=None, help="Whether to refund. You are asked if you give neither.")
@click.option("--product", metavar="ID", help="The product to buy. You are asked if you do not name it.")
@click.option("--max-amount", type=_Amount(), metavar='"10.00 EUR"', help="The most that the order may cost.")
@click.option("--record", "cassette", metavar="NAME", help="Publish the recording as cassettes/NAME.")
@click.option("--fault", "faults", multiple=True, metavar="SWITCH", help="A fault for the embedded rehearsal backend.")
@click.pass_obj
def run(
    invocation: Invocation,
    *,
    live: bool,
    release: str | None,
    plan: bool,
    unattended: bool,
    refund: bool | None,
    product: str | None,
    max_amount: Money | None,
    cassette: str | None,
    faults: tuple[str, ...],
) -> int:
    """Run the pre-flight, then the nine steps."""
    settings = settings_of(invocation)
    if max_amount is not None:
        settings = replace(settings, limits=replace(settings.limits, max_amount=max_amount))
    asked = Asked(
        live=live, release=release, unattended=unattended, refund=refund, product=product, faults=_switches(faults)
    )
    _refuse_contradictions(settings, asked, cassette)
    with translated(invocation.command("resume")), begun(invocation, settings, asked) as (stage, recording):
        gate = gate_of_stage(stage)
        if not gate.passed:
            raise blocked(stage, document_of(stage.summary(), None))
        if unattended and not gate.rehearsal:
            raise Stop(Exit.USAGE, "--unattended is for the rehearsal backend only", "leave --unattended out")
        if plan:
            return _plan(invocation, stage)
        _refuse_without_consent(stage, gate)
        with keep(stage, archive_of(settings), stage.journal.lines[0].at) as stored:
            ended = close_recording(recording, walk(stage, stored))
    if cassette is not None and ended.problem is None:
        from veza_e2e.cli.recordings import publish  # noqa: PLC0415 - only where it is asked for

        publish(invocation, settings, stored.session, cassette)
    return concluded(invocation, stored, ended)


def _switches(faults: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return check_faults(faults)
    except ValueError as error:
        raise wrong_fault(error, faults, "run") from error


def _refuse_contradictions(settings: Settings, asked: Asked, cassette: str | None) -> None:
    environment = settings.environment
    named = cassette is None or VALID_NAME.fullmatch(cassette) is not None
    refusals = (
        (
            asked.live and asked.unattended,
            "--unattended and --live contradict each other: a person pays",
            "leave --unattended out",
        ),
        (
            asked.live and cassette is not None,
            "--record and --live contradict each other: no live run is recorded",
            "leave --record out",
        ),
        (
            asked.release is not None and not _is_name(asked.release),
            f"--release {asked.release!r:.60} is not a release's name",
            "name it like 2026.12, or leave --release out",
        ),
        (not named, f"--record {cassette!r:.60} is not a cassette's name: {NAMED}", "name it like staging-refund"),
        (
            bool(asked.faults) and not environment.embedded,
            f"--fault is for the embedded rehearsal backend only, not for {environment.name}",
            "leave --env out, or leave --fault out",
        ),
        (
            asked.unattended and not environment.loopback,
            f"--unattended is for the rehearsal backend only, not for {environment.name}: a person pays there",
            "leave --unattended out",
        ),
        (
            asked.live and not sys.stdin.isatty(),
            "--live needs a terminal: a person must be there to answer",
            "start it in a terminal, and pipe nothing into it",
        ),
        (settings.limits.max_amount.minor <= 0, f"--max-amount {settings.limits.max_amount} buys nothing", _POSITIVE),
    )
    for refused, message, hint in refusals:
        if refused:
            raise Stop(Exit.USAGE, f"{message}. Nothing was begun.", hint)


def _is_name(release: str) -> bool:
    """Whether people can tell the name from others: an empty variable of the shell names nothing."""
    return release.isprintable() and release == release.strip() != ""


def _refuse_without_consent(stage: Stage, gate: PreflightFinished) -> None:
    try:
        if agreed(stage, gate):
            return
    except EndOfInput as end:
        raise Stop(Exit.INCOMPLETE, "the input ended before there was an answer", "nothing was begun") from end
    raise Stop(
        Exit.REFUSED,
        "you left before anything was bought",
        "a GO needs --release NAME, and a dry-run of that release on staging, made before",
        {**document_of(stage.summary(), None), "session": None, "outcome": "refused", "waiting_for": None},
    )


_PLAN = (
    ("login", "POST /auth/login", "log in (one of three logins that production allows in 15 minutes)"),
    ("products", "GET products", "list the products and choose one"),
    ("order", "POST /orders", "WRITE: one order"),
    ("pay", "the checkout page", "CHARGE: the operator pays on the processor's page"),
    ("completed", "GET the order", "wait for the processor's webhook"),
    ("license", "GET /licenses/mine", "find the license"),
    ("transfers", "SQL, read-only", "read the seller's transfers"),
    ("refund", "POST refund", "WRITE: one refund, if you say so"),
    ("revoked", "GET the order", "wait for the refund and the revoked license"),
)


def _plan(invocation: Invocation, stage: Stage) -> int:
    first = stage.started
    limit = Money(first.max_amount_cents, first.max_amount_currency)
    rows = [Item(name, "pending", f"{what}: {why}") for name, what, why in _PLAN]
    if invocation.json:
        items: list[JSON] = [{"name": row.name, "status": row.status, "message": row.message} for row in rows]
        output.document({**document_of(stage.summary(), None), "session": None, "ok": True, "items": items})
        return int(Exit.PASSED)
    say(f"At most {limit}; each wait ends after {first.poll_timeout_ms // 1000} s. Nothing was sent but reads.")
    output.items(invocation, rows, ok=True)
    return int(Exit.PASSED)
