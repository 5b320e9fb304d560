"""What the fixture compares: every change of a request that its docs promise to see, and none that they allow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded_world import Backend, says

from veza_e2e.cassettes.interaction import Clean
from veza_e2e.cassettes.replay import differ
from veza_e2e.cassettes.unshown import alike
from veza_e2e.redaction import Redactor
from veza_e2e.testing import Mismatch, record, replay

EMAIL, PASSWORD = "operator@veza.test", "correct-horse-battery"
OLDER = Path(__file__).with_name("older")
PNG = {"content-type": "image/png"}
TEXT = {"content-type": "text/plain"}
JSON = {"content-type": "application/json"}

Sent = Callable[[httpx.Client], object]


@contextmanager
def recording(folder: Path, url: str) -> Iterator[httpx.Client]:
    with (
        record(folder, base_url=url, email=EMAIL, password=PASSWORD) as backend,
        httpx.Client(transport=backend.transport, base_url=backend.base_url) as client,
    ):
        yield client


@contextmanager
def playing(folder: Path, _url: str = "") -> Iterator[httpx.Client]:
    with (
        replay(folder) as backend,
        httpx.Client(transport=backend.transport, base_url=backend.base_url) as client,
    ):
        yield client


def posts(content: object, headers: dict[str, str] | None = None) -> Sent:
    if headers is None:
        return lambda client: client.post("/", json=content)
    return lambda client: client.post("/", content=content, headers=headers)  # type: ignore[arg-type]


def gets(path: str) -> Sent:
    return lambda client: client.get(path)


def form(name: str, content: bytes) -> Sent:
    return lambda client: client.post("/", files={"file": (name, content)}, data={"title": "x"})


DIFFERENT: dict[str, tuple[Sent, Sent]] = {
    "quantity": (posts({"id": "1", "quantity": 1}), posts({"id": "1", "quantity": 2})),
    "kind of number": (posts({"quantity": 1}), posts({"quantity": "1"})),
    "fraction": (posts({"quantity": 1}), posts({"quantity": 1.0})),
    "big number": (posts({"quantity": 10**40}), posts({"quantity": 10**40 + 1})),
    "deep": (posts({"x": [{"y": [{"z": "a"}]}]}), posts({"x": [{"y": [{"z": "b"}]}]})),
    "order of a list": (posts({"x": ["a", "b"]}), posts({"x": ["b", "a"]})),
    "absent": (posts({"quantity": 1}), posts({})),
    "null": (posts({"quantity": None}), posts({"quantity": 0})),
    "json in a text": (posts({"x": '{"id": "1"}'}), posts({"x": '{"id": "2"}'})),
    "member with a long name": (posts({"a1" * 20: "a"}), posts({"a1" * 20: "b"})),
    "name of a long member": (posts({"a1" * 20: "a"}), posts({"b1" * 20: "a"})),
    "name twice": (posts(b'{"id":"1","id":"2"}', JSON), posts(b'{"id":"3","id":"2"}', JSON)),
    "query": (gets("/?q=a"), gets("/?q=b")),
    "stars": (posts({"note": "*** new"}), posts({"note": "old"})),
    "stars in the query": (gets("/?q=a***"), gets("/?q=b")),
    "encoded query": (gets("/?q=a%26b"), gets("/?q=a&b")),
    "repeated key": (gets("/?q=a&q=b"), gets("/?q=b&q=a")),
    "fewer keys": (gets("/?q=a&q=b"), gets("/?q=a")),
    "many keys": (gets("/?" + "&".join(f"k{n}=1" for n in range(120))), gets("/?" + "&".join(["k=1"] * 120))),
    "order of the query": (gets("/?page=1&limit=2"), gets("/?limit=2&page=1")),
    "query of an address": (
        posts({"checkout_url": "https://shop.test/x?ref=1"}),
        posts({"checkout_url": "https://shop.test/x?ref=2"}),
    ),
    "encoding of the path": (gets("/a%2Fb"), gets("/a/b")),
    "bytes": (posts(b"\x00\xff\x01", PNG), posts(b"\x00\xff\x02", PNG)),
    "invalid utf-8": (posts(b'{"id": "\xff"}', JSON), posts(b'{"id": "\xfe"}', JSON)),
    "text": (posts(b"order a1b2c3", TEXT), posts(b"order a1b2c4", TEXT)),
    "form": (
        lambda client: client.post("/", data={"colour": ["red", "blue"]}),
        lambda client: client.post("/", data={"colour": ["blue", "red"]}),
    ),
    "uploaded file": (form("a.png", b"\x00\xff"), form("a.png", b"\x00\xfe")),
    "empty boundary": (
        posts(b"a", {"content-type": 'multipart/form-data; boundary=""'}),
        posts(b"b", {"content-type": 'multipart/form-data; boundary=""'}),
    ),
    "name of the file": (form("a.png", b"\x00\xff"), form("b.png", b"\x00\xff")),
    "content type": (posts(b"{}", JSON), posts(b"{}", {"content-type": "application/problem+json"})),
    "method": (gets("/"), lambda client: client.head("/")),
}


def test_each_change_is_a_mismatch_and_the_same_call_is_none(backend: Backend, tmp_path: Path) -> None:
    backend.replies["/"] = backend.replies["/a%2Fb"] = says({"data": {"id": "1"}})
    folder = tmp_path / "kept"
    recorded = [call for call, _ in DIFFERENT.values()]
    for session in (recording, playing):
        with session(folder, backend.url) as client:
            for call in recorded:
                call(client)
    for place, (name, (_, other)) in enumerate(DIFFERENT.items()):
        with pytest.raises(Mismatch) as mismatch:
            make(folder, [*recorded[:place], other])
        assert f"interaction {place + 1}: request." in str(mismatch.value), name


def make(folder: Path, calls: Sequence[Sent]) -> None:
    with playing(folder) as client:
        for call in calls:
            call(client)


def test_a_withheld_value_that_goes_back_is_no_difference(backend: Backend, tmp_path: Path) -> None:
    backend.replies["/next"] = says({"cursor": "abc", "state": {"n": 7, "text": '{"m": "x"}'}, "csrf_token": "c-1234"})
    backend.replies["/"] = says({})

    def calls(client: httpx.Client, quantity: int, colour: str = "red", password: str = "{{password:1}}") -> None:
        told = client.get("/next").json()
        client.get("/", params={"cursor": told["cursor"], "q": [f"after {told['cursor']}", colour]})
        note = f"{told['csrf_token']} {password}"
        client.post("/", json={"state": told["state"], "quantity": quantity, "note": note})

    with recording(tmp_path / "kept", backend.url) as client:
        calls(client, 1, password=PASSWORD)
    with playing(tmp_path / "kept") as client:
        calls(client, 1)
    differs = r"interaction 3: request\.withheld\.body\.quantity\[0\]: recorded"
    with pytest.raises(Mismatch, match=differs), playing(tmp_path / "kept") as client:
        calls(client, 2)
    with (
        pytest.raises(Mismatch, match=r"interaction 2: request\.withheld\.url\.q\[1\]"),
        playing(tmp_path / "kept") as client,
    ):
        calls(client, 1, "blue")


def test_an_upload_with_a_secret_is_played_though_boundary_and_secret_differ(backend: Backend, tmp_path: Path) -> None:
    backend.replies["/"] = says({})

    def upload(client: httpx.Client, password: str) -> None:
        client.post("/", data={"password": password}, files={"file": ("a", b"\x00")})
        client.post("/", json={"address": f"{client.base_url}/x"})

    with recording(tmp_path / "kept", backend.url) as client:
        upload(client, PASSWORD)
    with playing(tmp_path / "kept") as client:
        upload(client, "{{password:1}}")


def test_an_older_recording_is_compared_by_what_it_shows() -> None:
    def order(quantity: int, content: bytes) -> list[Sent]:
        return [
            gets("/search?q=b"),
            lambda client: client.post("/orders", json={"product_id": "11", "quantity": quantity}),
            lambda client: client.post("/orders", content=content, headers=PNG),
        ]

    with pytest.raises(Mismatch, match=r"ended early: GET http://veza\.test/page"):
        make(OLDER, order(2, b"\x01\xff\x02"))
    with pytest.raises(Mismatch, match=r"interaction 3: request\.body\.bytes: recorded 3, now 2"):
        make(OLDER, order(2, b"\x01\xff"))


def test_the_bits_of_a_withheld_value_do_not_tell_it() -> None:
    """A person who knows all values that it could be is left with many of them."""
    clean = Clean(Redactor(), {})

    def told(pin: str) -> str:
        content = json.dumps({"pin": pin}).encode()
        return json.dumps(clean.request("POST", "http://veza.test/", JSON.items(), content)["withheld"])

    same = sum(told(f"{number:04}") == told("0007") for number in range(1000))
    assert 2 < same < 20


SECRETS = ("password", "card_cvc", "client_secret", "email")


def test_no_digest_is_made_of_a_secret() -> None:
    clean = Clean(Redactor({"password": PASSWORD}), {})
    body = dict.fromkeys(SECRETS, PASSWORD) | {"deep": json.dumps({"password": "another-word-1"})}
    stored = clean.request("POST", f"http://veza.test/?token={PASSWORD}", JSON.items(), json.dumps(body).encode())
    assert "withheld" not in stored


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdefid"), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(one=st.dictionaries(st.sampled_from("abcdefid"), JSONS, max_size=3), place=st.integers(0, 7))
def test_any_body_is_alike_to_itself_and_to_no_other_number(one: dict[str, object], place: int) -> None:
    clean = Clean(Redactor(), {})

    def stored(body: object) -> dict[str, object]:
        return dict(clean.request("POST", "http://veza.test/", JSON.items(), json.dumps(body).encode()))

    first = stored({**one, "z": place})
    assert differ(first, alike(first, stored({**one, "z": place}))) == []  # type: ignore[arg-type]
    assert differ(first, alike(first, stored({**one, "z": place + 1}))) != []  # type: ignore[arg-type]
