"""200 fixed histories through the real commands in a simulated world, and the simulator itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from simulator.clock import SimulatedClock
from simulator.disk import Disk, Killed
from simulator.history import live
from simulator.machine import Simulated
from simulator.outcome import FIXED, accepted
from simulator.plan import DEVIATIONS, DIALECT, SYNCS, TICKS, Plan, drawn
from simulator.story import MOST_LINES, shrunk, tell

SHARES = 8


@pytest.mark.parametrize("share", range(SHARES))
def test_no_fixed_history_violates_what_must_hold_and_each_comes_to_what_was_accepted(root: Path, share: int) -> None:
    known = accepted()
    for seed in range(share, FIXED, SHARES):
        told = live(drawn(seed), root)
        found = [kind for kind, _ in told.violations]
        assert found == [], tell(shrunk(told.plan, found[0], root))
        assert told.outcome == known[seed], "if it should: python -m benchmarks.simulate --accept, and read the diff"


def test_straight_histories_pass_in_one_command(root: Path) -> None:
    for plan in (Plan(seed=1), Plan(seed=2, ids="integer", absent="zero", money="decimal", ledger="connection")):
        told = live(plan, root)
        assert told.violations == []
        assert told.reached["exit 0 of run"] == 1


def test_kills_and_a_full_disk_are_drawn_up_to_the_end_of_a_straight_run(tmp_path: Path) -> None:
    straight = Simulated(Plan(seed=1), tmp_path)
    assert straight.command("run").exit == 0
    assert TICKS - 40 < straight.ticks <= TICKS
    assert SYNCS - 20 < straight.disk.syncs <= SYNCS


def test_the_same_seed_gives_the_same_bytes(root: Path) -> None:
    for seed in (3, 8, 14):
        assert live(drawn(seed), root).digest == live(drawn(seed), root / "elsewhere").digest


def test_every_deviation_is_drawn_sooner_or_later() -> None:
    drawn_values = Counter(
        (name, value)
        for seed in range(3000)
        for name, value in drawn(seed).deviations.items()
        if name in DEVIATIONS or name in DIALECT
    )
    every = {(name, value) for table in (DEVIATIONS, DIALECT) for name, values in table.items() for value in values}
    assert every - drawn_values.keys() == set()


def test_a_kill_leaves_only_what_was_synced(tmp_path: Path) -> None:
    class Never(Random):
        def randint(self, least: int, most: int) -> int:
            return least

        def random(self) -> float:
            return 1.0

    disk = Disk(tmp_path, Never(1), lambda _what: None)
    file = tmp_path / "journal"

    def killed_while_it_writes() -> None:
        with disk.mounted(), file.open("wb", buffering=0) as opened:
            opened.write(b"safe\n")
            disk.sync(opened.fileno())
            opened.write(b"not safe\n")
            disk.kill()
            try:
                raise Killed
            finally:
                opened.write(b"written by a finally\n")

    with pytest.raises(Killed):
        killed_while_it_writes()
    assert file.read_bytes() == b"safe\n"


def test_a_failing_history_is_shrunk_and_told_in_twenty_lines(root: Path) -> None:
    plan = replace(drawn(7), transfer="wrong_seller", ids="integer", gap=3)

    def play(one: Plan, _root: Path) -> object:
        told = live(Plan(seed=one.seed), root)
        told.plan = one
        told.violations = [("seller", "the row is another seller's")] if one.transfer == "wrong_seller" else []
        return told

    told = shrunk(plan, "seller", root, play=play)  # type: ignore[arg-type]
    assert told.plan.deviations == {"transfer": "wrong_seller"}
    assert len(tell(told).splitlines()) <= MOST_LINES
    assert "transfer='wrong_seller'" in tell(told)


def test_the_clock_moves_when_somebody_waits() -> None:
    clock = SimulatedClock()
    before = clock.monotonic()
    clock.sleep(90)
    assert clock.monotonic() == before + 90
