"""Recorded backends for the tests of programs that use the SDK.

`record` stores the calls that your code makes to a backend. `replay` answers them without a socket: the same calls in
the same order, or a `Mismatch` that no retry swallows. A body is kept, or refused by name. As a pytest fixture, in a
`conftest.py`:

    pytest_plugins = ["veza_e2e.testing"]

    def test_my_shop(veza_cassette):
        backend = veza_cassette("tests/recordings/purchase")
        assert buy(backend.client, "11").total_amount_cents == 500

With a walkthrough's cassette, `steps=` plays only the calls of some steps:

    licenses = veza_cassette("cassettes/refund", steps=("license",)).client.licenses.mine(order_id=...)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from veza import SystemClock, Veza
from veza_e2e.cassettes import shapes, tape
from veza_e2e.cassettes.errors import CassetteError, Mismatch
from veza_e2e.cassettes.origins import ORIGIN
from veza_e2e.cassettes.perform import PASSWORD
from veza_e2e.cassettes.record import Recording
from veza_e2e.cassettes.replay import Replay
from veza_e2e.frozen import dataclass
from veza_e2e.journal import disk
from veza_e2e.ports.browser import PersonsBrowser
from veza_e2e.ports.ids import SystemIds
from veza_e2e.ports.ledger import NoLedger
from veza_e2e.ports.protocols import Clock, Ports
from veza_e2e.ports.scripted import ScriptedOperator
from veza_e2e.redaction import Redactor

__all__ = ["Backend", "CassetteError", "Mismatch", "OpenCassette", "record", "replay", "veza_cassette"]

_ACCOUNT = "o***@veza.test"
_JITTER = 0.5


@dataclass(frozen=True, slots=True)
class Backend:
    """A recorded or replayed backend.

    Attributes:
        client: logs in as the recorded account when a call needs it.
        transport: for a client of your own.
        base_url: its address.
        clock: returns the recorded time; its sleep returns at once.
    """

    client: Veza
    transport: httpx.BaseTransport
    base_url: str
    clock: Clock


@contextmanager
def record(
    folder: Path | str,
    *,
    base_url: str,
    email: str,
    password: str,
    idempotency: bool = False,
    keep: Collection[str] = (),
) -> Iterator[Backend]:
    """Record the calls to the backend at `base_url`, redacted; publish them in `folder` at the end.

    Args:
        folder: the folder to make; commit its `cassette.json` and `tape.jsonl`.
        base_url: the part before `/api/v1`.
        email: the account's.
        password: the account's; never stored.
        idempotency: whether the backend honours idempotency keys.
        keep: media types that are kept though nothing tells what is private in them, such as `text/csv` or
            `application/pdf`. Known secrets are still replaced in texts, and refused in other bytes.

    Raises:
        CassetteError: the body of an answer cannot be kept, or the recording is too large; nothing is published.
        OSError: the folder exists, or cannot be written.
    """
    target = Path(folder)
    redactor = Redactor({"email": email, "password": password})
    clock = SystemClock()
    meta: dict[str, Any] = {
        "started": {"environment": "other"},
        "account": redactor.text(email),
        "base_url": base_url.rstrip("/"),
        "idempotency": idempotency,
    }
    recording = Recording.start(target, redactor, meta, at=clock.now(), base_url=base_url, keep=keep)
    real = Ports(
        httpx.HTTPTransport(),
        ScriptedOperator(),
        PersonsBrowser(window=False),
        NoLedger(),
        clock,
        SystemIds(target.name),
    )
    ports = recording.wrap(real)
    try:
        with _backend(ports, base_url.rstrip("/"), email, password, idempotency=idempotency) as backend:
            yield backend
    except BaseException:
        recording.abort()
        raise
    recording.finish()
    _publish(target)


def _publish(folder: Path) -> None:
    part = folder / tape.PART
    recording = tape.whole(folder)
    for entry in recording.interactions:
        if entry.withheld:
            request = entry.data["request"]
            raise CassetteError(
                part,
                entry.place,
                f"{request['method']} {request['url']}: the answer's body ({entry.withheld}) cannot be kept; "
                "if nothing in it is private, record again with its media type in `keep`",
            )
    contents = tape.published(recording)
    try:
        for name, data in contents.items():
            disk.replace(folder / name, data)
        tape.read(folder)
    except CassetteError:
        for name in contents:
            (folder / name).unlink(missing_ok=True)
        raise
    part.unlink()


@contextmanager
def replay(folder: Path | str, *, steps: Collection[str] | None = None) -> Iterator[Backend]:
    """Answer from the recording in `folder`. All of its calls must have been made at the end.

    Args:
        folder: a cassette, of a walkthrough or made by `record`.
        steps: plays only the calls of these steps of a walkthrough.

    Raises:
        CassetteError: the recording cannot be used, or was not finished.
        Mismatch: a call differs from the recorded one, or was left out; or the body of its answer was not kept.
    """
    part = Path(folder) / tape.PART
    if part.exists() and not part.with_name(tape.CASSETTE).exists():
        raise CassetteError(part, "", "was not finished, so calls may be missing: remove the folder and record again")
    played = Replay(Path(folder), select=lambda recording: _selected(recording, steps), blanks=False)
    process = played.next_process()
    meta: Mapping[str, Any] = process.meta if process is not None else {}
    started = meta.get("started", {})
    ports = played.ports
    token = None if steps is None or "login" in steps else _token(played.tape)
    account = str(meta.get("account") or started.get("account") or _ACCOUNT)
    idempotency = bool(meta.get("idempotency", started.get("idempotency", False)))
    base_url = str(meta["base_url"]) if shapes.at_home(meta.get("base_url")) else ORIGIN
    with _backend(ports, base_url, account, PASSWORD, token=token, idempotency=idempotency) as backend:
        yield backend
    played.close()


def _selected(recording: tape.Tape, steps: Collection[str] | None) -> tape.Tape:
    first, *rest = recording.entries
    known = {entry.step for entry in rest if entry.step is not None}
    unknown = sorted(set(steps or ()) - known)
    if unknown:
        raise CassetteError(
            recording.folder, "", f"holds no step {', '.join(unknown)}; it has {', '.join(sorted(known))}"
        )
    kept = [entry for entry in rest if entry.kind in {"http", "key"} and (steps is None or entry.step in steps)]
    return replace(recording, entries=(first, *kept))


def _token(recording: tape.Tape) -> str | None:
    for entry in recording.interactions:
        sent = entry.data["request"]["headers"].get("authorization", "")
        if sent:
            return str(sent.removeprefix("Bearer "))
    return None


@contextmanager
def _backend(
    ports: Ports, base_url: str, email: str, password: str, *, token: str | None = None, idempotency: bool = False
) -> Iterator[Backend]:
    with httpx.Client(transport=ports.transport) as http:
        client = Veza(
            base_url,
            email=email,
            password=password,
            access_token=token,
            idempotency=idempotency,
            http_client=http,
            clock=ports.clock,
            jitter=lambda: _JITTER,
            idempotency_keys=ports.ids.key,
        )
        yield Backend(client, ports.transport, base_url, ports.clock)


class OpenCassette(Protocol):
    """The fixture's value: opens a cassette until the test ends."""

    def __call__(self, folder: Path | str, *, steps: Collection[str] | None = None) -> Backend:
        """See `replay`."""
        ...


@pytest.fixture
def veza_cassette() -> Iterator[OpenCassette]:
    """Replay cassettes in a test. At its end, each must have been played completely."""
    with ExitStack() as stack:
        yield lambda folder, *, steps=None: stack.enter_context(replay(folder, steps=steps))
