"""Decoding costs a bounded amount of work for each character, whatever the text is made of."""

from __future__ import annotations

import base64
import gzip
import random
import zlib
from collections.abc import Callable

import pytest
from secret_forms import FORMS, PASSWORD

from veza_e2e.redaction.layers import TooDeepError, layers
from veza_e2e.redaction.needles import Needles

SIZE = 250_000
MOST = 80
"""Characters decoded for each one of the value."""
STEP = 20
"""Of them those that depend on whether noise happens to look like something that is encoded."""


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


BODIES: dict[str, Callable[[int], str | bytes]] = {
    "prose": lambda n: ("The order of the buyer was seen completed. " * (n // 43 + 1))[:n],
    "base64": lambda n: base64.b64encode(noise(n * 3 // 4)).decode(),
    "base64 of base64": lambda n: base64.b64encode(base64.b64encode(noise(n * 9 // 16))).decode(),
    "base64 of prose": lambda n: base64.b64encode(b"the order was seen " * (n // 25)).decode(),
    "base32": lambda n: base64.b32encode(noise(n * 5 // 8)).decode(),
    "base85": lambda n: base64.b85encode(noise(n * 4 // 5)).decode(),
    "hex": lambda n: noise(n // 2).hex(),
    "hex with spaces": lambda n: noise(n // 3).hex(" "),
    "percent": lambda n: "%41" * (n // 3),
    "percent twice": lambda n: "%2541" * (n // 5),
    "quoted printable": lambda n: "=41" * (n // 3),
    "entities": lambda n: "&#65;" * (n // 5),
    "ampersands": lambda n: "&" * n,
    "backslashes": lambda n: "\\" * n,
    "escapes": lambda n: "\\u0041" * (n // 6),
    "short tokens": lambda n: "Ab1 " * (n // 4),
    "tokens": lambda n: "Abc1Abc1Abc1 " * (n // 13),
    "UUIDs": lambda n: "8f14e45f-ceea-467f-9d0b-4242424242aa " * (n // 37),
    "numbers": lambda n: "101 " * (n // 4),
    "equals signs": lambda n: "=" * n,
    "dots": lambda n: "." * n,
    "colons": lambda n: "aa::::::" * (n // 8),
    "beginnings of a secret": lambda n: (PASSWORD[:8] + " ") * (n // 9),
    "full width": lambda n: "\uff21" * n,
    "bytes": noise,
    "beginnings of gzip": lambda n: b"\x1f\x8b\x08\0" * (n // 4),
    "beginnings of zlib": lambda n: b"\x78\x9c" * (n // 2),
    "NULs": lambda n: b"\0" * n,
    "UTF-16": lambda n: ("a b " * (n // 8)).encode("utf-16"),
    "a bomb": lambda n: gzip.compress(b"a" * 50 * n),
}


def work(value: str | bytes) -> tuple[int, bool]:
    """Return how much was decoded, and whether that was all."""
    done = 0
    try:
        for layer in layers(value):
            done += len(layer)
    except TooDeepError:
        return done, False
    return done, True


@pytest.mark.parametrize("kind", BODIES)
def test_the_work_for_a_long_body_grows_with_its_size_alone(kind: str) -> None:
    small, large = BODIES[kind](SIZE // 16), BODIES[kind](SIZE)
    (less, _), (more, whole) = work(small), work(large)
    assert more <= MOST * len(large) + SIZE
    assert not whole or more / len(large) <= 1.5 * less / len(small) + STEP


def test_the_bound_is_no_excuse_to_look_at_nothing() -> None:
    for form in ("raw", "base64", "hex", "percent, all", "x escapes", "gzip in base64"):
        text = BODIES["prose"](SIZE // 10)
        assert isinstance(text, str)
        assert Needles({PASSWORD: "password"}).find(text) is None
        found = Needles({PASSWORD: "password"}).find(text + FORMS[form](PASSWORD) + text)
        assert found is not None
        assert found.kind == "password"


def test_what_is_too_deep_counts_as_a_finding() -> None:
    found = Needles({PASSWORD: "password"}).find(gzip.compress(b"a" * 50_000_000))
    assert found is not None
    assert found.how == "too deep"


def test_a_number_that_is_no_character_is_text_like_any_other() -> None:
    digits = "1" * 5_000  # more than Python turns into a number
    assert Needles({PASSWORD: "password"}).find(f"&#{digits};") is None
    hidden = "".join(f"&#{ord(letter):09d};" for letter in PASSWORD)
    found = Needles({PASSWORD: "password"}).find(f"&#{digits}; {hidden}")
    assert found is not None
    assert found.how == "whole"


def test_many_packed_parts_cost_no_more_than_one() -> None:
    parts = [zlib.compress(noise(number + 8) + bytes(SIZE), 9) for number in range(200)]
    value = b"\xff".join(parts) + noise(SIZE)
    done, whole = work(value)
    assert not whole
    assert done <= MOST * len(value) + SIZE
