# ruff: noqa: E501 - the page is written here as it reads
"""Every single breaking mutation of our own contract, given to `contract diff` as a backend's spec.

None may be silent. One that is no break for the diff is drift by a rule, which says why the SDK does not mind.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.mutants_label import Label, label
from benchmarks.mutants_spec import Mutant, mutants

from veza_contract import spec
from veza_contract.comparing import breaks, compare
from veza_contract.model import Spec
from veza_contract.rules import RULES

CONTRACT = Path(__file__).parents[1] / "sdk/veza/openapi.json"
PAGE = Path(__file__).parents[1] / "docs/contract-diff-mutants.md"


@dataclass(frozen=True)
class Seen:
    """What the diff says of a mutation: whether it breaks, and the rules of what it finds."""

    kind: str
    name: str
    label: Label
    broken: bool
    rules: frozenset[str]


@cache
def _base() -> Spec:
    return spec.read(spec.load(CONTRACT))


def seen(mutant: Mutant) -> Seen:
    """Label a mutation, and compare it."""
    theirs = spec.read(mutant.document)
    marked = label(_base(), theirs)
    if marked is not Label.BREAKING:
        return Seen(mutant.kind, mutant.name, marked, broken=False, rules=frozenset())
    changes = compare(_base(), theirs).changes
    return Seen(mutant.kind, mutant.name, marked, any(map(breaks, changes)), frozenset(one.rule for one in changes))


def page(results: list[Seen]) -> str:
    """Return the page."""
    breaking = [one for one in results if one.label is Label.BREAKING]
    silent = [one for one in breaking if not one.rules]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in breaking:
        counts[one.kind]["break" if one.broken else "other" if one.rules else "silent"] += 1
    lines = [
        "# `contract diff` on the mutants of our own contract", "",
        "Written by `python -m benchmarks.mutants_diff`. Every single mutation of `openapi.yaml` that the two specs alone call",
        "breaking (see [the mutation score](contract-mutants.md)) is compared as if it were a backend's spec.", "",
        _told(breaking), "",
        "| Class | Break | Drift or beyond | Silent |", "|---|--:|--:|--:|",
    ]  # fmt: skip
    lines += [
        f"| {kind} | {some['break']} | {some['other']} | {some['silent']} |" for kind, some in sorted(counts.items())
    ]
    lines += [
        "",
        "## Why the rest is no break",
        "",
        "| Rule | Mutants | Why the SDK goes on working | Such as |",
        "|---|--:|---|---|",
    ]
    drifting: dict[str, list[str]] = defaultdict(list)
    for one in breaking:
        if one.rules and not one.broken:
            for rule in one.rules:
                drifting[rule].append(one.name)
    lines += [
        f"| `{rule}` | {len(names)} | {RULES[rule][1]} | `{min(names)}` |" for rule, names in sorted(drifting.items())
    ]
    lines += ["", "## Silent", "", *([f"- {one.kind}: `{one.name}`" for one in silent] or ["None."])]
    return "\n".join(lines) + "\n"


def _told(breaking: list[Seen]) -> str:
    broken, silent = sum(one.broken for one in breaking), sum(not one.rules for one in breaking)
    return f"{len(breaking)} breaking mutants: {broken} break, {len(breaking) - broken - silent} drift or go beyond, {silent} are silent."


def main() -> int:
    with ProcessPoolExecutor(2) as pool:
        results = list(pool.map(seen, mutants(spec.load(CONTRACT)), chunksize=16))
    PAGE.write_text(page(results), encoding="utf-8")
    silent = [one for one in results if one.label is Label.BREAKING and not one.rules]
    print(f"{len(results)} mutants, {len(silent)} breaking ones are silent; {PAGE}")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
