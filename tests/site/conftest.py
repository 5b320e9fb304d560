from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from front_door import Shell
from scripted_session import Script
from ten_sessions import DRY_RUN, HOSTILE, REAL, Inside, Sessions, walked


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Inside(tmp_path)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A rehearsed live run that passed, in the rehearsal archive; its folder."""
    script = Script().start(live=True, release="2026.05", dry_run=DRY_RUN).until("revoked").end()
    return script.store(tmp_path / "build" / "rehearsals")


@pytest.fixture(scope="session")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Sessions:
    root = tmp_path_factory.mktemp("archive")
    where = {name: tmp_path_factory.mktemp(name) for name in REAL}
    with ThreadPoolExecutor(4) as pool:
        folders = dict(zip(REAL, pool.map(lambda name: walked(where[name], root, name), REAL), strict=True))
    dry = Script(datetime(2026, 5, 3, 9, tzinfo=UTC), session=DRY_RUN["session"]).start(release="live").until("revoked")
    dry.end().store(root)
    rehearsed = Script(session="01M3EXAMP1E0000000000000AA")
    rehearsed.title = HOSTILE
    rehearsed.start(live=True, release="live", dry_run=DRY_RUN).until("revoked")
    folders["rehearsed live"] = rehearsed.end().store(root)
    stamped = Script(datetime(2026, 5, 5, 9, tzinfo=UTC), session="01M3EXAMP1E0000000000000BB")
    stamped.start(live=True, sandbox=True, release="stamped")
    folders["stamped"] = stamped.until("revoked").end().store(root)
    return Sessions(root, folders)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with what the site is built from."""
    folder = tmp_path_factory.mktemp("checkout")
    repository = Path(__file__).parents[2]
    shutil.copy(repository / "mkdocs.yml", folder)
    for name in ("docs", "sdk"):
        shutil.copytree(repository / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def site(sessions: Sessions, checkout: Path) -> Path:
    """The built site of the ten sessions."""
    result = Inside(checkout)("--archive", str(sessions.root), "--json", "site", "build")
    assert result.code == 0, result.stderr
    return checkout / "build" / "site"
