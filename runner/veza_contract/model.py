"""The one form of a spec, whatever its dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from veza_contract.schema import Schema

METHODS: Final = ("get", "head", "post", "put", "patch", "delete")
JSON_MEDIA: Final = "application/json"
ANY_COOKIE: Final = "cookie:*"
"""A login carried by a cookie whose name the spec does not state."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter beside the body."""

    name: str
    place: str
    required: bool
    schema: Schema


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body: the schema of each media type."""

    required: bool
    media: dict[str, Schema]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of a spec.

    Attributes:
        id: the operationId; made from method and path if the spec has none.
        named: whether the spec gives the operationId.
        method: in upper case.
        path: with the base path.
        parameters: by place and name.
        body: the request's body; None if it has no body.
        responses: by status (`200`, `2XX`, `default`), the schema of each media type.
        security: the alternatives, each a set of logins such as `bearer` or `cookie:session`. An empty set, or no
            alternative at all, allows requests without a login.
    """

    id: str
    named: bool
    method: str
    path: str
    parameters: dict[tuple[str, str], Parameter]
    body: Body | None
    responses: dict[str, dict[str, Schema]]
    security: tuple[frozenset[str], ...] = ()

    @property
    def shape(self) -> str:
        """The path without the names of its parameters."""
        return re.sub(r"\{[^}]*\}", "{}", self.path)

    @property
    def public(self) -> bool:
        """Whether it needs no login."""
        return not self.security or frozenset() in self.security


@dataclass(frozen=True, slots=True)
class Spec:
    """A spec.

    Attributes:
        title: the spec's title.
        version: `2.0` or `3.x`.
        operations: all of them, in the spec's order.
        document: the spec's document.
        warnings: what could not be read and was skipped.
        base: the base path of `paths`.
        based: whether the spec states its base path; if not, ours is assumed.
    """

    title: str
    version: str
    operations: tuple[Operation, ...]
    document: Mapping[str, Any] = field(repr=False)
    warnings: tuple[str, ...] = ()
    base: str = ""
    based: bool = True

    def by_id(self) -> dict[str, Operation]:
        """Return the operations by operationId."""
        return {operation.id: operation for operation in self.operations}
