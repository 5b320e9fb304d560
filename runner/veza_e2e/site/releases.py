"""A session as the site shows it, and the file names of releases. What decides about one: `evidence.release`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from veza_e2e.archive.releases import Held
from veza_e2e.canonical import JSON
from veza_e2e.evidence import release as deciding
from veza_e2e.frozen import dataclass
from veza_e2e.journal import Line
from veza_e2e.journal.events import StepFinished
from veza_e2e.report.cells import Section


@dataclass(frozen=True, slots=True)
class Entry(Held):
    """A session of the archive."""

    altered: tuple[str, ...] = ()
    """The views whose digest differs from that in the journal."""
    receipt: Section | None = None
    """What was charged, refunded, reversed and credited; None if the files are damaged."""
    acceptance: Section | None = None
    """The acceptance items with their evidence, of a run that was asked for as live."""
    ids: tuple[str, ...] = ()
    """Its order, payment, refund, license and all others that its steps saw."""

    @property
    def release(self) -> str | None:
        """The release that the session is evidence for."""
        return deciding.release_of(self)

    @property
    def page(self) -> str:
        """The path of the session's page, relative to the archive's index."""
        return "/".join((*self.stored.folder.parts[-3:], "index.md"))

    @property
    def html(self) -> str:
        """The path of the built page, relative to the archive's index."""
        return self.page.removesuffix(".md") + ".html"


Release: TypeAlias = deciding.Release[Entry]
Archived: TypeAlias = deciding.Archived[Entry]


def slug(name: str) -> str:
    """Return a file name for any text: its letters and digits, plus a digest if it holds anything else."""
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:40]
    if plain == name and plain != "index":
        return plain
    return f"{plain or 'release'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def ids_of(lines: Sequence[Line]) -> tuple[str, ...]:
    """Return the ids that a session's steps saw, each once, in order."""
    results = (line.event.result for line in lines if isinstance(line.event, StepFinished))
    return tuple(dict.fromkeys(found for result in results for found in _ids(result)))


def _ids(value: JSON, name: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for member, inner in value.items():
            yield from _ids(inner, member)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _ids(inner, name)
    elif isinstance(value, str | int) and name.endswith("id"):
        yield str(value)
