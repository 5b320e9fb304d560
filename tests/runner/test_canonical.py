"""The canonical form: what it is, what it refuses, and that reading it back changes nothing."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from amount import share
from hypothesis import given, settings
from hypothesis import strategies as st

from veza_e2e.canonical import clean, digest, dumps

TEXT = st.text(st.characters(exclude_categories=()))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=share(60))
@given(VALUES)
def test_what_was_read_back_is_written_the_same(value: object) -> None:
    written = dumps(value)
    assert dumps(json.loads(written)) == written
    assert json.loads(written) == clean(value)
    written.encode()


@settings(max_examples=share(50))
@given(st.permutations([("a", 1), ("B", 2), ("é", 3), ("", 4), ("🎵", 5)]))
def test_the_order_of_members_does_not_matter(members: list[tuple[str, int]]) -> None:
    assert dumps(dict(members)) == '{"":4,"B":2,"a":1,"é":3,"🎵":5}'
    assert digest(dict(members)) == digest(dict(sorted(members)))


def test_it_is_sorted_without_white_space_and_without_escapes() -> None:
    assert dumps({"b": [1, None, True], "a": "é→🎵\n", "B": ()}) == '{"B":[],"a":"é→🎵\\n","b":[1,null,true]}'


@pytest.mark.parametrize("value", [1.0, float("nan"), float("inf"), Decimal(1), b"x", {1}, object(), 1 + 2j])
@pytest.mark.parametrize("inside", [lambda v: v, lambda v: [v], lambda v: {"a": {"b": [v]}}])
def test_what_json_has_no_exact_form_for_is_refused(value: object, inside: object) -> None:
    assert callable(inside)
    with pytest.raises(TypeError, match="no canonical JSON form"):
        dumps(inside(value))


@settings(max_examples=share(50))
@given(st.text(max_size=5), st.integers(0xD800, 0xDFFF).map(chr), st.text(max_size=5))
def test_a_lone_surrogate_becomes_a_replacement_character(before: str, lone: str, after: str) -> None:
    assert clean(f"{before}{lone}{after}") == f"{before}\ufffd{after}"
    assert json.loads(dumps({lone: lone})) == {"\ufffd": "\ufffd"}


def test_a_pair_of_surrogates_is_the_character_it_stands_for() -> None:
    assert clean("\ud83c\udfb5") == "🎵"


def test_a_byte_order_mark_stays() -> None:
    assert clean("\ufeffa\ufeff") == "\ufeffa\ufeff"
