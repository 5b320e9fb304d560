"""contract diff on any spec: what cannot be read is named with its place, and everything else has its verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from veza_contract import comparing, sources, spec
from veza_contract.model import Spec
from veza_contract.operations import document as contract
from veza_contract.rules import RULES

from .conftest import CONTRACT, ROOT, Done

Command = Callable[..., Done]
Document = dict[str, Any]
Change = Callable[[Document], object]
PAIR = Path(__file__).with_name("pairs") / "same.yaml"
ORDER = "/orders/{order_id}"


@pytest.fixture
def ours() -> Spec:
    return spec.read(yaml.safe_load(PAIR.read_text(encoding="utf-8"))["ours"])


@pytest.fixture
def theirs() -> Document:
    found: Document = yaml.safe_load(PAIR.read_text(encoding="utf-8"))["theirs"]
    return found


def _seen(ours: Spec, theirs: Document) -> list[str]:
    found = comparing.compare(ours, spec.read(theirs))
    return [f"{change.verdict} {change.rule} {change.place}" for change in found.changes if change.verdict != "beyond"]


def _get(document: Document) -> Document:
    found: Document = document["paths"][ORDER]["get"]
    return found


def _data(document: Document) -> Document:
    schema = _get(document)["responses"]["200"]["content"]["application/json"]["schema"]
    found: Document = schema["properties"]["data"]["properties"]
    return found


ELSEWHERE: dict[str, tuple[Document, str]] = {
    "a response that is nothing": ({"responses": {"200": None}}, "#/paths/~1users/get/responses/200"),
    "responses that are a list": ({"responses": []}, "#/paths/~1users/get/responses"),
    "a parameter that leads nowhere": ({"parameters": [{"$ref": "#/nope"}]}, "#/paths/~1users/get/parameters/0"),
    "a schema that leads nowhere": (
        {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/nope"}}}}}},
        "#/paths/~1users/get/responses/200/content/application~1json/schema",
    ),
    "parameters that are an object": ({"parameters": {"a": 1}}, "#/paths/~1users/get/parameters"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_cannot_be_read_elsewhere_is_named_and_breaks_nothing(ours: Spec, theirs: Document, name: str) -> None:
    theirs["paths"]["/users"] = {"get": ELSEWHERE[name][0]}
    assert _seen(ours, theirs) == [f"unread unread {ELSEWHERE[name][1]}"]
    assert not comparing.compare(ours, spec.read(theirs)).broken


@pytest.mark.parametrize(
    ("part", "odd", "place"),
    [("responses", [], "responses"), ("parameters", {"a": 1}, "parameters"), ("security", 7, "security")],
)
def test_what_cannot_be_read_of_ours_is_named_and_not_passed(
    ours: Spec, theirs: Document, part: str, odd: object, place: str
) -> None:
    _get(theirs)[part] = odd
    found = comparing.compare(ours, spec.read(theirs))
    (change,) = (change for change in found.changes if change.verdict != "drift")
    assert (change.rule, change.place) == ("unread", place)
    assert f"#/paths/~1orders~1{{order_id}}/get/{part}" in change.message
    assert found.broken


def test_a_member_that_cannot_be_read_hides_no_other(ours: Spec, theirs: Document) -> None:
    _data(theirs)["currency"] = {"$ref": "./missing.yaml#/Currency"}
    _data(theirs)["status"]["enum"].append("on_hold")
    assert _seen(ours, theirs) == ["break response-wider 200 data.status", "break incomparable 200 data.currency"]


def test_nothing_in_the_place_of_parameters_is_no_parameters(ours: Spec, theirs: Document) -> None:
    theirs["paths"][ORDER]["parameters"] = None
    assert _seen(ours, theirs) == []


def test_responses_by_reference_are_followed(ours: Spec, theirs: Document) -> None:
    theirs["x-shared"] = _get(theirs).pop("responses")
    _get(theirs)["responses"] = {"$ref": "#/x-shared"}
    assert _seen(ours, theirs) == []


BASES: dict[str, tuple[Change, list[str]]] = {
    "variables": (
        lambda d: d.update(servers=[{
            "url": "https://{env}.veza.test/{base}",
            "variables": {"env": {"default": "api"}, "base": {"default": "api/v1"}},
        }]), [],
    ),
    "a variable with several values": (
        lambda d: d.update(servers=[{
            "url": "/api/{version}", "variables": {"version": {"default": "v2", "enum": ["v2", "v1"]}},
        }]), [],
    ),
    "of the path": (lambda d: d["paths"][ORDER].update(servers=[{"url": "/v9"}]), ["break operation-moved path"]),
    "of the operation": (lambda d: _get(d).update(servers=[{"url": "/v9"}]), ["break operation-moved path"]),
    "of the operation before that of the path": (
        lambda d: (_get(d).update(servers=[{"url": "/api/v1"}]), d["paths"][ORDER].update(servers=[{"url": "/v9"}])),
        [],
    ),
    "the second of two": (lambda d: d.update(servers=[{"url": "/v9"}, {"url": "/api/v1/"}]), []),
    "an object": (
        lambda d: d.update(servers={"url": "/api/v1"}), ["drift base-assumed servers", "unread unread #/servers"],
    ),
    "no slash at the start": (lambda d: d.update(servers=[{"url": "api/v1"}]), []),
}  # fmt: skip


@pytest.mark.parametrize("name", BASES)
def test_servers_are_read_at_all_levels(ours: Spec, theirs: Document, name: str) -> None:
    change, expected = BASES[name]
    change(theirs)
    assert _seen(ours, theirs) == expected


def test_the_exact_method_and_path_win_over_the_operation_id(ours: Spec, theirs: Document) -> None:
    _get(theirs)["operationId"] = "fetchOrder"
    theirs["paths"]["/internal/orders/{id}"] = {"get": {"operationId": "getOrder", "responses": {}}}
    assert _seen(ours, theirs) == []


@pytest.mark.parametrize("path", ["/orders/:id", "/orders/<id>", "/orders/<int:id>", "orders/{id}"])
def test_paths_as_routers_write_them_are_the_same_paths(ours: Spec, theirs: Document, path: str) -> None:
    theirs["paths"] = {path: theirs["paths"][ORDER]}
    _get_of = theirs["paths"][path]["get"]
    _get_of["parameters"][0]["name"] = "id"
    del _get_of["operationId"]
    assert _seen(ours, theirs) == []


def _with_body(document: Document, schema: Document) -> Document:
    content = {"application/json": {"schema": schema}}
    _get(document)["requestBody"] = {"required": True, "content": content}
    return document


SENT: Document = {
    "type": "object",
    "required": ["reason"],
    "properties": {"reason": {"type": "string"}, "amount_cents": {"type": "integer"}},
}
BESIDE: dict[str, tuple[Document, bool]] = {
    "anyOf": ({"anyOf": [{"required": ["amount_cents"]}, {"required": ["note"]}]}, True),
    "anyOf that always holds": ({"anyOf": [{"required": ["reason"]}, {"required": ["note"]}]}, False),
    "oneOf": ({"oneOf": [{"required": ["amount_cents"]}, {"required": ["note"]}]}, True),
    "not": ({"not": {"required": ["amount_cents"]}}, True),
    "if": ({"if": {"required": ["reason"]}, "then": {"required": ["amount_cents"]}}, True),
    "dependentRequired": ({"dependentRequired": {"reason": ["amount_cents"]}}, True),
    "minProperties": ({"minProperties": 2}, True),
    "minProperties that always holds": ({"minProperties": 1}, False),
    "patternProperties": ({"patternProperties": {"^reason$": {"maxLength": 3}}}, True),
    "propertyNames": ({"propertyNames": {"maxLength": 6}}, True),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_a_body_is_asked_beside_its_members_counts(theirs: Document, name: str) -> None:
    rest, breaks = BESIDE[name]
    ours = spec.read(_with_body(yaml.safe_load(PAIR.read_text(encoding="utf-8"))["ours"], SENT))
    assert _seen(ours, _with_body(theirs, {**SENT, **rest})) == (["break request-restricted body"] if breaks else [])
    in_parts = {"allOf": [SENT, rest]}
    assert _seen(ours, _with_body(theirs, in_parts)) == (["break request-restricted body"] if breaks else [])


def test_what_is_read_only_is_not_asked_of_a_request(theirs: Document) -> None:
    ours = spec.read(_with_body(yaml.safe_load(PAIR.read_text(encoding="utf-8"))["ours"], SENT))
    read_only = {"id": {"type": "string", "readOnly": True}}
    body = {**SENT, "required": ["id", "reason"], "properties": {**SENT["properties"], **read_only}}
    assert _seen(ours, _with_body(theirs, body)) == []


def test_a_map_that_may_be_null_or_hold_null_is_told(theirs: Document) -> None:
    document: Document = yaml.safe_load(PAIR.read_text(encoding="utf-8"))["ours"]
    _data(document)["services"] = {"type": "object", "additionalProperties": {"type": "string"}}
    schema = _get(document)["responses"]["200"]["content"]["application/json"]["schema"]
    schema["properties"]["data"]["required"].append("services")
    _get(theirs)["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["data"]["required"].append(
        "services"
    )
    _data(theirs)["services"] = {"type": ["object", "null"], "additionalProperties": {"type": ["string", "null"]}}
    assert _seen(spec.read(document), theirs) == [
        "break response-null 200 data.services", "break response-wider 200 data.services.*",
    ]  # fmt: skip


def test_a_success_that_says_that_it_failed_breaks(ours: Spec, theirs: Document) -> None:
    schema = _get(theirs)["responses"]["200"]["content"]["application/json"]["schema"]
    schema["properties"]["success"] = {"const": False}
    assert _seen(ours, theirs) == ["break response-wider 200 success"]


def test_an_envelope_in_parts_does_not_say_that_its_data_may_be_missing(ours: Spec, theirs: Document) -> None:
    content = _get(theirs)["responses"]["200"]["content"]["application/json"]
    whole = content["schema"]
    base = {
        "type": "object", "required": ["success"],
        "properties": {"success": {"const": True}, "message": {"type": "string"}, "data": {"type": "object"}},
    }  # fmt: skip
    content["schema"] = {"allOf": [base, {"type": "object", "properties": {"data": whole["properties"]["data"]}}]}
    assert _seen(ours, theirs) == ["drift required-unsaid all of the spec"]
    content["schema"]["allOf"][1]["required"] = ["success"]
    assert _seen(ours, theirs) == ["break response-field-optional 200 data"]


def _login(general: object, own: object) -> Document:
    document = json.loads(json.dumps(contract()))
    assert isinstance(document, dict)
    document["security"] = general
    login = document["paths"]["/auth/login"]["post"]
    if own is None:
        login.pop("security", None)
    else:
        login["security"] = own
    return document


def test_a_login_for_the_whole_spec_is_none_for_logging_in() -> None:
    whole = spec.read(contract())
    general = comparing.compare(whole, spec.read(_login([{"bearerAuth": []}], None)))
    assert [change.rule for change in general.changes] == ["login-general"]
    own = comparing.compare(whole, spec.read(_login([], [{"bearerAuth": []}])))
    assert "login-asked" in [change.rule for change in own.changes]


def _put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_files_beside_the_spec_are_followed_and_others_named(tmp_path: Path, ours: Spec, theirs: Document) -> None:
    order = theirs["paths"].pop(ORDER)
    schema = order["get"]["responses"]["200"]["content"]["application/json"].pop("schema")
    order["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {"$ref": "../schemas/order.yaml#/Order"}
    order["get"]["responses"]["404"] = {"$ref": "../main.yaml#/components/responses/Missing"}
    theirs["components"]["responses"] = {
        "Missing": yaml.safe_load(PAIR.read_text("utf-8"))["ours"]["paths"][ORDER]["get"]["responses"]["404"]
    }
    _put(tmp_path, "spec/paths/order.yaml", yaml.safe_dump(order))
    data = schema["properties"]["data"]["properties"]
    text = data.pop("currency")
    data["currency"] = {"$ref": "#/Text"}
    _put(tmp_path, "spec/schemas/order.yaml", yaml.safe_dump({"Order": schema, "Text": text}))
    _put(tmp_path, "outside.yaml", "get: {responses: {}}")
    theirs["paths"] = {
        ORDER: {"$ref": "./paths/order.yaml"}, "/a": {"$ref": "../outside.yaml"}, "/b": {"$ref": "missing.yaml"},
        "/c": {"$ref": "https://veza.test/c.yaml"},
    }  # fmt: skip
    found = comparing.compare(ours, spec.opened([_put(tmp_path, "spec/main.yaml", yaml.safe_dump(theirs))]))
    assert not found.broken
    notes = {change.place.rpartition(" ")[2]: change.message for change in found.changes}
    assert notes["#/paths/~1a"] == "../outside.yaml is not in the spec's folder; it is not read"
    assert "No such file" in notes["#/paths/~1b"]
    assert "https://veza.test/c.yaml" in notes["#/paths/~1c"]
    assert len(notes) == 3


def test_a_key_that_is_written_twice_is_named_with_its_line(tmp_path: Path, ours: Spec, theirs: Document) -> None:
    path = _put(tmp_path, "theirs.yaml", f"{yaml.safe_dump({'paths': theirs.pop('paths')})}{yaml.safe_dump(theirs)}")
    once = path.read_text(encoding="utf-8")
    path.write_text(f"{once}paths:\n  {ORDER}:\n    delete: {{responses: {{}}}}\ninfo: {{title: b}}\n", "utf-8")
    lines = once.count("\n")
    found = comparing.compare(ours, spec.opened([path]))
    assert not found.broken
    said = [str(change) for change in found.changes if change.verdict == "unread"]
    (first,) = (number for number, line in enumerate(once.splitlines(), 1) if line.startswith("info:"))
    assert said == [
        f"{path} line {lines + 1}: `paths` is written twice (line 1 has it too); both are read",
        f"{path} line {lines + 4}: `info` is written twice (line {first} has it too); both are read",
    ]
    twice = _put(tmp_path, "theirs.json", '{\n "openapi": "3.1.0",\n "paths": {},\n "openapi": "3.0.0"\n}')
    (note,) = spec.opened([twice]).notes
    assert str(note).startswith(f"{twice} line 4: `openapi` is written twice (line 2 has it too); that of line 4")


def test_several_files_count_as_one(tmp_path: Path, veza_e2e: Command) -> None:
    whole = spec.load(CONTRACT)
    halves = [{**whole, "paths": {}}, {**whole, "paths": {}}]
    for index, (path, item) in enumerate(whole["paths"].items()):
        halves[index % 2]["paths"][path] = item
    words = []
    for index, half in enumerate(halves):
        words += ["--spec", str(_put(tmp_path, f"{index}.json", json.dumps(half)))]
    assert veza_e2e("contract", "diff", *words[:2]).code == 5
    done = veza_e2e("--json", "contract", "diff", *words, "--write")
    assert (done.code, done.document["operations"]) == (0, {"ours": 13, "compared": 13})
    drafted = spec.read(spec.load(tmp_path / "openapi.draft.yaml"))
    assert drafted.by_id().keys() == spec.read(whole).by_id().keys()


def test_a_part_of_the_contract_can_be_compared_by_itself(tmp_path: Path, veza_e2e: Command) -> None:
    whole = spec.load(CONTRACT)
    whole["paths"] = {path: item for path, item in whole["paths"].items() if path.startswith("/auth/")}
    theirs = str(_put(tmp_path, "theirs.json", json.dumps(whole)))
    assert veza_e2e("contract", "diff", "--spec", theirs).code == 5
    done = veza_e2e("--json", "contract", "diff", "--spec", theirs, "--partial")
    assert (done.code, done.document["operations"]) == (0, {"ours": 13, "compared": 4})
    assert "4 of our 13 operations are in their spec." in done.err
    none = str(_put(tmp_path, "none.json", json.dumps({**whole, "paths": {}})))
    assert veza_e2e("contract", "diff", "--spec", none, "--partial").code == 5


def test_a_baseline_leaves_out_what_was_accepted_and_nothing_else(tmp_path: Path, veza_e2e: Command) -> None:
    whole = spec.load(CONTRACT)
    states = whole["components"]["schemas"]["OrderStatus"]["enum"]
    states.append("on_hold")
    theirs = str(_put(tmp_path, "theirs.json", json.dumps(whole)))
    before = veza_e2e("--json", "contract", "diff", "--spec", theirs)
    baseline = str(_put(tmp_path, "baseline.json", before.out))
    done = veza_e2e("--json", "contract", "diff", "--spec", theirs, "--baseline", baseline)
    assert (before.code, done.code, done.document["accepted"]) == (5, 0, 7)
    assert {item["status"] for item in done.document["items"]} == {"same"}
    states.append("on_ice")
    _put(tmp_path, "theirs.json", json.dumps(whole))
    worse = veza_e2e("--json", "contract", "diff", "--spec", theirs, "--baseline", baseline)
    assert (worse.code, worse.document["accepted"]) == (5, 0)
    for text in ("{}", "[", '{"items": [1]}'):
        assert veza_e2e("contract", "diff", "--spec", theirs, "--baseline", str(_put(tmp_path, "bad", text))).code == 2


def test_markdown_is_a_table_that_their_words_cannot_leave(tmp_path: Path, veza_e2e: Command) -> None:
    whole = spec.load(CONTRACT)
    whole["components"]["schemas"]["OrderStatus"]["enum"].append("a|b`<img>@all\n[x](y)")
    theirs = str(_put(tmp_path, "theirs.json", json.dumps(whole)))
    done = veza_e2e("contract", "diff", "--spec", theirs, "--format", "markdown")
    rows = [line for line in done.out.splitlines() if line.startswith("| ")]
    assert done.code == 5
    assert all(line.count("|") == 5 for line in rows)
    assert not [line for line in rows if "<img" in line or "@all" in line or "`" in line or "[x]" in line]


def test_the_secrets_of_an_address_are_never_printed(veza_e2e: Command) -> None:
    for address in (
        "http://ada:hunter@127.0.0.1:9/spec.json?private_token=hunter",
        "https://ada:hunter@[::/spec.json?private_token=hunter",
    ):
        done = veza_e2e("--json", "contract", "diff", "--spec", address)
        assert done.code == 2
        assert "hunter" not in done.out + done.err


def _serving(chunks: Iterator[bytes]) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=chunks)))


def test_a_url_that_drips_or_never_ends_is_given_up() -> None:
    hours = count(step=3600)
    with pytest.raises(spec.SpecError, match="not there after 30 seconds"):
        sources.load("http://127.0.0.1/spec", client=_serving(iter(lambda: b" ", b"")), now=lambda: float(next(hours)))
    with pytest.raises(spec.SpecError, match="larger than 32 MiB"):
        sources.load("http://127.0.0.1/spec", client=_serving(iter(lambda: bytes(2**20), b"")), now=lambda: 0.0)


def test_every_rule_is_documented() -> None:
    page = (ROOT / "docs/contract.md").read_text(encoding="utf-8")
    for rule, (verdict, sentence) in RULES.items():
        assert f"| `{rule}` | {verdict} | {sentence} |" in page


def test_a_value_by_which_nothing_is_decided_is_drift_and_a_status_a_break() -> None:
    theirs = json.loads(json.dumps(contract()))
    schemas = theirs["components"]["schemas"]
    schemas["User"]["properties"]["role"] = {"type": "string", "enum": ["user", "moderator"]}
    schemas["License"]["properties"]["status"]["enum"].append("on_hold")
    found = comparing.compare(spec.read(contract()), spec.read(theirs)).changes
    assert {(one.rule, one.place.rpartition(".")[2]) for one in found} == {
        ("response-values", "role"), ("response-wider", "status"),
    }  # fmt: skip
