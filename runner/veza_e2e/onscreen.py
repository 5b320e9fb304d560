"""What comes from outside, as it may stand on a terminal's screen."""

from __future__ import annotations

import re

from veza_e2e.canonical import clean

_CONTROL = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def plain(text: str) -> str:
    """Return `text` with nothing in it that a terminal would act on: what comes from outside is hostile.

    Line ends become `⏎`, control and direction characters their code in brackets.
    """
    text = str(clean(text)).replace("\n", "⏎").replace("\t", " ")
    return _CONTROL.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)
