"""A backend is the same in a recording wherever it stands: below a prefix, in upper case, on any port."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from recorded_world import Backend, says

from veza_e2e.cassettes import tape
from veza_e2e.cassettes.check import check
from veza_e2e.cassettes.interaction import Clean
from veza_e2e.cassettes.origins import ORIGIN, origins
from veza_e2e.cassettes.perform import perform
from veza_e2e.cassettes.spec import Spec
from veza_e2e.redaction import Redactor
from veza_e2e.testing import record
from veza_e2e.testing import replay as replayed

ROOT = Path(__file__).parents[2]
EMAIL, PASSWORD = "operator@veza.test", "correct-horse-battery"
WRITTEN = ("http://127.0.0.1:{port}", "http://127.0.0.1:{port}/", "HTTP://LOCALHOST:{port}/Shop/v%20x/", "{plain}/a/b")


@pytest.mark.parametrize("written", WRITTEN)
def test_a_recording_is_played_wherever_its_backend_was(written: str, backend: Backend, tmp_path: Path) -> None:
    port = backend.url.rpartition(":")[2]
    url = written.format(port=port, plain=backend.url)
    prefix = httpx.URL(url).raw_path.decode().rstrip("/")
    there = f"see {url}\n127.0.0.1:{port} or http://LocalHost:{port}/x"
    backend.replies[f"{prefix}/api/v1/health"] = says({"success": True, "data": {"status": "ok"}, "message": there})
    backend.replies[f"{prefix}/own"] = says({"message": there})
    seen = []
    with record(tmp_path / "kept", base_url=url, email=EMAIL, password=PASSWORD) as recorded:
        seen.append(recorded.client.system.health().status)
        with httpx.Client(transport=recorded.transport, base_url=recorded.base_url) as client:
            client.get(f"{recorded.base_url}/own")
    with replayed(tmp_path / "kept") as played:
        seen.append(played.client.system.health().status)
        with httpx.Client(transport=played.transport, base_url=played.base_url) as client:
            assert "http://veza.test" in client.get(f"{played.base_url}/own").json()["message"]
    assert seen[0] == seen[1]
    text = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "kept").iterdir())
    assert port not in text
    assert f"http://veza.test{prefix}/api/v1/health" in text


@pytest.mark.parametrize(
    ("base_url", "text", "shown"),
    [
        ("HTTPS://Shop.Test", "https://shop.test:443/x HTTPS://SHOP.TEST", "http://veza.test/x http://veza.test"),
        ("https://shop.test:443/", "https://shop.test/x at shop.test:443.", "http://veza.test/x at veza.test."),
        ("http://shop.test", "http://shop.test:8080/ shop.test:80", "http://shop.test:8080/ veza.test"),
        ("http://shop.test", "https://shop.test/ //shop.test", "https://veza.test/ //veza.test"),
        ("https://me:word@shop.test/x", "https://shop.test/x", "http://veza.test/x"),
        ("http://[::1]:4000/x", "http://[::1]:4000/x [::1]:4000 [::1]", "http://veza.test/x veza.test [::1]"),
        ("http://[::1]", "http://[::1]/x http://[::1]:80 [::1]", "http://veza.test/x http://veza.test [::1]"),
        ("http://bücher.test", "http://xn--bcher-kva.test http://BÜCHER.test/x", "http://veza.test http://veza.test/x"),
        (
            "http://shop.test",
            "x?u=http:%2F%2Fshop.test%2Fy&v=http%3A%2F%2FShop.test%3A80 %20shop.test",
            "x?u=http:%2F%2Fveza.test%2Fy&v=http%3A%2F%2Fveza.test %20veza.test",
        ),
        (
            "http://shop.test",
            r"http:\/\/shop.test\/x https:\/\/shop.test",
            r"http:\/\/veza.test\/x https:\/\/veza.test",
        ),
        ("no address", "no address", "no address"),
        ("", "http:///x", "http:///x"),
    ],
)
def test_an_address_is_found_however_it_is_written(base_url: str, text: str, shown: str) -> None:
    clean = Clean(Redactor(), origins(base_url))
    assert clean.text(text) == shown
    assert clean.json({"message": f"at\n{text}", "data": [text, 1, None]}) == {
        "message": f"at\n{shown}",
        "data": [shown, 1, None],
    }


def below(prefix: str, value: Any) -> Any:
    """Return a part of a recording as a backend below a prefix would have made it."""
    if isinstance(value, dict):
        return {name: below(prefix, item) for name, item in value.items()}
    if isinstance(value, list):
        return [below(prefix, item) for item in value]
    if isinstance(value, str):
        return ORIGIN + prefix if value == ORIGIN else value.replace(f"{ORIGIN}/api/v1/", f"{ORIGIN}{prefix}/api/v1/")
    return value


def test_a_walkthrough_below_a_prefix_is_played_and_checked_against_the_contract(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / "cassettes" / "no-refund", tmp_path / "prefixed"))
    recording = tape.read(folder)
    entries = tuple(replace(entry, data=below("/shop", dict(entry.data))) for entry in recording.entries)
    spec = Spec(ROOT / "sdk/veza/openapi.json")
    for number, problems in ((200, 0), (418, 1)):
        first = next(index for index, entry in enumerate(entries) if entry.kind == "http")
        response = {**entries[first].data["response"], "status": number}
        told = replace(entries[first], data={**entries[first].data, "response": response})
        edited = replace(recording, entries=(*entries[:first], told, *entries[first + 1 :]))
        for name, data in tape.published(edited).items():
            (folder / name).write_bytes(data)
        found = list(check(folder, spec, Redactor(), datetime.now(UTC)))
        assert len(found) == problems, found
        if not problems:
            assert perform(folder).summary["outcome"] == "passed"
