"""Every call on record: the intent before its first byte, the answer before its use, no secret in either."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from veza.testing import FakeClock
from veza_contract.operations import operation_of
from veza_e2e.journal import FileSink, Journal, UnwritableError, read
from veza_e2e.journal.events import CallFailed, CallFinished, CallIntended
from veza_e2e.ports.interrupts import Interrupts
from veza_e2e.ports.network import LimitedTransport, trusted
from veza_e2e.ports.wire import MAX_BODY, LeakError, Recorder, RecordingTransport
from veza_e2e.redaction import Redactor

PASSWORD = "correct horse battery"
Answer = Callable[[socket.socket, bytes], None]


def respond(body: bytes, *headers: str, status: str = "200 OK") -> Answer:
    def answer(connection: socket.socket, _: bytes) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
        connection.sendall("\r\n".join(lines).encode() + body)

    return answer


def request_of(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def serving(*answers: Answer) -> Iterator[tuple[str, list[bytes]]]:
    """A raw server: whatever is sent on a connection is answered as it is told."""
    received: list[bytes] = []

    def serve() -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                received.append(request_of(connection))
                answer(connection, received[-1])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


class Desk:
    """A journal on disk and a client whose calls go through it."""

    def __init__(
        self,
        folder: Path,
        guard: Interrupts | None = None,
        timeout: float = 5.0,
        network: httpx.BaseTransport | None = None,
    ) -> None:
        self.path = folder / "journal.jsonl"
        self.sink = FileSink(self.path, create=True)
        self.redactor = Redactor({"password": PASSWORD, "email": "operator@veza.test"})
        self.recorder = Recorder(
            Journal(self.sink, FakeClock(), redactor=self.redactor),
            self.redactor,
            FakeClock(),
            guard=guard.deferred if guard else None,
        )
        self.network = network or httpx.HTTPTransport()
        self.client = httpx.Client(
            transport=RecordingTransport(self.network, "api", self.recorder, operation_of), timeout=timeout
        )

    def close(self) -> None:
        self.client.close()
        self.network.close()
        self.sink.close()

    @property
    def events(self) -> list[object]:
        return [line.event for line in read(self.path).lines]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def test_the_intent_is_on_disk_when_the_first_byte_arrives(desk: Desk) -> None:
    seen: list[list[object]] = []

    def inspect(connection: socket.socket, request: bytes) -> None:
        seen.append(desk.events)
        respond(b"{}", "Content-Type: application/json")(connection, request)

    with serving(inspect) as (url, received):
        desk.client.post(f"{url}/api/v1/orders", json={"items": []}, headers={"Idempotency-Key": "k-1"})
    (intent,) = seen[0]
    assert isinstance(intent, CallIntended)
    assert (intent.call, intent.operation, intent.idempotency_key) == (1, "createOrder", "k-1")
    assert received[0].startswith(b"POST /api/v1/orders ")
    last = desk.events[-1]
    assert isinstance(last, CallFinished)
    assert (last.call, last.status) == (1, 200)


def test_a_read_needs_no_intent(desk: Desk) -> None:
    with serving(respond(b"{}", "Content-Type: application/json")) as (url, _):
        desk.client.get(f"{url}/api/v1/health")
    (finished,) = desk.events
    assert isinstance(finished, CallFinished)


def test_where_the_intent_cannot_be_written_nothing_is_sent(desk: Desk) -> None:
    with serving() as (url, received):
        desk.sink.close()
        with pytest.raises((UnwritableError, OSError)):
            desk.client.post(f"{url}/api/v1/orders", json={"items": []})
        assert received == []
    desk.sink = FileSink(desk.path, create=False)
    assert desk.events == []


@pytest.mark.parametrize(
    ("path", "options"),
    [
        (f"/api/v1/orders/{PASSWORD.replace(' ', '%20')}", {}),
        ("/api/v1/orders", {"headers": {"Idempotency-Key": "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"}}),
        ("/api/v1/orders", {"json": {"note": "x", "items": [{"title": "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"}]}}),
    ],
)
def test_a_secret_never_reaches_the_record_and_where_it_would_nothing_is_sent(
    desk: Desk, path: str, options: dict[str, object]
) -> None:
    refused = None
    with serving(respond(b"")) as (url, received):
        try:
            desk.client.post(url + path, **options)  # type: ignore[arg-type]  # the options of three cases
        except LeakError as error:
            refused = str(error)
        assert len(received) == (refused is None)
    assert PASSWORD not in (refused or "")
    written = desk.path.read_text(encoding="utf-8")
    assert "correct" not in written
    assert "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5" not in written


def test_an_idempotency_key_that_is_a_secret_stops_the_request(desk: Desk) -> None:
    with serving(respond(b"")) as (url, received):
        with pytest.raises(LeakError, match="was not sent: its key would be"):
            desk.client.post(f"{url}/api/v1/orders", headers={"Idempotency-Key": f"x{PASSWORD}"})
        assert received == []
    assert desk.events == []


def test_an_answer_that_holds_a_secret_is_kept_without_it(desk: Desk) -> None:
    leak = json.dumps({"data": {"title": PASSWORD, "status": "completed", "access_token": "eyJhbGciOi.eyJzdWIi.c2ln"}})
    headers = ["Content-Type: application/json", f"X-Request-ID: {PASSWORD}", f"Set-Cookie: sid={PASSWORD}; Path=/"]
    with serving(respond(leak.encode(), *headers)) as (url, _):
        answer = desk.client.get(f"{url}/api/v1/orders/1")
    assert answer.json()["data"]["title"] == PASSWORD, "the caller gets what was sent"
    written = desk.path.read_text(encoding="utf-8")
    for secret in (PASSWORD, "eyJhbGciOi"):
        assert secret not in written
    (finished,) = desk.events
    assert isinstance(finished, CallFinished)
    assert finished.response_body is not None
    assert "completed" in str(finished.response_body)


@pytest.mark.parametrize(
    ("body", "headers", "why"),
    [
        (b"\xff\xfe{}", ["Content-Type: application/json"], "cannot be read as its content type says"),
        (b"\xff\xff", ["Content-Type: text/plain"], "not UTF-8"),
        (b"{", ["Content-Type: application/json"], "cannot be read"),
        (b"[" * 100_000, ["Content-Type: application/json"], "cannot be read"),
        (b"<html>", ["Content-Type: text/html"], "text/html"),
        (b"x" * 100, [], "no content type"),
    ],
    ids=range(6),
)
def test_a_body_that_cannot_be_read_is_on_record_without_it(
    desk: Desk, body: bytes, headers: list[str], why: str
) -> None:
    with serving(respond(body, *headers)) as (url, _):
        desk.client.get(f"{url}/api/v1/health")
    (finished,) = desk.events
    assert isinstance(finished, CallFinished)
    assert finished.response_body is not None
    assert why in str(finished.response_body["withheld"])
    assert finished.response_body["bytes"] == len(body)


def test_a_lone_surrogate_in_a_body_does_not_stop_the_record(desk: Desk) -> None:
    with serving(respond(b'{"title": "\\ud800"}', "Content-Type: application/json")) as (url, _):
        desk.client.get(f"{url}/api/v1/orders/1")
    assert len(desk.events) == 1


@pytest.mark.parametrize("compressed", [False, True])
def test_an_answer_beyond_all_bounds_is_cut_off_and_on_record(desk: Desk, compressed: bool) -> None:
    body = b"x" * (MAX_BODY + 1)
    headers = ["Content-Encoding: gzip"] if compressed else []

    def answer(connection: socket.socket, request: bytes) -> None:
        try:
            respond(gzip.compress(body) if compressed else body, *headers)(connection, request)
        except OSError:
            return  # the client has seen enough

    with serving(answer) as (url, _), pytest.raises(httpx.ReadError):
        desk.client.post(f"{url}/api/v1/orders", json={})
    failed = desk.events[-1]
    assert isinstance(failed, CallFailed)
    assert (failed.call, failed.error) == (1, "ReadError")
    assert str(MAX_BODY) in failed.message


def hang_up(connection: socket.socket, _: bytes) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def half_a_body(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


def no_gzip(connection: socket.socket, request: bytes) -> None:
    respond(b"no gzip", "Content-Encoding: gzip")(connection, request)


@pytest.mark.parametrize(
    ("answer", "error"),
    [(hang_up, "RemoteProtocolError"), (half_a_body, "RemoteProtocolError"), (no_gzip, "DecodingError")],
)
def test_a_call_without_a_whole_answer_is_on_record(desk: Desk, answer: Answer, error: str) -> None:
    with serving(answer) as (url, _), pytest.raises(httpx.HTTPError):
        desk.client.post(f"{url}/api/v1/orders", json={})
    intent, failed = desk.events
    assert isinstance(intent, CallIntended)
    assert isinstance(failed, CallFailed)
    assert (failed.call, failed.error) == (intent.call, error)


def test_a_refused_connection_and_a_timeout_are_on_record(tmp_path: Path) -> None:
    desk = Desk(tmp_path, timeout=0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(httpx.ReadTimeout):
            desk.client.get(f"http://127.0.0.1:{port}/")
    with pytest.raises(httpx.ConnectError):
        desk.client.get(f"http://127.0.0.1:{port}/")
    timeout, refused = desk.events
    assert isinstance(timeout, CallFailed)
    assert isinstance(refused, CallFailed)
    assert (timeout.error, refused.error) == ("ReadTimeout", "ConnectError")
    desk.close()


def test_redirects_are_not_followed_with_the_login(desk: Desk) -> None:
    with serving(respond(b"", "Location: http://127.0.0.1:1/", status="302 Found")) as (url, _):
        assert desk.client.get(f"{url}/api/v1/auth/me").status_code == 302
    (finished,) = desk.events
    assert isinstance(finished, CallFinished)
    assert finished.response_headers["location"] == "http://127.0.0.1:1/"


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", "/api/v1/orders", "createOrder"), ("GET", "/api/v1/orders", "listOrders"),
        ("GET", "/api/v1/orders/1", "getOrder"), ("POST", "/api/v1/orders/1/refund", "requestRefund"),
        ("GET", "/api/v1/orders/1/refund", None), ("GET", "/api/v1/orders/1/2", None),
        ("DELETE", "/api/v1/orders", None),
        ("GET", "/elsewhere", None), ("GET", "/base/api/v1/health", "getHealth"),
    ],
)  # fmt: skip
def test_a_request_is_known_by_its_method_and_path(method: str, path: str, operation: str | None) -> None:
    assert operation_of(httpx.Request(method, f"https://veza.test{path}")) == operation


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_an_answer_that_trickles_in_ends_within_the_limit_of_the_call(tmp_path: Path, begun: bytes) -> None:
    gone, trickled = threading.Event(), 0

    def trickle(connection: socket.socket, _: bytes) -> None:
        nonlocal trickled
        connection.sendall(begun)
        for byte in b"HTTP/1.1 200 OK" * 1000:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                break
            trickled += 1
            if gone.wait(0.02):
                break

    limited = Desk(tmp_path, network=LimitedTransport(Interrupts().deferred, 0.5), timeout=60)
    with serving(trickle) as (url, _):
        with pytest.raises(httpx.ReadTimeout, match=r"did not come within 0.5 s"):
            limited.client.post(f"{url}/api/v1/orders", json={"items": []})
        gone.set()
    limited.close()
    assert trickled > 1
    assert isinstance(limited.events[0], CallIntended)
    assert isinstance(limited.events[-1], CallFailed), "the doubt is on record"


def test_where_no_certificates_are_loaded_no_server_is_trusted() -> None:
    context = trusted("http")
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.get_ca_certs() == []
    assert trusted("https") is True
