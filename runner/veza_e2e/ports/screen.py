"""Standard error as a screen: lines, a prompt that stands at the end of one, and nothing that a terminal acts on."""

from __future__ import annotations

import contextlib
import re
import sys

import click

from veza_e2e.canonical import clean

_CONTROL = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def plain(text: str) -> str:
    """Return `text` with nothing in it that a terminal would act on: what comes from outside is hostile.

    Line ends become `⏎`, control and direction characters their code in brackets.
    """
    text = str(clean(text)).replace("\n", "⏎").replace("\t", " ")
    return _CONTROL.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)


class _Screen:
    """Where the cursor is. There is one standard error to a process, and so one of these."""

    prompted = False


def line(text: str) -> None:
    """Print a line for people, below a prompt that still waits; where nobody can read it any more, the work goes on."""
    with contextlib.suppress(OSError):
        click.echo(f"\n{text}" if _Screen.prompted else text, err=True)
    _Screen.prompted = False


def prompt(text: str) -> None:
    """Print a prompt; what is typed comes behind it."""
    with contextlib.suppress(OSError):
        click.echo(f"{text} ", err=True, nl=False)
        sys.stderr.flush()
    _Screen.prompted = True


def entered() -> None:
    """Note that the person ended the line: the prompt is answered."""
    _Screen.prompted = False


def prompting() -> bool:
    """Whether the last that was printed is a prompt that still waits."""
    return _Screen.prompted
