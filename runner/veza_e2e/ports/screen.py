"""Prints lines and prompts on standard error, without anything that a terminal would act on."""

from __future__ import annotations

import contextlib
import re
import sys

import click

from veza_e2e.canonical import clean

_CONTROL = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def plain(text: str) -> str:
    """Return `text` without anything that a terminal would act on, since outside text may be hostile.

    Line ends become `⏎`; control and direction characters become their code in brackets.
    """
    text = str(clean(text)).replace("\n", "⏎").replace("\t", " ")
    return _CONTROL.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)


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
