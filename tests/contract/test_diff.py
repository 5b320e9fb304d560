"""contract diff: small pairs of specs, each with the verdict that its texts call for; and the command itself."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
import yaml

from veza_contract import comparing, spec

from .conftest import CONTRACT, Done

Command = Callable[..., Done]
BOMB = f"a0: &a0 {'x' * 100_000}\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 4))
PAIRS = sorted(Path(__file__).with_name("pairs").glob("*.yaml"))


def _read(path: Path) -> dict[str, Any]:
    pair: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return pair


def test_there_are_many_pairs() -> None:
    assert len(PAIRS) >= 40


def test_the_verdict_is_the_one_that_the_texts_call_for(subtests: pytest.Subtests) -> None:
    for path in PAIRS:
        pair = _read(path)
        with subtests.test(path.stem):
            found = comparing.compare(spec.read(pair["ours"]), spec.read(pair["theirs"]), pair.get("map"))
            seen = sorted(f"{change.verdict} {change.place}" for change in found.changes)
            assert seen == sorted(pair["expect"]), pair["why"]
            assert found.broken == any(line.startswith("break") for line in pair["expect"])
            for change in found.changes:
                assert change.verdict != "break" or change.file.startswith("sdk/veza/")


def test_both_texts_of_a_pair_are_valid_specs(subtests: pytest.Subtests) -> None:
    seen: list[dict[str, Any]] = []  # most pairs share one text
    for path in PAIRS:
        for side in ("ours", "theirs"):
            text = _read(path)[side]
            if text not in seen:
                seen.append(text)
                with subtests.test(path.stem, side=side):
                    openapi_spec_validator.validate(text)


def _order(document: dict[str, Any], schema: object) -> dict[str, Any]:
    """Give the order of a spec another schema of its currency; return the document."""
    answer = document["paths"]["/orders/{order_id}"]["get"]["responses"]["200"]
    answer["content"]["application/json"]["schema"]["properties"]["data"]["properties"]["currency"] = schema
    return document


def _compared(theirs: dict[str, Any]) -> list[str]:
    ours = spec.read(_read(PAIRS[0].with_name("same.yaml"))["ours"])
    return [f"{change.verdict} {change}" for change in comparing.compare(ours, spec.read(theirs)).changes]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "("},
        {"type": "uuid"},
        {"type": "integer", "minimum": "0"},
        {"type": "object", "required": True, "properties": {}},
        {"allOf": [{"type": "object", "properties": {"a": True}}, {"type": "object", "required": True}]},
        {"$ref": "#/components/schemas/Note"},
    ],
    ids=str,
)
def test_what_is_no_schema_is_a_break_at_its_place(schema: dict[str, Any]) -> None:
    theirs = _order(_read(PAIRS[0].with_name("same.yaml"))["theirs"], schema)
    theirs["components"]["schemas"] = {"Note": {"allOf": [{"$ref": "#/components/schemas/Note"}]}}
    (found,) = _compared(theirs)
    assert found.startswith("break 200 data.currency: cannot be compared: ")


def test_an_error_or_a_parameter_that_is_no_schema_is_a_break_too() -> None:
    theirs = _read(PAIRS[0].with_name("same.yaml"))["theirs"]
    operation = theirs["paths"]["/orders/{order_id}"]["get"]
    operation["parameters"][0]["schema"] = {"type": "uuid"}
    odd = {"type": "object", "properties": {"reason": {"type": "uuid"}}}
    operation["responses"]["404"]["content"]["application/json"]["schema"] = odd
    assert sorted(line.partition(" cannot be compared: ")[0] for line in _compared(theirs)) == [
        "break 404:", "break path order_id:",
    ]  # fmt: skip


def test_a_parameter_whose_name_is_none_is_a_break_and_not_a_defect() -> None:
    theirs = _read(PAIRS[0].with_name("same.yaml"))["theirs"]
    theirs["paths"]["/orders/{order_id}"]["get"]["parameters"].append({"name": 7, "in": "header", "schema": {}})
    (found,) = _compared(theirs)
    assert found.startswith("break parameters: cannot be compared: ")


@pytest.mark.parametrize("step", [1, 2, 7])
def test_models_that_all_refer_to_each_other_are_read(step: int) -> None:
    names = [f"Model{number}" for number in range(400)]
    references = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    theirs = _read(PAIRS[0].with_name("same.yaml"))["theirs"]
    theirs["components"]["schemas"] = {
        name: {"type": "object", "properties": {"a": references[n - step], "b": references[n - 1], "c": references[0]}}
        for n, name in enumerate(names)
    }
    (found,) = _compared(_order(theirs, references[0]))
    assert found.startswith("break 200 data.currency")


def test_references_that_are_nested_too_deeply_are_a_break_at_their_place() -> None:
    theirs = _read(PAIRS[0].with_name("same.yaml"))["theirs"]
    names = [f"Model{number}" for number in range(2000)]
    theirs["components"]["schemas"] = {
        name: {"properties": {"a": {"$ref": f"#/components/schemas/{other}"}}}
        for name, other in zip(names, names[1:] + names[-1:], strict=True)
    }
    (found,) = _compared(_order(theirs, {"$ref": "#/components/schemas/Model0"}))
    assert found.startswith("break 200: cannot be read: it is nested too deeply (#/paths/")


def test_an_extension_or_nothing_among_the_paths_is_passed_over() -> None:
    theirs = _read(PAIRS[0].with_name("same.yaml"))["theirs"]
    theirs["paths"] |= {"x-internal": "none of it", "/nothing": None}
    assert _compared(theirs) == []


def _changed(tmp_path: Path, change: Callable[[dict[str, Any]], object], name: str = "theirs.yaml") -> Path:
    document = spec.load(CONTRACT)
    change(document)
    path = tmp_path / name
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def _move_orders(document: dict[str, Any]) -> None:
    paths = document["paths"]
    for path in [path for path in paths if path.startswith("/orders")]:
        paths[f"/marketplace{path}"] = paths.pop(path)
    for item in paths.values():
        for operation in item.values():
            operation.pop("operationId")
            for response in operation["responses"].values():
                response.pop("links", None)


def test_the_contract_differs_from_itself_in_nothing(veza_e2e: Command) -> None:
    done = veza_e2e("--json", "contract", "diff", "--spec", str(CONTRACT))
    assert done.code == 0, done.err
    assert done.document["ok"] is True
    assert {item["status"] for item in done.document["items"]} == {"same"}


def test_a_break_is_said_once_with_its_places_a_value_and_the_file(veza_e2e: Command, tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["OrderStatus"]["enum"].append("on_hold")

    done = veza_e2e("--json", "contract", "diff", "--spec", str(_changed(tmp_path, change)))
    assert done.code == 5
    parameter, answer = (item for item in done.document["items"] if item["status"] in {"break", "drift"})
    if answer["status"] == "drift":
        parameter, answer = answer, parameter
    assert (answer["rule"], answer["value"], answer["file"]) == (
        "response-wider", '"on_hold"', "sdk/veza/models/orders.py"
    )  # fmt: skip
    places = {f"{answer['name']} {answer['place']}", *answer["also"]}
    assert places == {
        "orders.list 200 data[].status", "orders.get 200 data.status", "orders.create 200 data.order.status",
        "orders.create 201 data.order.status", "orders.refund 200 data.order.status",
        "orders.refund 202 data.order.status",
    }  # fmt: skip
    assert len(answer["ids"]) == len(places)
    assert parameter["rule"] == "request-wider"


def test_the_map_is_kept_in_a_file(veza_e2e: Command, tmp_path: Path) -> None:
    theirs = str(_changed(tmp_path, _move_orders))
    lost = veza_e2e("--json", "contract", "diff", "--spec", theirs)
    assert lost.code == 5
    hints = [item["message"] for item in lost.document["items"] if "is not in their spec" in item["message"]]
    assert any('--map requestRefund="POST /api/v1/marketplace/orders/{order_id}/refund"' in hint for hint in hints)
    words = [
        word
        for entry in (
            "createOrder=POST /marketplace/orders",
            "listOrders=GET /marketplace/orders",
            "getOrder=GET /marketplace/orders/{order_id}",
            "requestRefund=POST /api/v1/marketplace/orders/{order_id}/refund",
        )
        for word in ("--map", entry)
    ]
    mapped = veza_e2e("--json", "contract", "diff", "--spec", theirs, *words)
    again = veza_e2e("--json", "contract", "diff", "--spec", theirs)
    assert mapped.document == again.document
    broken = [item for item in again.document["items"] if item["status"] == "break"]
    assert len(broken) == 4
    assert all("path:" in item["message"] for item in broken)


def test_a_draft_is_a_valid_spec_that_fits_theirs(veza_e2e: Command, tmp_path: Path) -> None:
    theirs = _changed(tmp_path, _move_orders)
    words = ("--map", "createOrder=POST /marketplace/orders", "--map", "listOrders=GET /marketplace/orders")
    assert veza_e2e("contract", "diff", "--spec", str(theirs), *words, "--write").code == 5
    drafted = spec.load(tmp_path / "openapi.draft.yaml")
    openapi_spec_validator.validate(drafted)
    read = spec.read(drafted)
    ours = spec.read(spec.load(CONTRACT))
    assert read.by_id().keys() == ours.by_id().keys()
    assert read.by_id()["createOrder"].path == "/api/v1/marketplace/orders"
    evidence = {
        node["operationId"]: node["x-veza-evidence"] for item in drafted["paths"].values() for node in item.values()
    }
    assert evidence["createOrder"] == "fact"
    assert evidence["getOrder"] == "assumed"
    entries = {"createOrder": "POST /marketplace/orders", "listOrders": "GET /marketplace/orders"}
    left = comparing.compare(read, spec.read(spec.load(theirs)), entries)
    broken = {change.operation for change in left.changes if change.verdict == "break"}
    assert broken == {"getOrder", "requestRefund"}


@pytest.mark.parametrize(
    "name", sorted(path.name for path in PAIRS if "swagger" in path.name or "openapi" in path.name)
)
def test_a_draft_of_another_dialect_is_openapi_3_1(name: str, tmp_path: Path, veza_e2e: Command) -> None:
    theirs = tmp_path / "theirs.json"
    theirs.write_text(yaml.safe_dump(_read(Path(__file__).with_name("pairs") / name)["theirs"]), encoding="utf-8")
    assert veza_e2e("contract", "diff", "--spec", str(theirs), "--write").code == 5
    drafted = spec.load(tmp_path / "openapi.draft.yaml")
    openapi_spec_validator.validate(drafted)
    assert drafted["openapi"].startswith("3.1")


def test_a_spec_is_read_from_a_url(veza_e2e: Command, tmp_path: Path) -> None:
    _changed(tmp_path, lambda document: document)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            assert veza_e2e("contract", "diff", "--spec", f"{url}/theirs.yaml").code == 0
            missing = veza_e2e("contract", "diff", "--spec", f"{url}/missing.yaml")
        finally:
            server.shutdown()
            thread.join()
    assert missing.code == 2
    assert "404" in missing.err


def test_a_spec_that_cannot_be_read_says_why(veza_e2e: Command, tmp_path: Path, subtests: pytest.Subtests) -> None:
    path = tmp_path / "theirs.yaml"
    for text, reason in (
        ("{", "neither JSON nor YAML"),
        ("a: [", "neither JSON nor YAML"),
        (f"openapi: 3.1.0\npaths: {'[' * 50_000}{']' * 50_000}", "nested more than 500 levels deep"),
        (f"openapi: 3.1.0\npaths:\n{'- ' * 50_000}1", "nested more than 500 levels deep"),
        ("openapi: 3.1.0\npaths:\n\t/x: {}", "theirs.yaml line 3: neither JSON nor YAML"),
        ("- 1", "not an object"),
        (BOMB, "once its aliases are written out"),
        ("openapi: 4.0.0", "not an OpenAPI 3.x or Swagger 2.0 document"),
    ):
        path.write_text(text, encoding="utf-8")
        with subtests.test(reason, text=text[:80]):
            done = veza_e2e("contract", "diff", "--spec", str(path))
            assert done.code == 2
            assert reason in done.err


def test_bad_maps_and_missing_files_say_so(veza_e2e: Command) -> None:
    for words, reason in (
        (("--spec", "missing.yaml"), "No such file"),
        (("--spec", "/dev/zero"), "larger than 32 MiB"),
        (("--spec", "http://staging.example.com/openapi.json"), "must be https"),
        (("--spec", str(CONTRACT), "--map", "createOrder"), "is not like"),
        (("--spec", str(CONTRACT), "--map", "buy=POST /orders"), "not one of our operations"),
        (("--spec", str(CONTRACT), "--map", "createOrder=POST /nowhere"), "their spec has no"),
    ):
        done = veza_e2e("contract", "diff", *words)
        assert done.code == 2, words
        assert reason in done.err
