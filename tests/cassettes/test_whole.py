"""A recording that lacks something is never taken for a whole one."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from recorded_world import AT, META, Backend, ports, says
from surroundings import PATIENCE

from veza_e2e.canonical import dumps
from veza_e2e.cassettes import files, tape
from veza_e2e.cassettes.keep import publish
from veza_e2e.cassettes.record import Recording
from veza_e2e.cassettes.replay import Replay
from veza_e2e.redaction import Redactor
from veza_e2e.testing import CassetteError, Mismatch, record, replay

ROOT = Path(__file__).parents[2]
OLDER = Path(__file__).with_name("older")
EMAIL, PASSWORD = "operator@veza.test", "correct-horse-battery"


def recorded(folder: Path, url: str, calls: Callable[[httpx.Client], object]) -> None:
    with (
        record(folder, base_url=url, email=EMAIL, password=PASSWORD, keep=["application/pdf"]) as there,
        httpx.Client(transport=there.transport, base_url=there.base_url) as client,
    ):
        calls(client)


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit, Mismatch])
def test_what_a_failed_record_leaves_is_refused(failure: type[BaseException], backend: Backend, tmp_path: Path) -> None:
    backend.replies["/"] = says({"data": {"id": "1"}})
    error = Mismatch(None, "", []) if failure is Mismatch else failure()

    def fail(client: httpx.Client) -> None:
        client.get("/")
        raise error

    with pytest.raises(failure):
        recorded(tmp_path / "kept", backend.url, fail)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [tape.PART]
    with pytest.raises(CassetteError, match=r"not finished.*record again"), replay(tmp_path / "kept"):
        pass
    with pytest.raises(CassetteError, match="did not end by itself"):
        publish(tmp_path / "kept", tmp_path / "cassette", Redactor())


@pytest.mark.parametrize("failure", [MemoryError, KeyboardInterrupt])
def test_a_call_whose_failure_the_code_swallows_is_missed(failure: type[BaseException], tmp_path: Path) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise failure

    recording = Recording.start(tmp_path / "kept", Redactor(), META, at=AT, base_url="http://shop.test")
    world = recording.wrap(replace(ports(), transport=httpx.MockTransport(answer)))
    with httpx.Client(transport=world.transport) as client, contextlib.suppress(failure):
        client.get("http://shop.test/")
    recording.finish()
    with pytest.raises(CassetteError, match="a call is missing"):
        tape.whole(tmp_path / "kept")


def test_a_cassette_that_was_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(OLDER, tmp_path / "cut"))
    for name, step in ((tape.TAPE, 1), (tape.CASSETTE, 5)):
        data = (folder / name).read_bytes()
        for length in range(0, len(data) - 1, step):
            (folder / name).write_bytes(data[:length])
            with pytest.raises(CassetteError):
                tape.read(folder)
        (folder / name).write_bytes(data)
    assert len(tape.read(folder).interactions) == 4
    for name in (tape.CASSETTE, tape.TAPE):
        moved = (folder / name).rename(tmp_path / name)
        with pytest.raises(CassetteError), replay(folder):
            pass
        moved.rename(folder / name)


def test_a_walkthrough_whose_recording_was_cut_before_its_end_is_not_published(tmp_path: Path) -> None:
    """A kill can leave every prefix of the file; only what ends by itself is a walkthrough."""
    session, published = tmp_path / "session", tmp_path / "cassette"
    recording = tape.read(ROOT / "cassettes" / "no-refund")
    lines = [dumps({"kind": entry.kind, "step": entry.step, **entry.data}) + "\n" for entry in recording.entries]
    session.mkdir()
    for length in range(1, len(lines) + 1):
        (session / tape.PART).write_text("".join(lines[:length]), encoding="utf-8")
        if length < len(lines):
            with pytest.raises(CassetteError, match="did not end by itself"):
                tape.whole(session)
    (session / tape.PART).write_text("".join(lines[:-1]) + lines[-1][:-1], encoding="utf-8")  # but for the last byte
    with pytest.raises(CassetteError, match="did not end by itself"):
        publish(session, published, Redactor())
    assert not published.exists()


def test_two_threads_record_whole_calls_and_wait_for_no_other(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=PATIENCE)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/first":
            both.wait()
        cookie = f"sid={request.url.params['page']}-abcdefgh0123456789; Path=/"
        return httpx.Response(200, json={"id": request.url.params["page"]}, headers={"set-cookie": cookie})

    recording = Recording.start(tmp_path / "kept", Redactor(), META, at=AT, base_url="http://shop.test")
    world = recording.wrap(replace(ports(), transport=httpx.MockTransport(answer)))

    def calls(name: str) -> None:
        with httpx.Client(transport=world.transport, base_url="http://shop.test") as client:
            client.get("/first", params={"page": f"{name}0"})
            for number in range(1, 40):
                client.get("/orders", params={"page": f"{name}{number}"})

    threads = [threading.Thread(target=calls, args=(name,)) for name in "12"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recording.finish()
    kept = tape.whole(tmp_path / "kept").interactions
    pairs = [(str(one.data["request"]["url"]).partition("page=")[2], one.data["response"]["body"]["json"]["id"])
             for one in kept]  # fmt: skip
    assert len(pairs) == 80
    assert all(asked == told for asked, told in pairs)


def test_a_recording_that_no_replay_would_read_is_not_published(backend: Backend, tmp_path: Path) -> None:
    """A cassette is indented, so it is longer than the recording that it was made of."""
    body = b"[" * 60 + b"null," * 245_000 + b"null" + b"]" * 60
    backend.replies["/"] = lambda handler: handler.answer(body)
    with pytest.raises(CassetteError, match=f"larger than {files.LARGEST} bytes"):
        recorded(tmp_path / "kept", backend.url, lambda client: client.get("/"))
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [tape.PART]


def test_a_step_that_a_walkthrough_does_not_have_is_named() -> None:
    with (
        pytest.raises(CassetteError, match=r"holds no step licence; it has .*license.*login"),
        replay(ROOT / "cassettes" / "refund", steps=("licence",)),
    ):
        pass


@pytest.mark.parametrize(
    "content", ["interactions: []\nversion: 1\n", '{"version": 1, "interactions": []}', "!!python/x"]
)
def test_a_cassette_of_plain_vcrpy_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "cassette.json").write_text(content, encoding="utf-8")
    (tmp_path / "plain.yaml").write_text(content, encoding="utf-8")
    for place in (tmp_path, tmp_path / "plain.yaml"):
        with pytest.raises(CassetteError), replay(place):
            pass


def test_a_cookie_that_is_another_in_each_answer_costs_the_same_at_any_length(tmp_path: Path) -> None:
    """What the redactor looks for, and so the time of a call, does not grow; measured in `benchmarks/`."""
    counted: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sid = f"{request.url.params['page']}-abcdefgh0123456789"
        return httpx.Response(200, json={"data": []}, headers={"set-cookie": f"sid={sid}; Path=/"})

    redactor = Redactor()
    recording = Recording.start(tmp_path / "kept", redactor, META, at=AT, base_url="http://shop.test")
    world = recording.wrap(replace(ports(), transport=httpx.MockTransport(answer)))
    with httpx.Client(transport=world.transport, base_url="http://shop.test") as client:
        for number in range(200):
            client.get("/orders", params={"page": number})
            counted.append(len(list(redactor._known.secrets())))
    recording.finish()
    assert counted[50] == counted[-1] < 50
    again = Replay(tmp_path / "kept")
    again.next_process()
    with httpx.Client(transport=again.ports.transport, base_url="http://veza.test") as client:
        for number in range(200):
            client.get("/orders", params={"page": number})
    again.close()
