"""A session as the site shows it, and the file names of releases. What decides about one: `evidence.release`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TypeAlias

from veza_e2e.archive.releases import Held
from veza_e2e.evidence import release as deciding
from veza_e2e.report.cells import Section


@dataclass(frozen=True, slots=True)
class Entry(Held):
    """A session of the archive."""

    altered: tuple[str, ...] = ()
    """The views whose digest differs from that in the journal."""
    receipt: Section | None = None
    """What was charged, refunded, reversed and credited; None if the files are damaged."""

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
