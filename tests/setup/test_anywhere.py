"""`make anywhere`: what pytest printed becomes a row, and no variable of a hostile shell reaches a test."""

from __future__ import annotations

import pytest
from surroundings import kept
from tools.anywhere import CONDITIONS, HOSTILE, Outcome, read_log, table


def outcome(log: str) -> Outcome:
    one = Outcome("later", "400 days later", "3.13.0")
    read_log(one, log)
    return one


def test_what_pytest_counts_is_taken_over() -> None:
    one = outcome("....s\n\x1b[32m1204 passed\x1b[0m, 1 skipped, 30 deselected in 61.20s (0:01:01)\n")
    assert (one.passed, one.failed, one.skipped, one.failures) == (1204, 0, 1, [])
    assert table([one]).splitlines()[-1] == "| later | 400 days later | 3.13.0 | 1,204 | 0 | 1 | 0 |"


def test_what_failed_is_named() -> None:
    one = outcome(
        "FAILED a.py::test_b[x - y] - assert 1 == 2\nERROR a.py::test_c\n1 failed, 2 passed, 1 error in 3.00s\n"
    )
    assert (one.failed, one.failures) == (2, ["a.py::test_b[x - y]", "a.py::test_c"])


def test_what_failed_before_a_run_was_ended_is_named() -> None:
    one = outcome("[gw0] [  5%] PASSED a.py::test_a \n[gw1] [  6%] FAILED a.py::test_b[x - y] \n")
    assert (one.passed, one.failed, one.failures[0]) == (1, 1, "a.py::test_b[x - y]")


@pytest.mark.parametrize("log", ["", "........", "Error while loading plugin", "no tests ran in 0.01s"])
def test_a_run_that_did_not_end_is_not_a_pass(log: str) -> None:
    assert outcome(log).failed > 0


def test_what_a_moved_clock_leaves_out_runs_on_the_real_one() -> None:
    assert [one.name for one in CONDITIONS if one.moment is None] == ["debian", "newest"]


def test_nothing_of_a_hostile_shell_is_kept() -> None:
    assert kept({**HOSTILE, "PYTEST_ADDOPTS": "-x", "NETRC": "x", "GIT_DIR": "x", "PATH": "/bin"}) == {"PATH": "/bin"}
