"""`make pictures`: pages of the site of sessions that the tests tell, and the screens of a live run."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
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
    "board": ("index.html", 760),
    "session": (f"archive/payment-e2e/2026/05/{LIVE}/index.html", 760),
    "live-report": ("releases/2026.05.html", 1580),
}
"""Each page, and how much of it is shown."""
RECORDED = "archive/payment-e2e/recorded/rehearsals/refund/index.html"

_EXAMPLES = {
    f"{'x' * 8}-{'x' * 4}-{'x' * 4}-{'x' * 4}-{'x' * 12}": "9cdebe43-f74f-42bd-8262-ec9788125920",
    f"xxx_{'x' * 20}": "pay_50fvo09UKGpKxr7DPRCb",
    f"xx_{'x' * 20}": "tr_W3nQz8LdR2vKx7TbYc41",
    "x" * 26: LIVE,
    f"{'x' * 8}\n{'x' * 18}": f"{LIVE[:8]}\n{LIVE[8:]}",
    "xxx.x.x.x:xxxxx": "127.0.0.1:49217",
    "archive/xxxx/xx": "archive/2026/05",
    "xx:xx": "14:58",
    "x:xx": "0:02",
}
"""What stands in the place of an id that differs from run to run."""
_TERMINAL = """<style>
body {{ margin: 0 }}
pre {{ margin: 0; padding: 16px; width: 80ch; background: #12161f; color: #e6e9ef }}
pre {{ font: 15px/1.35 "DejaVu Sans Mono", monospace }}
</style><pre>{text}</pre>"""


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
        for name in ("docs", "sdk", "cassettes", "templates/skeleton"):
            shutil.copytree(ROOT / name, root / name)
        shutil.copy(ROOT / "mkdocs.yml", root)
        command = [sys.executable, "-m", "veza_e2e", "--archive", "archive", "site", "build"]
        subprocess.run(command, check=True, cwd=root, stdout=subprocess.DEVNULL)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1200, "height": 760})
            page.clock.set_fixed_time(TODAY)
            for name, (path, height) in PAGES.items():
                page.set_viewport_size({"width": 1200, "height": height})
                page.goto((root / "build" / "site" / path).as_uri())
                page.screenshot(path=IMAGES / f"{name}.png")
            dark = browser.new_page(viewport={"width": 1200, "height": 760}, color_scheme="dark")
            dark.goto((root / "build" / "site" / RECORDED).as_uri())
            dark.get_by_role("region", name="Timeline").screenshot(path=IMAGES / "session-dark.png")
            for name, text in _screens():
                page.set_content(_TERMINAL.format(text=escape(text)))
                page.locator("pre").screenshot(path=IMAGES / f"terminal-{name}.png")
            browser.close()
    return 0


def _screens() -> Iterator[tuple[str, str]]:
    """Give the screens of a live run at 80 columns, as a test keeps them, with ids in their places."""
    kept = (ROOT / "tests" / "journeys" / "screens" / "80.txt").read_text(encoding="utf-8")
    for mask, example in _EXAMPLES.items():
        kept = kept.replace(mask, example)
    for screen in kept.split("======== ")[1:]:
        name, _, text = screen.partition("\n")
        yield name, text.rstrip("\n")


if __name__ == "__main__":
    sys.exit(main())
