from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from front_door import Shell
from keys import new_key
from scripted_session import Script
from ten_sessions import DRY_RUN, HOSTILE, REAL, Sessions, walked


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A rehearsed live run that passed, in the rehearsal archive; its folder."""
    script = Script().start(live=True, release="2026.05", dry_run=DRY_RUN).until("revoked").end()
    return script.store(tmp_path / "build" / "rehearsals")


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that `make` fills, once for all processes that share the tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with folder.with_suffix(".lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.with_suffix(".made").exists():
            make(folder)
            folder.with_suffix(".made").touch()
    return folder


@pytest.fixture(scope="session")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Sessions:
    folder = once(tmp_path_factory, "ten-sessions", make_sessions)
    names: dict[str, str] = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    return Sessions(folder / "archive", {name: folder / "archive" / where for name, where in names.items()})


def make_sessions(folder: Path) -> None:
    root = folder / "archive"
    made = {name: walked(folder / name, root, name) for name in REAL}
    dry = Script(datetime(2026, 5, 3, 9, tzinfo=UTC), session=DRY_RUN["session"]).start(release="live").until("revoked")
    dry.end().store(root)
    rehearsed = Script(session="01KQS3EFM000000000000000AA")
    rehearsed.title = HOSTILE
    rehearsed.start(live=True, release="live", dry_run=DRY_RUN).until("revoked")
    made["rehearsed live"] = rehearsed.end().store(root)
    stamped = Script(datetime(2026, 5, 5, 9, tzinfo=UTC), session="01KQVNV6M000000000000000BB")
    stamped.start(live=True, sandbox=True, release="stamped")
    made["stamped"] = stamped.until("revoked").end().store(root)
    real = Script(datetime(2026, 5, 4, 9, tzinfo=UTC), session="01KQS3EFM000000000000000CC")
    real.start(live=True, rehearsal=False, release="2026.05", dry_run=DRY_RUN).until("revoked")
    made["real"] = real.end().store(root)
    names = {name: str(path.relative_to(root)) for name, path in made.items()}
    (folder / "names.json").write_text(json.dumps(names), encoding="utf-8")


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with what the site is built from."""

    def make(folder: Path) -> None:
        folder.mkdir()
        repository = Path(__file__).parents[2]
        shutil.copy(repository / "mkdocs.yml", folder)
        for name in ("docs", "sdk", "templates/skeleton"):
            shutil.copytree(repository / name, folder / name)
        shutil.copytree(repository / "cassettes" / "refund", folder / "cassettes" / "refund")

    return once(tmp_path_factory, "checkout", make)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, sessions: Sessions, checkout: Path) -> Path:
    """The built site of the ten sessions."""

    def make(folder: Path) -> None:
        result = Shell(checkout)("--archive", str(sessions.root), "--json", "site", "build", "--out", str(folder))
        assert result.code == 0, result.stderr

    return once(tmp_path_factory, "site", make)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """An OpenSSH key without a passphrase, made for this test."""
    return new_key(tmp_path / "keys" / "key")
