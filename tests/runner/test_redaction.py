"""What is redacted stays out of the record in every form it can be written in."""

from __future__ import annotations

import base64
import gzip
import html
import json
import random
import re
import time
import uuid
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from veza_e2e.canonical import JSON, dumps
from veza_e2e.redaction import Redactor, classify, mask
from veza_e2e.redaction.known import Known
from veza_e2e.redaction.names import CONTRACT
from veza_e2e.redaction.patterns import secrets

EMAIL = "operator@veza.test"
PASSWORD = "correct horse & battery/staple"
ROOT = Path(__file__).parents[2]

WRITTEN: dict[str, Callable[[str], str]] = {
    "raw": str,
    "url": lambda s: quote(s, safe=""),
    "form": quote_plus,
    "json in a string": lambda s: json.dumps({"message": s}),
    "html": html.escape,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64, one in": lambda s: base64.b64encode(f"x{s}yy".encode()).decode(),
    "base64, two in": lambda s: base64.b64encode(f"xx{s}y".encode()).decode(),
    "base64url": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "gzip in base64": lambda s: base64.b64encode(gzip.compress(s.encode())).decode(),
    "url twice": lambda s: quote(quote(s, safe=""), safe=""),
    "url in lower case": lambda s: re.sub("%..", lambda found: found[0].lower(), quote(s, safe="")),
    "html by number": lambda s: "".join(f"&#{ord(letter)};" for letter in s),
    "escaped": lambda s: "".join(f"\\u{ord(letter):04x}" for letter in s),
    "base64 of url": lambda s: base64.b64encode(quote(s).encode()).decode(),
    "HEX": lambda s: s.encode().hex().upper(),
    "hex": lambda s: s.encode().hex(),
}


def redactor() -> Redactor:
    return Redactor({"email": EMAIL, "password": PASSWORD})


def bare(value: object) -> str:
    return value if isinstance(value, str) else dumps(value)


@pytest.mark.parametrize("form", WRITTEN)
def test_a_known_secret_is_found_and_replaced_however_it_is_written(form: str) -> None:
    written = WRITTEN[form](PASSWORD)
    text = f"before {written} after"
    assert [finding.kind for finding in redactor().find({"message": text})]
    shown = redactor().text(text)
    assert written not in shown
    assert redactor().find(shown) == []
    assert shown == "[withheld]" or (shown.startswith("before ") and shown.endswith(" after"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Bearer abcdefghijklmnop", "authorization"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl", "access_token"),
        ("card 4242 4242 4242 4242 declined", "card_number"),
        ("card 4242424242424242 declined", "card_number"),
        ("card 3782-822463-10005 declined", "card_number"),
        ("connect postgres://veza:hunter2@db:5432/veza failed", "userinfo"),
        ("https://someone:pass@veza.test/orders", "userinfo"),
        ("key snd_abcdefghijklmnop1234", "api_key"),
        ("pay_1_secret_abcdefgh", "client_secret"),
        ("no such user someone@example.test", "email"),
    ],
)
def test_what_looks_like_a_secret_is_found_and_replaced(text: str, kind: str) -> None:
    assert kind in {finding.kind for finding in Redactor().find(text)}
    assert Redactor().find(Redactor().text(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T10:00:00.123Z",
        "01JDBX3R8M2V6Q0Z9T4K7W5Y1C",
        "8f14e45f-ceea-467f-9d0b-4242424242aa",
        "1732334400000",
        "pay_41",
        "4111111111111112",
        "Invalid token: expired",
        "password: required",
        "500 EUR",
        "http://veza.test/api/v1/orders?page=1&limit=20",
        "o***@veza.test",
        "{{access_token:1}}",
        '<script>alert(1)</script> | "x" \n# y',
    ],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert Redactor().text(text) == text
    assert Redactor().find(text) == []


def test_an_alias_is_the_same_wherever_the_secret_appears_and_stands_for_itself() -> None:
    first = redactor()
    login = first.body(b'{"data": {"access_token": "first-token", "refresh_token": "other"}}', "application/json")
    assert login == {"json": {"data": {"access_token": "{{access_token:1}}", "refresh_token": "{{refresh_token:1}}"}}}
    assert first.headers([("Authorization", "Bearer first-token")]) == {"authorization": "Bearer {{access_token:1}}"}
    again = redactor()
    assert again.body(json.dumps(login["json"]).encode(), "application/json") == login
    assert again.headers([("Authorization", "Bearer {{access_token:1}}")])["authorization"].endswith(
        "{{access_token:1}}"
    )
    assert again.learn("access_token", "second-token") == "{{access_token:1}}"


def test_new_aliases_follow_those_of_an_earlier_process() -> None:
    later = Redactor({"password": PASSWORD})
    later.reserve('{"access_token": "{{access_token:4}}", "password": "{{password:1}}"}')
    assert later.learn("access_token", "new") == "{{access_token:5}}"
    assert later.learn("password", PASSWORD) == "{{password:1}}"


def test_members_off_the_list_keep_their_structure_and_nothing_else() -> None:
    body = b'{"data": {"id": "7", "x": [1, "two", {"y": "three", "status": "active"}], "n": null, "yes": true}}'
    assert Redactor().body(body, "application/json") == {
        "json": {
            "data": {
                "id": "7",
                "x": ["[withheld]", "[withheld]", {"y": "[withheld]", "status": "active"}],
                "n": None,
                "yes": True,
            }
        }
    }


def test_numbers_with_a_fraction_are_kept_digit_by_digit() -> None:
    shown = Redactor().body(b'{"price": 5.10, "amount": 1e2}', "application/json")
    assert shown == {"json": {"price": "5.10", "amount": "1e2"}}
    assert dumps(shown) == '{"json":{"amount":"1e2","price":"5.10"}}'


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b'{"access_token": "abc', "application/json"),
        (b'{"title": "\xff"}', "application/json"),
        (b"[" * 5000, "application/json"),
        (b'{"price": NaN}', "application/json"),
        (b"<input name=csrf value=abc>", "text/html"),
        (b"\x00\x01", "application/octet-stream"),
        (b"a b c" * 1000, "text/plain"),
        (gzip.compress(PASSWORD.encode(), mtime=0), "application/json"),
    ],
)
def test_a_body_that_cannot_be_redacted_is_withheld_with_its_length(content: bytes, media: str) -> None:
    shown = redactor().body(content, media)
    assert shown is not None
    assert shown.keys() == {"withheld", "bytes"}
    assert shown["bytes"] == len(content)
    assert redactor().find(shown) == []


def test_plain_text_shows_words_and_short_numbers_only() -> None:
    body = b"502 Bad Gateway: try again (later). id=abc123 someone:hunter2hunter2 {token}"
    assert Redactor().body(body, "text/plain") == {
        "text": "502 Bad Gateway: try again (later). [withheld] [withheld] [withheld]"
    }


def test_json_in_a_text_is_redacted_as_json() -> None:
    body = json.dumps({"message": json.dumps({"id": "7", "pin": "1234", "password": "short"})}).encode()
    shown = Redactor().body(body, "application/json")
    assert shown == {"json": {"message": '{"id":"7","pin":"[withheld]","password":"{{password:1}}"}'}}


def test_a_redirect_shows_only_the_query_on_the_list() -> None:
    shown = Redactor().headers([("Location", "/return?order_id=41&code=opaque")])
    assert shown == {"location": "/return?order_id=41&code=***"}


def test_a_gzip_request_is_looked_into() -> None:
    sent = gzip.compress(json.dumps({"email": EMAIL, "password": PASSWORD}).encode())
    assert redactor().body(sent, "application/json", "gzip") == {
        "json": {"email": "o***@veza.test", "password": "{{password:1}}"}
    }
    bomb = gzip.compress(b"a" * 50_000_000)
    assert "withheld" in (redactor().body(bomb, "application/json", "gzip") or {})
    assert [finding.kind for finding in redactor().find(bomb)] == ["unreadable gzip"]


def test_a_form_shows_only_the_fields_on_the_list() -> None:
    sent = urlencode({"payment_id": "pay_1", "card_number": "4242424242424242", "cvc": "123", "name": "A Person"})
    assert Redactor().body(sent.encode(), "application/x-www-form-urlencoded") == {
        "form": {
            "payment_id": ["pay_1"],
            "card_number": ["{{card_number:1}}"],
            "cvc": ["{{card_cvc:1}}"],
            "name": ["[withheld]"],
        }
    }


def test_cookies_and_csrf_tokens_match_across_headers() -> None:
    shown = Redactor().header_items(
        [
            ("Set-Cookie", "sid=abcdef; Path=/; HttpOnly"),
            ("Set-Cookie", "csrf_token=ghijkl; Path=/"),
            ("Cookie", "sid=abcdef; csrf_token=ghijkl"),
            ("X-CSRF-Token", "ghijkl"),
            ("X-Unheard-Of", "something"),
        ]
    )
    assert shown == [
        ("set-cookie", "sid={{cookie:1}}; Path=/; HttpOnly"),
        ("set-cookie", "csrf_token={{csrf_token:1}}; Path=/"),
        ("cookie", "sid={{cookie:1}}; csrf_token={{csrf_token:1}}"),
        ("x-csrf-token", "{{csrf_token:1}}"),
    ]


def test_a_url_loses_userinfo_fragment_and_the_query_that_is_not_on_the_list() -> None:
    url = f"https://u:p@veza.test:8443/pay/{quote(EMAIL)}?order_id=41&client_secret=abc&note=hello&page=2#frag"
    shown = redactor().url(url)
    assert (
        shown == "https://***@veza.test:8443/pay/o***@veza.test"
        "?order_id=41&client_secret={{client_secret:1}}&note=***&page=2#***"
    )
    assert redactor().url(shown) == shown
    assert redactor().url(shown.replace("{", "%7B").replace("}", "%7D")) == shown


def test_a_repr_and_the_gates_findings_show_no_secret() -> None:
    here = redactor()
    assert PASSWORD not in repr(here)
    assert PASSWORD not in repr(here.find({"title": PASSWORD}))


def test_the_gate_can_fail_on_names_too() -> None:
    findings = Redactor().find({"headers": {"authorization": "Bearer abc"}, "json": {"password": "short", "id": "7"}})
    assert [(finding.kind, finding.place) for finding in findings] == [
        ("authorization", "$.headers.authorization"),
        ("password", "$.json.password"),
    ]


def test_every_property_of_the_contract_is_on_the_list() -> None:
    contract = yaml.safe_load((ROOT / "sdk/veza/openapi.yaml").read_text(encoding="utf-8"))

    def properties(schema: object) -> set[str]:
        if isinstance(schema, dict):
            own = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
            return own.union(*(properties(item) for item in schema.values()))
        return set().union(*(properties(item) for item in schema)) if isinstance(schema, list) else set()

    named = properties(contract["components"]["schemas"])
    assert named == CONTRACT
    assert {name for name in named if classify(name)[0] not in {"allowed", "verbatim"}} == {
        "access_token",
        "email",
        "password",
        "refresh_token",
        "username",
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None)),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12) | st.sampled_from(sorted(CONTRACT)), inner)
    ),
    max_leaves=12,
)


@given(json_values)
def test_redaction_is_idempotent_canonical_and_passes_the_gate(value: JSON) -> None:
    here = redactor()
    once = here.json(value)
    assert redactor().find(once) == []
    assert dumps(redactor().json(once)) == dumps(once)


@given(
    json_values,
    st.sampled_from(sorted(WRITTEN)),
    st.sampled_from(["title", "message", "x", "password", "email"]),
    st.data(),
)
def test_a_planted_secret_never_survives(value: JSON, form: str, name: str, data: st.DataObject) -> None:
    planted = WRITTEN[form](PASSWORD)
    around = data.draw(st.text(st.characters(categories=["L", "Zs"]), max_size=5))
    body = json.dumps([value, {name: f"{around} {planted} {around}"}]).encode()
    here = redactor()
    shown = bare(here.body(body, "application/json"))
    assert planted not in shown
    assert PASSWORD not in shown
    assert here.find(shown) == []


@given(st.text(max_size=200))
def test_any_text_can_be_redacted(text: str) -> None:
    shown = redactor().text(text)
    assert redactor().find(shown) == []
    assert redactor().text(shown) == shown


@given(st.emails())
def test_no_address_is_shown(address: str) -> None:
    shown = Redactor({"email": address}).text(f"for {address} only")
    assert shown == f"for {mask(address)} only"


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "pass",
        "a-",
        "token_",
        "token:",
        "eyJ",
        "eyJaaaaa.",
        "%3A%2F%2F",
        "://a",
        "4242 ",
        "a@",
        "_secret_",
        "ab@cd.co ",
        "\\",
        '"',
    ],
)
def test_a_long_hostile_text_is_redacted_in_time(part: str) -> None:
    assert Redactor({"password": "open sesame"}).text(part * (70_000 // len(part)))


VERBATIM = (
    "id",
    "order_id",
    "total_amount_cents",
    "currency",
    "status",
    "payment_status",
    "created_at",
    "license_type",
)


@pytest.mark.parametrize(
    "value",
    ["prd_abcdefghijklmnop1234", "424242424242424242", "x_secret_yabcdef12", "eyJhbGciOi.eyJzdWIi.c2ln", "a@b.test"],
)
@pytest.mark.parametrize("name", ["id", "order_id"])
def test_ids_are_not_pattern_matched(name: str, value: str) -> None:
    here = Redactor()
    body = here.body(json.dumps({name: value}).encode(), "application/json")
    assert body == {"json": {name: value}}
    assert here.find(body) == []
    assert here.members({name: value}) == ({name: value}, [])


SHAPED = {
    "id": r"[!-~]{1,60}", "order_id": r"[A-Za-z0-9_.:-]{1,60}", "total_amount_cents": r"-?[0-9]{1,18}",
    "currency": r"[A-Za-z]{3}", "status": r"[A-Za-z0-9_ -]{1,40}", "payment_status": r"[a-z_]{1,40}",
    "created_at": r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})",
    "license_type": r"[a-z_]{1,20}",
}  # fmt: skip
"""What the values look like that the walkthrough decides by."""


@given(st.data(), st.sampled_from(sorted(SHAPED)))
def test_any_value_that_looks_like_one_of_its_name_stays_as_it_came(data: st.DataObject, name: str) -> None:
    value = data.draw(st.from_regex(SHAPED[name], fullmatch=True).filter(lambda text: EMAIL not in text))
    here = redactor()
    assert here.field(name, value) == value
    assert here.json({name: value}) == {name: value}
    assert here.find({name: value}) == []


@pytest.mark.parametrize("name", ["total_amount_cents", "currency", "status", "created_at", "license_type"])
@pytest.mark.parametrize(
    "value",
    ["eyJhbGciOi.eyJzdWIi.c2ln", "someone@example.test", "x://u:pass@veza.test", "card 4242 4242 4242 4242."],
)
def test_what_has_only_the_name_of_an_amount_status_or_time_is_a_text(name: str, value: str) -> None:
    here = Redactor()
    shown = here.field(name, value)
    assert value not in shown
    assert here.find({name: value})
    assert here.find({name: shown}) == []


@pytest.mark.parametrize(
    ("note", "secret"),
    [
        ("paid with 4242 4242 4242 4242, 12/27, 123", "4242 4242 4242 4242"),
        ("paid with 4242 4242 4242 4242, 12/27, 123", " 123"),
        ("cvc 987 of card 4242-4242-4242-4242", "987"),
        ("4242.4242.4242.4242 CVV2 9876", "9876"),
        ("4242/4242/4242/4242", "4242/4242"),
        ("4242\u00a04242\u00a04242\u00a04242", "4242\u00a04242"),
        ("card 4\u200b242 4242 4242 4242", "242 4242"),
        ("card \uff14\uff12\uff14\uff12 4242 4242 4242", "4242 4242"),
        ("to DE89 3704 0044 0532 0130 00 as agreed", "0044"),
        ("to DE89370400440532013000", "3704"),
        ("to gb82-west-1234-5698-7654-32, yes", "west"),
        ("IBAN NL91ABNA0417164300.", "ABNA"),
    ],
)
def test_cards_their_codes_and_ibans_are_withheld_from_notes(note: str, secret: str) -> None:
    here = Redactor()
    assert secret in note
    shown = here.text(note)
    assert secret not in shown
    assert "{{" in shown or "[withheld]" in shown
    assert Redactor().find(shown) == []


@pytest.mark.parametrize(
    "note",
    [
        "4111 1111 1111 1112 is no card, 123 is no code", "DE89 3704 0044 0532 0130 01 is no IBAN",
        "the reference is 4711 of 2026", "500 EUR were seen on 12/27", "ab12 cd34 ef56 gh78 ij90 of the log",
    ],
)  # fmt: skip
def test_numbers_of_no_card_and_no_account_stay_in_notes(note: str) -> None:
    assert Redactor().text(note) == note


def test_an_amount_beside_a_card_stays() -> None:
    shown = Redactor().text("card 4242 4242 4242 4242, charged 500 EUR at 10:30 on 2026-11-26")
    assert shown == "card {{card_number:1}}, charged 500 EUR at 10:30 on 2026-11-26"


@pytest.mark.parametrize("form", WRITTEN)
def test_a_credential_in_such_a_member_is_withheld_however_it_is_written(form: str) -> None:
    here = redactor()
    assert here.members({"order_id": f"41 {WRITTEN[form](PASSWORD)}"}) == ({"order_id": "[withheld]"}, ["order_id"])
    sent = Redactor()
    sent.headers([("Authorization", f"Bearer {PASSWORD}")], sent=True)
    assert sent.field("order_id", f"41 {WRITTEN[form](PASSWORD)}") == "[withheld]"


def test_what_only_the_backend_calls_a_secret_is_no_credential() -> None:
    here = Redactor()
    here.headers([("Authorization", "Bearer 8f14e45f-ceea-467f-9d0b-4242424242aa")])
    here.header_items([("Set-Cookie", "last=8f14e45f-ceea-467f-9d0b-4242424242aa")])
    assert here.field("order_id", "8f14e45f-ceea-467f-9d0b-4242424242aa") == "8f14e45f-ceea-467f-9d0b-4242424242aa"


@pytest.mark.parametrize(
    "value", ["EUR", "500", "completed", "active", "2026-11-23", "pending_payment", "a plain sentence"]
)
def test_an_everyday_value_is_not_learnt_from_the_wire(value: str) -> None:
    here = Redactor()
    here.header_items([("Set-Cookie", f"state={value}")])
    here.body(json.dumps({"secret": value}).encode(), "application/json")
    assert here.text(f"the order is {value} now") == f"the order is {value} now"


def test_a_token_from_the_wire_is_learnt_and_expires() -> None:
    here = Redactor()
    first = "tok-q8Zr51LkPw0vXb7TgYhN"
    here.header_items([("Set-Cookie", f"sid={first}")])
    assert here.text(f"got {first}") == "got {{cookie:1}}"
    for number in range(100):
        here.header_items([("Set-Cookie", f"sid={first[::-1]}{number}")])
    assert here.text(f"got {first}") == f"got {first}"
    assert here.header_items([("Cookie", f"sid={first}")]) == [("cookie", "sid={{cookie:1}}")], "its alias stays"


def test_a_text_that_names_an_id_keeps_it_and_loses_the_rest() -> None:
    here = redactor()
    order = "prd_abcdefghijklmnop1234"
    here.note({"order_id": order})
    told = f"order {order} of {EMAIL}: {PASSWORD}, card 4242 4242 4242 4242, /orders/{order}"
    shown = here.text(told)
    assert shown == f"order {order} of o***@veza.test: {{{{password:1}}}}, card {{{{card_number:1}}}}, /orders/{order}"
    assert here.find(shown) == []


def test_an_id_does_not_shield_a_credential() -> None:
    here = Redactor({"password": "prd_abcdefghijklmnop1234"})
    here.note({"order_id": "prd_abcdefghijklmnop1234"})
    assert here.text("order prd_abcdefghijklmnop1234") == "order {{password:1}}"


TOKEN = "rt_9f8e7d6c5b4a3210ffeeddccbbaa"


def test_the_tokens_of_a_login_are_credentials_before_they_are_sent() -> None:
    here = Redactor()
    login = {"data": {"user": {"id": TOKEN}, "access_token": "tok-q8Zr51LkPw0vXb7TgYhN", "refresh_token": TOKEN}}
    shown = here.body(json.dumps(login).encode(), "application/json")
    assert TOKEN not in dumps(shown)
    assert here.members({"order_id": TOKEN}) == ({"order_id": "[withheld]"}, ["order_id"])
    assert here.url(f"https://veza.test/orders/{TOKEN}", sent=True) == "https://veza.test/orders/%5Bwithheld%5D"


def test_what_stands_below_a_secrets_name_is_secret() -> None:
    body = b'{"access_token": {"id": "opaque-1"}, "api_key": [{"message": "plain"}], "title": {"id": "7"}}'
    shown = Redactor().body(body, "application/json")
    assert shown == {
        "json": {
            "access_token": {"id": "{{access_token:1}}"},
            "api_key": [{"message": "{{api_key:1}}"}],
            "title": {"id": "7"},
        }
    }  # fmt: skip
    assert [found.place for found in Redactor().find({"access_token": {"id": "opaque-1"}})] == ["$.access_token.id"]


def test_an_integer_id_that_is_the_password_is_withheld() -> None:
    here = Redactor({"password": "20261126843157"})
    assert here.members({"order_id": 20261126843157, "total_cents": 500}) == (
        {"order_id": "[withheld]", "total_cents": 500}, ["order_id"],
    )  # fmt: skip


def test_no_id_or_digest_is_taken_for_an_account_number() -> None:
    drawn = random.Random(97)
    ids = [str(uuid.UUID(int=drawn.getrandbits(128), version=4)) for _ in range(20_000)]
    texts = [*ids, *(digest for one in ids for digest in (f"ord_{one[24:]}be12", sha256(one.encode()).hexdigest()))]
    assert [text for text in texts if any(found.kind == "iban" for found in secrets(text))] == []


def test_a_long_word_beside_a_secret_costs_no_more_than_another() -> None:
    text = f"x {'aA1' * 40_000} y {PASSWORD.upper().replace(' ', '')}"
    began = time.perf_counter()
    assert Redactor({"password": PASSWORD}).text(text).endswith("y [withheld]")
    assert time.perf_counter() - began < 10


def test_a_host_that_holds_a_credential_is_not_shown_and_stops_no_request() -> None:
    redactor, url = Redactor({"password": "correct-Horse-battery-9"}), "https://CORRECT-horse-BATTERY-9.veza.test/page"
    assert redactor.url(url) == "https://%5Bwithheld%5D/page"
    assert "withheld" not in redactor.url(url, sent=True), "a withheld address is not asked"
    assert redactor.find(redactor.url(url, sent=True)), "the record withholds it"


def test_an_entity_that_is_no_character_ends_no_walkthrough() -> None:
    redactor = Redactor({"password": PASSWORD})
    value = f"&#{'1' * 5_000};"
    assert redactor.headers([("X-Request-Id", value)]) == {"x-request-id": value}
    assert redactor.find({"message": value}) == []


def test_of_two_ids_that_begin_alike_the_longer_one_is_found_until_it_is_forgotten() -> None:
    known = Known()
    for value in ("pay_0000000001", "pay_00000000012"):
        known.note_id(value)
    assert known.spans("of pay_00000000012, pay_0000000001.") == [(3, 18), (20, 34)]
    for number in range(4096):
        known.note_id(f"ord_{number:010d}")
    assert known.spans("of pay_00000000012, ord_0000004095.") == [(20, 34)]


@pytest.mark.parametrize("password", ["completed", "order", "rehearsal", "5000"])
def test_a_password_that_is_a_word_of_the_record_takes_no_status_or_amount_away(password: str) -> None:
    redactor = Redactor({"password": password})
    record: dict[str, JSON] = {
        "step": "order", "environment": "rehearsal", "order_status": "completed", "amount_cents": 5000,
    }  # fmt: skip
    assert redactor.kept(record) == record
    assert redactor.json({"password": password}) == {"password": "{{password:1}}"}


def test_a_word_of_the_record_stays_though_a_password_holds_it() -> None:
    redactor = Redactor({"password": "my-refund-completed-4711"})
    assert redactor.kept({"item": "refund_completed"}) == {"item": "refund_completed"}
    assert redactor.kept({"item": "refund-completed-4711"}) == {"item": "[withheld]"}
