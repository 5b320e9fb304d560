"""`Run` executes each step once. Only `Run` writes StepStarted, StepFinished and StepFailed to the journal.

A resume runs the same walkthrough again: `Run` returns the results that the journal already holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from veza import VezaError
from veza_e2e.journal.events import Event, StepFailed, StepFinished, StepName, StepPaused, StepSkipped, StepStarted
from veza_e2e.journal.findings import FindingCode, RecordedName
from veza_e2e.money.account import fold
from veza_e2e.steps.context import Context
from veza_e2e.steps.step import Failed, Finding, P, Paused, R, Skipped, Step

DEFECTS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""Unexpected exceptions: recorded as a defect; the refund stays reachable."""
_LAST: frozenset[StepName] = frozenset({"refund", "revoked"})
_BARRING = frozenset({FindingCode.LOGIN_REFUSED, FindingCode.ACCOUNT_LOCKED, FindingCode.RATE_LIMITED})
_BEFORE_CHARGE: frozenset[StepName] = frozenset({"login", "products", "order"})


class Run:
    """Executes each step once.

    Args:
        context: the context that each step is given.
        recovering: whether a check failed after the charge, so that only the refund remains. The steps of the refund
            then run again even if they failed before.
        foreign: translates an error that the step did not handle.
    """

    def __init__(
        self, context: Context, *, recovering: bool = False, foreign: Callable[[Exception, StepName], Finding]
    ) -> None:
        self._context = context
        self._foreign = foreign
        self._recovering = recovering
        self._waiting: list[Paused] = []
        self._done: dict[str, Event] = {}
        again = recovering and _refund_failed(context.journal.events())
        for event in context.journal.events():
            if again and isinstance(event, StepFinished) and event.step == "refund":
                continue
            if (
                isinstance(event, StepFinished)
                or (isinstance(event, StepFailed) and not (recovering and event.step in _LAST))
                or (isinstance(event, StepSkipped) and event.step == "transfers")
            ):
                self._done[event.step] = event

    def __call__(self, step: Step[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the step's result: from the journal if it holds one, else by running the step.

        Raises:
            Failed: something is wrong for good, seen now or in an earlier process.
            Paused: the step cannot finish now.
            Skipped: the step was left out by choice.
        """
        done = self._done.get(step.name)
        if isinstance(done, StepFinished):
            return step.result.from_json(done.result)
        if isinstance(done, StepFailed):
            raise Failed(RecordedName(done.finding), done.observed, meaning=done.meaning, todo=done.todo)
        return self._take(step, *args, **kwargs)

    def check(self, step: Step[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
        """Like a call, but what must not block the refund does not: an earlier failure, a choice, what may come yet.

        Nor does one that cannot finish now: what it looks at may be late, or cannot be read. An order that is not
        completed cannot be refunded, and what bars the login or any request bars the refund too: these are raised.

        Returns:
            None if it failed before, never ran because an earlier check failed, was skipped, or waits for what is late.
        """
        done = self._done.get(step.name)
        if isinstance(done, StepSkipped) or (self._recovering and not isinstance(done, StepFinished)):
            return None
        try:
            return self(step, *args, **kwargs)
        except Skipped:
            return None
        except Paused as paused:
            if step.name == "completed" or paused.finding in _BARRING:
                raise
            self._waiting.append(paused)
            return None

    def settled(self) -> None:
        """Raise what a check still waits for, once the refund has been reached.

        Raises:
            Paused: the first of them.
        """
        if self._waiting:
            raise self._waiting[0]

    def _take(self, step: Step[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        journal, recorder = self._context.journal, self._context.recorder
        journal.append(StepStarted(step=step.name))
        recorder.step = step.name
        try:
            result = step.act(self._context, *args, **kwargs)
        except Skipped as reason:
            journal.append(StepSkipped(step=step.name, reason=str(reason)))
            raise
        except Finding as finding:
            self._found(step.name, finding)
        except (VezaError, *DEFECTS) as error:
            self._found(step.name, self._foreign(error, step.name))
        finally:
            recorder.step = None
        shown, withheld = recorder.redactor.members(result.to_json())
        if withheld and step.name in _BEFORE_CHARGE:
            self._found(step.name, _echoed(withheld, fold(journal.lines).said))
        observed = step.result.from_json(shown).observed
        if withheld:
            observed += f" ({', '.join(withheld)} withheld: the answer held a login secret)"
        journal.append(StepFinished(step=step.name, result=shown, observed=observed))
        return result

    def _found(self, name: StepName, finding: Finding) -> NoReturn:
        text = self._context.recorder.redactor.text
        observed, meaning, todo = text(finding.observed), text(finding.meaning), text(finding.todo)
        kind = finding.finding
        if isinstance(finding, Paused):
            self._context.journal.append(
                StepPaused(
                    step=name, finding=kind, observed=observed, meaning=meaning, todo=todo,
                    waiting_for=finding.waiting_for,
                )
            )  # fmt: skip
        else:
            self._context.journal.append(
                StepFailed(step=name, finding=kind, observed=observed, meaning=meaning, todo=todo)
            )
        raise finding


def _refund_failed(events: Iterable[Event]) -> bool:
    """Whether the last thing that step 9 saw of the refund is that it failed, or was not the whole."""
    found = ""
    for event in events:
        if isinstance(event, StepFailed) and event.step == "revoked":
            found = event.finding
        elif isinstance(event, StepFinished) and event.step == "refund":
            found = ""
    return found in {FindingCode.REFUND_FAILED, FindingCode.REFUND_DIFFERS}


def _echoed(names: Sequence[str], money: str) -> Failed:
    return Failed(
        FindingCode.SECRET_ECHOED,
        f"the backend's answer holds a login secret of this session, in {', '.join(names)}",
        meaning=money,
        todo="Change the password. Report this to the backend's makers: a purchase would put the secret on record.",
    )
