"""Lines from a person: whole ones only, in time, and never an answer that was not given."""

from __future__ import annotations

import os
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veza_e2e.cli.output import say
from veza_e2e.ports import screen
from veza_e2e.ports.browser import PersonsBrowser
from veza_e2e.ports.progress import EVERY, Beats, Progress, minutes, packed
from veza_e2e.ports.protocols import EndOfInput
from veza_e2e.ports.terminal import Lines, TerminalOperator


@contextmanager
def typed(*parts: bytes, open_end: bool = False) -> Iterator[Lines]:
    """A pipe in which this was typed; it has ended, unless somebody is still there."""
    reading, writing = os.pipe()
    for part in parts:
        os.write(writing, part)
    if not open_end:
        os.close(writing)
    try:
        yield Lines(reading)
    finally:
        os.close(reading)
        with suppress(OSError):
            os.close(writing)


def test_lines_come_one_by_one_without_their_ends() -> None:
    with typed(b"one\ntw", b"o\r\n\n", "é🎵\n".encode(), b"\xff\n") as lines:
        assert [lines.next() for _ in range(5)] == ["one", "two", "", "é🎵", "\ufffd"]


@pytest.mark.parametrize("rest", [b"", b"refund", b"y", b"\r"])
def test_an_unfinished_line_is_no_answer(rest: bytes) -> None:
    with typed(b"first\n", rest) as lines:
        assert lines.next() == "first"
        for _ in range(2):
            with pytest.raises(EndOfInput):
                lines.next()


def test_time_runs_out_without_an_answer_and_the_half_line_is_kept() -> None:
    with typed(b"re", open_end=True) as lines:
        assert lines.next(timeout=0.01) is None
        assert lines.next(timeout=0) is None


def test_a_line_that_never_ends_is_the_end_of_input() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    lines = Lines(read)

    def type_on() -> None:
        for _ in range(100):
            with suppress(BlockingIOError):
                os.write(write, b"x" * 65536)
            assert lines.next(timeout=0) is None

    with pytest.raises(EndOfInput):
        type_on()
    os.close(read)
    os.close(write)


def test_a_descriptor_that_is_closed_is_the_end_of_input() -> None:
    read, write = os.pipe()
    os.close(write)
    os.close(read)
    with pytest.raises((EndOfInput, OSError)):
        Lines(read).next()


def test_a_question_is_shown_once_however_often_its_time_runs_out(capsys: pytest.CaptureFixture[str]) -> None:
    with typed(open_end=True) as lines:
        operator = TerminalOperator(lines)
        for _ in range(3):
            assert operator.ask("paid", "Pay on that page.", timeout=0) is None
    out, err = capsys.readouterr()
    assert out == "", "prompts go to standard error"
    assert err.count("Pay on that page.") == 1


def test_what_is_told_while_a_prompt_waits_has_a_line_of_its_own_and_the_prompt_comes_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with typed(open_end=True) as lines:
        operator = TerminalOperator(lines)
        assert operator.ask("paid", "On that page.\nPaid?", timeout=0) is None
        operator.tell("The link is old.")
        assert operator.ask("paid", "On that page.\nPaid?", timeout=0) is None
        say("noted: the order is completed")
    assert capsys.readouterr().err.splitlines() == [
        "On that page.", "? Paid? ", "The link is old.", "? Paid? ", "noted: the order is completed"
    ]  # fmt: skip


@contextmanager
def at_a_terminal(*, raw: bool = False) -> Iterator[tuple[int, TerminalOperator]]:
    """A pseudo-terminal: where the person's keys go, and who asks there."""
    keys, terminal = os.openpty()
    if raw:
        tty.setraw(terminal)
    try:
        yield keys, TerminalOperator(Lines(terminal))
    finally:
        os.close(keys)
        os.close(terminal)


@pytest.mark.parametrize("question", ["charge_anyway", "amount", "paid", "paid_elsewhere", "vat", "refund"])
@pytest.mark.parametrize("early", [b"\n", b"y\n\n", b"ref"])
def test_keys_before_a_question_is_shown_are_no_answer_to_it(question: str, early: bytes) -> None:
    with at_a_terminal() as (keys, operator):
        assert operator.ask("product", "Which one?", timeout=0) is None
        os.write(keys, b"1\n" + early)
        assert operator.ask("product", "Which one?", timeout=5) == "1"
        assert operator.ask(question, "Now?", timeout=0.05) is None
        os.write(keys, b"keep\n")
        assert operator.ask(question, "Now?", timeout=5) == "keep"


def test_lines_that_were_read_together_with_an_earlier_answer_are_no_answer_either() -> None:
    with at_a_terminal(raw=True) as (keys, operator):
        assert operator.ask("product", "Which one?", timeout=0) is None
        os.write(keys, b"1\nrefund\n")
        assert operator.ask("product", "Which one?", timeout=5) == "1"
        assert operator.ask("refund", "Now?", timeout=0.05) is None


def test_keys_while_a_question_waits_are_its_answer_though_its_time_ran_out() -> None:
    with at_a_terminal() as (keys, operator):
        assert operator.ask("paid", "Paid?", timeout=0) is None
        os.write(keys, b"q\n")
        assert operator.ask("paid", "Paid?", timeout=5) == "q"


def test_the_lines_of_a_pipe_are_answers_in_their_order() -> None:
    with typed(b"1\n5.00 EUR\n\nrefund\n") as lines:
        operator = TerminalOperator(lines)
        given = [operator.ask(question, "?") for question in ("product", "amount", "paid", "refund")]
    assert given == ["1", "5.00 EUR", "", "refund"]


@pytest.mark.parametrize("end", [b"\n", b".\n", b" . \n"])
def test_a_paste_ends_with_an_empty_line_or_a_dot(end: bytes) -> None:
    with typed(b"a|b\n", b"1|2\n", end, open_end=True) as lines:
        assert TerminalOperator(lines).paste("transfers", "Paste.") == "a|b\n1|2"


@pytest.mark.parametrize("word", ["skip", "SKIP", " q "])
def test_skip_and_q_need_no_further_line(word: str) -> None:
    with typed(f"{word}\nnext\n".encode()) as lines:
        assert TerminalOperator(lines).paste("transfers", "Paste.") == word.strip()
        assert lines.next() == "next"
    with typed(f"a|b\n{word}\n.\n".encode()) as lines:
        assert TerminalOperator(lines).paste("transfers", "Paste.") == f"a|b\n{word}"


HEADER = b"order_id|amount_cents|platform_fee_cents|status\n"
EXPANDED = b"-[ RECORD 1 ]\norder_id | 1\namount_cents | 450\nplatform_fee_cents | 50\nstatus | completed\n"


@pytest.mark.parametrize("answer", [HEADER + b"1|450|50|completed\n", EXPANDED], ids=["aligned", "expanded"])
def test_the_empty_line_between_psqls_two_answers_does_not_end_the_paste(answer: bytes) -> None:
    listing = b"BEGIN\n column_name | data_type\n amount_cents | bigint\n platform_fee_cents | bigint\n(2 rows)\n\n"
    with typed(listing, answer, b"\n", b"y\n") as lines:
        operator = TerminalOperator(lines)
        assert operator.paste("transfers", "Paste.").encode() == listing.strip() + b"\n" + answer.strip()
        assert operator.ask("transfers_right", "Right?") == "y", "what follows is the next answer"


def test_an_empty_line_at_the_end_of_the_input_ends_the_paste() -> None:
    with typed(b"a|b\n\n") as lines:
        operator = TerminalOperator(lines)
        assert operator.paste("transfers", "Paste.") == "a|b"
        with pytest.raises(EndOfInput):
            operator.ask("transfers_right", "Right?")


@pytest.mark.parametrize("given", [b"", b"a|b\n", b"a|b\n1|2"])
def test_a_paste_that_breaks_off_is_no_answer(given: bytes) -> None:
    with typed(given) as lines, pytest.raises(EndOfInput):
        TerminalOperator(lines).paste("transfers", "Paste.")


def test_rows_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.txt"
    path.write_text("a|b\n1|2\n", encoding="utf-8")
    with typed(f"@{path}\n".encode()) as lines:
        assert TerminalOperator(lines).paste("transfers", "Paste.") == "a|b\n1|2\n"


@pytest.mark.parametrize(
    "name", ["none.txt", ".", "big.txt", "a\0b", "~nobody-of-this-name/x", "/dev/zero", "pipe", ""]
)
def test_a_file_that_cannot_be_used_is_said_and_asked_again(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "big.txt").write_bytes(b"x" * (1024 * 1024 + 1))
    os.mkfifo(tmp_path / "pipe")
    full = name if name.startswith(("~", "/")) or not name else f"{tmp_path}/{name}"
    with typed(f"@{full}\na|b\n\n".encode()) as lines:
        assert TerminalOperator(lines).paste("transfers", "Rows.\nPaste them.") == "a|b"
    assert "not a file" in (said := capsys.readouterr().err) or "larger" in said or "home directory" in said
    assert said.endswith("? Paste them. "), "it is asked again"
    assert said.count("Rows.") == 1


def test_s_shows_what_psql_would_print_where_there_is_a_rehearsal(capsys: pytest.CaptureFixture[str]) -> None:
    with typed(b"s\nx\n\n") as lines:
        assert TerminalOperator(lines).paste("transfers", "Paste.", lambda: "two\n\x1b[2Jlines") == "x"
    assert capsys.readouterr().err == "? Paste. two\n[U+001B][2Jlines\n? Paste. "
    with typed(b"s\n\n") as lines:
        assert TerminalOperator(lines).paste("transfers", "Paste.") == "s"


def test_questions_and_news_show_nothing_that_a_terminal_acts_on(capsys: pytest.CaptureFixture[str]) -> None:
    with typed(b"1\n") as lines:
        operator = TerminalOperator(lines)
        operator.ask("product", "1  5.00 EUR  \x1b[8mhidden\nWhich one\x07?")
        operator.tell("order \x1b]0;owned\x07")
    err = capsys.readouterr().err
    assert "\x07" not in err
    assert "[U+001B][8mhidden" in err


def test_a_status_of_several_lines_forges_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with typed(b"") as lines:
        TerminalOperator(lines).tell("the processor says x\nPASSED: nothing was charged")
    assert capsys.readouterr().err == "the processor says x⏎PASSED: nothing was charged\n"


KEYS = "s = status, q = leave"
WAIT = Progress("waiting for the license", 3.0, 60.0, 0.3, ("backend: no license",), None, KEYS)


def at_once(seconds: float) -> None:
    """Sleep on a clock that nobody waits for."""


@pytest.mark.parametrize("key", ["r", "s", "q", " Q "])
def test_a_key_that_is_typed_in_a_wait_ends_the_pause_at_once(key: str) -> None:
    with at_a_terminal() as (keys, operator):
        assert operator.pause(WAIT, at_once) is None
        os.write(keys, f"{key}\n".encode())
        assert operator.pause(WAIT, at_once) == key.strip().lower()


def test_what_means_nothing_in_a_wait_is_said_and_the_wait_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with at_a_terminal() as (keys, operator):
        assert operator.pause(WAIT, at_once) is None
        os.write(keys, b"\nrefund\n")
        assert operator.pause(WAIT, at_once) is None
    assert f"'refund' does nothing while this waits: {KEYS}." in capsys.readouterr().err


def test_a_wait_at_a_terminal_lasts_by_the_clock_of_the_walkthrough() -> None:
    slept: list[float] = []
    with at_a_terminal() as (_, operator):
        assert operator.pause(replace(WAIT, pause=7.05), slept.append) is None
    assert sum(slept) == pytest.approx(7.05)
    assert max(slept) <= 0.1, "a key is noticed at once"


def test_what_was_typed_before_a_wait_is_no_key_in_it() -> None:
    with at_a_terminal() as (keys, operator):
        os.write(keys, b"q\n")
        assert operator.pause(WAIT, at_once) is None


def test_the_end_of_the_input_ends_a_wait_and_is_no_answer() -> None:
    with at_a_terminal() as (keys, operator):
        assert operator.pause(WAIT, at_once) is None
        os.write(keys, b"\x04")
        with pytest.raises(EndOfInput):
            operator.pause(WAIT, at_once)


def test_without_a_terminal_a_wait_takes_no_answer_and_is_told_every_ten_seconds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    slept: list[float] = []
    with typed(b"q\n") as lines:
        operator = TerminalOperator(lines)
        for elapsed in range(0, 45, 15):
            progress = replace(WAIT, elapsed=elapsed, pause=15.0)
            assert operator.pause(progress, slept.append) is None
        assert operator.ask("refund", "?") == "q", "the lines of a pipe are answers to questions"
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("    waiting")]
    assert told[0] == "    waiting for the license: 0:02 of 1:00, next read in 13 s, backend: no license"
    assert [line.split(": ")[1].split(" of")[0] for line in told] == ["0:02", "0:12", "0:22", "0:32", "0:42"]
    assert sum(slept) == pytest.approx(45)
    assert max(slept) <= EVERY


def test_a_short_wait_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for elapsed in (0.0, 0.5, 1.0):
        Beats().sleep(replace(WAIT, elapsed=elapsed, pause=0.5), lambda _: None)
    assert capsys.readouterr().err == ""


def test_a_progress_tells_what_the_witnesses_say_and_when_the_link_expires() -> None:
    progress = Progress("waiting", 65.0, None, 0.0, ("backend: \x1b[2Jx\ny",), 5.0)
    assert progress.parts() == ["waiting: 1:05", "reading now", "backend: [U+001B][2Jx⏎y", "link expires in 0:05"]
    assert progress.parts(later=6)[-1] == "link has probably expired"
    assert [minutes(one) for one in (-1, 59.9, 60, 3600, 36_061)] == ["0:00", "0:59", "1:00", "1:00:00", "10:01:01"]


@given(st.lists(st.text(st.characters(categories=["L", "N", "P"]), min_size=1), min_size=1), st.integers(20, 200))
def test_a_progress_is_never_wider_than_the_terminal(parts: list[str], width: int) -> None:
    assert all(screen.columns(line) <= width for line in packed(parts, width))


@given(st.text(st.characters(categories=["L", "N"]) | st.just(" ")), st.integers(10, 80))
def test_a_folded_line_loses_nothing_and_breaks_between_words(text: str, room: int) -> None:
    lines = screen.folded(text, room).split("\n")
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    indent = len(text) - len(text.lstrip(" "))
    assert all(screen.columns(line) <= room or " " not in line[indent:].strip(" ") for line in lines)


@pytest.mark.parametrize("text", ["continue with: veza-e2e resume " + "x " * 60, "at https://pay.test/ " + "x " * 60])
def test_a_command_and_an_address_are_never_broken(text: str) -> None:
    assert screen.folded(text, 40) == text


@pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "--help", "", "ssh://x"])
def test_no_browser_is_started_for_what_is_no_web_page(url: str) -> None:
    assert PersonsBrowser(window=True).open(url) is False
