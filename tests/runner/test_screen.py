"""What comes from outside stands on the screen as text, and does nothing there."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veza_e2e.ports.screen import plain

ACTING = ["\x1b[2J", "\x1b]0;title\x07", "\r", "\x08", "\x9b31m", "\x00", "\x7f", "\x0b", "\x0c", "\x85"]
TURNING = ["\u061c", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069", "\u2028", "\u2029", "\ufeff"]


@given(st.text(st.characters(exclude_categories=()) | st.sampled_from(["\x1b", "\r", "\x9b", "\x07", *TURNING])))
def test_nothing_is_left_that_a_terminal_acts_on(text: str) -> None:
    shown = plain(text)
    assert all(unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"} for char in shown)
    assert all(unicodedata.bidirectional(char) not in {"RLE", "LRE", "RLO", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"}
               for char in shown)  # fmt: skip
    shown.encode()


@pytest.mark.parametrize("text", [*ACTING, *TURNING])
def test_what_was_there_is_told_by_its_code(text: str) -> None:
    assert f"[U+{ord(text[0]):04X}]" in plain(f"a{text}b")


def test_a_line_end_is_shown_and_makes_no_line() -> None:
    assert plain("paid\n9/9 revoked: passed") == "paid⏎9/9 revoked: passed"


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_what_is_text_stays_as_it_is(text: str) -> None:
    assert plain(text) == text
