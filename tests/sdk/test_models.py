"""Every model: unknown fields are kept, unknown statuses are kept and typed, wrong types are refused."""

from __future__ import annotations

import copy
import json
import pickle
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import veza
from veza import models
from veza.models import Model, OpenEnum
from veza.testing import FakeBackend, Reply, connect

if TYPE_CHECKING:
    from collections.abc import Callable

MODELS = [
    one for one in (getattr(models, name) for name in models.__all__) if issubclass(one, Model) and one is not Model
]
ENUMS = [
    one
    for one in (getattr(models, name) for name in models.__all__)
    if issubclass(one, OpenEnum) and one is not OpenEnum
]
UP = {"ok", "up", "operational"}
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
EXTRAS = st.dictionaries(TEXT.map(lambda one: f"new_{one}"), st.integers() | TEXT | st.lists(st.none()), max_size=3)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda one: one.replace(tzinfo=UTC).isoformat())  # noqa: DTZ001  (made aware at once)
WRONG: dict[str, list[Any]] = {
    "id": ["", True, 1.5, None, [], {}],
    "text": [5, True, None, [], {}, 1.5],
    "filled": ["", 5, True, None, [], {}, 1.5],
    "currency": ["", "E1R", "EURO", 5, None, [], {}],
    "secret": ["", 5, None, [], {}],
    "flag": ["true", 1, 0, "", [], {}],
    "integer": ["5", 5.5, True, None, [], {}],
    "moment": ["2026-04-01T10:00:00", "2026-04-01", "1767225600", 1767225600, "", True, [], {}, "tomorrow"],
    "enum": ["", 5, True, [], {}],
    "list": [{}, "x", 5, [5], [True], [None]],
    "object": [[], "x", 5],
}  # fmt: skip


@lru_cache
def kinds(model: type[Model]) -> dict[str, str]:
    """Return what each field of a model is, read from its JSON schema, not from how it is validated."""
    schema = model.model_json_schema()
    found = {}
    for name, one in schema["properties"].items():
        branches = [branch for branch in one.get("anyOf", [one]) if branch.get("type") != "null"]
        branch = branches[0]
        if "$ref" in branch:
            target = schema["$defs"][branch["$ref"].rpartition("/")[2]]
            found[name] = "enum" if "enum" in target else "object"
        elif len(branches) > 1:
            found[name] = "id"
        elif "pattern" in branch:
            found[name] = "currency"
        elif branch.get("writeOnly"):
            found[name] = "secret"
        elif branch.get("minLength"):
            found[name] = "filled"
        elif branch.get("format") == "date-time":
            found[name] = "moment"
        else:
            found[name] = {
                "string": "text",
                "integer": "integer",
                "array": "list",
                "object": "object",
                "boolean": "flag",
            }[branch["type"]]
    return found


def nullable(model: type[Model], name: str) -> bool:
    return not model.model_fields[name].is_required()


SAMPLES: dict[str, Any] = {
    "id": "41", "text": "x", "filled": "x", "secret": "s", "currency": "EUR", "integer": 500, "flag": True,
    "moment": "2026-04-01T10:00:00Z", "enum": "brand_new",
}  # fmt: skip
DRAWN: dict[str, st.SearchStrategy[Any]] = {
    "id": IDS | st.integers(0, 10**12), "text": TEXT, "secret": TEXT.filter(bool), "filled": TEXT.filter(bool),
    "enum": TEXT.filter(bool),
    "currency": st.sampled_from(["EUR", "JPY"]), "flag": st.booleans(),
    "integer": st.integers(0, 2**62), "moment": MOMENTS,
}  # fmt: skip


def full(model: type[Model]) -> dict[str, Any]:
    """Return a JSON object with every field of the model."""
    made: dict[str, Any] = {}
    for name, kind in kinds(model).items():
        annotation = model.model_fields[name].annotation
        if kind in SAMPLES:
            made[name] = SAMPLES[kind]
        elif annotation == tuple[models.OrderItem, ...]:
            made[name] = [full(models.OrderItem)]
        elif annotation == dict[str, models.Service]:
            made[name] = {"hyperswitch": full(models.Service)}
        else:
            made[name] = full(annotation) if kind == "object" else ["x"]  # type: ignore[arg-type]  # a model then
    return made


@st.composite
def instances(draw: st.DrawFn, model: type[Model]) -> dict[str, Any]:
    """Draw a JSON object that the model accepts."""
    made: dict[str, Any] = {}
    for name, kind in kinds(model).items():
        if nullable(model, name) and draw(st.booleans()):
            continue
        made[name] = draw(DRAWN[kind] if kind in DRAWN else nested(model.model_fields[name].annotation))
    return made


def nested(annotation: Any) -> st.SearchStrategy[Any]:
    if annotation == tuple[models.OrderItem, ...]:
        return st.lists(instances(models.OrderItem), max_size=2)
    if annotation == dict[str, models.Service]:
        return st.dictionaries(TEXT, instances(models.Service), max_size=2)
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return instances(annotation)
    return st.lists(TEXT, max_size=3)


OBJECTS = st.sampled_from(MODELS).flatmap(lambda model: st.tuples(st.just(model), instances(model)))
"""A model and a JSON object that it accepts."""


def read_both_ways(model: type[Model], value: dict[str, Any]) -> tuple[Model, Model]:
    return model.model_validate(value), model.model_validate_json(json.dumps(value))


@given(drawn=OBJECTS, extra=EXTRAS)
def test_unknown_fields_are_kept(drawn: tuple[type[Model], dict[str, Any]], extra: dict[str, Any]) -> None:
    model, known = drawn
    for read in read_both_ways(model, known | extra):
        assert read.model_extra == extra
        assert extra.items() <= read.model_dump().items()


@given(drawn=OBJECTS)
def test_what_was_read_is_written_as_it_came(drawn: tuple[type[Model], dict[str, Any]]) -> None:
    model, known = drawn
    written = model.model_validate(known).model_dump(mode="json", exclude_unset=True)
    assert written.keys() == known.keys()
    for name, kind in kinds(model).items():
        absent = known.get(name) == "" and nullable(model, name)
        if name in known and kind in {"text", "integer", "enum"} and str(known[name]).lower() not in UP:
            assert written[name] == (None if absent else known[name])
        if name in known and kind == "id":
            assert written[name] == str(known[name])
        if name in known and kind == "moment":
            assert datetime.fromisoformat(written[name]) == datetime.fromisoformat(known[name])
        if kind == "secret":
            assert name not in known or written[name] == "**********"


@given(drawn=OBJECTS)
def test_models_are_frozen_equal_and_copied(drawn: tuple[type[Model], dict[str, Any]]) -> None:
    model, known = drawn
    read = model.model_validate(known)
    assert read == model.model_validate(known)
    assert copy.deepcopy(read) == copy.copy(read) == read
    with pytest.raises(ValidationError):
        setattr(read, next(iter(kinds(model))), "x")
    if "secret" in kinds(model).values():
        with pytest.raises(TypeError):
            pickle.dumps(read)
    else:
        assert pickle.loads(pickle.dumps(read)) == read


def accepted(model: type[Model], value: dict[str, Any]) -> list[str]:
    """Return the ways of reading by which the model accepts the value."""
    ways: dict[str, Callable[[], Model]] = {
        "python": lambda: model.model_validate(value),
        "json": lambda: model.model_validate_json(json.dumps(value)),
    }
    found = []
    for name, read in ways.items():
        with suppress(ValidationError):
            read()
            found.append(name)
    return found


def required(model: type[Model], name: str) -> bool:
    return model.model_fields[name].is_required()


def test_only_a_required_field_must_be_there(subtests: pytest.Subtests) -> None:
    for model in MODELS:
        known = full(model)
        for name in known:
            without = {key: value for key, value in known.items() if key != name}
            if (model, name) == (models.Service, "status"):
                without = {"mode": "live"}  # whether it is enabled would stand for its status
            with subtests.test(model.__name__, field=name):
                assert accepted(model, without) == ([] if required(model, name) else ["python", "json"])
        with subtests.test(model.__name__):
            optional = [name for name in known if not required(model, name)]
            assert accepted(model, known | dict.fromkeys(optional)) == ["python", "json"]


def test_a_wrong_type_in_a_known_field_is_refused(subtests: pytest.Subtests) -> None:
    for model in MODELS:
        known = full(model)
        if model is models.Service:
            known = {"status": "healthy", "mode": "live"}
        assert accepted(model, known) == ["python", "json"], model
        for name, kind in kinds(model).items():
            for wrong in WRONG[kind]:
                absent = wrong is None or (wrong == "" and kind != "flag")
                if required(model, name) or not absent:
                    with subtests.test(model.__name__, field=name, wrong=wrong):
                        assert accepted(model, known | {name: wrong}) == []


@given(kind=st.sampled_from(ENUMS), value=TEXT.filter(bool))
def test_statuses_are_open_and_typed(kind: type[OpenEnum], value: str) -> None:
    status = kind(value)
    assert isinstance(status, kind)
    assert status == value
    assert status == kind(value)
    assert {status: 1}[kind(value)] == 1
    assert status.known == (value in {member.value for member in kind})
    for again in (pickle.loads(pickle.dumps(status)), copy.deepcopy(status)):
        assert (type(again), again, again.known) == (kind, value, status.known)


def test_known_statuses_are_members(subtests: pytest.Subtests) -> None:
    for kind in ENUMS:
        with subtests.test(kind.__name__):
            assert len(list(kind)) == len(kind.__members__)
        for member in kind:
            with subtests.test(kind.__name__, member=member):
                assert member.known
                assert kind(str(member)) is member
                assert pickle.loads(pickle.dumps(member)) is member


def test_unknown_statuses_do_not_pile_up() -> None:
    before = len(veza.OrderStatus.__members__), len(veza.OrderStatus._value2member_map_)
    for number in range(100):
        assert not veza.OrderStatus(f"new-{number}").known
    assert (len(veza.OrderStatus.__members__), len(veza.OrderStatus._value2member_map_)) == before


ORDER = {
    "id": 41, "buyer_id": 7, "status": "completed", "total_amount_cents": 500, "currency": "EUR", "items": [],
    "created_at": "2026-04-01T10:00:00.123456789Z", "updated_at": "2026-04-01T12:00:00+02:00",
}  # fmt: skip


def test_ids_are_strings_whatever_is_on_the_wire() -> None:
    order = veza.Order.model_validate(ORDER)
    assert (order.id, order.buyer_id, order.payment_id) == ("41", "7", None)


def test_a_count_may_be_written_with_a_point_an_amount_may_not() -> None:
    for text, expected in (("500.0", 500), ("5e2", 500), ("9007199254740993.0", 9007199254740993)):
        meta = json.dumps({"page": 1, "per_page": 20, "total": "@", "total_pages": 1}).replace('"@"', text)
        backend = FakeBackend()
        backend.script("listOrders", Reply(body=f'{{"success": true, "data": [], "meta": {meta}}}'.encode()))
        assert connect(backend).orders.list().meta.total == expected
    for text in ("500.0", "5e2", '"500"', "true"):
        body = json.dumps({"success": True, "data": ORDER}).replace("500", text)
        backend = FakeBackend()
        backend.script("getOrder", Reply(body=body.encode()))
        with pytest.raises(veza.InvalidResponseError, match=r"unreadable as Order: \$\.data\.total_amount_cents "):
            connect(backend).orders.get("41")


def test_moments_are_aware() -> None:
    order = veza.Order.model_validate(ORDER)
    assert order.created_at == datetime(2026, 4, 1, 10, 0, 0, 123456, UTC)
    assert order.updated_at is not None
    assert order.updated_at.utcoffset() == timedelta(hours=2)
    assert veza.Order.model_validate(ORDER | {"created_at": datetime(2026, 4, 1, tzinfo=UTC)}).created_at.tzinfo
    with pytest.raises(ValidationError):
        veza.Order.model_validate(ORDER | {"created_at": datetime(2026, 4, 1)})  # noqa: DTZ001  (naive on purpose)


def test_a_lone_surrogate_does_not_hide_the_products(veza_client: veza.Veza, veza_backend: FakeBackend) -> None:
    veza_backend.shop.products["11"]["title"] = "a\ud800b"
    assert [one.title for one in veza_client.products.list()] == ["a\ud800b"]


def test_a_hostile_title_is_text(veza_client: veza.Veza, veza_backend: FakeBackend) -> None:
    title = '<script>alert(1)</script> | "x" \n# y'
    veza_backend.shop.products["11"]["title"] = title
    assert veza_client.products.get("11").title == title


def test_results_know_their_answer_and_are_equal_without_it() -> None:
    backend = FakeBackend()
    client = connect(backend)
    first, second = client.products.get("11"), client.products.get("11")
    assert first.response_info is not None
    assert second.response_info is not None
    assert first.response_info.request_id != second.response_info.request_id
    assert first == second
    for again in (copy.copy(first), copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        assert again == first
        assert again.response_info is not None
        assert again.response_info.request_id == "req-1"
    assert "req-1" not in f"{first!r} {first.model_dump()}"
    assert client.products.list().data[0].response_info is None


def test_cookies_and_tokens_are_not_among_the_headers() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"status": "healthy"}, headers={"Set-Cookie": "s=1", "X-A": "b"})

    client = veza.Veza("http://veza.test", http_client=httpx.Client(transport=httpx.MockTransport(answer)))
    info = client.system.health().response_info
    assert info is not None
    assert (info.headers["x-a"], "set-cookie" in info.headers) == ("b", False)


def test_json_schemas_can_be_made_of_every_model() -> None:
    for model in MODELS:
        schema = TypeAdapter(model).json_schema()
        assert schema["properties"].keys() == model.model_fields.keys()
