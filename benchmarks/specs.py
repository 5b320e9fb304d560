# ruff: noqa: E501 - the page is written here as it reads
"""`contract diff` on a folder of public specs: each is read, compared and drafted in a process of its own.

    python -m benchmarks.specs FOLDER      # FOLDER/FAMILY/*.json, *.yaml; the specs are no part of the project

Ends with 1 where a spec is refused though it is one, something is raised, or a limit is passed. Writes `docs/specs.md`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from veza_contract import comparing, draft, spec
from veza_contract.findings import once
from veza_contract.model import Spec
from veza_contract.operations import document

PAGE = Path(__file__).parents[1] / "docs/specs.md"
SLOWEST, LARGEST = 30.0, 500.0
_PATIENCE = 120.0
_MOST_PAIRED = 200


@dataclass(frozen=True)
class Read:
    """What became of a spec.

    Attributes:
        family: its generator.
        name: its file.
        outcome: `read`, `refused` or `raised`.
        said: why it was refused, or what was raised.
        operations: how many it has.
        unread: the parts that could not be read, by what is wrong with them.
        seconds: for reading, comparing and drafting.
        megabytes: the process's peak.
    """

    family: str
    name: str
    outcome: str
    said: str = ""
    operations: int = 0
    unread: tuple[str, ...] = ()
    seconds: float = 0.0
    megabytes: float = 0.0

    @property
    def within(self) -> bool:
        return self.seconds <= SLOWEST and self.megabytes <= LARGEST


def compared(path: Path) -> Read:
    """Read a spec, compare it and draft from it."""
    family, name, began = path.parent.name, path.name, time.monotonic()
    ours = spec.read(document())
    try:
        theirs = spec.opened([path])
    except spec.SpecError as error:
        return Read(family, name, "refused", str(error).replace(f"{path}", name)[:200])
    except Exception:  # noqa: BLE001 - what is looked for
        return Read(family, name, "raised", traceback.format_exc()[-600:])
    try:
        found = comparing.compare(ours, theirs)
        draft.draft(ours, theirs, found.matches)
        forced = [
            one for entries in _pairings(ours, theirs) for one in comparing.compare(ours, theirs, entries).changes
        ]
        changes = once([*found.changes, *(one for one in forced if one.rule in {"unread", "incomparable"})])
        said = [str(change) for change in changes]
    except Exception:  # noqa: BLE001 - what is looked for
        return Read(family, name, "raised", traceback.format_exc()[-600:])
    unread = [line for change, line in zip(changes, said, strict=True) if change.rule in {"unread", "incomparable"}]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Read(family, name, "read", "", len(theirs.entries), tuple(unread), time.monotonic() - began, peak)


def _pairings(ours: Spec, theirs: Spec) -> Iterator[dict[str, str]]:
    """Yield maps that hold each of their operations, up to a limit, against one of ours, so that their schemas are read."""
    for method in ("GET", "POST"):
        own = [one.id for one in ours.operations if one.method == method]
        other = [f"{method} {entry.path}" for entry in theirs.entries if entry.method == method][:_MOST_PAIRED]
        for first in range(0, len(other), len(own)):
            yield dict(zip(own, other[first : first + len(own)], strict=False))


def _child(path: Path, out: Connection) -> None:
    out.send(compared(path))


def alone(path: Path) -> Read:
    """Compare a spec in a process of its own, so that its memory counts alone."""
    inner, outer = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.Process(target=_child, args=(path, outer))
    child.start()
    found = inner.recv() if inner.poll(_PATIENCE) else Read(path.parent.name, path.name, "raised", "it has no end")
    if child.is_alive():
        child.kill()
    child.join()
    assert isinstance(found, Read)
    return found


def page(results: Sequence[Read]) -> str:
    """Return the page."""
    counts = Counter(one.outcome for one in results)
    lines = [
        "# Public specs that `contract diff` was tried on", "",
        "Written by `python -m benchmarks.specs FOLDER`. The specs are public ones, from their generators' own repositories and",
        "from collections of public APIs; they are no part of this project. Each is read, compared with our contract (up to 200 of",
        "its operations of each method are held against one of ours, so that their schemas are compared too) and drafted",
        "from, in a process of its own. *Refused* are files that are no spec (drafts of other versions, broken on purpose).", "",
        f"{len(results)} specs: {counts['read']} read, {counts['refused']} refused, {counts['raised']} raised something.",
        f"The slowest took {max(one.seconds for one in results):.1f} s, the largest process {max(one.megabytes for one in results):.0f} MB.", "",
        "| Generator | Specs | Operations | Refused | With skipped parts | Skipped parts | Slowest, s | Peak, MB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    for family in sorted({one.family for one in results}):
        some = [one for one in results if one.family == family]
        lines.append(
            f"| {family} | {len(some)} | {sum(one.operations for one in some)} | {sum(one.outcome == 'refused' for one in some)} "
            f"| {sum(bool(one.unread) for one in some)} | {sum(len(one.unread) for one in some)} "
            f"| {max(one.seconds for one in some):.1f} | {max(one.megabytes for one in some):.0f} |"
        )
    lines += ["", "## Why a part was skipped", ""]
    kinds = Counter(_kind(line) for one in results for line in one.unread)
    lines += [f"- {count} times: {kind}" for kind, count in kinds.most_common(20)] or ["Nothing was skipped."]
    lines += ["", "## Refused", ""]
    lines += [f"- {one.family}: {one.said.partition(': ')[2]}" for one in results if one.outcome == "refused"] or [
        "None."
    ]
    return "\n".join(lines) + "\n"


def _kind(line: str) -> str:
    for word, kind in (
        ("leads nowhere", "a reference leads nowhere"), ("not a file beside", "a reference leads to another place"),
        ("No such file", "a file that is referred to is missing"), ("is not in the spec's folder", "a file outside the spec's folder"),
        ("refers to itself", "a reference refers to itself"), ("written twice", "a key is written twice"),
        ("cannot be compared", "a schema that is not one"), ("an object was expected", "not an object where one should be"),
    ):  # fmt: skip
        if word in line:
            return kind
    return "another reason"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--no-page", action="store_true")
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.glob("*/*") if path.suffix in {".json", ".yaml", ".yml"})
    results = []
    for path in paths:
        one = alone(path)
        results.append(one)
        if one.outcome != "read" or not one.within:
            print(
                f"{one.family}/{one.name}: {one.outcome} {one.seconds:.1f} s {one.megabytes:.0f} MB {one.said}",
                flush=True,
            )
    if not options.no_page:
        PAGE.write_text(page(results), encoding="utf-8")
    wrong = [one for one in results if one.outcome == "raised" or not one.within]
    print(f"{len(results)} specs, {Counter(one.outcome for one in results)}, {len(wrong)} over a limit or raised")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
