"""The runner's frozen dataclasses are what the standard library would have made of them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from veza_e2e import frozen

OPTIONS: list[dict[str, bool]] = [{}, {"slots": True}, {"slots": True, "kw_only": True}]


def made_by(decorator: Any, options: dict[str, bool]) -> Any:
    class Charge:
        """A charge."""

        cents: int
        card: str = dataclasses.field(repr=False)
        seen: list[int] = dataclasses.field(default_factory=list, compare=False)

    return decorator(frozen=True, **options)(Charge)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_frozen_class_behaves_as_the_standard_librarys(options: dict[str, bool]) -> None:
    ours, theirs = (made_by(maker, options) for maker in (frozen.dataclass, dataclasses.dataclass))
    one, twin = ours(cents=5, card="4242"), theirs(cents=5, card="4242")
    assert repr(one) == repr(twin)
    assert "4242" not in repr(one), "a field that is not shown may be a secret"
    assert one == ours(cents=5, card="4242", seen=[1])
    assert hash(one) == hash(ours(cents=5, card="4242", seen=[1])) == hash(twin)
    assert one not in (ours(cents=6, card="4242"), ours(cents=5, card="1881"), twin)
    assert dataclasses.asdict(one) == dataclasses.asdict(twin)
    assert dataclasses.replace(one, cents=6) == ours(cents=6, card="4242")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.cents = 6
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.cents


def test_what_a_class_says_for_itself_stays() -> None:
    @frozen.dataclass(frozen=True)
    class Secret:
        word: str

        def __repr__(self) -> str:
            return "***"

        def __eq__(self, other: object) -> bool:
            return False

        __hash__ = None  # type: ignore[assignment]

    assert repr(Secret("x")) == "***"
    assert Secret("x") != Secret("x")
    with pytest.raises(TypeError):
        hash(Secret("x"))


def test_one_that_can_be_changed_is_the_librarys_own() -> None:
    @frozen.dataclass
    class Counter:
        count: int = 0

    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    with pytest.raises(TypeError):
        hash(counter)
