"""Prints lines and prompts on standard error, without anything that a terminal would act on."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence

import click

from veza_e2e.canonical import clean

_CONTROL = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def plain(text: str) -> str:
    """Return `text` without anything that a terminal would act on, since outside text may be hostile.

    Line ends become `⏎`; control and direction characters become their code in brackets.
    """
    text = str(clean(text)).replace("\n", "⏎").replace("\t", " ")
    return _CONTROL.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)


WIDEST = 58
"""Columns of a frame, so that it stays whole in a terminal of 60."""
_LABEL = 13


def framed(lines: Sequence[str | tuple[str, str]]) -> str:
    """Return the lines in a frame of at most 58 columns; what is longer goes on below, and nothing is left out.

    Args:
        lines: each a text, or a label and a text. Outside text may be hostile.
    """
    body: list[str] = []
    for one in lines:
        label, text = one if isinstance(one, tuple) else ("", one)
        indent = _LABEL if label else 0
        pieces = _wrapped(plain(text), WIDEST - 4 - indent)
        body += [f"{label if number == 0 else '':<{indent}}{piece}" for number, piece in enumerate(pieces)]
    width = max(map(columns, body))
    rule = "+" + "-" * (width + 2) + "+"
    return "\n".join([rule, *(f"| {one}{' ' * (width - columns(one))} |" for one in body), rule])


def columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    return sum(map(_columns, text))


def _columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in {"W", "F"} else 1


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Yield `text` in pieces of at most `width` columns, broken at a space where there is one."""
    while columns(text) > width:
        end = taken = 0
        while taken + _columns(text[end]) <= width:
            taken += _columns(text[end])
            end += 1
        space = text.rfind(" ", 1, end + 1)
        end = space if space > 0 else end
        yield text[:end]
        text = text[end:].lstrip(" ")
    yield text


def folded(text: str, room: int) -> str:
    """Return a line broken between words so that none is wider than `room`, if no word is; the rest is indented alike.

    Colours count for nothing. A command or an address stays whole, so that it can be pasted.
    """
    if "veza-e2e " in text or "://" in text or text.startswith("  psql "):
        return text
    bare = click.unstyle(text)
    indent = bare[: len(bare) - len(bare.lstrip(" "))]
    lines, taken = [""], 0
    for number, word in enumerate(text.split(" ")):
        wide = columns(click.unstyle(word))
        if taken > len(indent) and taken + 1 + wide > room:
            lines.append(indent + word)
            taken = len(indent) + wide
        else:
            lines[-1] += " " * (number > 0) + word
            taken += (number > 0) + wide
    return "\n".join(lines)


class _Screen:
    """The state of the cursor. A process has one standard error, and so one of these."""

    prompted = False
    moves = False
    """Whether the terminal can redraw a line."""
    area: tuple[str, ...] = ()
    """The lines that stand right above the prompt, and are redrawn."""
    asked = ""
    """The prompt below them."""
    width = 0
    """Of the terminal, when they were drawn."""


def begin(*, moves: bool) -> None:
    """Say what the terminal can do. Without this, nothing is redrawn.

    Args:
        moves: whether the cursor can be moved.
    """
    _Screen.moves = moves


def redraws() -> bool:
    """Whether lines can be redrawn: standard error is a terminal that can."""
    return _Screen.moves and on_screen()


def on_screen() -> bool:
    """Whether standard error is a terminal, so that long lines are broken."""
    try:
        return sys.stderr.isatty()
    except ValueError:
        return False


def width() -> int:
    """Return the terminal's columns; 80 if it does not tell."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def bell() -> None:
    """Ring the terminal's bell; a file gets none."""
    with contextlib.suppress(OSError, ValueError):
        if on_screen():
            _write("\a")


def line(text: str, *, whole: bool = False) -> None:
    """Print a line, in the place of what is redrawn, or below a prompt that still waits.

    If standard error is closed, the work continues.

    Args:
        text: one line, or several.
        whole: whether a terminal must show it as it is; else it is broken between words.
    """
    below = _Screen.prompted and not _erased()
    with contextlib.suppress(OSError, ValueError):
        if not whole and on_screen():
            text = "\n".join(folded(one, width()) for one in text.split("\n"))
        click.echo(f"\n{text}" if below else text, err=True)
    _Screen.prompted = False


def prompt(text: str) -> None:
    """Print a prompt; the cursor stays behind it."""
    _write(f"{text} ", styled=True)
    _Screen.prompted = True


def area(lines: Sequence[str], text: str) -> None:
    """Draw the lines with a prompt below them, or draw the lines again; what is typed behind the prompt stays.

    Args:
        lines: none may be longer than the terminal is wide.
        text: the prompt.
    """
    drawn, rows, wide = _Screen.area, len(lines), width()
    if _Screen.prompted and _Screen.asked == text and len(drawn) == rows and _Screen.width == wide:
        if drawn != tuple(lines):
            up = rows + _rows(text, wide) - 1
            _write(f"\x1b7\x1b[{up}A" + "".join(f"\r\x1b[2K{one}\x1b[B" for one in lines) + "\x1b8")
    else:
        if _Screen.prompted and not _erased():
            _write("\n")
        _write("".join(f"{one}\n" for one in lines))
        prompt(text)
    _Screen.area, _Screen.asked, _Screen.width = tuple(lines), text, wide


def _rows(text: str, wide: int) -> int:
    """Return how many rows a prompt takes, with the space behind it."""
    *above, last = click.unstyle(text).split("\n")
    return sum(1 + (columns(one) - 1) // wide for one in above) + 1 + columns(last) // wide


def _erased() -> bool:
    """Erase what is redrawn, and its prompt; return False if there is none, or if it moved with a change of width."""
    wide, drawn = _Screen.width, _Screen.area
    _Screen.area = ()
    if not drawn or wide != width():
        return False
    _write(f"\x1b[{len(drawn) + _rows(_Screen.asked, wide) - 1}A\r\x1b[J")
    return True


def _write(text: str, *, styled: bool = False) -> None:
    with contextlib.suppress(OSError):
        if styled:
            click.echo(text, err=True, nl=False)
        else:
            sys.stderr.write(text)
        sys.stderr.flush()


def entered() -> None:
    """Note that the prompt was answered, so the cursor is on a new line."""
    _Screen.prompted = False
    _Screen.area = ()


def prompting() -> bool:
    """Whether a prompt was printed last, and still waits."""
    return _Screen.prompted
