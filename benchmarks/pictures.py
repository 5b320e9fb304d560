"""`make pictures`: the board, a session and a release for the README, of sessions that the tests tell."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import sync_playwright
from scripted_session import SESSION, Script
from ten_sessions import DRY_RUN

from veza_e2e.journal.events import StepStarted

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "assets" / "images"
TODAY = "2026-05-10T12:00:00Z"
LIVE = f"{SESSION[:-1]}4"
PAGES = {
    "board": "index.html",
    "session": f"archive/payment-e2e/2026/05/{LIVE}/index.html",
    "live-report": "releases/2026.05.html",
}


def _script(day: int, release: str, *, live: bool = True) -> Script:
    script = Script(datetime(2026, 5, day, 9, tzinfo=UTC), session=f"{SESSION[:-1]}{day}")
    return script.start(live=live, rehearsal=not live, release=release, dry_run=DRY_RUN if live else None)


def _sessions(archive: Path) -> None:
    dry = Script(datetime(2026, 5, 3, 9, tzinfo=UTC), session=DRY_RUN["session"]).start(release="2026.05")
    failed = (
        _script(1, "2026.02").until("completed").say(StepStarted(step="license")).fail("license", "license_missing")
    )
    told = [
        dry.until("revoked").end(),
        failed.refund().revoked().end("failed"),
        _script(2, "2026.04").until("transfers"),
        _script(4, "2026.05").until("revoked").end(),
        _script(7, "2026.06", live=False).until("revoked").end(),
    ]
    for script in told:
        script.store(archive)


def main() -> int:
    """Write the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _sessions(root / "archive")
        for name in ("docs", "sdk", "cassettes"):
            shutil.copytree(ROOT / name, root / name)
        shutil.copy(ROOT / "mkdocs.yml", root)
        command = [sys.executable, "-m", "veza_e2e", "--archive", "archive", "site", "build"]
        subprocess.run(command, check=True, cwd=root, stdout=subprocess.DEVNULL)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1200, "height": 760})
            page.clock.set_fixed_time(TODAY)
            for name, path in PAGES.items():
                page.goto((root / "build" / "site" / path).as_uri())
                page.screenshot(path=IMAGES / f"{name}.png")
            browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
