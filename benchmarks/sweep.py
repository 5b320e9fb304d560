"""`make sweep`: 500 seeded kill -9 in mid-walkthrough, each resumed to its end, and the books counted.

Each case kills the process at one system call (see `killed.py`), some of them again during the resume, half of them
with a backend that ignores idempotency keys, some with an answer dropped between the backend's commit and the read.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import driver

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "sweep.md"
FIRST = 40
"""Of the system calls before it, most belong to the set-up."""
MOST_RESUMES = 4
KILLED = (sys.executable, str(ROOT / "benchmarks" / "killed.py"))


@dataclass(frozen=True)
class Case:
    seed: int
    point: int
    how: int
    honoured: bool
    dropped: int
    again: int

    @classmethod
    def of(cls, seed: int, total: int, last: int) -> Case:
        """Draw a case; all of them together are spread over the system calls from `FIRST` to `last`."""
        draw = random.Random(seed)
        spread = FIRST + (last - 2 - FIRST) * (seed % total) // (total - 1)
        return cls(
            seed=seed,
            point=spread + draw.randrange(3),
            how=draw.randrange(3),
            honoured=seed % 2 == 0,
            dropped=draw.choice([0, 0, 0, 0, 0, 0, 1, 2]),
            again=draw.randrange(45, 200) if draw.random() < 0.25 else 0,
        )

    @property
    def faults(self) -> list[str]:
        switches = [] if self.honoured else ["no_idempotency"]
        switches += [f"drop_after_commit={self.dropped}"] if self.dropped else []
        return [word for switch in switches for word in ("--fault", switch)]


@dataclass(frozen=True)
class Ending:
    case: Case
    step: str
    outcome: str
    finding: str
    orders: int
    charges: int
    refunds: int
    problems: tuple[str, ...]


def _command(folder: Path, point: int, how: int, words: list[str]) -> subprocess.CompletedProcess[str]:
    return driver.command(folder, str(point), str(how), "--", *words, program=KILLED)


def system_calls() -> int:
    """Return at how many system calls a walkthrough can be killed: as many as one needs that is left alone."""
    with driver.folder("sweep-") as folder:
        done = _command(folder, 0, 0, ["--json", "run", "--unattended", "--refund"])
    return int(done.stderr.splitlines()[-1].removesuffix(" points"))


def carry_out(case: Case) -> Ending:
    """Kill one walkthrough, resume it to its end, and count what really happened."""
    with driver.folder("sweep-") as folder:
        return _carried_out(case, folder)


def _carried_out(case: Case, folder: Path) -> Ending:
    problems: list[str] = []
    done = _command(folder, case.point, case.how, ["--json", "run", "--unattended", "--refund", *case.faults])
    kept = driver.journal(folder)
    begun = [line for line in driver.lines(kept) if line["type"] == "StepStarted"]
    step = begun[-1]["step"] if begun else "before the first step"
    if done.returncode != -signal.SIGKILL:
        step = SPARED
    elif begun:
        if case.again:
            _command(folder, case.again, case.how, ["--json", "resume"])
            problems += _lost(kept, driver.journal(folder))
            kept = driver.journal(folder)
        for _ in range(MOST_RESUMES):
            if driver.lines(kept)[-1]["type"] == "SessionEnded":
                break
            done = _command(folder, 0, 0, ["--json", "resume"])
            problems += _lost(kept, driver.journal(folder))
            kept = driver.journal(folder)
            if done.returncode not in {0, 4}:
                problems.append(f"resume ended with {done.returncode}: {done.stderr[-300:]}")
                break
            if _document(done).get("waiting_for") == "operator":
                break
    return _ending(case, folder, step, done, problems)


def _document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {}
    return document


def _lost(before: bytes, after: bytes) -> list[str]:
    whole = before[: before.rfind(b"\n") + 1]
    return [] if after.startswith(whole) else ["records that were on the disk are gone"]


def _ending(case: Case, folder: Path, step: str, done: subprocess.CompletedProcess[str], problems: list[str]) -> Ending:
    orders, charges, refunds = driver.books(folder)
    lines = driver.lines(driver.journal(folder))
    if not lines or not any(line["type"] == "StepStarted" for line in lines):
        outcome, finding = "not begun", ""
        expected = {(0, 0, 0)}
    else:
        ended = lines[-1]["type"] == "SessionEnded"
        outcome = lines[-1]["outcome"] if ended else "incomplete"
        findings = [line["finding"] for line in lines if line["type"] in {"StepPaused", "StepFailed"}]
        finding = findings[-1] if findings and outcome != "passed" else ""
        expected = {(1, 1, 1)} if outcome == "passed" else set()
        if outcome == "incomplete" and not case.honoured:
            expected = {"order_in_doubt": {(0, 0, 0)}, "refund_in_doubt": {(1, 1, 0)}}.get(finding, set())
        if "a defect:" in done.stderr:
            problems.append("a defect")
        verified = _command(folder, 0, 0, ["verify", "--all"])
        if verified.returncode != 0:
            problems.append(f"verify ended with {verified.returncode}")
    if (orders, charges, refunds) not in expected:
        problems.append(f"{outcome} {finding}: {orders} orders, {charges} charges, {refunds} refunds")
    return Ending(case, step, outcome, finding, orders, charges, refunds, tuple(problems))


SPARED = "nothing: it was over before"
STEPS = [
    "before the first step", "login", "products", "order", "pay", "completed", "license", "transfers", "refund",
    "revoked", SPARED,
]  # fmt: skip


def page(endings: list[Ending], last: int, seconds: float) -> str:
    """Return the page that is committed to the docs."""
    twice = sum(bool(ending.case.again) for ending in endings)
    deaf = sum(not ending.case.honoured for ending in endings)
    dropped = sum(bool(ending.case.dropped) for ending in endings)
    wrong = sum(bool(ending.problems) for ending in endings)
    lost = sum("gone" in problem for ending in endings for problem in ending.problems)
    return f"""# Killed, and resumed

{len(endings)} walkthroughs at the rehearsal backend were to be killed, each at another system call (writes and
syncs of files, sends and receives on sockets; carried out not at all, by half, or as a whole), {twice} of them once
more during the resume, {deaf} at a backend that ignores idempotency keys, {dropped} with an answer dropped between the
backend's commit and the read. The kills are spread over the {last - FIRST} system calls from a walkthrough's
beginning to its end. Each was resumed to its end, its journal verified, and the backend's books counted.

| killed in | cases | passed | in doubt | nothing begun | most orders | most charges | most refunds |
|---|--:|--:|--:|--:|--:|--:|--:|
{chr(10).join(_row(step, [ending for ending in endings if ending.step == step]) for step in STEPS)}

*In doubt*: the request for the order, or for the refund, was on its way, the backend does not honour keys, and nobody
shows what became of it: the session says so and stays incomplete. A second order is never sent, a second refund not
before five minutes have passed. *Nothing begun*: killed before the session had a folder; nothing but reads was sent.

Wrong: {wrong}. Records lost: {lost}.

Measured {datetime.now(UTC):%Y-%m-%d} by `make sweep` in {seconds / 60:.1f} minutes on {os.cpu_count()} cores,
{platform.system()} {platform.machine()}, Python {platform.python_version()}.
"""


def _row(step: str, here: list[Ending]) -> str:
    count = Counter(ending.outcome for ending in here)
    doubt = sum(ending.finding in {"order_in_doubt", "refund_in_doubt"} for ending in here)
    most = " | ".join(
        str(max((getattr(e, name) for e in here), default=0)) for name in ("orders", "charges", "refunds")
    )
    return f"| {step} | {len(here)} | {count['passed']} | {doubt} | {count['not begun']} | {most} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500)
    options = parser.parse_args()
    began = time.monotonic()
    endings = []
    last = system_calls()
    with ThreadPoolExecutor(max_workers=2) as pool:
        for ending in pool.map(carry_out, [Case.of(seed, options.cases, last) for seed in range(options.cases)]):
            endings.append(ending)
            if ending.problems:
                print(f"seed {ending.case.seed} ({ending.case}): {'; '.join(ending.problems)}", flush=True)
            if len(endings) % 50 == 0:
                print(f"{len(endings)} of {options.cases}, {time.monotonic() - began:.0f} s", flush=True)
    PAGE.write_text(page(endings, last, time.monotonic() - began), encoding="utf-8")
    missed = set(STEPS) - {SPARED} - {ending.step for ending in endings}
    print(*(f"no walkthrough was killed in: {step}" for step in sorted(missed)), sep="\n")
    bad = sum(bool(ending.problems) for ending in endings)
    print(f"{len(endings)} cases, {bad} wrong; the table is in {PAGE.relative_to(ROOT)}")
    return int(bool(bad or missed))


if __name__ == "__main__":
    sys.exit(main())
