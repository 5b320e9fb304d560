"""Events: what is on a line comes back as it was, and what does not fit is kept without a word being believed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from veza_e2e import report
from veza_e2e.archive.sessions import Stored
from veza_e2e.canonical import digest, dumps
from veza_e2e.evidence import summarise
from veza_e2e.journal import GENESIS, MemorySink, parse
from veza_e2e.journal.codec import from_data, to_data
from veza_e2e.journal.events import STEPS, Event, SessionStarted, StepSkipped, StepStarted, UnknownEvent
from veza_e2e.verify import verify

if TYPE_CHECKING:
    from runner.conftest import Walk

STRANGE: tuple[Any, ...] = (None, 5, "x", [], {}, [5], {"x": 5}, True)


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    from runner.conftest import Walk  # noqa: PLC0415 - the fixtures of this folder are made for each test

    walk = Walk()
    walk.goes_through()
    walk.processes()
    stage = walk.begin()
    walk.go_on()
    sink = MemorySink()
    stage.journal.move(sink)
    return [json.loads(raw) for raw in bytes(sink.data).splitlines()]


def chained(members: list[dict[str, Any]]) -> bytes:
    data, prev = b"", GENESIS
    for line in members:
        own = {**{name: value for name, value in line.items() if name != "hash"}, "prev": prev}
        prev = digest(own)
        data += dumps({**own, "hash": prev}).encode() + b"\n"
    return data


def own(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in {"seq", "at", "type", "prev", "hash"}}


def test_every_event_of_a_walkthrough_comes_back_as_it_was(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        event = from_data(line["type"], own(line))
        assert type(event).__name__ == line["type"]
        assert dumps(to_data(event)) == dumps(own(line))


def test_a_member_of_another_type_is_not_believed(lines: list[dict[str, Any]]) -> None:
    """Whoever forges a journal can make its chain fit; what is read from it is still never a traceback."""
    seen = set()
    for place, line in enumerate(lines):
        for member in own(line):
            if (line["type"], member) in seen:
                continue
            seen.add((line["type"], member))
            for value in (STRANGE[len(seen) % 8], STRANGE[(len(seen) + 3) % 8]):
                forged = [*lines[:place], {**line, member: value}, *lines[place + 1 :]]
                reading = parse(chained(forged), Path("journal.jsonl")).lines
                summarise(reading)
    assert len(seen) > 80


@pytest.mark.parametrize("member", ["links", "tools", "session", "max_amount_cents", "dry_run"])
def test_a_forged_beginning_is_damage_that_verify_names(
    lines: list[dict[str, Any]], member: str, tmp_path: Path
) -> None:
    ended = {"type": "SessionEnded", "seq": len(lines) + 1, "at": lines[-1]["at"], "outcome": "passed", "views": {},
             "template": report.template_version()}  # fmt: skip
    (tmp_path / "journal.jsonl").write_bytes(chained([{**lines[0], member: [7]}, *lines[1:], ended]))
    checks = verify(Stored("x", tmp_path))
    assert [check.message for check in checks if check.status == "damaged"] == [
        "event 1: is no beginning of a session that this version can read"
    ]


def test_what_a_later_version_added_is_passed_over() -> None:
    assert from_data("StepStarted", {"step": "login", "mood": "good"}) == StepStarted(step="login")


@pytest.mark.parametrize("data", [{}, {"step": "dance"}, {"step": 5}, {"step": None}, {"step": ["login"]}])
def test_what_this_version_cannot_read_is_kept(data: dict[str, Any]) -> None:
    event = from_data("StepStarted", data)
    assert event == UnknownEvent(name="StepStarted", data=data)
    assert to_data(event) == data


def test_an_unknown_event_is_written_again_as_it_was() -> None:
    event = UnknownEvent(name="Telepathy", data={"a": [1, {"b": None}]})
    assert from_data("Telepathy", to_data(event)) == event


def test_what_has_a_default_may_be_missing(walk: Walk) -> None:
    members = to_data(walk.first())
    for name in ("faults", "loopback", "grace_ms", "checkout_hosts", "dry_run"):
        members.pop(name)
    assert isinstance(from_data("SessionStarted", members), SessionStarted)


def test_every_kind_of_event_is_known_by_its_name() -> None:
    kinds: list[type[Event]] = [kind for kind in Event.__subclasses__() if kind is not UnknownEvent]
    assert len(kinds) > 20
    for kind in kinds:
        assert isinstance(from_data(kind.__name__, {}), UnknownEvent), "each has something that it cannot do without"


def test_a_step_has_one_of_nine_names() -> None:
    assert len(STEPS) == len(set(STEPS)) == 9
    make: Callable[[str], Event] = lambda step: from_data("StepSkipped", {"step": step, "reason": "r"})  # noqa: E731
    assert all(isinstance(make(step), StepSkipped) for step in STEPS)
