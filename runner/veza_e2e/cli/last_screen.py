"""The last screen of a session's command: verdict, account, decision, what is missing, what is due, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from datetime import date, datetime

import click

from veza_e2e.evidence import Summary, glance
from veza_e2e.evidence.due import bank_command, statement_due, todos
from veza_e2e.frozen import dataclass
from veza_e2e.money.account import Account
from veza_e2e.money.figures import KINDS
from veza_e2e.money.order_account import AccountState
from veza_e2e.ports.screen import folded, plain

_LABEL = 10
_COLORS = {"passed": "green", "failed": "red", "refused": "red"}
_ACCOUNT = {
    AccountState.UNTOUCHED: "untouched: nothing was charged",
    AccountState.RETURNED: "returned: all that was charged came back",
    AccountState.AT_RISK: "at risk: the order can be paid, or may have been; no charge was seen",
    AccountState.CHARGED: "charged: more was charged than came back",
    AccountState.UNKNOWN: "unknown: the witnesses disagree, or one did not answer",
}
_WAITS = {"completion": "the completion of the order", "transfer": "the transfer", "reversal": "the reversal"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the last screen says beside the summary.

    Attributes:
        command: writes a command line with the options of this run.
        today: the day in UTC.
        report: the report's path; None if it was not written.
        folder: the session's folder, if it is to be committed.
        ex_9: whether EX-9 is attested for the release.
        signed: whether the newest manifest is signed.
    """

    command: Callable[..., str]
    today: date
    report: str | None = None
    folder: str | None = None
    ex_9: bool = False
    signed: bool = False


def last_screen(summary: Summary, there: Surroundings, room: int | None = None) -> list[str]:
    """Return the lines of the last screen: a label and a value each, then the commands, each whole.

    Args:
        summary: the session's.
        there: what it does not say.
        room: columns of the terminal; None breaks no line.
    """
    color = _COLORS.get(summary.outcome, "yellow")
    lines = [f"{click.style(summary.outcome.upper(), fg=color, bold=True)}: {summary.money.sentence}"]
    for label, text in _facts(summary, there):
        first, *rest = (folded(plain(text), room - _LABEL - 3) if room else plain(text)).split("\n")
        lines += [f"  {label:<{_LABEL}}{first}", *(f"{'':<{_LABEL + 2}}{one}" for one in rest)]
    for label, command in _commands(summary, there):
        lines.append(f"{label}: {command}")
    return lines


def _facts(summary: Summary, there: Surroundings) -> Iterator[tuple[str, str]]:
    yield "account", _ACCOUNT[summary.money.state]
    yield from (("", line) for line in _witnesses(summary.money))
    if summary.money.moved and summary.payment_id:
        yield "payment", f"{summary.payment_id}, order {summary.order_id or ''}"
    yield "decision", f"{summary.decision}: {summary.reason}"
    label = "missing"
    for item in summary.acceptance if summary.outcome == "passed" else ():
        if item.status not in {"met", "not_applicable"}:
            yield label, f"{item.title} ({item.status.replace('_', ' ')}): {item.reason}"
            label = ""
    label = "due"
    for text in _due(summary, there):
        yield label, text
        label = ""
    if there.report is not None:
        yield "report", there.report


def _witnesses(account: Account) -> Iterator[str]:
    """Yield what each witness says; nothing where one sentence says it all."""
    for witness in dict.fromkeys(one.by for kind in KINDS for one in account.figures(kind)):
        name = "the operator" if witness == "person" else f"the {witness}"
        yield f"{name} {account.said_by(witness)}"


def _due(summary: Summary, there: Surroundings) -> Iterator[str]:
    window = statement_due(summary)
    if window is not None:
        yield f"bank statement, {window.earliest} to {window.latest} ({window.state(there.today)})"
    awaited = _WAITS.get(summary.waiting_for or "")
    if awaited is not None and summary.money.orders:
        until = f"until {summary.money.late_after:%Y-%m-%d %H:%M} UTC"
        yield f"{awaited}, which may be late {until if summary.waiting_for == 'completion' else 'for 24 hours'}"


def _commands(summary: Summary, there: Surroundings) -> Iterator[tuple[str, str]]:
    """Yield the next commands, the most urgent first, each with what it is for."""
    session, write = str(summary.session), there.command
    money = summary.money
    by_hand = money.state is AccountState.CHARGED and glance(summary).refund_by == "dashboard"
    first = "refund it at the processor's dashboard, then " if by_hand else ""
    if summary.ended:
        yield from _after_end(summary, write, first)
    elif summary.outcome == "incomplete" or money.may_be_out:
        yield f"{first}continue with", write("resume", session)
        yield from _giving_up(summary, write)
    if not summary.ended:
        return
    if summary.outcome == "passed":
        yield from _evidence(summary, there)
    if there.folder is not None:
        if not there.signed:
            yield "sign", write("sign", session, "--key", "FILE")
        yield "commit", f"git add {shlex.quote(there.folder)} && git commit -m 'Payment walkthrough {session}'"
    if summary.release is not None:
        yield "see the release", write("release", summary.release)


def _after_end(summary: Summary, write: Callable[..., str], first: str) -> Iterator[tuple[str, str]]:
    money = summary.money
    if summary.abandoned and not money.settled:
        yield from ((one.said.rpartition(": ")[2], one.command) for one in todos(summary, write)[:1])
    elif not summary.abandoned and (money.unsettled_witness or not money.settled or money.disputed):
        yield f"{first}look again with", write("resume", str(summary.session))
    if glance(summary).by_rows:
        yield "once that is put right, supply the rows", write("rows", str(summary.session))


def _giving_up(summary: Summary, write: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """Yield the form of `abandon` that is not refused; none if each is."""
    money, words = summary.money, ("abandon", str(summary.session), "--reason", "TEXT")
    if summary.rehearsal or not money.may_be_out or money.lapsed(datetime.fromisoformat(summary.last_at)):
        yield "or give up", write(*words)
    elif money.at_stake is not None:
        yield "or give up", write(*words, "--accept-loss", str(money.at_stake))
    elif money.deniable_at is not None:
        yield f"or give up after {money.deniable_at:%Y-%m-%d %H:%M} UTC, if no order shows by then", write(*words)
    elif money.state is AccountState.AT_RISK:
        yield f"or give up after {money.late_after:%Y-%m-%d %H:%M} UTC", write(*words)


def _rows_unseen(summary: Summary) -> bool:
    unread = any(one.id in {"R2", "R5"} and one.status == "not_checked" for one in summary.reconciliation)
    return unread and not glance(summary).by_rows


def _evidence(summary: Summary, there: Surroundings) -> Iterator[tuple[str, str]]:
    """Yield the commands that supply what is not seen yet; of a run that is not live, only the rows."""
    session, write = str(summary.session), there.command
    if _rows_unseen(summary) and (summary.live_requested or summary.money.moved):
        yield "supply the rows", write("rows", session)
    if not summary.live_requested:
        return
    unseen = {one.id for one in summary.reconciliation if one.status == "not_checked"}
    if unseen & {"R1", "R4", "R6"}:
        known = ("--payment", summary.payment_id or "ID", "--refund", summary.refund_id or "ID")
        read = ("--charged", "AMOUNT", "--refunded", "AMOUNT")
        yield "record the dashboard", write("attest", "dashboard", "--session", session, "--by", "NAME", *known, *read)
    statement = summary.item("bank_statement").status
    if statement == "not_met" or (statement == "pending" and not summary.statement_shown):
        verb = "record" if summary.funds == "real" else "rehearse"
        yield f"{verb} the bank statement", bank_command(session, write)
    if not there.ex_9:
        release = ("--release", summary.release) if summary.release else ()
        yield "attest EX-9", write("attest", "ex-9", "--by", "NAME", *release)
