"""The gate before the login: a refusal is remembered, so that a wrong password does not lock the account."""

from __future__ import annotations

from copy import copy
from typing import Final

from veza.errors import VezaError, error_class

_FOREVER: Final = frozenset({401})
"""Until the credentials change."""
_TIMED: Final = {403: 900.0, 423: 900.0, 429: 60.0}
"""Until the time that the answer names, else for these seconds."""
_LONGEST: Final = 86400.0
"""A time beyond it is taken for a mistake of the backend's: a process may live longer than that."""


class Gate:
    """The last refusal of a login or a renewal, and by which credentials it was asked for."""

    __slots__ = ("_refusal",)

    def __init__(self) -> None:
        self._refusal: tuple[object, VezaError, float | None] | None = None  # replaced as one

    def pass_by(self, credentials: object, now: float) -> None:
        """Let credentials through that were not refused, or whose time has come again.

        Raises:
            APIStatusError: they were refused, and nothing is sent.
        """
        if self._refusal is None:
            return
        refused, error, until = self._refusal
        if refused != credentials or (until is not None and now >= until):
            return
        left = None if until is None else until - now
        how_long = "until the credentials change" if left is None else f"for another {left:.0f} s"
        raise error_class(error.status_code or 0)(
            f"{error.message}; it was refused before, and is not sent again {how_long}",
            status_code=error.status_code,
            code=error.code,
            details=error.details,
            request_id=error.request_id,
            method=error.method,
            path=error.path,
            retry_after=left,
        )

    def note(self, credentials: object, error: VezaError, now: float, *, renewal: bool = False) -> None:
        """Remember an error that is a refusal; that of a renewal only if time cures it."""
        kept = copy(error)  # without the traceback, which holds the frames of whoever called
        if error.status_code in _FOREVER and not renewal:
            self._refusal = (credentials, kept, None)
        elif error.status_code in _TIMED:
            wait = _TIMED[error.status_code] if error.retry_after is None else min(error.retry_after, _LONGEST)
            self._refusal = (credentials, kept, now + wait)

    def forget(self) -> None:
        """Forget the refusal."""
        self._refusal = None
