"""Seeded exchanges of every kind, recorded, published and played: what was kept comes back, and nothing differs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import httpx
import pytest
from recorded_world import AT, META, ports

from veza_e2e.canonical import clean
from veza_e2e.cassettes import tape
from veza_e2e.cassettes.record import Recording
from veza_e2e.cassettes.replay import Replay
from veza_e2e.redaction import Redactor

Exchange = tuple[httpx.Request, int, list[tuple[bytes, bytes]], bytes]

LIVE, PLAYED = "http://h.test", "http://veza.test"
NAMES = ("id", "status", "amount_cents", "quantity", "q", "title", "message", "$number", "checkout_url", "é", "a1" * 20)
LETTERS = [chr(one) for one in (0, 9, 10, 13, 32, 34, 92, 97, 49, 0x7F, 0xE9, 0x20AC, 0x1F600, 0xFEFF, 0x2028)]
PHRASES = ("\0n:5", "n:5", "***", "[withheld]", "{{password:1}}", "{base}/x?y=1", '{{"a": 1}}', "[1,2", "1.0", "-0")
NUMBERS = (0, -1, 500, 10**40, 1.0, 0.5, -0.0, 1e300, None, True)
HEADERS = (b"abc", b"caf\xe9", "é".encode(), b"\xff\xfe", b"", b"a=1; Path=/", b"/x?y=1#z")
SOME_BYTES = ("image/png", "application/octet-stream", "text/csv", "application/pdf", "", "application/problem+json")


def text(chance: Random, base: str) -> str:
    if chance.random() < 0.4:
        return chance.choice(PHRASES).replace("{base}", base)
    return "".join(chance.choices(LETTERS, k=chance.randrange(6)))


def value(chance: Random, base: str, depth: int = 0) -> object:
    kind = chance.randrange(4 if depth < 3 else 2)
    if kind == 0:
        return chance.choice(NUMBERS)
    if kind == 1:
        return text(chance, base)
    if kind == 2:
        return [value(chance, base, depth + 1) for _ in range(chance.randrange(3))]
    return {chance.choice(NAMES): value(chance, base, depth + 1) for _ in range(chance.randrange(4))}


def body(chance: Random, base: str) -> tuple[str, bytes]:
    kind = chance.randrange(5)
    if kind == 0:
        fields = [(chance.choice(NAMES), text(chance, base)) for _ in range(3)]
        return "application/x-www-form-urlencoded", urlencode(fields).encode()
    if kind == 1:
        return "text/plain", text(chance, base).encode()
    if kind == 2:
        return chance.choice(SOME_BYTES), chance.randbytes(chance.randrange(20))
    return "application/json", json.dumps(value(chance, base), ensure_ascii=chance.random() < 0.5).encode()


def exchange(chance: Random, base: str) -> Exchange:
    method, path = chance.choice(["GET", "POST", "HEAD"]), chance.choice(["/", "/a%2Fb", "/orders/11", "/é"])
    query = [(chance.choice(NAMES), text(chance, base)) for _ in range(chance.randrange(3))]
    media, content = body(chance, base)
    request = httpx.Request(
        method, f"{base}{path}?{urlencode(query)}", headers={"content-type": media}, content=content
    )
    media, content = body(chance, base)
    headers = [(b"content-type", media.encode())]
    headers += [(chance.choice([b"x-request-id", b"set-cookie", b"etag"]), chance.choice(HEADERS)) for _ in range(2)]
    if chance.random() < 0.3:
        headers.append((b"content-encoding", b"gzip"))
        content = gzip.compress(content)
    return request, chance.choice([200, 201, 302, 404, 500, 999]), headers, content


def answers(exchanges: Iterable[Exchange]) -> Callable[[httpx.Request], httpx.Response]:
    left = iter(exchanges)

    def answer(_: httpx.Request) -> httpx.Response:
        _, status, headers, content = next(left)
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))

    return answer


def asked(transport: httpx.BaseTransport, exchanges: Iterable[Exchange]) -> list[httpx.Response]:
    """Send the requests, none of which a cookie jar or a redirect touches."""
    taken = []
    for request, *_ in exchanges:
        response = transport.handle_request(request)
        response.read()
        taken.append(response)
    return taken


@pytest.mark.parametrize("seed", range(12))
def test_what_was_kept_comes_back(seed: int, tmp_path: Path) -> None:
    live, later = ([exchange(chance, base) for _ in range(6)] for chance, base in
                   ((Random(seed), LIVE), (Random(seed), PLAYED)))  # fmt: skip
    recording = Recording.start(tmp_path / "kept", Redactor(), META, at=AT, base_url=LIVE)
    world = recording.wrap(replace(ports(), transport=httpx.MockTransport(answers(live))))
    first = asked(world.transport, live)
    recording.finish()
    for name, data in tape.published(tape.whole(recording.folder)).items():
        (recording.folder / name).write_bytes(data)
    assert LIVE.partition("://")[2] not in (recording.folder / tape.CASSETTE).read_text(encoding="utf-8")
    again = Replay(recording.folder)
    again.next_process()
    second = asked(again.ports.transport, later)
    again.close()
    for entry, one, two in zip(again.tape.interactions, first, second, strict=True):
        kept = entry.data["response"]["body"] or {}
        shown = json.dumps(kept)
        assert one.status_code == two.status_code
        assert raw(two) == raw(one)
        if "base64" in kept or not kept:
            assert two.content == one.content
        elif not any(mark in shown for mark in ("withheld", "***", "{{", PLAYED)):
            assert plain(kept, two) == plain(kept, one)


def raw(response: httpx.Response) -> list[bytes]:
    return [content for name, content in response.headers.raw if name.lower() == b"x-request-id"]


def plain(kept: object, response: httpx.Response) -> object:
    """Return a body's value, numbers as their digits."""
    if isinstance(kept, dict) and "json" in kept:
        return clean(json.loads(response.content, parse_float=repr))
    return response.content if isinstance(kept, dict) and "text" in kept else None
