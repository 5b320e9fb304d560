"""Defines a step, and the ways in which it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, Generic, ParamSpec, TypeVar

from veza_e2e.frozen import dataclass
from veza_e2e.journal.events import StepName, WaitingFor
from veza_e2e.journal.findings import FindingCode, RecordedName
from veza_e2e.steps.context import Context
from veza_e2e.steps.results import Result

P = ParamSpec("P")
R = TypeVar("R", bound=Result)


def resume_and(context: Context, then: str = "report the finding to the backend's makers") -> str:
    """Say what to do about a check that failed after the charge."""
    account = context.account()
    untold = any(one.amount is None for one in account.figures("refunded"))
    some = account.came_back or account.on_its_way or untold
    refund = ", refund nothing that came back already," if some else " to refund,"
    return f"Resume{refund} and {then}."


class Finding(Exception):  # noqa: N818 - a finding is the walkthrough's product, not a programming error
    """Ends a step, with what it saw and what that means."""

    def __init__(self, finding: FindingCode | RecordedName, observed: str, *, meaning: str, todo: str) -> None:
        super().__init__(observed)
        self.finding = finding
        self.observed = observed
        self.meaning = meaning
        self.todo = todo


class Failed(Finding):
    """Something is wrong for good."""


class Paused(Finding):
    """Something is not there yet, or not known; the session can be resumed."""

    def __init__(
        self, finding: FindingCode | RecordedName, observed: str, *, meaning: str, todo: str, waiting_for: WaitingFor,
        retry_after: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(finding, observed, meaning=meaning, todo=todo)
        self.waiting_for: WaitingFor = waiting_for
        self.retry_after = retry_after
        """Seconds after which the backend accepts requests again, as it said."""


class Skipped(Exception):  # noqa: N818 - a choice, not an error
    """The step was left out by choice."""


@dataclass(frozen=True, slots=True)
class Step(Generic[P, R]):
    """A step: its name, its result type, and its function."""

    name: StepName
    result: type[R]
    act: Callable[Concatenate[Context, P], R]


def step(name: StepName, result: type[R]) -> Callable[[Callable[Concatenate[Context, P], R]], Step[P, R]]:
    """Turn a function into one of the nine steps."""
    return lambda act: Step(name, result, act)
