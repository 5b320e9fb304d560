# ruff: noqa: E501 - the page is written here as it reads
"""`make mutants`: the mutation score of the contract tests, as a page of the docs.

Every single mutation of the contract against a, b and static; then bugs in copies of the SDK and of the rehearsal
backend. Ends with 1 where fewer are found than the targets say.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import mutants_backend, mutants_sdk
from benchmarks.mutants_label import Label, label
from benchmarks.mutants_spec import Mutant, mutants

from veza_contract import bindings, containment, requests, responses, sending, spec
from veza_contract.model import Spec

CONTRACT = Path(__file__).parents[1] / "sdk/veza/openapi.json"
PAGE = Path(__file__).parents[1] / "docs/contract-mutants.md"
COUNT, SEED = 20, 1
TARGETS = {
    "breaking, a+b": 0.995, "breaking, all": 1.0, "drift, all": 0.98, "SDK bugs": 1.0,
    "backend bugs": mutants_backend.LEAST / len(mutants_backend.BUGS),
}  # fmt: skip


@dataclass(frozen=True)
class Result:
    kind: str
    name: str
    label: Label
    a: bool
    b: bool
    static: bool

    @property
    def found(self) -> bool:
        return self.a or self.b or self.static


@cache
def _base() -> Spec:
    return spec.read(spec.load(CONTRACT))


@cache
def _calls(count: int, seed: int) -> tuple[sending.Sent, ...]:
    return tuple(sending.sent(count, seed, asynchronous=False))


def judged(mutant: Mutant) -> Result:
    """Label a mutant and let each check look at it."""
    new = spec.read(mutant.document)
    marked = label(_base(), new)
    if marked is Label.EQUIVALENT:
        return Result(mutant.kind, mutant.name, marked, a=False, b=False, static=False)
    a = any(requests.check(new, call) for call in _calls(COUNT, SEED))
    return Result(mutant.kind, mutant.name, marked, a, _b(new), bool(containment.check(new)))


def _b(new: Spec) -> bool:
    """Whether b finds something; what a mutation leaves as it was is known to be fine."""
    known, old = bindings.by_operation(), _base().by_id()
    if new.by_id().keys() != old.keys():
        return True
    budget = responses.Budget(COUNT, SEED)
    for operation in new.operations:
        before = old[operation.id].responses
        changed = {status: media for status, media in operation.responses.items() if media != before.get(status)}
        for status, media in changed.items():
            only = replace(operation, responses={status: media})
            if responses.check_operation(only, known[operation.id], budget):
                return True
    return False


def unmutated(seed: int) -> int:
    """Return how many findings the contract itself gives under a seed."""
    calls = (*sending.sent(COUNT, seed, asynchronous=False), *sending.sent(COUNT, seed, asynchronous=True))
    found = [finding for call in calls for finding in requests.check(_base(), call)]
    found += responses.check(_base(), responses.Budget(COUNT, seed)) + containment.check(_base())
    for finding in found[:3]:
        print(f"  seed {seed}: {finding}")
    return len(found)


def share(results: Iterable[Result], *, static: bool = True) -> tuple[int, int]:
    """Return how many were found, and of how many."""
    every = list(results)
    return sum(one.a or one.b or (static and one.static) for one in every), len(every)


def page(results: Sequence[Result], findings: int, sections: Iterable[Sequence[str]], seeds: int, spent: str) -> str:
    """Return the page of the score."""
    real = [one for one in results if one.label is not Label.EQUIVALENT]
    when, machine = datetime.now(UTC).date().isoformat(), f"{platform.machine()}, {os.cpu_count()} cores"
    lines = [
        "# The mutation score of the contract tests", "",
        f"Written by `make mutants` on {when}, {machine}, CPython {platform.python_version()}, in {spent}.",
        "", "Every single mutation of `openapi.yaml`, labelled by comparing the two specs alone, on closed schemas:",
        "*breaking* where an answer became wider, a request narrower or the structure another; *drift* where only the",
        "compatible direction changed. Mutations that change nothing are left out. **a** holds the SDK's requests against",
        "the spec, **b** lets the SDK read generated answers, **static** compares the types. The SDK stays as it is: its",
        "own table of operations, generated from the contract, counts as a part of it.", "",
        "| Class | Label | Mutants | a | b | a+b | static | all |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    groups: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for one in real:
        groups[one.kind, one.label].append(one)
    lines += [_row(kind, marked, members) for (kind, marked), members in sorted(groups.items())]
    lines += [
        _row("**all**", marked, [one for one in real if one.label is marked])
        for marked in (Label.BREAKING, Label.DRIFT)
    ]
    lines += ["", f"Equivalent, left out: {len(results) - len(real)}. The contract itself: {findings} findings over {seeds} seeds.",
              "", "## Survivors", ""]  # fmt: skip
    lines += [f"- {one.label}, {one.kind}: `{one.name}`" for one in real if not one.found] or ["None."]
    missed = [one for one in real if one.label is Label.BREAKING and not (one.a or one.b)]
    lines += ["", "Breaking ones that only static finds:", ""]
    lines += [f"- {one.kind}: `{one.name}`" for one in missed] or ["None."]
    return "\n".join([*lines, *(line for section in sections for line in ("", *section))]) + "\n"


def _row(kind: str, marked: str, members: Sequence[Result]) -> str:
    every = len(members)
    counts = [
        sum(one.a for one in members), sum(one.b for one in members), sum(one.a or one.b for one in members),
        sum(one.static for one in members), sum(one.found for one in members),
    ]  # fmt: skip
    shown = " | ".join(f"{count} ({100 * count / every:.1f}%)" if every else "0" for count in counts)
    return f"| {kind} | {marked} | {every} | {shown} |"


def _bugs(bugs: Sequence[mutants_sdk.Outcome]) -> list[str]:
    found = Counter(one.found_by for one in bugs)
    by = ", ".join(f"{name or 'nothing'} {count}" for name, count in sorted(found.items()))
    lines = ["## The dual: bugs in the SDK", "",
             f"{len(bugs)} bugs, each seeded into a copy of the SDK; the first check that finds it: {by}.", "",
             "| Bug | File | Found by |", "|---|---|---|"]  # fmt: skip
    return [*lines, *(f"| {one.name} | `{one.file}` | {one.found_by or '**nothing**'} |" for one in bugs)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    mutants_backend.check()
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:>4.0f} s  {text}", flush=True)

    with ProcessPoolExecutor(options.jobs) as pool:
        findings = sum(pool.map(unmutated, range(options.seeds)))
        say(f"the contract itself, {options.seeds} seeds: {findings} findings")
        results = list(pool.map(judged, mutants(spec.load(CONTRACT)), chunksize=8))
        say(f"{len(results)} mutants of the contract")
        bugs = list(pool.map(mutants_sdk.seeded, mutants_sdk.bugs()))
        say(f"{len(bugs)} bugs in the SDK")
        longest = pool.submit(mutants_backend.twice)
        planted = list(pool.map(mutants_backend.asked, mutants_backend.BUGS))
        say(f"{len(planted)} bugs in the backend")
        long = longest.result()
        say(f"the backend itself, twice: {long[0].counted}")
    sections = (_bugs(bugs), mutants_backend.section(long, planted))
    spent = f"{(time.monotonic() - began) / 60:.1f} minutes"
    PAGE.write_text(page(results, findings, sections, options.seeds, spent), encoding="utf-8")
    breaking = [one for one in results if one.label is Label.BREAKING]
    drift = [one for one in results if one.label is Label.DRIFT]
    scores = {
        "breaking, a+b": share(breaking, static=False), "breaking, all": share(breaking), "drift, all": share(drift),
        "SDK bugs": (sum(bool(one.found_by) for one in bugs), len(bugs)),
        "backend bugs": (sum(one.code != 0 for one in planted), len(planted)),
    }  # fmt: skip
    for name, (count, every) in scores.items():
        print(f"{name}: {count} of {every}, at least {TARGETS[name]:.1%} wanted")
    reached = all(count / every >= TARGETS[name] for name, (count, every) in scores.items())
    held = not findings and long[0].code == long[1].code == 0 and long[0].log == long[1].log
    return 0 if reached and held else 1


if __name__ == "__main__":
    sys.exit(main())
