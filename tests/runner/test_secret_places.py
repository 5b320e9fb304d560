"""120 encodings of five kinds of secrets through 20 places: the wire, prompts, options and notes. Nothing is written.

Each place is a writer of the runner's own, or what the operator sees. What it wrote is read back and searched by other
means than the redactor's: for twelve characters in a row of what was planted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from secret_forms import FORMS, KNOWN, PASSWORD, SECRETS
from secret_search import kept, knowing

from veza.testing import FakeClock
from veza_contract.operations import operation_of
from veza_e2e.archive.sessions import Archive, Stored
from veza_e2e.canonical import JSON
from veza_e2e.cassettes.record import Recording
from veza_e2e.cassettes.tape import PART
from veza_e2e.evidence import Attestation, BankStatement, Dashboard
from veza_e2e.journal import Journal, MemorySink
from veza_e2e.journal.events import Answered, Asked, SessionAbandoned, SessionStarted, StepFailed, StepFinished
from veza_e2e.ports.progress import Progress
from veza_e2e.ports.redacted import RedactedOperator
from veza_e2e.ports.scripted import ScriptedOperator
from veza_e2e.ports.wire import Recorder, RecordingTransport
from veza_e2e.redaction import Redactor

if TYPE_CHECKING:
    from runner.conftest import Walk

ULID = "01JDBX3R8M2V6Q0Z9T4K7W5Y1C"
AT = "2026-11-26T10:00:00Z"


class Screen(ScriptedOperator):
    """Keeps what it is told and asked."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def tell(self, text: str) -> None:
        self.seen.append(text)

    def ask(
        self, question: str, text: str, *, timeout: float | None = None, progress: Progress | None = None
    ) -> str | None:
        self.seen += [text, *(() if progress is None else progress.parts())]
        return "y"


@dataclass
class Desk:
    """The writers of one session, and what they wrote since it was last read."""

    folder: Path
    redactor: Redactor
    sink: MemorySink = field(default_factory=MemorySink)
    screen: Screen = field(default_factory=Screen)
    answer: httpx.Response = field(default_factory=lambda: httpx.Response(204))

    def __post_init__(self) -> None:
        clock = FakeClock()
        self.journal = Journal(self.sink, clock, redactor=self.redactor)
        recorder = Recorder(self.journal, self.redactor, clock)
        self.client = httpx.Client(
            transport=RecordingTransport(httpx.MockTransport(self._answered), "api", recorder, operation_of)
        )
        self.recording = Recording.start(
            self.folder / "recording", self.redactor, {}, at=datetime.now(UTC), base_url="https://veza.test"
        )
        self.archive = Archive(self.folder / "archive")
        self.stored = Stored(ULID, self.folder / "archive" / "2026" / "11" / ULID)
        self.stored.folder.mkdir(parents=True)
        self.stored.journal.write_bytes(b"")  # a manifest lists it
        self._read = 0
        self._taken = 0

    def _answered(self, _: httpx.Request) -> httpx.Response:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def call(self, response: httpx.Response) -> None:
        self.answer = response
        self.client.get("https://veza.test/api/v1/orders/41")

    def told(self) -> str:
        """Return all that was written since the last time, each text as a reader of the file has it."""
        lines = bytes(self.sink.data[self._read :]).decode().splitlines()
        self._read = len(self.sink.data)
        tape = (self.folder / "recording" / PART).read_text(encoding="utf-8")
        lines += tape[self._taken :].splitlines()
        self._taken = len(tape)
        for path in (*self.stored.folder.glob("*.json"), *self.archive.root.glob("attestations/*.json")):
            lines.append(path.read_text(encoding="utf-8"))
            path.unlink()
        seen = "\n".join(self.screen.seen)
        self.screen.seen.clear()
        return "\n".join([seen, *(text for line in lines for text in leaves(json.loads(line)))])


def leaves(value: JSON) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield value
        yield from value.split("\\\\")  # as it may be read once more


def body(name: str) -> Callable[[Desk, str], None]:
    return lambda desk, text: desk.call(httpx.Response(200, json={"success": True, "data": {"id": "41", name: text}}))


def header(name: str) -> Callable[[Desk, str], None]:
    return lambda desk, text: desk.call(httpx.Response(200, headers=[(name.encode(), text.encode())]))


def asked(desk: Desk, text: str) -> None:
    desk.journal.append(Asked(step="pay", question="paid", text=text))
    RedactedOperator(desk.screen, desk.redactor).ask("paid", text)


def bank(desk: Desk, note: str | None = None, reference: str | None = None) -> None:
    desk.stored.add(
        BankStatement(
            session=ULID, session_hash="0" * 64, number=1, seq=9, at=AT, seen="nothing", date="2026-11-26", note=note,
            reference=reference,
        ),
        desk.redactor,
    )  # fmt: skip


def answered(desk: Desk, text: str) -> None:
    desk.journal.append(Answered(step="pay", question="paid", answer=text, waited_ms=1, by="operator"))
    desk.recording.entry("ask", question="paid", answer=text)


def attested(desk: Desk, text: str) -> None:
    desk.archive.attest(Attestation(id=ULID, item="ex-9", by=text, at=AT, note=text), desk.redactor)
    desk.stored.add(
        Dashboard(
            session=ULID, session_hash="0" * 64, number=1, seq=9, at=AT, by="A Person", currency="EUR", payment_id=text,
            charged_cents=500,
        ),
        desk.redactor,
    )  # fmt: skip


def first(text: str) -> SessionStarted:
    return SessionStarted(
        schema=1, walkthrough="2", session=ULID, tools={}, environment="staging", base_url="https://veza.test",
        account="o***@veza.test", account_digest="a1b2", live_requested=False, unattended=False, release=text,
        product=text, refund=None, idempotency=True, max_amount_cents=1000, max_amount_currency="EUR",
        poll_timeout_ms=1000, operator=text, links={"go_no_go": text},
    )  # fmt: skip


def failed(desk: Desk, text: str) -> None:
    desk.journal.append(
        StepFailed(step="pay", finding="declined", observed=text, meaning="nothing was charged", todo=text)
    )


PLACES: dict[str, Callable[[Desk, str], object]] = {
    "a message in an answer": body("message"),
    "a title in an answer": body("title"),
    "an id in an answer": body("payment_id"),
    "a status in an answer": body("status"),
    "a currency in an answer": body("currency"),
    "a time in an answer": body("created_at"),
    "the name of a member": lambda desk, text: desk.call(httpx.Response(200, json={text: {"id": "41"}})),
    "JSON inside a text": lambda desk, text: body("message")(desk, json.dumps({"message": text})),
    "the address of the page": lambda desk, text: body("checkout_url")(desk, f"https://pay.test/{text}"),
    "X-Request-ID": header("X-Request-ID"),
    "WWW-Authenticate": header("WWW-Authenticate"),
    "the body of a refusal": lambda desk, text: desk.call(httpx.Response(502, json={"error": {"message": text}})),
    "a question": asked,
    "an answer": answered,
    "--release, --product, [report] operator and links": lambda desk, text: desk.journal.append(first(text)),
    "abandon --reason": lambda desk, text: desk.journal.append(SessionAbandoned(reason=text)),
    "a finding": failed,
    "a result": lambda desk, text: desk.journal.append(
        StepFinished(step="order", result={"order_id": text, text: [text]}, observed=text)
    ),
    "bank --note and --reference": lambda desk, text: bank(desk, text, text),
    "attest --by, --note and --payment": attested,
}
SHOWN = {name for name in PLACES if name not in {"the address of the page", "a currency in an answer"}}
"""Places where a text that is no secret can be read again."""


def test_there_are_as_many_places_and_forms_as_promised() -> None:
    assert (len(PLACES), len(FORMS), len(SECRETS)) == (20, 120, 5)


@pytest.mark.parametrize("place", PLACES)
def test_no_form_of_a_secret_is_written_or_shown_there(place: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, knowing())
    leaked = []
    for form, write in FORMS.items():
        for kind, secret in SECRETS.items():
            PLACES[place](desk, write(secret))
            told = desk.told()
            assert told.strip(), "something was written"
            if kept(form, kind, told):
                leaked.append((form, kind))
    assert leaked == []


def test_the_parts_of_a_session_show_no_secret_to_a_debugger(walk: Walk) -> None:
    walk.processes()
    stage = walk.begin()
    secrets = [stage.parts.email, stage.parts.password, stage.parts.hyperswitch_api_key]
    assert all(secrets)
    shown = repr(stage.parts) + repr(stage)
    assert [secret for secret in secrets if secret and secret in shown] == []


@pytest.mark.parametrize("place", sorted(SHOWN))
def test_the_search_sees_a_password_that_nobody_knows(place: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, Redactor({"email": KNOWN["email"]}))
    PLACES[place](desk, PASSWORD)
    assert kept("raw", "password", desk.told())
