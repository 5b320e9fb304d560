"""Redacts backend text before the operator sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from veza_e2e.ports.progress import Progress
from veza_e2e.ports.protocols import Operator
from veza_e2e.redaction import Redactor


class RedactedOperator:
    """Wraps an operator, so that no secret is shown.

    Args:
        operator: the operator to ask.
        redactor: the session's.
    """

    def __init__(self, operator: Operator, redactor: Redactor) -> None:
        self.by: Literal["operator", "script"] = operator.by
        self._operator = operator
        self._redactor = redactor

    def ask(
        self, question: str, text: str, *, timeout: float | None = None, progress: Progress | None = None
    ) -> str | None:
        """See `protocols.Operator`."""
        shown = None if progress is None else self._clean(progress)
        return self._operator.ask(question, self._redactor.text(text), timeout=timeout, progress=shown)

    def pause(self, progress: Progress, sleep: Callable[[float], None]) -> str | None:
        """See `protocols.Operator`."""
        return self._operator.pause(self._clean(progress), sleep)

    def paste(self, question: str, text: str, peek: Callable[[], str] | None = None) -> str:
        """See `protocols.Operator`."""
        shown = None if peek is None else lambda: self._redactor.text(peek())
        return self._operator.paste(question, self._redactor.text(text), shown)

    def tell(self, text: str) -> None:
        """See `protocols.Operator`."""
        self._operator.tell(self._redactor.text(text))

    def _clean(self, progress: Progress) -> Progress:
        return replace(progress, said=tuple(map(self._redactor.text, progress.said)))
