"""What a recording holds, whatever happens while it is made, and what comes back of it."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from recorded_world import (
    AT,
    META,
    Answers,
    Backend,
    Books,
    Handler,
    broken_gzip,
    half_a_body,
    hangs_up,
    ports,
    says,
    says_nothing,
    written,
)
from surroundings import PATIENCE

from veza.testing import FakeClock
from veza_e2e.cassettes import tape
from veza_e2e.cassettes.errors import Mismatch, ProcessKilled
from veza_e2e.cassettes.interaction import Clean
from veza_e2e.cassettes.origins import origins
from veza_e2e.cassettes.record import Recording
from veza_e2e.cassettes.replay import Replay
from veza_e2e.journal import Journal, MemorySink
from veza_e2e.journal.events import SessionInterrupted
from veza_e2e.ports.interrupts import Interrupted
from veza_e2e.ports.progress import Progress
from veza_e2e.ports.protocols import EndOfInput, LedgerReading, Ports
from veza_e2e.ports.wire import LeakError
from veza_e2e.redaction import Redactor

Start = Callable[..., Recording]

FAILURES: Mapping[str, tuple[Callable[[Handler], None], type[httpx.RequestError]]] = {
    "dropped": (hangs_up, httpx.ReadError),
    "half a body": (half_a_body, httpx.RemoteProtocolError),
    "broken gzip": (broken_gzip, httpx.DecodingError),
    "too slow": (says_nothing, httpx.ReadTimeout),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_comes_back_as_the_same_exception(failure: str, backend: Backend, recorded: Start) -> None:
    backend.replies["/api/v1/orders"], expected = FAILURES[failure]
    recording = recorded()
    live = recording.wrap(ports())
    patience = 0.15 if failure == "too slow" else PATIENCE
    with httpx.Client(transport=live.transport, timeout=patience) as client, pytest.raises(expected) as first:
        client.get(f"{backend.url}/api/v1/orders")
    recording.finish()
    again = opened(recording.folder)
    with httpx.Client(transport=again.ports.transport) as client, pytest.raises(httpx.RequestError) as second:
        client.get("http://veza.test/api/v1/orders")
    assert type(second.value) is type(first.value) is expected
    again.close()


def test_a_refused_connection_comes_back(recorded: Start) -> None:
    recording = recorded()
    with (
        httpx.Client(transport=recording.wrap(ports()).transport) as client,
        pytest.raises(httpx.ConnectError) as first,
    ):
        client.get("http://127.0.0.1:1/api/v1/orders")
    recording.finish()
    again = opened(recording.folder)
    with httpx.Client(transport=again.ports.transport) as client, pytest.raises(httpx.ConnectError) as second:
        client.get("http://127.0.0.1:1/api/v1/orders")
    assert str(second.value) == str(first.value)


def opened(folder: Path) -> Replay:
    replay = Replay(folder)
    replay.next_process()
    return replay


def test_the_whole_world_comes_back_in_its_order(backend: Backend, recorded: Start) -> None:
    backend.replies["/api/v1/orders"] = says({"data": {"id": "1", "checkout_url": f"{backend.url}/pay?token=abcdefgh"}})
    recording = recorded()

    def live(there: str, world: object) -> list[object]:
        parts = world
        seen: list[object] = []
        with httpx.Client(transport=parts.transport) as client:  # type: ignore[attr-defined]
            answer = client.get(f"{there}/api/v1/orders", params={"status": "completed"})
        seen += [answer.status_code, answer.json()["data"]["id"]]
        seen += [parts.operator.ask("paid", "Paid?"), parts.browser.open(answer.json()["data"]["checkout_url"])]  # type: ignore[attr-defined]
        seen += [parts.ledger.rows("SELECT", "1").rows[0]["amount_cents"], len(parts.ids.key())]  # type: ignore[attr-defined]
        seen += [parts.clock.now(), parts.clock.monotonic()]  # type: ignore[attr-defined]
        parts.clock.sleep(0.01)  # type: ignore[attr-defined]
        seen += [parts.clock.now(), parts.clock.monotonic()]  # type: ignore[attr-defined]
        with pytest.raises(EndOfInput):
            parts.operator.ask("refund", "Refund?")  # type: ignore[attr-defined]
        return seen

    first = live(backend.url, recording.wrap(ports("yes")))
    recording.finish()
    again = opened(recording.folder)
    assert live("http://veza.test", again.ports) == first
    again.close()


class Types(Answers):
    """An operator who types something in each pause but the first."""

    def pause(self, progress: Progress, sleep: Callable[[float], None]) -> str | None:
        for _ in range(3):  # however often the machine slept, it is one pause
            sleep(0.001)
        return self.ask("", "") if progress.elapsed else None


@pytest.mark.parametrize("end", [EndOfInput, None])
def test_what_was_typed_in_a_wait_comes_back_in_the_same_pause(
    recorded: Start, end: type[BaseException] | None
) -> None:
    def live(parts: Ports) -> list[str | None]:
        typed = [
            parts.operator.pause(Progress("waiting", elapsed, 60.0, 3.0), parts.clock.sleep) for elapsed in (0, 1, 2)
        ]
        if end is not None:
            with pytest.raises(end):
                parts.operator.pause(Progress("waiting", 3.0, 60.0, 3.0), parts.clock.sleep)
        return typed

    recording = recorded()
    first = live(recording.wrap(replace(ports(), operator=Types("s", "r"))))
    recording.finish()
    again = opened(recording.folder)
    assert live(again.ports) == first == [None, "s", "r"]
    again.close()


def test_why_no_rows_were_read_comes_back_redacted(recorded: Start) -> None:
    class Refuses(Books):
        def rows(self, sql: str, order_id: str) -> LedgerReading:
            return LedgerReading(None, "the database says: no right for someone@example.test")

    recording = recorded()
    reading = recording.wrap(replace(ports(), ledger=Refuses())).ledger.rows("SELECT", "1")
    recording.finish()
    again = opened(recording.folder)
    played = again.ports.ledger.rows("SELECT", "1")
    again.close()
    assert (reading.rows, played.rows) == (None, None)
    assert played.reason is not None
    assert played.reason.startswith("the database says: no right for ")
    assert "someone@" not in played.reason


def test_another_order_is_a_mismatch_that_no_handler_of_exceptions_swallows(backend: Backend, recorded: Start) -> None:
    backend.replies["/one"] = backend.replies["/two"] = says({"data": {"id": "1"}})
    recording = recorded()
    with httpx.Client(transport=recording.wrap(ports()).transport) as client:
        client.get(f"{backend.url}/one")
        client.get(f"{backend.url}/two")
    recording.finish()
    again = opened(recording.folder)

    def stubborn() -> None:
        with httpx.Client(transport=again.ports.transport) as client:
            for _ in range(3):
                with contextlib.suppress(Exception):  # what a careless retry does
                    client.get("http://veza.test/two")

    with pytest.raises(
        Mismatch, match=r"interaction 1: request\.url: recorded 'http://veza\.test/one', now 'http://veza\.test/two'"
    ):
        stubborn()
    with pytest.raises(Mismatch, match="interaction 1"):
        again.close()


def test_a_signal_between_two_calls_comes_back_where_it_came(backend: Backend, recorded: Start) -> None:
    backend.replies["/one"] = says({"data": {"id": "1"}})
    recording = recorded()
    journal = Journal(MemorySink(), FakeClock(), listeners=[recording.heard], redactor=Redactor())
    with httpx.Client(transport=recording.wrap(ports()).transport) as client:
        client.get(f"{backend.url}/one")
    journal.append(SessionInterrupted(reason="SIGTERM"))
    recording.finish()
    again = opened(recording.folder)
    with httpx.Client(transport=again.ports.transport) as client:
        client.get("http://veza.test/one")
    with pytest.raises(Interrupted, match="SIGTERM"):
        again.ports.operator.ask("paid", "Paid?")
    again.close()


def test_what_is_left_unplayed_is_a_mismatch(backend: Backend, recorded: Start) -> None:
    backend.replies["/one"] = says({"data": {"id": "1"}})
    recording = recorded()
    with httpx.Client(transport=recording.wrap(ports()).transport) as client:
        client.get(f"{backend.url}/one")
    recording.finish()
    again = opened(recording.folder)
    with pytest.raises(Mismatch, match=r"ended early: GET http://veza\.test/one was not played"):
        again.close()


def test_cookies_and_csrf_tokens_are_matched_by_alias_whenever_the_replay_is(
    backend: Backend, recorded: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = "sid=abcdefgh-1; Path=/; Domain=127.0.0.1; Expires=Fri, 01 Jan 2100 12:00:00 GMT; HttpOnly"
    backend.replies["/login"] = says({"csrf_token": "csrf-abcdefgh"}, ("set-cookie", cookie))
    backend.replies["/orders"] = says({"data": []})

    def live(there: str, transport: httpx.BaseTransport, csrf: str = "") -> None:
        with httpx.Client(transport=transport, base_url=there) as client:
            token = client.get("/login").json()["csrf_token"]
            client.cookies = httpx.Cookies({"sid": client.cookies["sid"]})
            client.post("/orders", headers={"X-CSRF-Token": csrf or token})

    recording = recorded()
    live(backend.url, recording.wrap(ports()).transport)
    recording.finish()
    monkeypatch.setattr(time, "time", datetime(2200, 1, 1, tzinfo=UTC).timestamp)  # what a cookie jar asks
    again = opened(recording.folder)
    live("http://veza.test", again.ports.transport)
    again.close()
    other = opened(recording.folder)
    with pytest.raises(Mismatch, match=r"request\.headers\.x-csrf-token: recorded '\{\{csrf_token:1\}\}'"):
        live("http://veza.test", other.ports.transport, "another-token")


def test_the_backends_address_is_nowhere_in_a_recording() -> None:
    clean = Clean(Redactor(), origins("https://staging.shop.test", "https://pay.shop.test/api"))
    text = "https://staging.shop.test/x?u=staging.shop.test https://pay.shop.test at staging.shop.test."
    assert clean.text(text) == "http://veza.test/x?u=veza.test http://hyperswitch.test at veza.test."
    assert clean.text("mystaging.shop.test https://staging.shop.test.evil.test") == (
        "mystaging.shop.test https://staging.shop.test.evil.test"
    )
    local = Clean(Redactor(), origins("http://127.0.0.1:4000"))
    assert local.text("to 127.0.0.1:4000 from 127.0.0.1") == "to veza.test from 127.0.0.1"


PASSWORD = "correct horse & battery/staple"
PLANTED = {
    "password": PASSWORD,
    "access token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ",
    "refresh token": "refresh-0123456789-abcdefghij",
    "cookie": "session-abcdefghij-0123456789",
    "csrf token": "csrf-abcdefghij-0123456789",
    "client secret": "pay_1_secret_abcdefghij0123456789",
    "card number": "4242424242424242",
    "api key": "snd_abcdefghij0123456789",
    "dsn": "postgres://veza:hunter2hunter2@db.internal:5432/veza",
    "userinfo": "someone:hunter3hunter3",
    "email": "operator@veza.test",
}


def planting(backend: Backend) -> None:
    """Let the backend give every secret away, in headers, query, nested JSON, form, gzip and base64."""
    nested = json.dumps({"data": {"x": {"y": [PLANTED]}, "message": f"for {PLANTED['email']} at {PLANTED['dsn']}"}})
    login = {
        "access_token": PLANTED["access token"],
        "refresh_token": PLANTED["refresh token"],
        "client_secret": PLANTED["client secret"],
        "csrfToken": PLANTED["csrf token"],
        "user": {"email": PLANTED["email"], "title": nested},
        "checkout_url": f"https://{PLANTED['userinfo']}@pay.test/x?client_secret={PLANTED['client secret']}",
        "message": base64.b64encode(gzip.compress(PASSWORD.encode())).decode() + " \ud800",
        "card_number": PLANTED["card number"],
        "apiKey": PLANTED["api key"],
    }
    backend.replies["/login"] = lambda handler: handler.answer(
        gzip.compress(json.dumps(login).encode()),
        [
            ("content-encoding", "gzip"),
            ("set-cookie", f"sid={PLANTED['cookie']}; Path=/"),
            ("x-debug", PLANTED["password"].encode().hex()),
            ("x-request-id", f"for-{PLANTED['access token']}"),
        ],
    )
    text = json.dumps(PLANTED).encode()
    for path, media, body in (
        ("/text", "text/plain", text),
        ("/html", "text/html", text),
        ("/broken", "application/json", b"{" + text),
        ("/bytes", "image/png", text + b"\xff"),
    ):
        backend.replies[path] = raw(body, media)


def raw(body: bytes, media: str) -> Callable[[Handler], None]:
    return lambda handler: handler.answer(body, [("content-type", media)])


def test_no_planted_secret_is_on_the_disk_in_any_form(backend: Backend, recorded: Start, tmp_path: Path) -> None:
    planting(backend)
    recording = recorded(Redactor({"password": PASSWORD, "email": PLANTED["email"]}))
    world = recording.wrap(ports(f"y {PASSWORD} {PLANTED['email']} {PLANTED['access token']}"))
    with httpx.Client(transport=world.transport) as client:
        client.post(
            f"{backend.url}/login?token={PLANTED['client secret']}",
            json={"email": PLANTED["email"], "password": PASSWORD},
        )
        client.post(f"{backend.url}/login", data={"card_number": PLANTED["card number"], "payment_id": "pay_1"})
        for path in ("/text", "/html", "/broken", "/bytes"):
            client.get(
                f"{backend.url}{path}",
                headers={
                    "Authorization": f"Bearer {PLANTED['access token']}",
                    "Cookie": f"sid={PLANTED['cookie']}",
                    "X-CSRF-Token": PLANTED["csrf token"],
                    "api-key": PLANTED["api key"],
                },
            )
    world.operator.ask("paid", PASSWORD)
    world.browser.open(f"https://{PLANTED['userinfo']}@pay.test/x?client_secret={PLANTED['client secret']}")
    recording.finish()
    contents = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    contents += b"".join(tape.published(tape.read(recording.folder)).values())
    found = [name for name, secret in PLANTED.items() for form in written(secret) if form in contents]
    assert found == []
    assert b"{{access_token:1}}" in contents
    assert b"someone@example.test" not in contents


def test_the_search_for_secrets_can_fail(backend: Backend) -> None:
    planting(backend)
    with httpx.Client(trust_env=False) as client:
        login = client.post(f"{backend.url}/login")
    held = [name for name, secret in PLANTED.items() if any(form in login.content for form in written(secret))]
    assert set(PLANTED) - {"cookie"} <= set(held) | {"password"}
    assert Redactor({"password": PASSWORD}).find(login.json()) != []


def test_a_request_whose_recording_would_leak_is_not_sent(backend: Backend, recorded: Start) -> None:
    backend.replies["/"] = says({})
    recording = recorded(Redactor({"password": "correcthorse"}))
    port = backend.url.rpartition(":")[2]
    with (
        httpx.Client(transport=recording.wrap(ports()).transport) as client,
        pytest.raises(LeakError, match="password") as refused,
    ):
        client.get(f"http://correcthorse.localhost:{port}/")
    recording.finish()
    assert "correcthorse" not in str(refused.value)
    assert backend.requests == []
    assert tape.read(recording.folder).interactions == ()


KILLED = """
import os, signal, sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from recorded_world import AT, META, ports
import httpx
from veza_e2e.cassettes.interaction import Clean
from veza_e2e.cassettes.origins import origins
from veza_e2e.cassettes.record import Recording
from veza_e2e.redaction import Redactor
url, folder, most = sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
for count in range(most + 1):
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        continue
    recording = Recording.start(folder / str(count), Redactor(), {**META, "base_url": url}, at=AT, base_url=url)
    world = recording.wrap(ports())
    client = httpx.Client(transport=world.transport)
    for number in range(count):
        world.clock.now()
        client.get(f"{url}/orders", params={"page": number})
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.process
def test_a_kill_after_n_interactions_leaves_n_for_every_n(backend: Backend, tmp_path: Path) -> None:
    backend.replies["/orders"] = says(
        {"data": [{"id": "1", "email": "someone@example.test"}], "access_token": "abcdefgh-1"}
    )
    most = 12
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(Path(__file__).parents[1]), backend.url, str(tmp_path), str(most)],
        capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for count in range(most + 1):
        folder = tmp_path / str(count)
        assert len(tape.read(folder).interactions) == count
        assert b"abcdefgh-1" not in (folder / tape.PART).read_bytes()
        again = opened(folder)
        with httpx.Client(transport=again.ports.transport) as client:
            for number in range(count):
                answer = client.get("http://veza.test/orders", params={"page": number}).json()
                assert answer["data"] == [{"id": "1", "email": "s***@example.test"}]
            again.close()


def test_a_resumed_recording_numbers_its_secrets_on_and_ends_the_first_process_where_it_was_killed(
    backend: Backend, recorded: Start
) -> None:
    def login(token: str) -> None:
        backend.replies["/login"] = says({"access_token": token})

    recording = recorded()
    login("first-token-1")
    with httpx.Client(transport=recording.wrap(ports()).transport) as client:
        client.get(f"{backend.url}/login")
    os.close(recording._file)  # the process is gone, and has not said so
    with (recording.folder / tape.PART).open("ab") as file:
        file.write(b'{"kind":"ht')
    login("second-token-2")
    later = Recording.resume(
        recording.folder,
        Redactor(),
        {**META, "base_url": backend.url},
        at=AT,
        base_url=backend.url,
        journal=3,
    )
    with httpx.Client(transport=later.wrap(ports()).transport) as client:
        client.get(f"{backend.url}/login")
    later.finish()

    again = opened(recording.folder)
    with httpx.Client(transport=again.ports.transport) as client:
        assert client.get("http://veza.test/login").json() == {"access_token": "{{access_token:1}}"}
        with pytest.raises(ProcessKilled):
            client.get("http://veza.test/login")
    second = again.next_process()
    assert second is not None
    assert (second.resumed, second.journal) == (True, 3)
    with httpx.Client(transport=again.ports.transport) as client:
        assert client.get("http://veza.test/login").json() == {"access_token": "{{access_token:2}}"}
    again.close()
