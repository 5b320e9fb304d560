"""contract diff --write: what is odd or old in another spec comes out as OpenAPI 3.1 that the generator can read."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
import yaml

from veza_contract import draft, matching, spec

from .conftest import CONTRACT, ROOT, Done

Command = Callable[..., Done]
ORDER = "/orders/{order_id}"
ID = {"name": "order_id", "in": "path", "required": True}


def _drafted(theirs: dict[str, Any]) -> dict[str, Any]:
    ours, other = spec.read(spec.load(CONTRACT)), spec.read(theirs)
    found: dict[str, Any] = yaml.safe_load(draft.draft(ours, other, matching.matches(ours, other, {}))[0])
    openapi_spec_validator.validate(found)
    rows = runpy.run_path(str(ROOT / "sdk/generate.py"))["operations"](found)
    assert rows.keys() == ours.by_id().keys()
    return found


def _swagger(order: dict[str, Any], **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"success": {"type": "boolean"}, "data": {"$ref": "#/definitions/order"}}}
    get = {"parameters": [{**ID, "type": "string"}], "responses": {"200": {"description": "OK", "schema": schema}}}
    return {
        "swagger": "2.0", "info": {"title": "theirs", "version": "1"}, "basePath": "/api/v1",
        "paths": {ORDER: {"get": get}}, "definitions": {"order": order}, **more,
    }  # fmt: skip


def _openapi(order: dict[str, Any], responses: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/order"}}}
    get = {
        "operationId": "getOrder", "parameters": [{**ID, "schema": {"type": "string"}}],
        "responses": responses or {"200": {"description": "OK", "content": content}},
    }  # fmt: skip
    return {
        "openapi": "3.0.3", "info": {"title": "theirs", "version": "1"}, "servers": [{"url": "/api/v1"}],
        "paths": {ORDER: {"get": get}}, "components": {"schemas": {"order": order}, **more},
    }  # fmt: skip


def _order(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"]["order"]
    return found


@pytest.mark.parametrize("made", [_swagger, _openapi])
def test_old_bounds_are_numbers(made: Callable[..., dict[str, Any]]) -> None:
    price = {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False}
    found = _drafted(made({"type": "object", "properties": {"price": price}}))
    assert _order(found)["properties"]["price"] == {"type": "integer", "exclusiveMinimum": 0, "maximum": 9}


def test_a_discriminator_of_swagger_is_an_object() -> None:
    order = {
        "type": "object",
        "required": ["kind"],
        "discriminator": "kind",
        "properties": {"kind": {"type": "string"}},
    }
    assert _order(_drafted(_swagger(order)))["discriminator"] == {"propertyName": "kind"}


def test_oauth_is_a_bearer_token_as_the_sdk_carries_it() -> None:
    scheme = {"type": "oauth2", "flow": "password", "tokenUrl": "https://veza.test/token", "scopes": {}}
    theirs = _swagger({"type": "object"}, securityDefinitions={"OAuth": scheme}, security=[{"OAuth": []}])
    found = _drafted(theirs)
    (asked,) = found["paths"][ORDER]["get"]["security"]
    assert {found["components"]["securitySchemes"][name]["scheme"] for name in asked} == {"bearer"}


def test_a_scheme_named_like_ours_is_kept_under_another_name() -> None:
    scheme = {"type": "apiKey", "in": "cookie", "name": "session"}
    theirs = _openapi({"type": "object"}, securitySchemes={"bearerAuth": scheme})
    theirs["security"] = [{"bearerAuth": []}]
    found = _drafted(theirs)
    (asked,) = found["paths"][ORDER]["get"]["security"]
    assert [found["components"]["securitySchemes"][name] for name in asked] == [scheme]
    assert found["components"]["securitySchemes"]["bearerAuth"]["scheme"] == "bearer"


def test_names_that_openapi_does_not_allow_are_changed_wherever_they_are_said() -> None:
    reference = {"$ref": "#/definitions/models.Page%5Bproduct%5D"}
    theirs = _swagger({"type": "object", "properties": {"page": reference}})
    theirs["definitions"] |= {"models.Page[product]": {"type": "object"}, "models.Page_product": {"type": "string"}}
    found = _drafted(theirs)
    name = _order(found)["properties"]["page"]["$ref"].rpartition("/")[2]
    assert found["components"]["schemas"][name] == {"type": "object"}
    assert {"type": "string"} in found["components"]["schemas"].values()


def test_a_property_may_be_named_like_a_keyword() -> None:
    names = ("example", "nullable", "discriminator", "required")
    order = {"type": "object", "example": {}, "properties": {name: {"type": "string"} for name in names}}
    assert _order(_drafted(_openapi(order)))["properties"].keys() == set(names)


def test_null_is_kept_wherever_it_is_allowed() -> None:
    properties = {
        "text": {"type": "string", "nullable": True},
        "word": {"type": "string", "enum": ["a"], "nullable": True},
        "other": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Other"}]},
    }
    theirs = _openapi({"type": "object", "properties": properties})
    theirs["components"]["schemas"]["Other"] = {"type": "object"}
    known = _order(_drafted(theirs))["properties"]
    assert known["text"] == {"type": ["string", "null"]}
    assert known["word"] == {"type": ["string", "null"], "enum": ["a", None]}
    assert known["other"] == {"anyOf": [{"allOf": [{"$ref": "#/components/schemas/Other"}]}, {"type": "null"}]}


def test_a_parameter_with_content_has_its_schema() -> None:
    theirs = _openapi({"type": "object"})
    content = {"application/json": {"schema": {"type": "integer"}}}
    theirs["paths"][ORDER]["get"]["parameters"].append({"name": "page", "in": "query", "content": content})
    parameters = _drafted(theirs)["paths"][ORDER]["get"]["parameters"]
    assert [one["schema"] for one in parameters] == [{"type": "string"}, {"type": "integer"}]


def test_ranges_and_defaults_become_the_statuses_that_we_list() -> None:
    responses = {
        "2XX": {"description": "fine"}, "404": {"description": "gone"}, "4XX": {"description": "ours"},
        "default": {"description": "other"},
    }  # fmt: skip
    found = _drafted(_openapi({"type": "object"}, responses))["paths"][ORDER]["get"]["responses"]
    ours = spec.read(spec.load(CONTRACT)).by_id()["getOrder"].responses
    assert found.keys() == ours.keys()
    assert found["200"]["description"] == "fine (Their spec says it of 2XX.)"
    assert found["404"]["description"] == "gone"


def test_what_is_left_out_of_an_operation_stays_ours() -> None:
    theirs = _openapi({"type": "object"})
    get = theirs["paths"][ORDER]["get"]
    get["parameters"].append({"name": "astray"})
    get["responses"]["200"]["content"] = None
    assert "content" not in _drafted(theirs)["paths"][ORDER]["get"]["responses"]["200"]
    del get["responses"]
    assert "200" in _drafted(theirs)["paths"][ORDER]["get"]["responses"]


def test_what_cannot_be_drafted_is_said_and_loses_no_difference(veza_e2e: Command, tmp_path: Path) -> None:
    theirs = _openapi({"type": "object"})
    theirs["components"]["schemas"]["odd"] = 7
    theirs["paths"][ORDER]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = 7
    path = tmp_path / "theirs.yaml"
    path.write_text(yaml.safe_dump(theirs), encoding="utf-8")
    done = veza_e2e("--json", "contract", "diff", "--spec", str(path), "--write")
    assert done.code == 5
    assert "As ours in the draft: schema odd: a schema is an object" in done.err
    assert "As ours in the draft: getOrder: a schema is an object" in done.err
    assert {"rule": "incomparable", "operation": "getOrder"}.items() <= next(
        item.items() for item in done.document["items"] if item["name"] == "orders.get" and item["status"] == "break"
    )
    drafted = spec.load(tmp_path / "openapi.draft.yaml")
    assert drafted["paths"][ORDER]["get"]["x-veza-evidence"] == "assumed"


def test_the_way_on_is_said(veza_e2e: Command) -> None:
    assert "run python sdk/generate.py." in veza_e2e("contract", "diff", "--spec", str(CONTRACT), "--write").err
