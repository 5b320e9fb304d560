"""`contract samples`: what of a real answer the SDK does not read, or reads otherwise than the contract has it.

What is read is asked of the SDK's own decoding; which members there should be, of the schema of its models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from veza import InvalidResponseError
from veza._checkout import checkout_reader
from veza._decode import many, nothing, one
from veza._wire import parse, read_error, unwrap
from veza.models import Meta
from veza_contract import spec
from veza_contract.bindings import Method, by_operation, declared, table
from veza_contract.findings import Change, Verdict
from veza_contract.members import members
from veza_contract.model import Operation
from veza_contract.operations import document
from veza_contract.schema import properties
from veza_contract.seams import PAGE
from veza_contract.shapes import BARE, error_name
from veza_contract.sides import CONTRACT_FILE, WIRE_FILE, Side
from veza_contract.told import written

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_DEEPEST_ENVELOPE: Final = 3


@cache
def ours() -> Mapping[str, Operation]:
    """Return the operations of the contract by their ids."""
    return spec.read(document()).by_id()


def judge(operation: str, status: int | None, body: bytes) -> list[Change]:
    """Return what of an answer differs from what the SDK reads, breaks first; empty if nothing does.

    Args:
        operation: the operationId; empty for an error answer of an unknown operation.
        status: None where only the body was saved.
        body: as it came.
    """
    side = Side(ours()[operation], by_operation()[operation]) if operation else None
    if status in REDIRECTS:
        label = side.label if side else ""
        message = "a redirect, which the SDK never follows: take the address that it leads to"
        return [
            Change(Verdict.BREAK, operation, label, str(status), message, file="veza-e2e.toml ([env.NAME] base_url)")
        ]
    if side is None or failed(status, body):
        found = list(_error(side, status, body))
    else:
        found = list(_success(side, status, body))
    order = list(Verdict)
    return sorted(found, key=lambda change: order.index(change.verdict))


def failed(status: int | None, body: bytes) -> bool:
    """Whether an answer says that the request failed: by its status, else by its body."""
    if status is not None:
        return status >= HTTPStatus.BAD_REQUEST
    try:
        value = parse(body)
    except InvalidResponseError:
        return False
    if not isinstance(value, dict):
        return False
    return value.get("success") is False or (bool(value.get("error")) and "data" not in value)


def _error(side: Side | None, status: int | None, body: bytes) -> Iterator[Change]:
    def change(message: str, file: str = "", verdict: Verdict = Verdict.DRIFT) -> Change:
        operation, label = ("", "") if side is None else (side.ours.id, side.label)
        return Change(verdict, operation, label, str(status or "error"), message, file=file)

    if status is not None and error_name(status) is None:
        yield change("an error that has no class of its own in the SDK; it raises APIStatusError")
    if side is not None and side.ours.id in BARE and status == HTTPStatus.SERVICE_UNAVAILABLE:
        return
    if read_error(body).message:
        return
    try:
        value = parse(body)
    except InvalidResponseError:
        if side is not None and status == HTTPStatus.NOT_FOUND:
            message = f"is not JSON, so it seems that there is no {side.ours.method} {side.ours.path}"
            yield change(message, f"{CONTRACT_FILE} (paths)", Verdict.BREAK)
        else:
            yield change("is not JSON: the SDK's error tells the status and not the backend's words")
        return
    names = f" ({', '.join(map(written, value))})" if isinstance(value, dict) and value else ""
    yield change(f"in no shape of an error that the SDK reads{names}: its words are lost", WIRE_FILE)


def _success(side: Side, status: int | None, body: bytes) -> Iterator[Change]:
    method = side.method
    assert method is not None
    if status is not None and status not in table()[side.ours.id].statuses:
        listed = " or ".join(map(str, table()[side.ours.id].statuses))
        yield side.change(Verdict.DRIFT, str(status), f"the contract lists {listed}; the SDK reads it all the same")
    try:
        if method.form == "nothing":
            nothing(body)
            return
        value = parse(body)
        data = unwrap(value)
    except InvalidResponseError as error:
        yield side.change(Verdict.BREAK, "answer", error.message, WIRE_FILE)
        return
    refused = _refused(side, method, body)
    place, data = _elsewhere(method, value, data) if refused else ("data", data)
    yield from _enveloped(side, method, value, place)
    if data is None and method.form == "one":
        return
    found = list(members(side, method, data, place))
    yield from found
    if refused and place == "data" and not any(change.verdict is Verdict.BREAK for change in found):
        yield _more(side, method, value, refused)


def _enveloped(side: Side, method: Method, value: Any, place: str) -> Iterator[Change]:
    """Say where the data stands, if that is not where the contract has it."""
    if place != "data":
        message = f"another envelope: the answer stands under `{place}`, and not under `data`"
        yield side.change(Verdict.BREAK, "envelope", message, f"{WIRE_FILE} (unwrap)")
    elif isinstance(value, dict) and "success" in value:
        if value.get("data") is None and method.form == "one":
            what = "null" if "data" in value else "missing"
            yield side.change(Verdict.BREAK, "data", f"{what}: the envelope holds no answer", side.models)
    elif side.ours.id not in BARE:
        what = "a bare list" if isinstance(value, list) else "bare"
        yield side.change(Verdict.DRIFT, "envelope", f"{what}, not in `success` and `data`; the SDK reads that too")


def _refused(side: Side, method: Method, body: bytes) -> str:
    """Return why the SDK's reader refuses the whole answer; empty if it reads it."""
    try:
        if method.form == "page":
            many(method.model, Meta).page(body)
        elif method.form == "list":
            many(method.model)(body)
        elif side.ours.id == "createOrder":
            checkout_reader(PAGE)(body)
        else:
            one(method.model)(body)
    except InvalidResponseError as error:
        return error.message
    return ""


def _more(side: Side, method: Method, value: Any, refused: str) -> Change:
    """Say what the SDK's reader refuses beside the data."""
    if method.form != "page" or (isinstance(value, dict) and isinstance(value.get("meta"), dict)):
        return side.change(Verdict.BREAK, "answer", refused, WIRE_FILE)
    beside = [written(name) for name in value if name not in {"success", "data"}] if isinstance(value, dict) else []
    near = f" (beside the data: {', '.join(beside)})" if beside else ""
    message = f"missing: where the page stands is not told{near}"
    return side.change(Verdict.BREAK, "meta", message, f"{WIRE_FILE}, sdk/veza/models/paging.py")


def _elsewhere(method: Method, value: Any, data: Any) -> tuple[str, Any]:
    """Return where the answer stands: `data`, or the place that is more like it than that is."""
    known = {re.sub("[^a-z0-9]", "", name.lower()) for name in properties(declared(method.model))}
    best, where, found = _likeness(method, known, data), "data", data
    waiting = [(str(name), inner, 1) for name, inner in value.items()] if isinstance(value, dict) else []
    while waiting:
        path, inner, depth = waiting.pop(0)
        score = _likeness(method, known, inner)
        if score > best and inner is not data:
            best, where, found = score, path, inner
        if isinstance(inner, dict) and depth < _DEEPEST_ENVELOPE:
            waiting += [(f"{path}.{written(name)}", below, depth + 1) for name, below in inner.items()]
    return where, found


def _likeness(method: Method, known: set[str], value: Any) -> float:
    if method.form != "one":
        if not isinstance(value, list):
            return 0
        return max((_likes(known, item) for item in value[:5]), default=0.5)
    return _likes(known, value)


def _likes(known: set[str], value: Any) -> float:
    names = {re.sub("[^a-z0-9]", "", str(name).lower()) for name in value} if isinstance(value, dict) else set()
    return len(known & names) / len(known) if len(known & names) * 3 >= len(known) else 0


def _object(value: Any) -> bool:
    return isinstance(value, dict)
