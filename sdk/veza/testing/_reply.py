"""What the fake backend is told to answer, and what it was asked."""

from __future__ import annotations

import json as json_module
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Break: TypeAlias = Literal["connect", "connect_timeout", "write", "read", "read_timeout", "disconnect"]
"""How a connection fails: `connect` and `connect_timeout` before anything is sent, the others after."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer that a test scripts.

    Attributes:
        status: the HTTP status.
        data: put into the success envelope.
        json: the whole body as a JSON value, in the place of `data`.
        body: the whole body as bytes, in the place of both.
        headers: beside `X-Request-ID`.
        breaks: fail in this way in the place of answering.
        carried_out: with `breaks`, whether the backend does what it was asked before the connection fails.
        seconds: let the backend's clock pass these seconds first.
    """

    status: int = 200
    data: Any = None
    json: Any = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks: Break | None = None
    carried_out: bool = False
    seconds: float = 0.0

    def content(self) -> bytes:
        """Return the body's bytes."""
        if self.body is not None:
            return self.body
        value = {"success": True, "data": self.data} if self.json is None else self.json
        return json_module.dumps(value).encode()


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request as the fake backend received it.

    Attributes:
        operation: the contract's operationId; None where no operation has this path and method.
        method: the HTTP method.
        path: without the base path and the query.
        query: by name.
        headers: by lower-case name.
        body: the parsed JSON; None where there was none.
    """

    operation: str | None
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
