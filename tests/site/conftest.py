from __future__ import annotations

from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from front_door import Result, Shell
from scripted_session import Script

from veza_e2e.cli.app import main


class Inside(Shell):
    """The same commands without a process of their own, since there are many."""

    def __call__(self, *words: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        assert not env
        assert not stdin
        out, err = StringIO(), StringIO()
        with chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
            code = main(words)
        return Result(code, out.getvalue(), err.getvalue())


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Inside(tmp_path)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A rehearsed live run that passed, in the rehearsal archive; its folder."""
    dry_run = {"session": "01M3DRY0000000000000000000", "hash": "c" * 64, "ended_at": "2026-05-03T09:00:00.000Z"}
    script = Script().start(live=True, release="2026.05", dry_run=dry_run).until("revoked").end()
    return script.store(tmp_path / "build" / "rehearsals")
