"""Prints lines and prompts on standard error, without anything that a terminal would act on."""

from __future__ import annotations

import contextlib
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


WIDEST = 76
"""Columns of a frame, so that it stays whole in a terminal of 80, beside a prompt."""
_LABEL = 13


def framed(lines: Sequence[str | tuple[str, str]]) -> str:
    """Return the lines in a frame of at most 76 columns; what is longer goes on below, and nothing is left out.

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


class _Screen:
    """The state of the cursor. A process has one standard error, and so one of these."""

    prompted = False


def line(text: str) -> None:
    """Print a line, below a prompt that still waits. If standard error is closed, the work continues."""
    with contextlib.suppress(OSError):
        click.echo(f"\n{text}" if _Screen.prompted else text, err=True)
    _Screen.prompted = False


def prompt(text: str) -> None:
    """Print a prompt; the cursor stays behind it."""
    with contextlib.suppress(OSError):
        click.echo(f"{text} ", err=True, nl=False)
        sys.stderr.flush()
    _Screen.prompted = True


def entered() -> None:
    """Note that the prompt was answered, so the cursor is on a new line."""
    _Screen.prompted = False


def prompting() -> bool:
    """Whether a prompt was printed last, and still waits."""
    return _Screen.prompted
