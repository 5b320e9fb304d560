"""The one form of a spec, whatever its dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Protocol

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
class Note:
    """A part of a spec that could not be read, or not with certainty.

    Attributes:
        place: the file and line, or the JSON pointer.
        message: what is wrong with it.
        part: of an operation: `parameters`, `body`, `responses`, `security`, or the status; else empty.
    """

    place: str
    message: str
    part: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of a spec.

    Attributes:
        id: the operationId; made from method and path if the spec has none.
        named: whether the spec gives the operationId.
        method: in upper case.
        path: with the base path.
        parameters: by place and name.
        body: None if it has no body.
        responses: by status (`200`, `2XX`, `default`), the schema of each media type.
        security: the alternatives, each a set of logins such as `bearer` or `cookie:session`. An empty set, or no
            alternative at all, allows requests without a login.
        inherited: whether the spec asks for the login in general, and not of this operation.
        unread: what of it could not be read.
        entry: where it stands in its spec; None if it was made by hand.
    """

    id: str
    named: bool
    method: str
    path: str
    parameters: dict[tuple[str, str], Parameter]
    body: Body | None
    responses: dict[str, dict[str, Schema]]
    security: tuple[frozenset[str], ...] = ()
    inherited: bool = False
    unread: tuple[Note, ...] = ()
    entry: Entry | None = field(default=None, repr=False, compare=False)

    @property
    def shape(self) -> str:
        """The path without the names of its parameters."""
        return shape(self.path)

    @property
    def public(self) -> bool:
        """Whether it needs no login."""
        return not self.security or frozenset() in self.security


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an operation stands in a spec. The operation itself is read on demand.

    Attributes:
        id: the operationId; made from method and path if the spec has none.
        named: whether the spec gives the operationId.
        method: in upper case.
        paths: the path below each base path that the spec's servers give it.
        key: the path as the spec writes it.
        reader: the reader of its document.
    """

    id: str
    named: bool
    method: str
    paths: tuple[str, ...]
    key: str
    reader: OperationReader = field(repr=False, compare=False)

    @property
    def path(self) -> str:
        """The path below the first base path."""
        return self.paths[0]

    @property
    def shapes(self) -> frozenset[str]:
        """The paths without the names of their parameters."""
        return frozenset(map(shape, self.paths))

    def read(self, path: str = "") -> Operation:
        """Return the operation, at one of its paths (the first if none is given)."""
        return self.reader.operation(self, path or self.path)


class OperationReader(Protocol):
    """Reads the operations of a document."""

    document: Mapping[str, Any]

    def operation(self, entry: Entry, path: str) -> Operation:
        """Return an operation; what of it cannot be read stands in its `unread`."""

    def odd(self, entry: Entry) -> tuple[Note, ...]:
        """Return what of an operation cannot be read, its schemas aside."""

    def resolved(self, node: Any) -> dict[str, Any]:
        """Return the object that a node is, or refers to."""

    def node(self, entry: Entry) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return an operation's path item and its node, as they are written."""


@dataclass(frozen=True)
class Spec:
    """A spec, of one document or several.

    Attributes:
        title: the spec's title.
        version: `2.0` or `3.x`.
        entries: where all operations stand, in the spec's order.
        document: the spec's document; the first of several.
        notes: what could not be read; no operation of ours may need it.
        base: the base path of `paths`.
        based: whether the spec states its base path; if not, ours is assumed.
    """

    title: str
    version: str
    entries: tuple[Entry, ...]
    document: Mapping[str, Any] = field(repr=False)
    notes: tuple[Note, ...] = ()
    base: str = ""
    based: bool = True

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """All operations, read."""
        return tuple(entry.read() for entry in self.entries)

    def by_id(self) -> dict[str, Operation]:
        """Return the operations by operationId."""
        return {operation.id: operation for operation in self.operations}


def shape(path: str) -> str:
    """Return a path without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path)
