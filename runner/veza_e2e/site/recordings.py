"""The committed recordings as rehearsals: a replay tells each again. They stand beside the archive and never count."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

import veza_e2e
from veza_e2e.cassettes.errors import CassetteError, Mismatch
from veza_e2e.evidence import Item, summarise
from veza_e2e.frozen import dataclass
from veza_e2e.journal import chain
from veza_e2e.report.cells import Fact
from veza_e2e.report.head import money_line
from veza_e2e.report.view import view
from veza_e2e.site import session_pages as pages
from veza_e2e.site.session_page import Link, session_page

WHERE = "recorded/rehearsals"
"""Of the recordings' pages, relative to the archive's index; as deep as a session's."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An acceptance item of a recording, or a step."""

    title: str
    status: str
    evidence: tuple[int, ...]
    why: str = ""
    """Of an item that counts and is not met: the reason."""

    @property
    def css(self) -> str:
        """The status as a class."""
        return self.status.replace("_", "-")

    @property
    def told(self) -> str:
        """The status for people."""
        return self.status.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording on the site."""

    name: str
    outcome: str
    told: str
    """What the account says; of a recording that cannot be replayed, why."""
    events: int = 0
    acceptance: tuple[Judged, ...] = ()

    @property
    def url(self) -> str | None:
        """Its page, relative to the archive's index; None if it cannot be replayed."""
        return f"{WHERE}/{self.name}/{pages.PAGE}" if self.events else None


def write_recordings(cassettes: Path, folder: Path) -> tuple[Recorded, ...]:
    """Write what has changed of the recordings' pages to `folder`, beside the sessions'; return them by name."""
    names = sorted(path.parent.name for path in cassettes.glob("*/cassette.json"))
    pages.leave(folder / WHERE, names)
    return tuple(_recording(cassettes / name, folder / WHERE / name) for name in names)


def _recording(cassette: Path, there: Path) -> Recorded:
    made_from = pages.digest(
        pages.version(), _code(), *(path.read_bytes() for path in sorted(cassette.glob("*.json*")))
    )
    if pages.is_kept(there, made_from):
        kept: dict[str, Any] = json.loads((there / pages.ROW).read_text(encoding="utf-8"))
        return Recorded(**{**kept, "acceptance": tuple(Judged(**item) for item in kept["acceptance"])})
    # The walkthrough is slow to import, and mostly all pages are there.
    from veza_e2e.cassettes.perform import perform  # noqa: PLC0415

    try:
        lines = perform(cassette).lines
    except (CassetteError, Mismatch) as error:
        return Recorded(cassette.name, "damaged", str(error))
    report = view(lines)
    summary = summarise(lines)
    links = (Link("All recorded rehearsals", "../../../index.html#recorded-rehearsals"),)
    page = session_page(lines, report, links=links, files=tuple(_files()))
    judged = tuple(_judged(item) for item in summary.acceptance)
    row = Recorded(cassette.name, summary.outcome, money_line(summary), summary.events, judged)
    texts = {
        "journal.jsonl": b"".join(chain(line.seq, line.at, line.event, line.prev)[1] for line in lines).decode(),
        pages.SUMMARY: pages.document(summary),
        pages.PAGE: pages.rendered("recording.html", page=page, name=cassette.name),
        pages.ROW: json.dumps(asdict(row)),
        pages.MADE_FROM: made_from,
    }
    pages.make(there, texts)
    return row


def _judged(item: Item) -> Judged:
    counts = item.status not in {"met", "not_applicable"}
    return Judged(item.title, item.status, item.evidence, item.reason if counts else "")


def _files() -> Iterator[Fact]:
    for name in (pages.SUMMARY, "journal.jsonl"):
        yield Fact(name, Markup('<a href="{0}">{0}</a>').format(name))


@cache
def _code() -> str:
    """Return the digest of the runner's code, by which a replay comes to what it does."""
    package = Path(str(veza_e2e.__file__)).parent
    return pages.digest(*(path.read_bytes() for path in sorted(package.rglob("*.py"))))
