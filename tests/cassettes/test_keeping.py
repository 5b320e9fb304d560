"""Publishing, accepting, and waiting that costs nothing when it is replayed."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from front_door import COMMAND, Result, Shell
from surroundings import PATIENCE

from veza import SystemClock
from veza_e2e.bootstrap import assemble
from veza_e2e.cassettes import tape
from veza_e2e.cassettes.check import check
from veza_e2e.cassettes.errors import CassetteError
from veza_e2e.cassettes.keep import publish
from veza_e2e.cassettes.perform import perform
from veza_e2e.cassettes.session import description, record
from veza_e2e.cassettes.spec import Spec
from veza_e2e.config import Limits, Secrets, load
from veza_e2e.engine.start import Asked, begin, first_event, gate_of
from veza_e2e.engine.walk import go_on
from veza_e2e.ports.ids import new_session
from veza_e2e.ports.interrupts import Interrupts
from veza_e2e.ports.machine import Machine
from veza_e2e.redaction import Redactor
from veza_e2e.rehearsal_process import reachable, rehearsal_account

ROOT = Path(__file__).parents[2]


def command(folder: Path, *words: str) -> Result:
    return Shell(folder)("--json", *words)


def on_a_small_disk(folder: Path, limit: int, *words: str) -> subprocess.CompletedProcess[str]:
    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    # Python would cut its own .pyc files as well, and every later process reads them.
    uncompiled = {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [*COMMAND, "--json", *words],
        cwd=folder, env=Shell(folder).environment(uncompiled), capture_output=True, encoding="utf-8",
        timeout=PATIENCE, check=False, preexec_fn=small_disk,
    )  # fmt: skip


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """A folder with one cassette, and a recording of the same walkthrough."""
    shutil.copytree(ROOT / "cassettes" / "refund", tmp_path / "cassettes" / "refund")
    shutil.copytree(ROOT / "cassettes" / "no-refund", tmp_path / ".veza-e2e" / "recordings" / "01ABC")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_keep_replaces_the_whole_cassette(workshop: Path) -> None:
    done = command(workshop, "cassettes", "keep", "01a", "refund")
    assert done.code == 0, done.stderr
    assert contents(workshop / "cassettes" / "refund") == contents(ROOT / "cassettes" / "no-refund")
    assert [path.name for path in (workshop / "cassettes").iterdir()] == ["refund"]


@pytest.mark.process
def test_a_write_that_fails_leaves_what_was_published_untouched(workshop: Path) -> None:
    before = contents(workshop / "cassettes")
    largest = max(len(data) for data in contents(workshop / ".veza-e2e").values())
    for limit in (100, largest - 1):
        done = on_a_small_disk(workshop, limit, "cassettes", "keep", "01ABC", "refund")
        assert done.returncode == 5
        assert "untouched" in json.loads(done.stdout)["error"]["hint"]
        assert contents(workshop / "cassettes") == before


def test_an_unknown_recording_is_a_usage_error(workshop: Path) -> None:
    done = command(workshop, "cassettes", "keep", "01XYZ", "refund")
    assert done.code == 2
    assert "no recording of a session '01XYZ'" in json.loads(done.stdout)["error"]["message"]


def test_accept_writes_the_expected_anew_and_shows_what_differed(workshop: Path) -> None:
    report = workshop / "cassettes" / "refund" / "expected" / "report.md"
    expected = report.read_bytes()
    report.write_bytes(expected.replace(b"5.00 EUR", b"6.00 EUR", 1))
    assert command(workshop, "replay").code == 5
    accepted = command(workshop, "replay", "--accept")
    assert accepted.code == 0
    assert "6.00 EUR" in accepted.stderr
    assert report.read_bytes() == expected


def test_accept_writes_nothing_where_the_tape_did_not_match(workshop: Path) -> None:
    folder = workshop / "cassettes" / "refund"
    recording = tape.read(folder)
    for name, data in tape.published(replace(recording, entries=recording.entries[:-3])).items():
        (folder / name).write_bytes(data)
    before = contents(folder)
    done = command(workshop, "replay", "--accept")
    assert done.code == 5
    assert contents(folder) == before


def test_a_cassette_that_is_checked_against_another_spec_names_step_and_field(workshop: Path) -> None:
    contract = json.loads((ROOT / "sdk/veza/openapi.json").read_text(encoding="utf-8"))
    contract["components"]["schemas"]["Order"]["properties"]["total_amount_cents"] = {"type": "string"}
    (workshop / "other.json").write_text(json.dumps(contract), encoding="utf-8")
    done = command(workshop, "cassettes", "check", "--spec", "other.json")
    assert done.code == 5
    messages = [item["message"] for item in json.loads(done.stdout)["items"]]
    assert any(
        "(step order): POST /orders: response 201 body.data.order.total_amount_cents:" in text for text in messages
    )


HEADER = {"name": "X-Tenant", "in": "header", "required": True, "schema": {"type": "string"}}


def test_a_header_that_every_operation_needs_is_a_difference_of_one_line_each(workshop: Path) -> None:
    contract = json.loads((ROOT / "sdk/veza/openapi.json").read_text(encoding="utf-8"))
    for item in contract["paths"].values():
        item["parameters"] = [HEADER, {**HEADER, "name": "Accept"}]
    (workshop / "other.json").write_text(json.dumps(contract), encoding="utf-8")
    done = command(workshop, "cassettes", "check", "--spec", "other.json")
    assert done.code == 5
    items = [(item["name"], item["message"].partition(": ")[2]) for item in json.loads(done.stdout)["items"]]
    assert len(items) == len(set(items))
    assert any("GET /orders/{order_id}: request header.x-tenant is missing; and" in message for _, message in items)
    assert all("header.x-tenant is missing" in message for _, message in items)


def test_a_login_that_is_carried_otherwise_and_an_unknown_key_are_differences(workshop: Path) -> None:
    contract = json.loads((ROOT / "sdk/veza/openapi.json").read_text(encoding="utf-8"))
    contract["components"]["securitySchemes"]["bearerAuth"] = {"type": "apiKey", "in": "header", "name": "X-Token"}
    del contract["paths"]["/auth/login"]["post"]["security"]
    contract["paths"]["/orders"]["post"]["parameters"] = []
    (workshop / "other.json").write_text(json.dumps(contract), encoding="utf-8")
    done = command(workshop, "cassettes", "check", "--spec", "other.json")
    messages = [item["message"] for item in json.loads(done.stdout)["items"]]
    assert any("GET /licenses/mine: request login is carried as bearer, not" in one for one in messages)
    assert any("POST /orders: request header.idempotency-key is not a parameter" in one for one in messages)
    assert not any("POST /auth/login: request login" in one for one in messages)


SWAGGER = """
swagger: "2.0"
info: {title: Veza, version: "1"}
basePath: /api/v1
paths:
  /health: {get: {responses: {"200": {schema: {type: object}}}}}
  /status: {get: {responses: {"200": {schema: {$ref: "#/definitions/Any"}}}}}
  /auth/login:
    post:
      parameters: [{in: body, name: body, required: true, schema: {$ref: "#/definitions/Login"}}]
      responses: {"200": {schema: {$ref: "#/definitions/Any"}}}
  /marketplace/products:
    get:
      parameters: [{in: query, name: limit, type: integer}]
      responses: {"200": {schema: {$ref: "#/definitions/Products"}}}
definitions:
  Any: {type: object, x-nullable: true}
  Login: {type: object, required: [email, password, otp]}
  Products: {type: object, properties: {data: {type: array, items: {$ref: "#/definitions/Product"}}}}
  Product: {type: object, properties: {price_cents: {type: string}, title: {type: string}}}
"""


def test_a_spec_in_swagger_is_understood_too(workshop: Path) -> None:
    (workshop / "swagger.yaml").write_text(SWAGGER, encoding="utf-8")
    done = command(workshop, "cassettes", "check", "--spec", "swagger.yaml")
    messages = [item["message"] for item in json.loads(done.stdout)["items"]]
    assert done.code == 5
    assert any(
        '(step login): POST /auth/login: request body: "otp" is a required property' in text for text in messages
    )
    assert any("): GET /marketplace/products: response 200 body.data.0.price_cents:" in text for text in messages)
    assert any("(step order): POST /api/v1/orders: there is no such operation" in text for text in messages)
    assert not any("/health" in text or "/status" in text for text in messages)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &a [*a]", "an alias leads back"),
        ("paths: [", "neither JSON nor YAML"),
        ("{}", "not an OpenAPI 3.x or Swagger 2.0 document"),
        ("!!python/object/apply:os.system ['true']", "neither JSON nor YAML"),
    ],
)
def test_a_spec_that_is_none_is_one_error(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CassetteError, match=said):
        Spec(tmp_path / "spec.yaml")


def test_only_recordings_of_a_real_backend_grow_old(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / "cassettes" / "refund", tmp_path / "refund"))
    spec = Spec(ROOT / "sdk/veza/openapi.json")
    recording = tape.read(folder)
    then = datetime.fromisoformat(recording.header["recorded_at"])
    later = then + timedelta(days=400)
    assert list(check(folder, spec, Redactor(), later)) == []
    staging = replace(recording, header={**recording.header, "environment": "staging"})
    for name, data in tape.published(staging).items():
        (folder / name).write_bytes(data)
    (warning,) = check(folder, spec, Redactor(), later)
    assert (warning.status, "record it again" in warning.message) == ("warn", True)
    assert list(check(folder, spec, Redactor(), then)) == []


class Leaping(SystemClock):
    """A second of sleep takes no time, and fifteen pass: the pace at which a remote backend is asked."""

    def __init__(self) -> None:
        self._slept = 0.0

    def now(self) -> datetime:
        """Return the time after all the sleep."""
        return super().now() + timedelta(seconds=self._slept)

    def monotonic(self) -> float:
        """Return the seconds, those that were slept included."""
        return super().monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        """Pass the time."""
        self._slept += 15 * seconds


@pytest.mark.process
def test_ten_minutes_of_waiting_are_replayed_without_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = waited(tmp_path, timedelta(minutes=10))
    publish(recording, tmp_path / "waiting", Redactor())
    micro = [value for entry in tape.read(recording).entries for value in entry.clock["monotonic"]]
    assert any(isinstance(value, int) and value > 600 * 1_000_000 for value in micro)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"slept for {seconds} s"))
    played = perform(tmp_path / "waiting")
    assert played.summary["waiting_for"] == "refund"


def waited(folder: Path, patience: timedelta) -> Path:
    """Record a session whose refund stays pending for as long as the walkthrough waits."""
    settings = replace(
        load("rehearsal"), state=folder / "state", limits=Limits(poll_timeout=int(patience.total_seconds()))
    )
    asked = Asked(unattended=True, refund=True, faults=("refund_pending",))
    secrets = rehearsal_account(Secrets())
    session = new_session(SystemClock().now())
    started = first_event(settings, asked, secrets)
    with (
        reachable(settings, secrets, session, asked.faults, Machine()) as own,
        assemble(settings, secrets, Interrupts(), Machine(), unattended=True, own=own, session=session) as real,
    ):
        parts = replace(real, ports=replace(real.ports, clock=Leaping()))
        first = started(session, base_url=parts.base_url)
        gate = gate_of(settings, asked, secrets)
        parts, recording = record(settings, parts, description(first, gate, parts), session)
        stage = begin(parts, lambda _: first, gate)
        go_on(stage)
        recording.finish()
    return recording.folder
