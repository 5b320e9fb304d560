"""Prints the journal's events on the terminal as they happen."""

from __future__ import annotations

from collections.abc import Sequence

import click

from veza.money import Money
from veza_e2e.cli.output import say
from veza_e2e.journal import Line
from veza_e2e.journal.events import (
    STEPS,
    Answered,
    BrowserOpened,
    CallFailed,
    Event,
    PreflightChecked,
    PreflightFinished,
    SessionResumed,
    StepFailed,
    StepFinished,
    StepName,
    StepPaused,
    StepSkipped,
    StepStarted,
    TailCut,
)
from veza_e2e.ports.screen import bell, folded, framed, on_screen, plain, width
from veza_e2e.preflight.deciding import NO_GO

_MARKS = {"ok": ("ok", "green"), "warn": ("warn", "yellow"), "blocked": ("blocked", "red")}


_WHAT: dict[StepName, str] = {
    "login": "log in",
    "products": "choose the product to buy",
    "order": "place one order",
    "pay": "pay on the processor's page",
    "completed": "wait until the processor's webhook completes the order",
    "license": "find the license",
    "transfers": "read the rows of the seller's transfer",
    "refund": "refund, if you say so",
    "revoked": "wait for the refund, the revoked license and the reversal",
}
_NAME = 15
_TEXT = 7 + 1 + _NAME + 1
"""The column at which a row's text begins."""


class Narrator:
    """Listens to the journal and prints each event for the operator."""

    def __init__(self) -> None:
        self._step: StepName | None = None
        self._checks: list[PreflightChecked] = []

    def __call__(self, line: Line) -> None:
        """Print what an event means for the operator."""
        event = line.event
        match event:
            case PreflightChecked():
                self._checks.append(event)
                _checked(event)
            case PreflightFinished():
                _verdict(event, self._checks)
            case StepStarted(step=step):
                self._begun(step)
            case StepSkipped(step=step, reason=reason):
                if step != self._step:  # left out without having begun
                    self._begun(step)
                say(f"    skipped  {plain(reason)}")
            case CallFailed(step=str(), target="api"):
                say(f"    {plain(event.method)} {plain(event.operation or event.url)}: {plain(event.error)}, no answer")
            case _:
                _said(event)

    def _begun(self, step: StepName) -> None:
        self._step = step
        say(f"{click.style(f'{STEPS.index(step) + 1}/9 {step}', bold=True)}: {_WHAT[step]}")


def _checked(event: PreflightChecked) -> None:
    """Print a row of the gate's table; what to do about it stands below."""
    mark, color = _MARKS[event.status]
    row(click.style(f"{mark:<7}", fg=color, bold=True), f"{plain(event.name)}:", plain(event.message))
    if event.hint and event.status != "ok":
        prose, found, command = plain(event.hint).rpartition("veza-e2e ")
        row(" " * 7, "", prose.rstrip() if found else command)
        if found:  # by itself, so that it can be pasted
            say(f"        {found}{command}")


def _verdict(event: PreflightFinished, checks: Sequence[PreflightChecked]) -> None:
    """Print the gate's verdict, below its table."""
    named = {status: [plain(one.name) for one in checks if one.status == status] for status in _MARKS}
    if not event.passed:
        text = f"{len(named['blocked'])} of {len(checks)} checks block it ({', '.join(named['blocked'])})"
        row(click.style("CLOSED ", fg="red", bold=True), "gate:", f"{text}. Nothing was bought.")
        return
    warned = f", {len(named['warn'])} with a warning ({', '.join(named['warn'])})" if named["warn"] else ""
    color = "yellow" if named["warn"] else "green"
    undecided = "; GO is impossible for this run" if any(one.message.startswith(NO_GO) for one in checks) else ""
    text = f"{len(checks)} checks{warned}; {_funds(event)}{undecided}"
    row(click.style("OPEN   ", fg=color, bold=True), "gate:", text)


def _funds(event: PreflightFinished) -> str:
    if event.funds == "real":
        return "REAL MONEY"
    return "test funds" + (" (rehearsal backend)" if event.rehearsal else "")


def row(mark: str, name: str, text: str) -> None:
    """Print a row: a mark, a name and a text that continues below itself."""
    for number, piece in enumerate(folded(text, max(width() - _TEXT, 20)).split("\n") if on_screen() else [text]):
        start = f"{mark} {name:<{_NAME}}" if number == 0 else " " * (_TEXT - 1)
        say(f"{start} {piece}")


def reminder(gate: PreflightFinished, limit: Money) -> str:
    """Return the warning before a live run."""
    amount = "an amount not known yet"
    if gate.expected_cents is not None and gate.expected_currency is not None:
        amount = f"about {Money(gate.expected_cents, gate.expected_currency)}"
    lines = [
        "LIVE: YOUR OWN CARD WILL BE CHARGED",
        f"Expect {amount}; more than {limit} is refused.",
        "Use a personal card, not a corporate one.",
        "The refund is asked for at the end.",
    ]
    if gate.rehearsal:
        lines.append("(This is the rehearsal backend: test cards only, nothing is charged.)")
    return click.style(framed(lines), fg="red", bold=True)


def _said(event: Event) -> None:
    match event:
        case StepFinished(step=step, observed=observed):
            if step == "completed":
                bell()
            say(f"    {click.style('passed', fg='green')}  {plain(observed)}")
        case StepFailed(observed=observed, meaning=meaning, todo=todo):
            say(f"    {click.style('failed', fg='red', bold=True)}  {plain(observed)}")
            say(f"    {plain(meaning)} {plain(todo)}")
        case StepPaused(observed=observed, meaning=meaning, todo=todo):
            say(f"    {click.style('not yet', fg='yellow', bold=True)}  {plain(observed)}")
            say(f"    {plain(meaning)} {plain(todo)}")
        case BrowserOpened(opened=False, by="operator"):
            say("    No browser could be started here: open that address yourself.")
        case BrowserOpened(by="script"):
            say("    paid through the checkout form with a test card")
        case Answered(question="paid", by="operator", answer=answer):
            say(f"    noted: {plain(answer)}")
        case SessionResumed():
            say("Resumed.")
        case TailCut(bytes=count):
            say(f"The journal ended in an unfinished line of {count} bytes, which was cut; no event was lost.")
        case _:
            pass
