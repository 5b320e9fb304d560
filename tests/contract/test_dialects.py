# ruff: noqa: E501 - a case reads as a line
"""contract diff on forty changes of a backend's spec, each in its generator's words.

Each verdict was written down from the two texts before it was run: the rules that are to be found, drift and beyond that
follow from leaving things out (`required-unsaid`, `bounds-unsaid`) aside.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from veza_contract import comparing, spec
from veza_contract.operations import document as contract

Document = dict[str, Any]
Change = Callable[[Document], object]
UNSAID = {"required-unsaid", "bounds-unsaid"}
JSON = "application/json"


def _schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def _members(document: Document, name: str) -> Document:
    found: Document = _schema(document, name)["properties"]
    return found


def _operation(document: Document, path: str, method: str = "get") -> Document:
    found: Document = document["paths"][path][method]
    return found


def _put(name: str, member: str, schema: object) -> Change:
    return lambda document: _members(document, name).update({member: schema})


def _drop(name: str, member: str) -> Change:
    def change(document: Document) -> None:
        del _members(document, name)[member]
        _schema(document, name)["required"] = [one for one in _schema(document, name)["required"] if one != member]

    return change


def _body(schema: Document, path: str = "/orders/{order_id}/refund") -> Change:
    def change(document: Document) -> None:
        _operation(document, path, "post")["requestBody"]["content"][JSON]["schema"] = schema

    return change


def _renamed(document: Document, path: str, to: str) -> None:
    document["paths"][to] = document["paths"].pop(path)


def _without_ids(document: Document) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            operation.pop("operationId")


def _product_ids(schema: Document) -> Change:
    def change(document: Document) -> None:
        _members(document, "Product")["id"] = schema

    return change


def _both(*changes: Change) -> Change:
    def change(document: Document) -> None:
        for one in changes:
            one(document)

    return change


def _item(schema: Document) -> Change:
    def change(document: Document) -> None:
        _members(document, "CreateOrderRequest")["items"]["items"]["properties"]["product_id"] = schema

    return change


REFUND: Document = {
    "type": "object", "required": ["reason"],
    "properties": {"reason": {"type": "string"}, "amount_cents": {"type": "integer"}},
}  # fmt: skip
TEXT, WHOLE = {"type": "string"}, {"type": "integer"}

CASES: dict[str, tuple[Change, set[str]]] = {
    # What is read.
    "a status more, by a string enum": (
        lambda d: _schema(d, "OrderStatus")["enum"].append("on_hold"), {"response-wider", "request-wider"},
    ),
    "a status without its values": (lambda d: _schema(d, "RefundStatus").pop("enum"), set()),
    "an enum of one value, as const": (_put("Refund", "status", {"const": "pending"}), {"response-narrower"}),
    "a currency as one fixed word in small letters": (_put("Order", "currency", {"const": "eur"}), {"response-narrower"}),
    "a price as a float in major units": (
        _both(_drop("Product", "price_cents"), _put("Product", "price", {"type": "number"})),
        {"response-field-optional"},
    ),
    "a price as a whole number under a shorter name": (
        _both(_drop("Product", "price_cents"), _put("Product", "price", WHOLE)), {"money-unread"},
    ),
    "a price as text": (_put("Product", "price_cents", TEXT), {"response-wider"}),
    "ids as UUIDs": (_put("License", "id", {"type": "string", "format": "uuid"}), {"response-form"}),
    "ids as 64-bit integers": (_put("License", "id", {"type": "integer", "format": "int64"}), {"response-narrower"}),
    "an id as an object": (_put("License", "id", {"type": "object"}), {"response-wider"}),
    "a time in seconds": (_put("License", "granted_at", WHOLE), {"response-wider"}),
    "a time that may be null and is needed": (
        _put("License", "granted_at", {"type": ["string", "null"], "format": "date-time"}), {"response-wider"},
    ),
    "an optional text that may be null": (
        _put("User", "username", {"type": ["string", "null"]}), {"response-nullable"},
    ),
    "a list of licenses that may be null": (
        _put("LicenseListResponse", "data", {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/License"}}),
        set(),
    ),
    "services as a list": (
        _put("Status", "services", {"type": "array", "items": TEXT}), {"response-wider"},
    ),
    "services that may hold null": (
        _put("Status", "services", {"type": "object", "additionalProperties": {"type": ["string", "null"]}}),
        {"response-wider"},
    ),
    "a success that is false": (_put("StatusResponse", "success", {"const": False}), {"response-wider"}),
    "an order in another envelope": (
        lambda d: _schema(d, "OrderResponse").update(properties={"result": {"$ref": "#/components/schemas/Order"}}, required=["result"]),
        {"envelope-bare", "response-field-gone", "response-field-dropped", "response-field-added"},
    ),
    "an order without an envelope": (
        lambda d: d["components"]["schemas"].update(OrderResponse={"$ref": "#/components/schemas/Order"}),
        {"envelope-bare"},
    ),
    "no content": (
        lambda d: _operation(d, "/orders/{order_id}")["responses"]["200"].pop("content"), {"response-empty"},
    ),
    "XML": (
        lambda d: _operation(d, "/orders/{order_id}")["responses"]["200"].update(
            content={"application/xml": {"schema": TEXT}}), {"response-media"},
    ),
    "a range of statuses": (
        lambda d: _operation(d, "/auth/me")["responses"].update(
            {"2XX": _operation(d, "/auth/me")["responses"].pop("200")}), set(),
    ),
    "only a default answer": (
        lambda d: _operation(d, "/auth/me").update(responses={"default": {"description": "", "content": {JSON: {"schema": True}}}}),
        {"success-missing", "status-gone"},
    ),
    "an error without words": (
        lambda d: d["components"]["responses"]["NotFound"].update(
            content={JSON: {"schema": {"type": "object", "required": ["oops"], "properties": {"oops": TEXT}}}}),
        {"error-shape"},
    ),
    "problem details, as text": (
        lambda d: d["components"]["responses"]["NotFound"].update(content={"application/problem+json": {"schema": {}}}),
        {"error-media"},
    ),
    "a checkout by client secret": (
        _both(_drop("CheckoutOrder", "checkout_url"), _put("CheckoutOrder", "client_secret", TEXT)), {"checkout-secret"},
    ),
    # What is sent.
    "a required field more": (_body({**REFUND, "required": ["reason", "note"]}), {"request-field-unsendable"}),
    "a reason from a list": (
        _body({**REFUND, "properties": {**REFUND["properties"], "reason": {"enum": ["a", "b"]}}}), {"request-narrower"},
    ),
    "a closed body without the amount": (
        _body({"type": "object", "required": ["reason"], "properties": {"reason": TEXT}, "additionalProperties": False}),
        {"request-field-unknown"},
    ),
    "two bodies, of which one": (
        _body({"oneOf": [{**REFUND, "required": ["reason", "amount_cents"]}, {"type": "object", "required": ["full"]}]}),
        {"request-narrower"},
    ),
    "a read-only field that is required": (
        _body({**REFUND, "required": ["reason", "id"], "properties": {**REFUND["properties"], "id": {**TEXT, "readOnly": True}}}),
        set(),
    ),
    "an integer product where products have integers": (
        _both(_item(WHOLE), _product_ids(WHOLE)), {"request-id-form", "response-narrower"},
    ),
    "an integer product where products have texts": (
        _both(_item(WHOLE), _product_ids(TEXT)), {"request-narrower", "response-form"},
    ),
    "the body as a form": (
        lambda d: _operation(d, "/auth/login", "post")["requestBody"].update(
            content={"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}), {"body-media"},
    ),
    "a tenant header": (
        lambda d: _operation(d, "/auth/me").update(
            parameters=[{"name": "X-Tenant", "in": "header", "required": True, "schema": TEXT}]),
        {"parameter-unsendable"},
    ),
    "pages by cursor": (
        lambda d: _operation(d, "/marketplace/products").update(
            parameters=[{"name": "cursor", "in": "query", "schema": TEXT}]),
        {"parameter-unknown", "parameter-added"},
    ),
    # Where, and by whom.
    "an API key in place of the token": (
        lambda d: d["components"]["securitySchemes"].update(bearerAuth={"type": "apiKey", "in": "header", "name": "X-Key"}),
        {"login-carried"},
    ),
    "a slash at the end": (lambda d: _renamed(d, "/licenses/mine", "/licenses/mine/"), {"operation-moved"}),
    "another version of the API": (lambda d: d.update(servers=[{"url": "/api/v2"}]), {"operation-moved"}),
    "Gin's paths, and no operationIds": (
        _both(_without_ids, lambda d: _renamed(d, "/orders/{order_id}", "/orders/:order_id")), set(),
    ),
}  # fmt: skip


def test_there_are_forty() -> None:
    assert len(CASES) == 40


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_is_the_one_that_was_written_down(name: str) -> None:
    change, expected = CASES[name]
    theirs = copy.deepcopy(contract())
    for item in theirs["paths"].values():
        for operation in item.values():
            for response in operation["responses"].values():
                response.pop("links", None)
    change(theirs)
    found = comparing.compare(spec.read(contract()), spec.read(theirs))
    assert {one.rule for one in found.changes} - UNSAID == expected
