"""`attest`: records a person's word for something that no machine can check."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

import click

from veza.money import Money
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.cli.addendum import EVIDENCE, NOTE, amount_of, evidence_file
from veza_e2e.cli.dashboard import Read, record
from veza_e2e.cli.knowing import redactor_of_notes
from veza_e2e.cli.lookup import home, stored_session, summary_of, written
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items
from veza_e2e.evidence import Attestation, Summary
from veza_e2e.evidence.release import EX_9, ROTATED, UNRELATED
from veza_e2e.frozen import dataclass
from veza_e2e.journal import timestamp

DASHBOARD = "dashboard"
ITEMS = {
    EX_9: "Stripe Connect KYC and live mode",
    ROTATED: "OPERATOR_PASSWORD was changed",
    DASHBOARD: "what a dashboard shows of a session's money",
    UNRELATED: "a damaged session has nothing to do with a release",
}
"""What can be attested."""
_COMPARED = ("R1", "R4", "R5", "R6")


@dataclass(frozen=True, slots=True)
class _Figures:
    """The options of `attest dashboard`."""

    payment: str | None
    charged: str | None
    refund: str | None
    refunded: str | None
    reversed: str | None

    @property
    def given(self) -> list[str]:
        named = {
            "--payment": self.payment, "--charged": self.charged, "--refund": self.refund, "--refunded": self.refunded,
            "--reversed": self.reversed,
        }  # fmt: skip
        return [name for name, value in named.items() if value is not None]


@dataclass(frozen=True, slots=True)
class _Said:
    """The options of every item."""

    by: str
    release: str | None
    session: str | None
    evidence: Path | None
    note: str | None


@click.command()
@click.argument("item")
@click.option("--by", required=True, metavar="NAME", help="The person who says so.")
@click.option("--release", metavar="NAME", help="The release it is about. Without it: every release.")
@click.option("--session", metavar="SESSION", help="The session, for dashboard and unrelated.")
@click.option("--payment", metavar="ID", help="dashboard: the payment; with --charged.")
@click.option("--charged", metavar="A", help='dashboard: what was received for the payment, such as "5.00 EUR".')
@click.option("--refund", metavar="ID", help="dashboard: the refund; with --refunded.")
@click.option("--refunded", metavar="A", help="dashboard: what came back; zero without a refund.")
@click.option("--reversed", "reversed_", metavar="A", help="dashboard: what of the seller's transfers was reversed.")
@EVIDENCE
@NOTE
@click.pass_obj
def attest(
    invocation: Invocation, *, item: str, by: str, release: str | None, session: str | None, evidence: Path | None,
    note: str | None, payment: str | None, charged: str | None, refund: str | None, refunded: str | None,
    reversed_: str | None,
) -> None:  # fmt: skip
    """Record a person's word for what no machine can see.

    ITEM is ex-9 (Stripe Connect's KYC is done and its live mode is on), password-rotated (OPERATOR_PASSWORD was
    changed), dashboard (what the processor's or Stripe's dashboard shows of a session), or unrelated (a damaged session
    has nothing to do with a release).
    """
    name = _known(invocation, item, by)
    said = _Said(by.strip(), release, session, evidence, note)
    figures = _Figures(payment, charged, refund, refunded, reversed_)
    if not said.by:
        raise Stop(Exit.USAGE, "--by names nobody", 'write who says so: --by "A. Person"')
    if release is not None and not release.strip():
        raise Stop(Exit.USAGE, "--release names no release", "leave it out if it is said of every release")
    if figures.given and name != DASHBOARD:
        raise Stop(Exit.USAGE, f"{', '.join(figures.given)}: only for dashboard", "see: veza-e2e attest --help")
    if name == DASHBOARD:
        _dashboard(invocation, said, figures)
    elif name == UNRELATED:
        _unrelated(invocation, said)
    elif session is not None:
        raise Stop(Exit.USAGE, f"--session: {name} is said of a release, not of a session", "name it with --release")
    else:
        path = _write(invocation, home(invocation), name, said)
        scope = f"for release {release}" if release else "for every release"
        items(invocation, [Item(name, "ok", f"attested by {said.by} {scope}: {path}")], ok=True)


def _known(invocation: Invocation, item: str, by: str) -> str:
    name = item.lower()
    if name in ITEMS:
        return name
    known = ", ".join(ITEMS)
    close = difflib.get_close_matches(name, ITEMS, n=1, cutoff=0)
    raise Stop(
        Exit.USAGE,
        f"{item!r:.40} is not an item that can be attested; known: {known}",
        f"did you mean: {invocation.command('attest', close[0], '--by', by)}",
    )


def _write(invocation: Invocation, archive: Archive, name: str, said: _Said, session: str | None = None) -> Path:
    from ulid import ULID  # noqa: PLC0415 - only here

    now = invocation.machine.clock.now()
    attestation = Attestation(
        id=str(ULID.from_datetime(now)),
        item=name,
        by=said.by,
        at=timestamp(now),
        release=said.release or None,
        evidence=evidence_file(said.evidence),
        note=said.note or None,
        session=session,
    )
    return written(lambda: archive.attest(attestation, redactor_of_notes(invocation)))


def _session(invocation: Invocation, said: _Said, name: str) -> Stored:
    if said.session is None:
        raise Stop(
            Exit.USAGE,
            f"--session is missing: of which session is {name} said?",
            f"list them: {invocation.command('sessions')}",
        )
    return stored_session(invocation, said.session)


def _unrelated(invocation: Invocation, said: _Said) -> None:
    stored = _session(invocation, said, UNRELATED)
    if not said.note or not said.note.strip():
        raise Stop(
            Exit.USAGE, "--note is missing: how is it known that the session is unrelated?", 'write it: --note "TEXT"'
        )
    if not stored.damaged():
        raise Stop(
            Exit.REFUSED,
            f"session {stored.session} is not damaged: its journal says what it belongs to",
            f"see: {invocation.command('show', stored.session)}",
        )
    path = _write(invocation, Archive(stored.folder.parents[2]), UNRELATED, said, stored.session)
    scope = f"release {said.release}" if said.release else "any release"
    message = f"{said.by} says that damaged session {stored.session} has nothing to do with {scope}: {path}"
    items(invocation, [Item(UNRELATED, "ok", message)], ok=True)


def _dashboard(invocation: Invocation, said: _Said, figures: _Figures) -> None:
    if said.release is not None:
        raise Stop(Exit.USAGE, "--release: what a dashboard shows is said of a session", "leave --release out")
    stored = _session(invocation, said, DASHBOARD)
    read = _read(figures, summary_of(stored), said)
    where = record(invocation, stored, read)
    after = summary_of(stored)
    rows = [Item(DASHBOARD, "ok", f"as read by {said.by}: {where}")]
    compared = {one.id: one for one in after.reconciliation}
    rows += [Item(one, compared[one].status, compared[one].rule) for one in _COMPARED if one in compared]
    rows += _unknown_ids(read, after)
    rows += _others(read, after)
    rows.append(Item("account", str(after.money.state), after.money.sentence))
    rows.append(Item("decision", after.decision, after.reason))
    items(invocation, rows, ok=True)


def _unknown_ids(read: Read, after: Summary) -> Iterator[Item]:
    """Yield a row for an id that the order does not name: it may be another payment of it, or mistyped."""
    main = after.money.main
    payments = main.payment_ids if main else ()
    refunds = {one.refund_id for one in main.reads if one.refund_id} if main else set()
    refunds |= {each.refund_id for one in (main.latest if main else ()) for each in one.refunds if each.refund_id}
    for option, amount, given, known in (
        ("--payment", "--charged", read.payment_id if read.charged_cents else None, payments),
        ("--refund", "--refunded", read.refund_id if read.refunded_cents else None, sorted(refunds)),
    ):
        if given is not None and known and given not in known:
            message = f"{given} is not what the order names: {', '.join(known)}"
            back = f"if it is mistyped, take it back: the same command with {option} {given} {amount} 0.00"
            yield Item(option.removeprefix("--"), "warn", f"{message}; {back}")


def _others(read: Read, after: Summary) -> Iterator[Item]:
    """Yield a row for what only this person can see: whether the order has another payment."""
    main = after.money.main
    told = main is not None and not main.unlisted and any(one.by == "processor" for one in main.charged)
    if main is not None and read.payment_id is not None and not told:
        message = (
            f"if the dashboard lists another payment of order {main.order_id}, record it as well, whatever its status"
        )
        yield Item("payments", "warn", message)


def _read(figures: _Figures, before: Summary, said: _Said) -> Read:
    """Return the figures. Everything is looked at before anything is written."""
    currency = before.money.currency
    charged = amount_of("--charged", figures.charged, currency, least=0)
    refunded = amount_of("--refunded", figures.refunded, currency, least=0)
    reversed_ = amount_of("--reversed", figures.reversed, currency, least=0)
    told = [figure for figure in (charged, refunded, reversed_) if figure is not None]
    if (figures.payment is None) != (charged is None):
        raise Stop(Exit.USAGE, "--payment and --charged belong together", "give the payment's id and what it received")
    # A zero takes back what was said of an id by mistake; without an id it says that there is no refund.
    if (figures.refund is not None and refunded is None) or (figures.refund is None and refunded):
        raise Stop(Exit.USAGE, "--refund and --refunded belong together", "without a refund, --refunded is zero")
    if not told:
        raise Stop(Exit.USAGE, "no figure is given", "see --charged, --refunded and --reversed")
    if len({figure.currency for figure in told}) > 1:
        shown = ", ".join(map(str, told))
        raise Stop(Exit.USAGE, f"{shown}: these are of different currencies", "record each currency by itself")
    for option, value in (("--payment", figures.payment), ("--refund", figures.refund)):
        if value is not None and not value.strip():
            raise Stop(
                Exit.USAGE, f"{option} names nothing", "give the id as the dashboard shows it, or leave the option out"
            )
    return Read(
        by=said.by,
        currency=told[0].currency,
        payment_id=_text(figures.payment),
        charged_cents=_minor(charged),
        refund_id=_text(figures.refund),
        refunded_cents=_minor(refunded),
        reversed_cents=_minor(reversed_),
        evidence=evidence_file(said.evidence),
        note=_text(said.note),
    )


def _text(value: str | None) -> str | None:
    return value.strip() if value and value.strip() else None


def _minor(amount: Money | None) -> int | None:
    return None if amount is None else amount.minor
