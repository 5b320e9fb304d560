"""A hook of schemathesis: sends nothing but GET and HEAD, whatever its settings say."""

from __future__ import annotations

from typing import Any

import schemathesis

from veza_contract import witness as witness  # noqa: PLC0414 - its hooks count as well

_READS = frozenset({"GET", "HEAD"})


class WriteRefusedError(Exception):
    """A request that could change something was about to be sent in a read-only run."""


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Refuse every method but GET and HEAD, right before the request is sent."""
    del context, kwargs
    if case.method.upper() not in _READS:
        raise WriteRefusedError(f"{case.method} {case.path} is not a read; it was not sent")
