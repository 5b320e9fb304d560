"""Thirty-two of the seeded kill -9 of `make sweep`: one order, one charge, one refund, and no record lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from benchmarks.sweep import SPARED, STEPS, Case, carry_out, system_calls

pytestmark = pytest.mark.process

CASES = 32
"""So many that fewer system calls lie between two kills than the shortest step makes (some 14)."""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_anywhere_and_resumed() -> None:
    last = system_calls()
    with ThreadPoolExecutor(max_workers=2) as pool:
        endings = list(pool.map(carry_out, [Case.of(seed, CASES, last) for seed in range(CASES)]))
    assert [(ending.case, ending.problems) for ending in endings if ending.problems] == []
    assert sum(ending.outcome == "passed" for ending in endings) >= CASES * 3 // 4
    assert {ending.step for ending in endings} | {SPARED} == set(STEPS), "the kills are spread over the steps"
