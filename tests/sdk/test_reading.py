"""What the SDK makes of each member of each model: absent, null, Go's zero value, a wrong kind. The page is made here.

python -m tests.sdk.test_reading writes docs/sdk/reading.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import veza
from veza import models
from veza._decode import one

from .test_models import MODELS, WRONG, full, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from veza.models import Model

PAGE: Final = Path(__file__).parents[2] / "docs" / "sdk" / "reading.md"
ZEROS: Final[dict[str, tuple[Any, ...]]] = {
    "id": ("",), "text": ("",), "filled": ("",), "currency": ("",), "secret": ("",), "enum": ("",),
    "integer": (0,), "flag": (False,),
    "moment": ("0001-01-01T00:00:00Z", ""), "list": ([],), "object": ({},),
}  # fmt: skip
NAMES: Final = {
    "id": "id", "text": "text", "filled": "text", "currency": "currency", "secret": "secret", "enum": "state",
    "integer": "integer",
    "flag": "true or false", "moment": "time", "list": "list", "object": "object",
}  # fmt: skip
HEAD: Final = """# What is read as what

A Go backend leaves out what is empty, or writes its zero value: `""`, `0`, `null`, or a time in the year 1. What
nothing needs is then read as absent, and what is needed is refused. A known member of a wrong kind is refused with its
place, such as `$.data.items[0].price_cents`: `true` for an integer, `500.0` or `"500"` for cents, an object of
`sql.NullString` for a text.

Made by the tests (`python -m tests.sdk.test_reading`) from what the SDK does. `None`, `()`, `{}` and `0` are what the
member is then read as; *kept* means that the value itself is read.

| member | kind | absent | `null` | zero value | wrong kind |
|---|---|---|---|---|---|
"""


def said(model: type[Model], member: str, value: dict[str, Any]) -> str:
    """Return what a member of an answer is read as."""
    try:
        read = one(model)(json.dumps({"success": True, "data": value}).encode())
    except veza.InvalidResponseError:
        return "refused"
    found = getattr(read, member)
    kept = member in value and value[member] is not None and found is not None
    same = kept and (value[member] == found or value[member] == list(found if isinstance(found, tuple) else ()))
    return "kept" if same or isinstance(found, models.Model) else f"`{found!r}`"


def rows() -> Iterator[tuple[str, ...]]:
    for model in MODELS:
        known = {"status": "healthy", "mode": "live"} if model is models.Service else full(model)
        for member, kind in kinds(model).items():
            without = {name: value for name, value in known.items() if name != member}
            zeros = [f"`{json.dumps(zero)}`: {said(model, member, known | {member: zero})}" for zero in ZEROS[kind]]
            wrong = [one for one in WRONG[kind] if one is not None and one not in ZEROS[kind] and one != ""]
            outcomes = {said(model, member, known | {member: one}) for one in wrong}
            yield (
                f"`{model.__name__}.{member}`",
                NAMES[kind],
                said(model, member, without),
                said(model, member, known | {member: None}),
                ", ".join(zeros),
                " or ".join(sorted(outcomes)),
            )


def page() -> str:
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows())


def test_the_page_says_what_the_sdk_does() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.sdk.test_reading"


def test_a_wrong_kind_is_refused_in_every_member() -> None:
    assert {row[0]: row[5] for row in rows() if row[5] != "refused"} == {}


def test_what_is_absent_null_or_zero_is_refused_or_read_alike() -> None:
    differ = {row[0]: row[2:4] for row in rows() if row[2] != row[3]}
    assert differ == {}


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
