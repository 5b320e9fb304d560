"""`make mutation`: how many small changes to the rules about money the quick tests notice.

Cosmic Ray changes one operator, number, condition, loop or decorator at a time in `money/`, `evidence/`, `steps/` and
`engine/`. A seeded sample of the changes is tested, each in a copy of the tree, by the quick tests that run its line.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from queue import SimpleQueue

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "mutation.md"
ROOMS = ("money", "evidence", "steps", "engine")
QUICK = ("-m", "not process", "--brief", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=no", "-rfE")
LEAVE_OUT = (
    "--ignore=tests/setup", "--ignore=tests/runner/test_structure.py",
    "--ignore=tests/sdk", "--ignore=tests/contract", "--ignore=tests/rehearsal",
)  # fmt: skip
"""Tests of other rooms, and of how the source looks."""
REPLACED = frozenset({
    "Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is", "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE",
    "GtE_Gt", "GtE_Lt", "Add_Sub", "Sub_Add", "Mul_FloorDiv", "FloorDiv_Mul", "Div_Mul", "Mod_Mul", "BitOr_BitAnd",
    "BitAnd_BitOr", "BitXor_BitAnd", "Delete_Not", "USub_UAdd",
})  # fmt: skip
"""Of the operators that replace another: the opposite, the neighbour at a bound, and one other sum. Ten changes of one
plus sign would count one place ten times; an order of texts, and `is` for `==`, say nothing of a test."""
FIRST = 40
"""How many of the quickest tests are tried before the others: most changes end there."""
LONGEST = 600
TARGET = 0.95


@dataclass(frozen=True)
class Mutant:
    """One change: the file, its line, the operator and the mutated text."""

    path: Path
    line: int
    operator: str
    text: str
    was: str

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}:{self.line}"

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.path}\n{self.text}".encode()).hexdigest()[:16]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", metavar="TEXT", help="only the changes whose name holds this")
    parser.add_argument(
        "--contexts", type=Path, metavar="FILE", help="which test runs what; kept here for the next time"
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FILE",
        help="what earlier runs noticed, kept here: only the rest is tested again",
    )
    parser.add_argument("--write", action="store_true", help="write docs/mutation.md")
    given = parser.parse_args()
    every = [one for one in places() if given.only is None or given.only in f"{one.path}:{one.line}"]
    random.Random(given.seed).shuffle(every)
    chosen = list(islice(filter(None, map(changed, every)), given.sample))
    print(f"{len(every)} places, {len(chosen)} changes are tested", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copies = [copy(Path(folder) / str(number)) for number in range(given.processes)]
        known = contexts(copies[0], given.contexts)
        survived = tested(chosen, copies, known, Noticed.read(given.results))
    minutes = (time.monotonic() - begun) / 60
    score = 1 - len(survived) / max(1, len(chosen))
    for one, why in survived:
        print(f"survived: {one.name} {one.operator}: {one.was}  {why}")
    print(f"{score:.1%} of {len(chosen)} were noticed in {minutes:.1f} minutes")
    if given.write:
        PAGE.write_text(page(len(every), chosen, survived, given.seed, minutes), encoding="utf-8")
    return 0 if score >= TARGET else 1


@dataclass(frozen=True)
class Place:
    """Where an operator of Cosmic Ray can change something."""

    path: Path
    line: int
    operator: str
    occurrence: int


def places() -> Iterator[Place]:
    """Each place in the rooms, for each operator."""
    for room in ROOMS:
        for path in sorted((ROOT / "runner" / "veza_e2e" / room).glob("*.py")):
            nodes = list(ast_nodes(get_ast(path.read_text(encoding="utf-8"))))
            for name in cosmic_ray.plugins.operator_names():
                kind = cosmic_ray.plugins.get_operator(name)
                replaced = name.partition("Operator_")[2]
                if kind.arguments() or (replaced and replaced not in REPLACED):
                    continue
                found = [start for node in nodes for start, _ in kind().mutation_positions(node)]
                yield from (Place(path.relative_to(ROOT), line, name, n) for n, (line, _) in enumerate(found))


def changed(place: Place) -> Mutant | None:
    """The change at a place; None if it is in an annotation, or no program any more."""
    source = (ROOT / place.path).read_text(encoding="utf-8")
    operator = cosmic_ray.plugins.get_operator(place.operator)()
    try:
        text = mutate_code(source, operator, place.occurrence)
    except AttributeError:  # Cosmic Ray replaces no exception whose name has a dot
        return None
    if text is None or meant(text) in {None, meant(source)}:
        return None
    was = source.splitlines()[place.line - 1].strip()
    return Mutant(place.path, place.line, place.operator.removeprefix("core/"), text, was)


def meant(source: str) -> str | None:
    """What a program does: without annotations, and without `frozen` and `slots`, which only forbid what nobody does.

    None if it is no program any more.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dataclass":
            node.keywords = [word for word in node.keywords if word.arg not in {"frozen", "slots"}]
        for name in ("annotation", "returns"):
            if hasattr(node, name):
                setattr(node, name, None)
    return ast.dump(tree)


def copy(to: Path) -> Path:
    """A copy of the tree whose views have a fixed version, so that no test notices a change by its digest alone."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    for name in filter(None, files.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    version = python(to, "-c", "from veza_e2e import report; print(report.template_version())").stdout.strip()
    templates = to / "runner/veza_e2e/report/templates.py"
    fixed = templates.read_text(encoding="utf-8") + f"\n\ndef template_version() -> str:\n    return {version!r}\n"
    templates.write_text(fixed, encoding="utf-8")
    return to


def python(at: Path, *words: str, seconds: float = LONGEST, **more: str) -> subprocess.CompletedProcess[str]:
    """Run Python on a copy of the tree."""
    rooms = os.pathsep.join(str(at / name) for name in ("sdk", "runner", "rehearsal", "tests", "."))
    # Compiled files are written even if the shell forbids it: compiling every test anew would take most of the time.
    environment = {**os.environ, "PYTHONPATH": rooms, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "", **more}
    return subprocess.run(
        [ROOT / ".venv" / "bin" / "python", *words],
        cwd=at, env=environment, capture_output=True, encoding="utf-8", timeout=seconds, check=False,
    )  # fmt: skip


@dataclass(frozen=True)
class Contexts:
    """Which tests run which line of which file, and how long each takes.

    What the tests that are `new` since then run is not known: they are tried for every change.
    """

    took: dict[str, float]
    files: dict[str, dict[str, list[str]]]
    new: frozenset[str]

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests that run a line, the quickest first; for what runs at import those of the whole file, or all."""
        lines = self.files.get(str(mutant.path), {})
        by_line = {test for test in lines.get(str(mutant.line), ()) if test}
        found = by_line or {test for tests in lines.values() for test in tests if test} or self.took.keys()
        return sorted(found | self.new, key=lambda test: (self.took.get(test, 0.0), test))


def contexts(at: Path, kept: Path | None) -> Contexts:
    """Run the quick tests once, and note what each ran; or read what was noted."""
    if kept is None or not kept.is_file():
        kept = kept or at / "contexts.json"
        done = python(
            at, "-m", "pytest", "-p", "benchmarks.mutation_contexts", *QUICK, *LEAVE_OUT, seconds=6 * LONGEST,
            MUTATION_MAP=str(kept.resolve()), MUTATION_SOURCE=str(at / "runner" / "veza_e2e"),
        )  # fmt: skip
        if done.returncode != 0:
            raise SystemExit(f"the tests fail without a change:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
    told = json.loads(kept.read_text(encoding="utf-8"))
    listed = python(at, "-m", "pytest", "--collect-only", *QUICK, *LEAVE_OUT).stdout.splitlines()
    there = told["took"].keys() & set(listed)  # pytest ends with an error if one is gone: no change would survive
    new = frozenset(test for test in listed if "::" in test) - told["took"].keys()
    if new:  # one that fails without a change would notice each
        (at / "tests.txt").write_text("\n".join(sorted(new)), encoding="utf-8")
        done = python(at, "-m", "pytest", *QUICK, "@tests.txt")
        if done.returncode != 0:
            raise SystemExit(f"new tests fail without a change:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
    files = {
        path: {line: [test for test in tests if test in there] for line, tests in lines.items()}
        for path, lines in told["files"].items()
    }
    print(
        f"{len(there)} tests, {len(told['took']) - len(there)} are gone, {len(new)} new since they were looked at",
        flush=True,
    )
    return Contexts({name: told["took"][name] for name in there}, files, new)


@dataclass
class Noticed:
    """Which test noticed which change, in this run and in those before it."""

    by: dict[str, str]
    kept: Path | None

    @classmethod
    def read(cls, kept: Path | None) -> Noticed:
        return cls(json.loads(kept.read_text(encoding="utf-8")) if kept and kept.is_file() else {}, kept)

    def add(self, mutant: Mutant, test: str) -> None:
        self.by[mutant.digest] = test
        if self.kept is not None:
            self.kept.write_text(json.dumps(self.by, indent=1), encoding="utf-8")

    def in_order(self, tests: list[str], took: dict[str, float]) -> list[str]:
        """The tests that noticed most for the time that they take, then the others as they are."""
        often = Counter(self.by.values())
        return sorted(tests, key=lambda test: -often[test] / (1 + took.get(test, 0.0)))


def tested(chosen: list[Mutant], copies: list[Path], known: Contexts, noticed: Noticed) -> list[tuple[Mutant, str]]:
    """Test each change in a copy that is free; give those that survived."""
    free: SimpleQueue[Path] = SimpleQueue()
    for one in copies:
        free.put(one)

    def survives(mutant: Mutant) -> tuple[Mutant, str] | None:
        if mutant.digest in noticed.by:
            return None
        at = free.get()
        try:
            why = survival(mutant, at, known, noticed)
        finally:
            free.put(at)
        return None if why is None else (mutant, why)

    survived: list[tuple[Mutant, str]] = []
    with ThreadPoolExecutor(len(copies)) as pool:
        for number, result in enumerate(pool.map(survives, chosen), 1):
            if result is not None:
                survived.append(result)
                print(f"survived: {result[0].name} {result[0].operator}: {result[0].was}  {result[1]}", flush=True)
            if number % 20 == 0:
                print(f"{number} tested, {len(survived)} survived", flush=True)
    return survived


def survival(mutant: Mutant, at: Path, known: Contexts, noticed: Noticed) -> str | None:
    """Why a change survived; None if a test noticed it."""
    tests = noticed.in_order(known.tests(mutant), known.took)
    if not tests:
        return "(no quick test runs it)"
    file = at / mutant.path
    before = file.read_text(encoding="utf-8")
    names, first = at / "tests.txt", FIRST + len(known.new)
    _rewrite(file, mutant.text)
    try:
        for some in filter(None, (tests[:first], tests[first:])):
            names.write_text("\n".join(some), encoding="utf-8")
            done = python(at, "-m", "pytest", *QUICK, "-x", "@tests.txt")
            if done.returncode != 0:
                failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", done.stdout, re.MULTILINE)
                noticed.add(mutant, failed[1] if failed else "")
                return None
    except subprocess.TimeoutExpired:
        noticed.add(mutant, "")
        return None
    finally:
        _rewrite(file, before)
    return f"({len(tests)} tests)"


def _rewrite(file: Path, text: str) -> None:
    """Write a module; what was compiled of it goes, for a change may keep size and second."""
    file.write_text(text, encoding="utf-8")
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()


def page(every: int, chosen: list[Mutant], survived: list[tuple[Mutant, str]], seed: int, minutes: float) -> str:
    """The page of the docs; what is said of each survivor is kept from the page before."""
    said = reasons()
    total = Counter(one.path.parent.name for one in chosen)
    left = Counter(one.path.parent.name for one, _ in survived)
    rows = [f"| {room} | {total[room]} | {total[room] - left[room]} |" for room in ROOMS]
    rows.append(f"| all | {len(chosen)} | {len(chosen) - len(survived)} |")
    lines = [
        f"| `{one.name}` | {one.operator} | `{one.was.replace('|', chr(92) + '|')}` | {said.get(one.name, '')} |"
        for one, _ in sorted(survived, key=lambda pair: pair[0].name)
    ]
    return (
        "# Mutation score of the rules about money\n\n"
        f"Cosmic Ray finds {every:,} places for a single change in `money/`, `evidence/`, `steps/` and `engine/`. A\n"
        f"seeded sample of {len(chosen)} is tested by the quick tests that run the changed line:\n"
        f"{1 - len(survived) / len(chosen):.1%} were noticed.\n\n"
        "Of a comparison or a sum only the opposite, the neighbour at a bound or one other sum is tried. A change\n"
        "that only an annotation holds, or that lets a dataclass be changed, is not counted.\n\n"
        "| room | tested | noticed |\n|---|--:|--:|\n" + "\n".join(rows) + "\n\n## Survivors\n\n"
        "| line | change | what stands there | why it is left |\n|---|---|---|---|\n" + "\n".join(lines) + "\n\n"
        f"Measured {datetime.now(UTC):%Y-%m-%d} by `make mutation`, seed {seed}, in {minutes:.0f} minutes, "
        f"{platform.system()} {platform.machine()},\nPython {platform.python_version()}.\n"
    )


def reasons() -> dict[str, str]:
    """What the page said of each survivor."""
    if not PAGE.is_file():
        return {}
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return {row[0].strip("| `"): row[-1].strip(" |") for row in rows}


if __name__ == "__main__":
    sys.exit(main())
