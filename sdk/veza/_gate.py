"""The gate before the login: a refusal is remembered, so that a wrong password does not lock the account."""

from __future__ import annotations

from copy import copy
from typing import Final

from veza.errors import APIStatusError, VezaError, error_class

FOREVER: Final = frozenset({401})
"""Until the credentials change."""
_TIMED: Final = {403: 900.0, 423: 900.0, 429: 60.0}
"""Until the time that the answer names, else for these seconds."""
_LONGEST: Final = 86400.0
"""A time beyond it is taken for a mistake of the backend's: a process may live longer than that."""


def holds_for(error: VezaError) -> float | None:
    """Return for how many seconds a refusal holds that time cures; None for any other error."""
    default = _TIMED.get(error.status_code or 0)
    return default if default is None or error.retry_after is None else min(error.retry_after, _LONGEST)


def again(error: VezaError, left: float | None) -> APIStatusError:
    """Return the error that stands for an earlier one, in place of sending again what was refused."""
    how_long = "until the credentials change" if left is None else f"for another {left:.0f} s"
    return error_class(error.status_code or 0)(
        f"{error.message}; it was refused before, and is not sent again {how_long}",
        status_code=error.status_code,
        code=error.code,
        details=error.details,
        request_id=error.request_id,
        method=error.method,
        path=error.path,
        retry_after=left,
    )


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
        raise again(error, None if until is None else until - now)

    def note(self, credentials: object, error: VezaError, now: float, *, renewal: bool = False) -> None:
        """Remember an error that is a refusal; that of a renewal only if time cures it."""
        kept = copy(error)  # without the traceback, which holds the frames of whoever called
        if error.status_code in FOREVER and not renewal:
            self._refusal = (credentials, kept, None)
        elif (seconds := holds_for(error)) is not None:
            self._refusal = (credentials, kept, now + seconds)

    def forget(self) -> None:
        """Forget the refusal."""
        self._refusal = None
