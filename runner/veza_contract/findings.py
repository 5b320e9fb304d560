"""The results of the contract tools: findings of checks, and changes in another spec."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

_ID_LENGTH: Final = 12


class Direction(StrEnum):
    """The direction of a check."""

    CLIENT = "a"
    """Client → spec: what the SDK sends."""
    SPEC = "b"
    """Spec → client: what the SDK reads."""
    STATIC = "static"
    """The SDK's types against the spec's schemas, without a call."""


class Verdict(StrEnum):
    """What a change means for today's SDK."""

    BREAK = "break"
    """The backend refuses what the SDK sends, or the SDK cannot read what it answers."""
    DRIFT = "drift"
    """The SDK still works, but its types differ from the spec."""
    BEYOND = "beyond"
    """The spec offers something that the SDK does not use."""
    UNREAD = "unread"
    """A part of the spec could not be read, so that nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between the SDK and a spec.

    Attributes:
        direction: the check that found it.
        operation: the operationId.
        place: where in the request or the response.
        message: what differs.
        value: a value that shows it, as JSON text; empty if there is none.
    """

    direction: Direction
    operation: str
    place: str
    message: str
    value: str = ""

    def __str__(self) -> str:
        shown = f" ({self.value[:200]})" if self.value else ""
        return f"{self.direction}: {self.operation} {self.place}: {self.message}{shown}"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of another spec.

    Attributes:
        verdict: what it means.
        operation: our operationId; empty if it concerns the whole spec.
        method: the SDK's method, as a caller writes it.
        place: the changed part: `path`, `login`, `body items.0.product_id`, `200 data.status`.
        message: what changed.
        value: a value that shows it, as JSON text; empty if none does.
        file: the file to change, from the top of the project; empty if none needs to be.
        rule: the rule that it breaks, which stays the same from version to version; see `rules`.
        about: what was compared; the same change of something that several operations use is said once.
        detail: what theirs is; another one is another change.
        also: the further places with the same change, each as method and place.
        ids: what a baseline knows it by; one for each place.
    """

    verdict: Verdict
    operation: str
    method: str
    place: str
    message: str
    value: str = ""
    file: str = ""
    rule: str = ""
    about: str = field(default="", repr=False)
    detail: str = field(default="", repr=False)
    also: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """What a baseline knows this change by."""
        said = json.dumps([self.rule, self.operation, self.place, self.detail], ensure_ascii=False)
        return hashlib.sha256(said.encode()).hexdigest()[:_ID_LENGTH]

    @property
    def name(self) -> str:
        """The method, or what else it is about."""
        return self.method or self.operation or "spec"

    def __str__(self) -> str:
        shown = f", e.g. {self.value[:160]}" if self.value else ""
        where = f" → {self.file}" if self.file else ""
        also = f"; also {', '.join(self.also)}" if self.also else ""
        return f"{self.place}: {self.message}{shown}{also}{where}"


def once(changes: Iterable[Change]) -> list[Change]:
    """Return the changes, each said once: the same change of what several operations use names all of its places."""
    found: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        last = change.place.rpartition(" ")[2].rpartition(".")[2]
        last = "" if last.isdecimal() and change.about else last  # the same schema at several statuses
        key = (change.rule, change.verdict, last, change.message, change.about, change.value)
        found.setdefault(key, []).append(change)
    return [
        replace(
            first, ids=tuple(one.id for one in (first, *rest)),
            also=tuple(f"{one.name} {one.place}" for one in rest),
        )
        for first, *rest in found.values()
    ]  # fmt: skip
