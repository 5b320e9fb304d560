"""What a step is, and the ways in which one ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar

from veza_e2e.journal import Journal
from veza_e2e.journal.events import StepName, WaitingFor
from veza_e2e.journal.findings import FindingCode, RecordedName
from veza_e2e.ports.wire import Recorder
from veza_e2e.steps.results import Result

P = ParamSpec("P")
R = TypeVar("R", bound=Result)
W = TypeVar("W", bound="HasRecord")


class HasRecord(Protocol):
    """The part of a step's world that `Run` needs."""

    @property
    def journal(self) -> Journal:
        """Where events go."""
        ...

    @property
    def recorder(self) -> Recorder:
        """Who is told the step that calls belong to."""
        ...


class Finding(Exception):  # noqa: N818 - a finding is the walkthrough's product, not a programming error
    """What a step saw that ends it."""

    def __init__(self, finding: FindingCode | RecordedName, observed: str, *, meaning: str, todo: str) -> None:
        super().__init__(observed)
        self.finding = finding
        self.observed = observed
        self.meaning = meaning
        self.todo = todo


class Failed(Finding):
    """Something is wrong, and stays so."""


class Paused(Finding):
    """Something is not there yet; the session can be resumed."""

    def __init__(
        self, finding: FindingCode | RecordedName, observed: str, *, meaning: str, todo: str, waiting_for: WaitingFor,
        retry_after: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(finding, observed, meaning=meaning, todo=todo)
        self.waiting_for: WaitingFor = waiting_for
        self.retry_after = retry_after
        """Seconds after which the backend said that it may be asked again."""


class Skipped(Exception):  # noqa: N818 - a choice, not an error
    """The step was not taken, by choice."""


@dataclass(frozen=True, slots=True)
class Step(Generic[W, P, R]):
    """A step: its name, what it hands on, and what it does."""

    name: StepName
    result: type[R]
    act: Callable[Concatenate[W, P], R]


def step(name: StepName, result: type[R]) -> Callable[[Callable[Concatenate[W, P], R]], Step[W, P, R]]:
    """Make a function one of the nine steps."""
    return lambda act: Step(name, result, act)
