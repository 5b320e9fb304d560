"""Translates errors that a step did not handle: what they mean for the walkthrough and the money."""

from __future__ import annotations

import traceback
from pathlib import PurePath

from veza import AuthenticationError, InvalidResponseError, LockedError, RateLimitError, VezaError
from veza_e2e.journal.events import StepName
from veza_e2e.journal.findings import FindingCode
from veza_e2e.money.account import Account
from veza_e2e.steps.step import Failed, Paused

_BEFORE_ORDER: frozenset[StepName] = frozenset({"login", "products"})
_UNDECIDED: frozenset[StepName] = frozenset({"pay", "completed"})
"""Steps in which the card may have been charged before any response says so."""


def meaning_of(error: Exception, step: StepName, account: Account) -> Failed | Paused:
    """Return the failure or pause that an error means for the step that it ended, with the money so far."""
    if not isinstance(error, VezaError):
        return _defect(error, account)
    found = _meant(error, account.said)
    refused_login = isinstance(error, AuthenticationError | LockedError) and step not in _BEFORE_ORDER
    if isinstance(found, Failed) and (refused_login or step in _UNDECIDED):
        # Money may be out. The error tells nothing about the payment, so the session must stay open.
        return Paused(
            found.finding, found.observed, meaning=found.meaning, todo=f"{found.todo} Then resume.",
            waiting_for="operator",
        )  # fmt: skip
    if isinstance(found, Failed) and step == "refund":
        again = "Resume to ask again, or refund the payment at the processor's dashboard, then resume."
        return Failed(found.finding, found.observed, meaning=found.meaning, todo=f"{found.todo} {again}")
    if isinstance(found, Failed) and step == "order" and account.in_doubt_at is not None:
        return Paused(
            FindingCode.ORDER_IN_DOUBT,
            f"an order was asked for, its answer was lost, and whether it exists was not told: {found.observed}",
            meaning=account.said,
            todo="Resume when the backend shows the account's orders; or end the session with `abandon`.",
            waiting_for="operator",
        )
    return found


def _defect(error: Exception, account: Account) -> Failed:
    """Name the place and the type of a defect; its message may hold a secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{PurePath(frame.filename).name}:{frame.lineno}"
    return Failed(
        FindingCode.DEFECT,
        f"this program cannot deal with what it was given: {type(error).__name__} at {place}",
        meaning=account.said,
        todo="Report the place, and resume: what was charged and did not come back can be refunded.",
    )


def _meant(error: VezaError, charged: str) -> Failed | Paused:
    if isinstance(error, AuthenticationError):
        return Failed(
            FindingCode.LOGIN_REFUSED,
            f"the backend refused the login: {error}",
            meaning=charged,
            todo="Check OPERATOR_EMAIL and OPERATOR_PASSWORD.",
        )
    if isinstance(error, LockedError):
        return Failed(
            FindingCode.ACCOUNT_LOCKED,
            f"the account is locked: {error}",
            meaning=charged,
            todo="Unlock it, or wait, and start anew.",
        )
    if isinstance(error, RateLimitError):
        after = f" in {error.retry_after:.0f} s" if error.retry_after else " later"
        return Paused(
            FindingCode.RATE_LIMITED,
            f"the backend allows no further request now: {error}",
            meaning=charged,
            todo=f"Resume{after}.",
            waiting_for="operator",
            retry_after=error.retry_after,
        )
    if isinstance(error, InvalidResponseError):
        return Paused(
            FindingCode.NO_ANSWER,
            f"{error}; this is not a refusal: what was asked for may have been done",
            meaning=charged,
            todo="See the place in the call's answer. Resume when the backend, or the SDK, is mended: what is in "
            "doubt is asked for first.",
            waiting_for="operator",
        )
    permanent = error.status_code is not None and error.status_code < 500  # noqa: PLR2004 - the HTTP classes
    if permanent:
        return Failed(
            FindingCode.REQUEST_REFUSED,
            f"the backend refused a request: {error}",
            meaning=charged,
            todo="See the call in the report.",
        )
    return Paused(
        FindingCode.NO_ANSWER,
        f"the backend did not give a usable answer: {error}",
        meaning=charged,
        todo="Resume when the backend is back.",
        waiting_for="operator",
    )
