"""What a, b and static find when something is not as the contract says."""

from __future__ import annotations

import copy
from typing import Any

import httpx
import pytest

from veza_contract import bindings, cases, containment, requests, responses, spec
from veza_contract.model import Spec
from veza_contract.sending import Sent

from .conftest import CONTRACT

DOCUMENT = spec.load(CONTRACT)
SPEC = spec.read(DOCUMENT)


def changed(*path: str | int, to: Any) -> Spec:
    """The contract with one node replaced."""
    document = copy.deepcopy(DOCUMENT)
    node: Any = document
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = to
    return spec.read(document)


def _call(label: str, request: httpx.Request, **arguments: Any) -> Sent:
    method = next(method for method in bindings.methods() if method.label == label)
    return Sent(method, arguments, asynchronous=False, request=request)


LOGGED_IN = {"Authorization": "Bearer x", "Accept": "application/json"}


@pytest.mark.parametrize(
    ("request_", "arguments", "place"),
    [
        (httpx.Request("GET", "http://x/api/v1/orders?size=3", headers=LOGGED_IN), {}, "query size"),
        (httpx.Request("GET", "http://x/api/v1/orders?page=0", headers=LOGGED_IN), {"page": 0}, "query page"),
        (httpx.Request("GET", "http://x/api/v1/orders?page=2", headers=LOGGED_IN), {"page": 3}, "page"),
        (httpx.Request("GET", "http://x/api/v1/orders", headers=LOGGED_IN), {"limit": 3}, "limit"),
        (httpx.Request("GET", "http://x/api/v1/orders?limit=20", headers=LOGGED_IN), {}, "limit"),
        (httpx.Request("GET", "http://x/api/v1/orders?page=1&page=1", headers=LOGGED_IN), {"page": 1}, "query"),
        (httpx.Request("GET", "http://x/api/v1/orders", headers={"Accept": "application/json"}), {}, "login"),
        (httpx.Request("GET", "http://x/api/v1/orders", headers=LOGGED_IN | {"X-Debug": "1"}), {}, "header x-debug"),
        (httpx.Request("GET", "http://x/api/v1/orders", headers=LOGGED_IN, json={"page": 1}), {}, "body"),
        (httpx.Request("GET", "http://x/api/v1/order", headers=LOGGED_IN), {}, "path"),
    ],
)  # fmt: skip
def test_a_request_that_is_not_as_documented_is_named(
    request_: httpx.Request, arguments: dict[str, Any], place: str
) -> None:
    assert place in {finding.place for finding in requests.check(SPEC, _call("orders.list", request_, **arguments))}


def test_a_body_with_a_key_that_is_not_documented_is_named() -> None:
    body = {"reason": "r", "note": "n"}
    request = httpx.Request("POST", "http://x/api/v1/orders/41/refund", headers=LOGGED_IN, json=body)
    found = requests.check(SPEC, _call("orders.refund", request, order_id="41", reason="r"))
    assert {finding.place for finding in found} == {"body", "note"}


def test_swapped_values_are_named() -> None:
    body = {"refund_token": "t"}
    request = httpx.Request(
        "POST",
        "http://x/api/v1/orders/41/refund",
        headers=LOGGED_IN | {"Idempotency-Key": "reason"},
        json={"reason": "key"},
    )
    found = requests.check(SPEC, _call("orders.refund", request, order_id="41", reason="reason", idempotency_key="key"))
    assert {finding.place for finding in found} == {"Idempotency-Key", "reason"}, body


ORDER = ("components", "schemas", "Order", "properties")


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ((*ORDER, "note"), {"type": "string"}),
        ((*ORDER, "tax_amount_cents"), {"type": ["integer", "null"], "minimum": 0}),
        ((*ORDER, "total_amount_cents"), {"type": "number"}),
        ((*ORDER, "created_at"), {"type": "integer"}),
        (("components", "schemas", "OrderStatus", "enum", 0), "awaiting_payment"),
        (("components", "schemas", "Order", "required"), ["id"]),
        (("components", "schemas", "ErrorCode", "properties", "trace"), {"type": "string"}),
    ],
)
def test_an_answer_that_the_sdk_does_not_declare_is_found_both_ways(path: tuple[str | int, ...], to: Any) -> None:
    other = changed(*path, to=to)
    method = bindings.by_operation()["getOrder"]
    operation = other.by_id()["getOrder"]
    assert responses.check_operation(operation, method, responses.Budget(5, 1))
    assert any(finding.value for finding in containment.check_operation(operation, method))


def test_generated_values_are_valid_and_the_same_for_the_same_seed() -> None:
    schema = SPEC.by_id()["getOrder"].responses["200"]["application/json"]
    once, again, other = (cases.fuzz(schema, 10, seed) for seed in (1, 1, 2))
    assert once == again
    assert once != other
    edges = cases.edges(schema)
    statuses = {value["data"]["status"] for value in edges}
    assert statuses == {str(status) for status in DOCUMENT["components"]["schemas"]["OrderStatus"]["enum"]}
