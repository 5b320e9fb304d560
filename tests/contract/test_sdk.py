"""a, b and static: the SDK against the contract, from its own types and from the contract's schemas."""

from __future__ import annotations

from collections import Counter

import openapi_spec_validator
import pytest
from amount import share

from veza import AsyncVeza, Veza
from veza_contract import bindings, containment, requests, responses, sending, spec
from veza_contract.findings import Finding

from .conftest import CONTRACT

pytestmark = pytest.mark.timeout(900)

DOCUMENT = spec.load(CONTRACT)
SPEC = spec.read(DOCUMENT)
BOTH = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


def shown(findings: list[Finding]) -> str:
    return "\n".join(map(str, findings[:20]))


def test_the_contract_is_valid_openapi() -> None:
    openapi_spec_validator.validate(DOCUMENT)


@BOTH
def test_every_public_method_stands_for_one_operation_and_every_operation_has_one(asynchronous: bool) -> None:
    found = bindings.methods(AsyncVeza if asynchronous else Veza)
    assert Counter(method.operation for method in found) == Counter(SPEC.by_id().keys())
    sent = {call.method.label: set[str]() for call in sending.sent(0, 1, asynchronous=asynchronous)}
    for call in sending.sent(0, 1, asynchronous=asynchronous):
        if call.request is not None:
            operation = requests.operation_of(SPEC, call.request.method, call.request.url.path)
            sent[call.method.label].add(operation.id if operation else "nothing")
    assert sent == {method.label: {method.operation} for method in found}


@BOTH
def test_a_method_that_waits_repeats_a_documented_operation(asynchronous: bool) -> None:
    waits = bindings.waits(AsyncVeza if asynchronous else Veza)
    assert set(waits.values()) == {"getOrder"}
    assert waits.keys() == {
        "orders.wait_until", "orders.wait_until_all", "orders.wait_until_completed", "orders.wait_until_refunded",
    }  # fmt: skip


def test_sync_and_async_clients_have_the_same_methods_and_send_the_same() -> None:
    def seen(asynchronous: bool) -> list[tuple[str, str, str, bytes, str]]:
        return [
            (call.method.label, request.method, str(request.url), request.content, str(dict(request.headers)))
            for call in sending.sent(5, 1, asynchronous=asynchronous)
            if (request := call.request) is not None
        ]

    assert seen(asynchronous=False) == seen(asynchronous=True)


@BOTH
def test_every_request_is_exactly_as_documented(asynchronous: bool) -> None:
    calls = sending.sent(share(25), 1, asynchronous=asynchronous)
    findings = [finding for call in calls for finding in requests.check(SPEC, call)]
    assert not findings, shown(findings)
    reached = Counter(call.method.label for call in calls if call.request is not None)
    assert reached.keys() == {method.label for method in bindings.methods()}
    refused = sum(call.request is None for call in calls)
    assert refused < len(calls) / 4


@BOTH
def test_every_documented_answer_is_read_without_loss_or_raises_its_own_error(asynchronous: bool) -> None:
    findings = responses.check(SPEC, responses.Budget(count=share(5), seed=1), asynchronous=asynchronous)
    assert not findings, shown(findings)


def test_the_types_of_the_sdk_and_the_schemas_of_the_contract_contain_each_other() -> None:
    findings = containment.check(SPEC)
    assert not findings, shown(findings)
