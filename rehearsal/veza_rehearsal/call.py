"""A request to the API, before and after the check against the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it was received.

    Attributes:
        path: The path's parameters.
        query: The query's pairs.
        headers: The headers, their names in lower case.
        cookies: The cookies.
        body: The raw body.
        address: Where it came from.
        request_id: Its id, echoed in the answer.
    """

    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    headers: Sequence[tuple[str, str]]
    cookies: Mapping[str, str]
    body: bytes
    address: str
    request_id: str

    def header(self, name: str) -> str:
        """Return a header's first value; empty if it was not sent."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the check against the contract.

    Attributes:
        path: The path's parameters.
        query: The query's parameters that were sent.
        body: The JSON body; empty if there is none.
        idempotency_key: The `Idempotency-Key`, if one was sent.
        user: The caller's row of `users`; empty on a public operation.
        address: Where the request came from.
        request_id: The request's id.
    """

    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    idempotency_key: str | None
    user: dict[str, Any]
    address: str
    request_id: str
