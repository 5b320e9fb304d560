"""A hook of schemathesis: never sends logins, renewals or logouts, whatever its settings say."""

from __future__ import annotations

from typing import Any

import schemathesis

from veza_contract import witness as witness  # noqa: PLC0414 - its hooks count as well
from veza_contract.live import LOGINS
from veza_contract.operations import operation_ids

_SESSIONS = tuple(label.partition(" ")[2] for label, operation in operation_ids().items() if operation in LOGINS)


class LoginRefusedError(Exception):
    """A request that would count as a login, or end one, was about to be sent."""


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Refuse what logs in or out, right before the request is sent."""
    del context, kwargs
    if case.method.upper() not in {"GET", "HEAD"} and case.path.endswith(_SESSIONS):
        raise LoginRefusedError(f"{case.method} {case.path} would touch logins; it was not sent")
