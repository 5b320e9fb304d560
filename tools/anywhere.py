"""The suite in other places, on other days, for other users: `python tools/anywhere.py [--only NAME] [--python PATH]`.

Each run clones the last commit into a folder named `veza ü x`, installs it there on the run's own Python, and starts
pytest in random order. What came out stays in build/anywhere; docs/anywhere.md is written from it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import pwd
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build" / "anywhere"
PAGE = ROOT / "docs" / "anywhere.md"
BEGIN, END = "<!-- written by tools/anywhere.py -->", "<!-- by hand again -->"
FOLDER = "veza ü x"
DEBIAN = "/usr/bin/python3"
ORDINARY_USER = "nobody"
REAL_CLOCK_ONLY = "not real_clock"

POISON = "poison"
DEAD = "http://127.0.0.1:1"
HOSTILE = {
    **dict.fromkeys(
        ["OPERATOR_EMAIL", "OPERATOR_PASSWORD", "HYPERSWITCH_API_KEY", "VEZA_ACCESS_TOKEN", "VEZA_RECORD"], POISON
    ),
    "VEZA_DATABASE_URL": "postgresql://127.0.0.1:1/poison",
    **dict.fromkeys(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"], DEAD),
    "NO_COLOR": "1",
    "FORCE_COLOR": "1",
    "COLUMNS": "17",
    "BROWSER": "/nonexistent/browser",
    "SSH_AUTH_SOCK": "/nonexistent/agent",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONWARNDEFAULTENCODING": "1",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    "PGHOST": "127.0.0.1",
    "PGPORT": "1",
    "PGUSER": POISON,
    "EDITOR": "/nonexistent/editor",
}
HOSTILE_HOME = {
    ".netrc": f"default login {POISON} password {POISON}\n",
    ".gitconfig": "[commit]\n\tgpgsign = true\n[core]\n\thooksPath = /nonexistent\n[init]\n\tdefaultBranch = poison\n",
    ".config/python_keyring/keyringrc.cfg": "[backend]\ndefault-keyring=keyring.backends.fail.Keyring\n",
}
MOVED_CLOCK = Path(__file__).with_name("moved_clock.py")


@dataclass(frozen=True)
class Condition:
    """One run: where, when and as whom."""

    name: str
    python: str
    zone: str
    locale: str
    moment: timedelta | datetime | None = None
    """How far the clock is moved, or the moment at which the suite begins; None for the real clock."""
    said: str = "today"
    umask: int = 0o022
    hostile: bool = False
    ordinary_user: bool = False
    optional: bool = False
    """Debian has no package of this Python yet: a machine without it is told, and does not fail."""


CONDITIONS = (
    Condition("debian", "debian", "Pacific/Chatham", "C", umask=0o077, hostile=True, ordinary_user=True),
    Condition(
        "later", "3.13", "Pacific/Chatham", "tr_TR.UTF-8", timedelta(days=400), "400 days later", 0o077, hostile=True
    ),
    Condition(
        "spring", "3.11", "Europe/Berlin", "tr_TR.UTF-8", datetime(2027, 3, 28, 0, 59, tzinfo=UTC),
        "over the hour that Berlin skips, 2027-03-28",
    ),
    Condition(
        "autumn", "3.12", "Pacific/Chatham", "C", datetime(2027, 4, 3, 13, 59, tzinfo=UTC),
        "over the hour that Chatham repeats, 2027-04-04", 0o077, hostile=True,
    ),
    Condition("newest", "3.14", "UTC", "C.UTF-8", ordinary_user=True, optional=True),
)  # fmt: skip


@dataclass
class Outcome:
    """What came out of a run."""

    condition: str
    where: str
    python: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: int = 0
    seed: int = 0
    day: str = ""
    commit: str = ""
    not_had: str = ""
    failures: list[str] = field(default_factory=list)


def main(words: Sequence[str]) -> int:
    """Run the conditions that are asked for; 1 if a test failed, or if a needed Python or package is not there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", choices=[one.name for one in CONDITIONS], help="may be repeated")
    parser.add_argument("--python", action="append", default=[], metavar="PATH", help="an interpreter off the path")
    parser.add_argument("--seed", type=int, help="the order of an earlier run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=int, default=40, help="after which a run is ended")
    parser.add_argument("--keep", type=Path, help="a folder for the copies, which a second run uses again")
    parser.add_argument("--prepare", action="store_true", help="make the copies, and run nothing")
    parser.add_argument("tests", nargs="*", help="of pytest; all unless said")
    asked = parser.parse_args(words)
    found = interpreters(asked.python)
    outcomes, lacks = [], False
    for condition in CONDITIONS:
        if asked.only and condition.name not in asked.only:
            continue
        seed = random.randrange(10**6) if asked.seed is None else asked.seed
        print(f"== {condition.name}: {described(condition)}; seed {seed}", flush=True)
        python, lacking = found.get(condition.python), missing(condition)
        if python is None or lacking:
            outcome = Outcome(condition.name, described(condition), condition.python)
            outcome.not_had = lacking or f"Python {condition.python}"
            lacks = lacks or not condition.optional
        else:
            outcome = run(condition, python, seed, asked)
        outcomes.append(outcome)
        if not asked.tests and not asked.prepare:
            RESULTS.mkdir(parents=True, exist_ok=True)
            (RESULTS / f"{condition.name}.json").write_text(json.dumps(asdict(outcome)), encoding="utf-8")
            write_page()
    print(table(outcomes))
    for outcome in outcomes:
        print("".join(f"{outcome.condition}: {name}\n" for name in outcome.failures), end="")
    return int(lacks or any(outcome.failed for outcome in outcomes))


def interpreters(given: Sequence[str]) -> dict[str, str]:
    """Return the Pythons by version: those that are given, then those on the path; and Debian's own."""
    found: dict[str, str] = {}
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    for path in [*given, *filter(None, map(shutil.which, ("python3.14", "python3.13", "python3.12", "python3.11")))]:
        asked = subprocess.run([path, "-c", ask], capture_output=True, encoding="utf-8", check=False)
        if asked.returncode == 0:
            found.setdefault(asked.stdout.strip(), path)
    if Path(DEBIAN).exists():
        found["debian"] = DEBIAN
    return found


def missing(condition: Condition) -> str:
    """Return what the machine does not have of what the condition needs."""
    known = subprocess.run(["locale", "-a"], capture_output=True, encoding="utf-8", check=False).stdout.lower()
    lacking = []
    if condition.locale != "C" and condition.locale.lower().replace("-", "") not in known.replace("-", ""):
        lacking.append(f"the locale {condition.locale}")
    if condition.moment is not None and faketime() is None:
        lacking.append("faketime")
    return ", ".join(lacking)


def faketime() -> Path | None:
    """Return libfaketime, where Debian puts it."""
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


def described(condition: Condition) -> str:
    """Say in words what is particular about a run."""
    parts = [condition.said, f"TZ={condition.zone}", f"LC_ALL={condition.locale}", f"umask {condition.umask:03o}"]
    parts += ["an ordinary user"] if condition.ordinary_user or os.geteuid() else ["root"]
    return ", ".join(parts + (["a hostile environment"] if condition.hostile else []))


@contextmanager
def workplace(name: str, kept: Path | None) -> Iterator[Path]:
    """Yield the folder that holds the copy of a run: one that is kept, or one for this time only."""
    if kept is not None:
        (kept / name).mkdir(parents=True, exist_ok=True)
        yield kept / name
        return
    with tempfile.TemporaryDirectory(prefix=f"veza-{name}-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def prepare(condition: Condition, python: str, place: Path) -> Path:
    """Return a clone of the last commit in a folder of an awkward name, installed with this Python."""
    folder = place / FOLDER
    git = ["git", "-c", "safe.directory=*", "-C", str(folder)]
    if not folder.exists():
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    subprocess.run([*git, "fetch", "--quiet", str(ROOT), "HEAD"], check=True)
    subprocess.run([*git, "reset", "--quiet", "--hard", "FETCH_HEAD"], check=True)
    subprocess.run(["make", f"PYTHON={python}", ".venv/.dev"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for sub in ("home", "scratch"):
        shutil.rmtree(place / sub, ignore_errors=True)
        (place / sub).mkdir()
    for file, text in HOSTILE_HOME.items() if condition.hostile else ():
        path = place / "home" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if condition.moment is not None:
        (packages,) = folder.glob(".venv/lib/python3*/site-packages")
        shutil.copy(MOVED_CLOCK, packages)
        (packages / "moved_clock.pth").write_text("import moved_clock\n", encoding="utf-8")
    if condition.ordinary_user and os.geteuid() == 0:
        user = pwd.getpwnam(ORDINARY_USER)
        for path in (place, *place.rglob("*")):
            os.lchown(path, user.pw_uid, user.pw_gid)
    return folder


def environment(condition: Condition, folder: Path) -> dict[str, str]:
    """Return what the shell of this run holds."""
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder.parent / "home"),
        "TMPDIR": str(folder.parent / "scratch"),
        "TZ": condition.zone,
        "LC_ALL": condition.locale,
        **(HOSTILE if condition.hostile else {}),
    }
    if condition.moment is not None:
        moment = condition.moment
        ahead = moment if isinstance(moment, timedelta) else moment - datetime.now(UTC)
        variables |= {
            "LD_PRELOAD": str(faketime()),
            "FAKETIME": f"{ahead.total_seconds():+.0f}s",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # It would read the environment every ten seconds, while another thread may change it: a crash.
            "FAKETIME_CACHE_DURATION": "1000000",
        }
    return variables


def run(condition: Condition, python: str, seed: int, asked: argparse.Namespace) -> Outcome:
    """Run the suite under a condition."""
    outcome = Outcome(condition.name, described(condition), said([python, "-V"]).split()[1], seed=seed)
    outcome.commit = said(["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"])
    outcome.day = f"{datetime.now(UTC):%Y-%m-%d}"
    log = RESULTS / f"{condition.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    user = pwd.getpwnam(ORDINARY_USER) if condition.ordinary_user and os.geteuid() == 0 else None
    with workplace(condition.name, asked.keep) as place, log.open("wb") as file:
        try:
            folder = prepare(condition, python, place)
        except subprocess.CalledProcessError as error:
            outcome.failed, outcome.failures = 1, [str(error)]
            return outcome
        if asked.prepare:
            return outcome
        command = [str(folder / ".venv/bin/python"), "-m", "pytest", "-v", f"--shuffle={seed}", *asked.tests]
        command += [f"--numprocesses={asked.workers}", "--dist=loadfile", "--no-loadscope-reorder"]
        command += ["-m", REAL_CLOCK_ONLY] if condition.moment is not None else []
        began = datetime.now(UTC)
        try:
            subprocess.run(
                command, cwd=folder, env=environment(condition, folder), umask=condition.umask, check=False,
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, timeout=asked.minutes * 60,
                user=user and user.pw_uid, group=user and user.pw_gid, extra_groups=[] if user else None,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            outcome.failures.append(f"ended after {asked.minutes} minutes")
        outcome.seconds = round((datetime.now(UTC) - began).total_seconds())
    read_log(outcome, log.read_text(encoding="utf-8", errors="replace"))
    return outcome


def said(command: Sequence[str]) -> str:
    """Return what a command prints."""
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.strip()


def read_log(outcome: Outcome, log: str) -> None:
    """Take over what pytest printed."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", log)
    last = re.findall(r"^=*\s*(\d+ \w+.*) in [0-9.]+s", plain, re.MULTILINE)
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last[-1] if last else "")}
    outcome.skipped = counts.get("skipped", 0)
    outcome.passed = counts.get("passed", 0) or len(re.findall(r"\] PASSED ", plain))
    named = re.findall(
        r"^(?:\[gw\d+\] \[ *\d+%\] )?(?:FAILED|ERROR) (\S+::[^\[\s]+(?:\[.*?\](?= - | *$))?)", plain, re.MULTILINE
    )
    outcome.failures += dict.fromkeys(named)
    outcome.failed = counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0)
    if not last or (outcome.failures and not outcome.failed):
        outcome.failed = max(1, len(outcome.failures))
        outcome.failures.append(f"pytest did not come to its end: {' '.join(plain.split()[-30:])}")


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the table of the runs, as Markdown."""
    rows = ["| run | condition | Python | passed | failed | skipped | seconds |"]
    rows += ["|---|---|---|--:|--:|--:|--:|"]
    for one in outcomes:
        counts = f"{one.python} | {one.passed:,} | {one.failed} | {one.skipped} | {one.seconds} |"
        if one.not_had:
            counts = f"not had: {one.not_had} | | | | |"
        rows.append(f"| {one.condition} | {one.where} | {counts}")
    return "\n".join(rows)


def write_page() -> None:
    """Write the page's table from all results that are kept; what is written by hand stays."""
    kept = [RESULTS / f"{condition.name}.json" for condition in CONDITIONS]
    outcomes = [Outcome(**json.loads(path.read_text(encoding="utf-8"))) for path in kept if path.exists()]
    seeds = ", ".join(f"{one.condition} {one.seed} (commit {one.commit}, {one.day})" for one in outcomes if one.commit)
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {system}"
    page = PAGE.read_text(encoding="utf-8")
    above, below = page.partition(BEGIN)[0], page.partition(END)[2]
    written = f"{table(outcomes)}\n\nMeasured on {machine}. Seeds: {seeds}."
    PAGE.write_text(f"{above}{BEGIN}\n\n{written}\n\n{END}{below}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
