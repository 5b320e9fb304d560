"""What goes over the simulated network: an answer, before it is lost, garbled or delivered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Question:
    """A request as a server sees it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


def _nothing() -> None:
    pass


@dataclass
class Answer:
    """An answer; `delivered` is called if it reaches the client."""

    status: int
    document: Any
    headers: dict[str, str] = field(default_factory=dict)
    delivered: Callable[[], None] = _nothing

    def encoded(self) -> bytes:
        return self.document if isinstance(self.document, bytes) else json.dumps(self.document).encode()
