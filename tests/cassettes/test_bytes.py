"""What the fixture keeps of a backend: bytes as bytes, and bodies of every type, kept or refused by name."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from recorded_world import Backend, Handler, Reply

from veza_e2e.cassettes import tape
from veza_e2e.cassettes.check import check
from veza_e2e.cassettes.spec import Spec
from veza_e2e.redaction import Redactor
from veza_e2e.testing import CassetteError, Mismatch, record, replay

ROOT = Path(__file__).parents[2]
OLDER = Path(__file__).with_name("older")
EMAIL, PASSWORD = "operator@veza.test", "correct-horse-battery"
JSON = b"Content-Type: application/json"

Calls = Callable[[httpx.Client], object]


def sends(body: bytes, *headers: bytes, status: int = 200) -> Reply:
    """Answer with these very bytes."""

    def reply(handler: Handler) -> None:
        given = [*headers, b"Content-Length: %d" % len(body)] if status not in {204, 304} else headers
        handler.wfile.write(b"\r\n".join([b"HTTP/1.1 %d OK" % status, *given, b"", b""]))
        if handler.command != "HEAD":
            handler.wfile.write(body)

    return reply


def chunked(body: bytes, *headers: bytes) -> Reply:
    """Answer in chunks of one byte."""
    parts = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    head = b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"Transfer-Encoding: chunked", b"", b""])
    return lambda handler: handler.wfile.write(head + parts + b"0\r\n\r\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def recorded(folder: Path, base_url: str, calls: Calls, keep: Collection[str] = ()) -> Path:
    """Record some calls."""
    with (
        record(folder, base_url=base_url, email=EMAIL, password=PASSWORD, keep=keep) as backend,
        httpx.Client(transport=backend.transport, base_url=backend.base_url) as client,
    ):
        calls(client)
    return folder


def played(folder: Path, calls: Calls) -> None:
    """Make the calls again."""
    with (
        replay(folder) as backend,
        httpx.Client(transport=backend.transport, base_url=backend.base_url) as client,
    ):
        calls(client)


HEADERS = {
    "latin-1": b"X-Request-Id: caf\xe9",
    "utf-8": "X-Request-Id: café".encode(),
    "both": b"X-Request-Id: caf\xe9, caf\xc3\xa9",
    "no encoding": b"X-Request-Id: \x80\xfe\xff",
    "a tab": b"X-Request-Id: a\tb",
}


def test_a_header_comes_back_byte_by_byte(backend: Backend, folder: Path) -> None:
    seen: list[Sequence[tuple[bytes, bytes]]] = []

    def calls(client: httpx.Client) -> None:
        seen.extend(client.get(f"/{path}").headers.raw for path in (*range(len(HEADERS)), "all"))

    for place, header in enumerate(HEADERS.values()):
        backend.replies[f"/{place}"] = sends(b"{}", JSON, header)
    both = (HEADERS["utf-8"], HEADERS["latin-1"])
    backend.replies["/all"] = sends(b"{}", JSON, *both, b"Set-Cookie: b=2; Path=/", b"Set-Cookie: a=1; Path=/")
    played(recorded(folder, backend.url, calls), calls)
    half = len(seen) // 2
    given = [[value for name, value in headers if name.lower() == b"x-request-id"] for headers in seen]
    wanted = [header.partition(b": ")[2] for header in HEADERS.values()]
    assert given == [*([value] for value in wanted), [wanted[1], wanted[0]]] * 2
    cookies = [value for name, value in seen[-1] if name.lower() == b"set-cookie"]
    assert cookies == [b"b={{cookie:1}}; Path=/", b"a={{cookie:2}}; Path=/"]
    assert half == len(HEADERS) + 1


def test_a_secret_in_a_header_of_any_encoding_is_redacted(backend: Backend, folder: Path) -> None:
    secret = "pässwörtchen-lang"
    for place, encoding in (("/1", "utf-8"), ("/2", "latin-1")):
        backend.replies[place] = sends(b"{}", JSON, b"X-Request-Id: \xfc " + secret.encode(encoding))
        backend.replies[place + "b"] = sends(b"{}", JSON, b"X-Request-Id: for " + secret.encode(encoding))
    with (
        record(folder, base_url=backend.url, email=EMAIL, password=secret) as there,
        httpx.Client(transport=there.transport, base_url=there.base_url) as client,
    ):
        for path in ("/1b", "/2b"):
            client.get(path)
    kept = json.loads((folder / "cassette.json").read_text(encoding="utf-8"))
    shown = [dict(one["response"]["headers"])["x-request-id"] for one in kept["interactions"]]
    assert shown == ["for {{password:1}}"] * 2


BODIES: dict[str, tuple[bytes, bytes]] = {
    "an image": (b"Content-Type: image/png", b"\x89PNG\r\n\x1a\n\x00\xff"),
    "a float and an integer": (JSON, b'{"price":1.0,"total":1,"amount":1E+5,"id":123456789012345678901234567890}'),
    "a text that looks like a number of ours": (JSON, b'{"id":"\\u0000n:5","status":"n:5","price":0.5}'),
    "words": (b"Content-Type: text/plain", b"404 page not found\r\n"),
    "nothing": (JSON, b""),
    "a form": (b"Content-Type: application/x-www-form-urlencoded", b"id=1&id=2&status=paid"),
    "json in utf-16": (b"Content-Type: application/json; charset=utf-16", '{"id":"1"}'.encode("utf-16")),
}


def test_bodies_come_back(backend: Backend, folder: Path) -> None:
    seen: list[object] = []

    def calls(client: httpx.Client) -> None:
        """Read a number with a fraction as its digits: 1.0 is no 1."""
        for place, (media, body) in enumerate(BODIES.values()):
            answer = client.get(f"/{place}")
            seen.append(answer.json(parse_float=repr) if b"json" in media and body else answer.content)
        seen.extend(client.get(f"/{path}").json() for path in ("gzip", "chunked", "deflated"))
        head = client.head("/gzip")
        seen.append((head.status_code, head.content))
        seen.extend((client.get(f"/{status}").status_code, client.get(f"/{status}").content) for status in (204, 304))
        seen.append(client.get("/999").status_code)

    for place, (media, body) in enumerate(BODIES.values()):
        backend.replies[f"/{place}"] = sends(body, media)
    packed = gzip.compress(b'{"id": "1"}')
    backend.replies["/gzip"] = sends(packed, JSON, b"Content-Encoding: gzip")
    backend.replies["/chunked"] = chunked(b'{"id": "1"}', JSON)
    backend.replies["/deflated"] = chunked(packed, JSON, b"Content-Encoding: gzip")
    backend.replies["/204"] = sends(b"", status=204)
    backend.replies["/304"] = sends(b"", status=304)
    backend.replies["/999"] = sends(b"{}", JSON, status=999)
    played(recorded(folder, backend.url, calls), calls)
    half = len(seen) // 2
    assert seen[half:] == seen[:half]


REFUSED = {
    "text/html": b"<p>hello</p>",
    "text/csv": b"a,b\n1,2\n",
    "application/pdf": b"%PDF-1.4 \xff\x00",
    "image/png": b"\xff" * 100_000,
    "application/json": b'{"id": \xff}',
    "text/plain": b"words " * 1_000,
}


@pytest.mark.parametrize("media", REFUSED)
def test_a_body_that_cannot_be_kept_is_refused_by_name(media: str, backend: Backend, folder: Path) -> None:
    body = REFUSED[media]
    backend.replies["/"] = sends(body, b"Content-Type: " + media.encode())

    def calls(client: httpx.Client) -> None:
        assert client.get("/").content == body

    with pytest.raises(CassetteError, match=rf"interaction 1.*GET http://veza\.test/: .*{len(body)} bytes.*keep"):
        recorded(folder, backend.url, calls)
    with pytest.raises(CassetteError, match="not finished"):
        played(folder, calls)
    kept = folder.with_name("told")
    played(recorded(kept, backend.url, calls, keep=[media]), calls)


def test_a_body_in_an_encoding_that_httpx_does_not_know_stays_as_it_is(backend: Backend, folder: Path) -> None:
    backend.replies["/"] = sends(b"\x8b\x01\xff", JSON, b"Content-Encoding: x-packed")

    def calls(client: httpx.Client) -> None:
        answer = client.get("/")
        assert (answer.content, answer.headers["content-encoding"]) == (b"\x8b\x01\xff", "x-packed")

    played(recorded(folder, backend.url, calls, keep=["application/json"]), calls)


def test_what_is_kept_on_demand_holds_no_secret_and_no_address(backend: Backend, folder: Path, tmp_path: Path) -> None:
    there = backend.url.encode()
    text = b"mail operator@veza.test at " + there + b"/x, password correct-horse-battery\r\n"
    backend.replies["/"] = sends(text, b"Content-Type: text/csv")
    seen: list[bytes] = []
    played(recorded(folder, backend.url, lambda client: client.get("/"), keep=["text/csv"]),
           lambda client: seen.append(client.get("/").content))  # fmt: skip
    assert seen == [b"mail o***@veza.test at http://veza.test/x, password {{password:1}}\r\n"]
    for place, inside in enumerate((PASSWORD.encode(), there)):
        for media in ("application/pdf", "image/png"):
            backend.replies["/"] = sends(b"%PDF \xff\x00 " + inside, b"Content-Type: " + media.encode())
            with pytest.raises(CassetteError, match=media):
                recorded(tmp_path / f"{place} {media[:5]}", backend.url, lambda client: client.get("/"), [media])


def older(client: httpx.Client) -> None:
    client.get("/search", params={"q": "a"})
    client.post("/orders", json={"product_id": "11", "quantity": 1})
    client.post("/orders", content=b"\x00\xff\x01", headers={"content-type": "image/png"})
    client.get("/page")


def test_an_older_recording_is_played_and_a_blanked_body_is_named() -> None:
    with pytest.raises(Mismatch, match=r"interaction 4: .*GET http://veza\.test/page.*text/html, 12 bytes"):
        played(OLDER, older)


def test_the_check_of_a_cassette_names_what_was_not_kept(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / "cassettes" / "no-refund", tmp_path / "kept"))
    recording = tape.read(folder)
    last = max(index for index, entry in enumerate(recording.entries) if entry.kind == "http")
    entry = recording.entries[last]
    blank = {**entry.data["response"], "status": 503, "body": {"withheld": "text/html", "bytes": 12}}
    told = replace(entry, data={**entry.data, "response": blank})
    entries = (*recording.entries[:last], told, *recording.entries[last + 1 :])
    for name, data in tape.published(replace(recording, entries=entries)).items():
        (folder / name).write_bytes(data)
    found = check(folder, Spec(ROOT / "sdk/veza/openapi.json"), Redactor(), datetime.now(UTC))
    (warning,) = [finding.message for finding in found if finding.status == "warn"]
    assert f"{entry.place} (step {entry.step}): the answer's body (text/html, 12 bytes) was not kept" in warning
