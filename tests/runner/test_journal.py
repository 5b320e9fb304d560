"""The journal: nothing is lost, whatever is changed in it is found, and two never write it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from surroundings import PATIENCE

from veza.testing import FakeClock
from veza_e2e.canonical import digest, dumps
from veza_e2e.journal import (
    GENESIS,
    DamagedError,
    FileSink,
    Journal,
    LockedError,
    MemorySink,
    UnwritableError,
    parse,
    read,
)
from veza_e2e.journal.events import (
    Event,
    SessionAbandoned,
    SessionEnded,
    SessionInterrupted,
    StepSkipped,
    StepStarted,
    UnknownEvent,
)
from veza_e2e.redaction import Redactor

PATH = Path("journal.jsonl")
ENDED = SessionEnded(outcome="passed", views={"report.md": "0" * 64}, template="1")


def written(*events: Event) -> bytes:
    sink = MemorySink()
    journal = Journal(sink, FakeClock(), redactor=Redactor())
    for event in events:
        journal.append(event)
    return bytes(sink.data)


SHORT = written(StepStarted(step="login"), StepSkipped(step="refund", reason='kept: "é→🎵"'), ENDED)


def chained(*members: Mapping[str, Any]) -> bytes:
    """Lines that fit the chain, whatever they hold."""
    data, prev = b"", GENESIS
    for seq, own in enumerate(members, 1):
        line = {"seq": seq, "at": "2026-04-01T10:00:00.000Z", "type": "StepStarted", "prev": prev, **own}
        prev = digest(line)
        data += dumps({**line, "hash": prev}).encode() + b"\n"
    return data


def line_of(position: int, data: bytes = SHORT) -> int:
    """The sequence number of the line that a byte is in; its line end belongs to it."""
    return data[:position].count(b"\n") + 1


def test_every_changed_byte_is_found_and_located() -> None:
    for position, byte in enumerate(SHORT):
        for other in {byte ^ 1, byte ^ 0x80, ord("\n"), ord('"'), 0} - {byte}:
            changed = SHORT[:position] + bytes([other]) + SHORT[position + 1 :]
            if position == len(SHORT) - 1 and other != ord("\n"):
                # The last line end can go, which leaves an unterminated line: the journal is open then, not whole.
                assert parse(changed, PATH).torn
                assert not parse(changed, PATH).ended
                continue
            with pytest.raises(DamagedError) as caught:
                parse(changed, PATH)
            assert caught.value.seq == line_of(position), (position, other)


def test_every_truncation_leaves_a_journal_that_does_not_claim_to_be_whole() -> None:
    for end in range(len(SHORT)):
        reading = parse(SHORT[:end], PATH)
        assert not reading.ended
        assert len(reading.lines) == SHORT[:end].count(b"\n")
        assert reading.torn == end - (SHORT[:end].rfind(b"\n") + 1)
    assert parse(SHORT, PATH).ended


@given(st.binary(min_size=1, max_size=40), st.integers(0, len(SHORT)))
def test_whatever_is_put_in_between_is_found(insertion: bytes, position: int) -> None:
    data = SHORT[:position] + insertion + SHORT[position:]
    if position == len(SHORT) and b"\n" not in insertion:
        assert parse(data, PATH).torn == len(insertion)
        return
    with pytest.raises(DamagedError) as caught:
        parse(data, PATH)
    assert caught.value.seq in {line_of(position), line_of(position) + insertion.count(b"\n")} or b"\n" in insertion


def test_lines_cannot_be_left_out_swapped_or_repeated() -> None:
    first, second, third = SHORT.splitlines(keepends=True)
    for data, seq in (
        (second + third, 1), (first + third, 2), (first + third + second, 2), (first + first + second, 2),
        (second + first + third, 1), (SHORT + third, 4), (SHORT + first, 4),
    ):  # fmt: skip
        with pytest.raises(DamagedError) as caught:
            parse(data, PATH)
        assert caught.value.seq == seq


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"null", b"[]", b"1", b"{}", b"\xff", b"{" * 100_000, b"[" * 100_000, b'{"seq":1.0}', b"1" * 5000,
        b'{"seq":NaN}', b'{"a":"\\ud800"}',
    ],
    ids=range(12),
)  # fmt: skip
def test_a_line_that_is_no_event_is_damage_and_not_a_traceback(raw: bytes) -> None:
    with pytest.raises(DamagedError) as caught:
        parse(raw + b"\n", PATH)
    assert caught.value.seq == 1


@pytest.mark.parametrize(
    "members",
    [{"seq": True}, {"seq": 2}, {"seq": "1"}, {"prev": "1" * 64}, {"prev": None}, {"at": "yesterday"}, {"at": 5},
     {"at": "2026-04-01T10:00:00+02:00"}, {"at": "2026-13-01T10:00:00Z"}, {"type": 5}],
    ids=repr,
)  # fmt: skip
def test_a_forged_line_is_damage(members: dict[str, Any]) -> None:
    with pytest.raises(DamagedError):
        parse(chained({"step": "login", **members}), PATH)


def test_an_event_of_another_version_is_kept_and_never_interpreted() -> None:
    (line,) = parse(chained({"type": "Telepathy", "thought": ["x"]}), PATH).lines
    assert line.event == UnknownEvent(name="Telepathy", data={"thought": ["x"]})


def test_nothing_stands_after_the_end() -> None:
    with pytest.raises(DamagedError, match="event 2"):
        parse(written(ENDED, StepStarted(step="login")), PATH)


@given(st.lists(st.text(st.characters(exclude_categories=())), max_size=5))
def test_what_is_written_is_read_back(reasons: list[str]) -> None:
    events = [SessionAbandoned(reason=reason) for reason in reasons]
    reading = parse(written(*events), PATH)
    assert [digest(line.event.reason) for line in reading.lines] == [digest(reason) for reason in reasons]  # type: ignore[attr-defined]
    assert [line.seq for line in reading.lines] == list(range(1, len(reasons) + 1))


def test_an_event_is_in_the_file_before_anyone_is_told(tmp_path: Path) -> None:
    path, sizes = tmp_path / "journal.jsonl", list[int]()
    sink = FileSink(path, create=True)
    journal = Journal(
        sink, FakeClock(), redactor=Redactor(), listeners=[lambda line: sizes.append(len(read(path).lines) - line.seq)]
    )
    for _ in range(3):
        journal.append(StepStarted(step="login"))
    sink.close()
    assert sizes == [0, 0, 0]


def test_a_torn_last_line_is_cut_and_the_chain_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    whole = written(StepStarted(step="login"))
    path.write_bytes(whole + SHORT[:30])
    sink = FileSink(path, create=False)
    reading = parse(sink.load(), path)
    assert reading.torn == 30
    sink.cut(reading.torn)
    Journal(sink, FakeClock(), reading.lines, redactor=Redactor()).append(SessionInterrupted(reason="SIGINT"))
    sink.close()
    assert path.read_bytes().startswith(whole)
    assert len(read(path).lines) == 2


def another_process(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False
    )


TAKE = """
import sys
from pathlib import Path
from veza_e2e.journal import FileSink, LockedError
try:
    FileSink(Path(sys.argv[1]), create=False)
except LockedError as error:
    print("locked:", error)
else:
    print("taken")
"""


@pytest.mark.process
def test_a_second_process_is_refused_and_let_in_when_the_first_has_gone(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    sink = FileSink(path, create=True)
    assert another_process(TAKE, str(path)).stdout.startswith(f"locked: {path}: another process")
    with pytest.raises(LockedError):
        FileSink(path, create=False)
    sink.close()
    assert another_process(TAKE, str(path)).stdout == "taken\n"


def test_a_journal_is_never_made_where_one_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(SHORT)
    with pytest.raises(UnwritableError, match="File exists"):
        FileSink(path, create=True)
    assert path.read_bytes() == SHORT


FULL = """
import resource, sys
from pathlib import Path
from veza.testing import FakeClock
from veza_e2e.journal.events import StepStarted
from veza_e2e.redaction import Redactor
from veza_e2e.journal import FileSink, Journal, UnwritableError, read
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
sink = FileSink(path, create=True)
journal = Journal(sink, FakeClock(), redactor=Redactor())
failed = 0
for _ in range(12):
    try:
        journal.append(StepStarted(step="login"))
    except UnwritableError as error:
        failed += 1
        print(error)
        assert len(read(path).lines) == len(journal.lines)
        assert read(path).torn == 0
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append(StepStarted(step="products"))
assert failed and len(read(path).lines) == len(journal.lines) and read(path).torn == 0
print(failed, "failed,", len(journal.lines), "kept")
"""


@pytest.mark.process
def test_a_full_disk_leaves_no_half_line_and_is_said_and_room_is_used_again(tmp_path: Path) -> None:
    line = len(written(StepStarted(step="login")))
    done = another_process(FULL, str(tmp_path / "journal.jsonl"), str(3 * line + line // 2))
    assert done.returncode == 0, done.stderr
    *said, last = done.stdout.splitlines()
    assert set(said) == {f"{tmp_path / 'journal.jsonl'}: File too large"}
    assert last == "9 failed, 4 kept"


FEW_FILES = """
import os, resource, sys
from pathlib import Path
from veza_e2e.journal import FileSink, UnwritableError
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, free + 1))
try:
    FileSink(Path(sys.argv[1]), create=True)
except UnwritableError as error:
    print(error)
assert os.dup(0) == free
"""


@pytest.mark.process
def test_a_folder_that_cannot_be_synced_is_said_and_leaves_no_file_open(tmp_path: Path) -> None:
    done = another_process(FEW_FILES, str(tmp_path / "journal.jsonl"))
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}: Too many open files\n"), done.stderr


SYNCED = """
import os, sys
from pathlib import Path
from veza_e2e.journal import disk
opened = []
sys.addaudithook(lambda event, args: opened.append(os.fspath(args[0])) if event == "open" else None)
disk.make_folder(Path("archive/2026/11"))
print(*opened)
"""


@pytest.mark.process
def test_each_folder_above_a_new_one_is_synced_up_to_one_that_was_there(tmp_path: Path) -> None:
    done = another_process(f"import os; os.chdir({str(tmp_path)!r})\n{SYNCED}")
    assert (done.returncode, done.stdout) == (0, "archive/2026 archive .\n"), done.stderr


@pytest.mark.process
def test_after_a_half_line_that_could_not_be_cut_nothing_is_written_any_more(tmp_path: Path) -> None:
    code = """
import os, resource, sys
from pathlib import Path
from veza.testing import FakeClock
from veza_e2e.journal.events import StepStarted
from veza_e2e.redaction import Redactor
from veza_e2e.journal import FileSink, Journal, UnwritableError, parse
path = Path(sys.argv[1])
sink = FileSink(path, create=True)
journal = Journal(sink, FakeClock(), redactor=Redactor())
journal.append(StepStarted(step="login"))
def refuse(*_):
    raise OSError(5, "Input/output error")
os.ftruncate = refuse
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, resource.RLIM_INFINITY))
for limit in (None, resource.RLIM_INFINITY):
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        journal.append(StepStarted(step="login"))
    except UnwritableError as error:
        print(error)
reading = parse(path.read_bytes(), path)
print(len(reading.lines), reading.torn)
"""
    done = another_process(code, str(tmp_path / "journal.jsonl"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1 20"
    assert len(done.stdout.splitlines()) == 3


def test_the_journal_can_be_moved_once_there_is_a_place_for_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    memory = MemorySink()
    journal = Journal(memory, FakeClock(), redactor=Redactor())
    journal.append(StepStarted(step="login"))
    sink = FileSink(path, create=True)
    journal.move(sink)
    journal.append(StepStarted(step="products"))
    sink.close()
    assert path.read_bytes()[: len(memory.data)] == memory.data
    assert len(read(path).lines) == 2


def test_an_independent_reading_of_the_promise_agrees() -> None:
    prev = "0" * 64
    for seq, raw in enumerate(SHORT.splitlines(), 1):
        line = json.loads(raw)
        assert (line["seq"], line["prev"]) == (seq, prev)
        assert line["at"].endswith("Z")
        prev = line["hash"]


def append_of(journal: Journal) -> Callable[[], object]:
    return lambda: journal.append(StepStarted(step="login"))


def test_what_has_no_canonical_form_is_not_half_written() -> None:
    sink = MemorySink()
    journal = Journal(sink, FakeClock(), redactor=Redactor())
    with pytest.raises(TypeError):
        journal.append(SessionAbandoned(reason=1.5))  # type: ignore[arg-type]  # what a careless caller might do
    append_of(journal)()
    assert len(parse(bytes(sink.data), PATH).lines) == 1
