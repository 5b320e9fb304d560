"""The head of a session: decision, outcome, account, funds, and what is due."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from veza_e2e.evidence import Summary
from veza_e2e.evidence.due import bank_command, statement_due, still_open
from veza_e2e.money.order_account import AccountState
from veza_e2e.report.cells import Command, Fact, Status
from veza_e2e.report.told import moment


def money_line(summary: Summary) -> str:
    """Return what the account says, in one line."""
    return summary.money.sentence


def colour(summary: Summary) -> str:
    """Return the class of a session's head: money that is or may be out is never shown as good."""
    if summary.outcome == "failed" or summary.decision == "NO-GO":
        return "failed"
    if summary.money.may_be_out or summary.outcome == "incomplete":
        return "incomplete"
    if summary.item("bank_statement").status == "not_met" or summary.money.disputed:
        return "incomplete"
    return "passed" if summary.outcome == "passed" else "idle"


def title(summary: Summary) -> str:
    release = f" · release {summary.release}" if summary.release else ""
    return f"Payment walkthrough · {summary.environment} · {funds(summary)}{release}"


def funds(summary: Summary) -> str:
    """Return whether real money was used, in words that nobody can miss."""
    if summary.funds == "real":
        return "REAL MONEY"
    return "TEST FUNDS (live was asked for)" if summary.live_requested else "test funds"


def head(summary: Summary) -> Iterator[Fact]:
    also = "; a release also needs EX-9 attested" if summary.decision == "GO" else ""
    yield Fact("Decision", f"{summary.decision}: {summary.reason}{also}")
    yield Fact("Outcome", Status(summary.outcome))
    yield Fact("Began", moment(summary.started_at))
    yield Fact("Account", f"{summary.money.state}: {_STATES[summary.money.state]}")
    yield Fact("Funds", funds(summary))
    yield Fact("Due", due(summary))
    for command in _commands(summary)[:1]:
        yield Fact("Next command", Command(command))


_STATES: Mapping[AccountState, str] = {
    AccountState.UNTOUCHED: "nothing was charged, and nothing can be",
    AccountState.AT_RISK: "an order can or may have been paid, and no charge was seen",
    AccountState.CHARGED: "more was received than came back",
    AccountState.RETURNED: "all that was received came back",
    AccountState.UNKNOWN: "witnesses disagree, or one that is needed does not answer",
}


def _commands(summary: Summary) -> list[str]:
    """Return the commands for what is due, in their order."""
    named: list[str] = []

    def write(*words: str) -> str:
        named.append(shlex.join(["veza-e2e", "--env", summary.environment, *words]))
        return named[-1]

    told = still_open(summary, write) or ""
    named = [one for one in named if one in told]
    if _goes_on(summary) and not named:
        write("resume", str(summary.session))
    if statement_due(summary) is not None:
        bank_command(str(summary.session), write)
    return named


def _goes_on(summary: Summary) -> bool:
    return summary.outcome == "incomplete" and not summary.ended and summary.abandoned is None


def due(summary: Summary) -> str:
    """Return what is to be done or awaited, whatever the day."""
    said, window = [one for one in (still_open(summary),) if one], statement_due(summary)
    if _goes_on(summary) and not said:
        said.append("the walkthrough can be resumed")
    if window is not None:
        shown = f"between {window.earliest} and {window.latest}, overdue after {window.overdue_after}"
        said.append(f"bank statement {shown}")
    return "; ".join(said) or "nothing"
