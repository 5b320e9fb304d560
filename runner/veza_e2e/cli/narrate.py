"""Prints the journal's events on the terminal as they happen."""

from __future__ import annotations

import click

from veza.money import Money
from veza_e2e.cli.output import say
from veza_e2e.evidence import Summary
from veza_e2e.journal import Line
from veza_e2e.journal.events import (
    STEPS,
    Answered,
    BrowserOpened,
    CallFailed,
    CallFinished,
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
from veza_e2e.ports.screen import framed, plain

_MARKS = {"ok": ("ok", "green"), "warn": ("warn", "yellow"), "blocked": ("blocked", "red")}
_WAITS: dict[StepName, str] = {
    "completed": "waiting for the processor's webhook to complete the order",
    "license": "waiting for the license",
    "revoked": "waiting for the refund and for the license to be revoked",
}


class Narrator:
    """Listens to the journal and prints each event for the operator."""

    def __init__(self) -> None:
        self._polls = 0
        self._step: StepName | None = None

    def __call__(self, line: Line) -> None:
        """Print what an event means for the operator."""
        event = line.event
        match event:
            case PreflightChecked():
                _checked(event)
            case PreflightFinished():
                _gate(event)
            case StepStarted(step=step):
                self._begun(step)
            case StepSkipped(step=step, reason=reason):
                if step != self._step:  # left out without having begun
                    self._begun(step)
                say(f"    skipped  {plain(reason)}")
            case CallFinished() | CallFailed():
                self._call(event)
            case _:
                _said(event)

    def _begun(self, step: StepName) -> None:
        self._step, self._polls = step, 0
        say(click.style(f"{STEPS.index(step) + 1}/9 {step}", bold=True))

    def _call(self, event: CallFinished | CallFailed) -> None:
        if event.step is None or event.target != "api":
            return
        if isinstance(event, CallFailed):
            say(f"    {plain(event.method)} {plain(event.operation or event.url)}: {plain(event.error)}, no answer")
            return
        if event.step in _WAITS and event.method == "GET":
            self._polls += 1
            if self._polls > 1 and self._polls.bit_count() == 1:  # print polls 2, 4, 8, … only
                say(f"    {_WAITS[event.step]} (read {self._polls} times; Ctrl-C leaves, nothing is lost)")


def _checked(event: PreflightChecked) -> None:
    mark, color = _MARKS[event.status]
    text = f"{click.style(f'{mark:<7}', fg=color, bold=True)} {plain(event.name)}: {plain(event.message)}"
    say(text)
    if event.hint and event.status != "ok":
        say(f"        {plain(event.hint)}")


def _gate(event: PreflightFinished) -> None:
    if not event.passed:
        say(click.style("The pre-flight is blocked: nothing was bought.", fg="red", bold=True))


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
        case StepFinished(observed=observed):
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


def verdict(summary: Summary, resume: str, abandon: str, report: str | None, due: str | None = None) -> list[str]:
    """Return the lines that end a command's output: outcome, money, next commands, and the report if it was written."""
    color = {"passed": "green", "failed": "red", "refused": "red"}.get(summary.outcome, "yellow")
    lines = [f"{click.style(summary.outcome.upper(), fg=color, bold=True)}: {summary.money.sentence}"]
    if summary.money.moved and summary.payment_id:
        lines.append(f"payment {plain(summary.payment_id)}, order {plain(summary.order_id or '')}")
    if summary.ended:
        if not summary.abandoned and (summary.money.unsettled_witness or not summary.money.settled):
            lines.append(f"look again with: {resume}")
    elif summary.outcome == "incomplete" or summary.money.may_be_out:
        lines.append(f"go on with: {resume}")
        lines.append(f"or give up:  {abandon}")
    if due is not None and summary.outcome == "passed" and not summary.money.may_be_out:
        lines.append(f"still due: {plain(due)}")
    return lines if report is None else [*lines, f"report: {report}"]
