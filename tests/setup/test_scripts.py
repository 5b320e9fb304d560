"""The set-up says what it does and what is missing, and goes on after an interruption."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from scripted_session import Script
from surroundings import PATIENCE

pytestmark = pytest.mark.process
TOOLS = Path(__file__).parents[2] / "tools"
PYTHON = """\
#!/bin/sh
# Stands in for an interpreter whose folder may hold `old` or `bare`; `made` gets a line for each .venv.
home={home}
case "$*" in
  *_base_executable*) printf '%s\\n3.11.2\\n%s\\n' "$home/python3" "$PWD" ;;
  *version_info*) [ ! -e "$home/old" ] ;;
  *ensurepip*) [ ! -e "$home/bare" ] ;;
  -V) echo Python 3.11.2 ;;
  *"-m venv"*) rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo made >>"$home/made" ;;
esac
"""


class Clone:
    """A folder with the scripts of this one, and a stand-in for Python."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home = folder / "veza ü", folder / "python"
        shutil.copytree(TOOLS, self.root / "tools")
        self.home.mkdir()
        self.python = self.home / "python3"
        self.write(self.python, PYTHON.format(home=self.home))

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def run(self, script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.root / "tools" / script, *words], cwd=self.root, stdin=subprocess.DEVNULL,
            capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE,
        )  # fmt: skip

    def venv(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("venv.sh", self.python, *words)

    @property
    def made(self) -> int:
        return len((self.home / "made").read_text(encoding="utf-8").splitlines())


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_a_phase_is_one_line_with_its_seconds(clone: Clone) -> None:
    done = clone.run("phase.sh", "counting", "echo", "much to say")
    assert re.fullmatch(r"\[ +\d+ s\] counting\n", done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (clone.root / "build" / "logs" / "counting.log").read_text(encoding="utf-8") == "much to say\n"


def test_the_seconds_count_from_the_start_of_make(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    now = int(subprocess.run(["date", "+%s"], capture_output=True, encoding="utf-8", check=True).stdout)
    monkeypatch.setenv("PHASES_SINCE", str(now - 500))
    assert re.match(r"\[50\d s\] counting\n", clone.run("phase.sh", "counting", "true").stdout)


def test_a_failed_phase_shows_the_end_of_its_output_and_the_command(clone: Clone) -> None:
    script = "for i in $(seq 100); do echo line $i; done; exit 3"
    done = clone.run("phase.sh", "counting", "sh", "-c", script)
    assert done.returncode == 3
    assert done.stderr.startswith("Failed (3) while counting:\n  | line 71\n")
    assert "  | line 100\n  All of it: build/logs/counting.log\n  The command: sh -c for" in done.stderr
    assert len(done.stderr.splitlines()) < 40, "it fits on a screen"


def test_a_phase_may_show_its_output(clone: Clone) -> None:
    done = clone.run("phase.sh", "--show", "counting", "sh", "-c", "echo much to say; exit 3")
    assert "much to say\n" in done.stdout
    assert done.stderr.splitlines()[0] == "Failed (3) while counting:"


def test_an_interrupted_phase_says_how_to_go_on(clone: Clone, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "started")
    phase = subprocess.Popen(
        [clone.root / "tools" / "phase.sh", "counting", "sh", "-c", 'echo >"$0"; exec sleep 60', tmp_path / "started"],
        cwd=clone.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True,
    )  # fmt: skip
    (tmp_path / "started").read_text(encoding="utf-8")
    os.killpg(phase.pid, signal.SIGINT)
    _, said = phase.communicate(timeout=PATIENCE)
    assert phase.returncode == 130
    assert "Interrupted while counting" in said
    assert "make clean" in said


def test_a_missing_python_is_named_with_the_command_that_installs_it(clone: Clone) -> None:
    done = clone.run("venv.sh", "python3-that-is-not-there")
    assert done.returncode == 1
    assert "apt-get install python3 python3-venv" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_debians_missing_ensurepip_is_named_with_the_command_that_installs_it(clone: Clone) -> None:
    (clone.home / "bare").touch()
    done = clone.venv("any")
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_old_python_is_refused(clone: Clone) -> None:
    (clone.home / "old").touch()
    done = clone.venv()
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr


def test_a_whole_environment_is_left_alone(clone: Clone) -> None:
    assert clone.venv().returncode == 0
    stamp = (clone.root / ".venv" / ".python").stat().st_mtime_ns
    again = clone.venv("any")
    assert (again.returncode, again.stdout, clone.made) == (0, "", 1)
    assert (clone.root / ".venv" / ".python").stat().st_mtime_ns == stamp


@pytest.mark.parametrize("left", ["half made", "half installed"])
def test_what_an_interruption_left_is_made_again(clone: Clone, left: str) -> None:
    clone.venv()
    environment = clone.root / ".venv"
    if left == "half made":
        (environment / ".python").unlink()
    else:
        (environment / ".unfinished").touch()
    again = clone.venv("any")
    assert (again.returncode, clone.made) == (0, 2)
    assert "interrupted" in again.stdout
    assert not (environment / ".unfinished").exists()


def test_a_moved_folder_gets_a_new_environment(clone: Clone) -> None:
    clone.venv()
    clone.root = clone.root.rename(clone.root.parent / "elsewhere")
    assert (clone.venv("any").returncode, clone.made) == (0, 2)


def test_another_python_counts_only_if_somebody_names_it(clone: Clone, tmp_path: Path) -> None:
    clone.venv()
    other = Clone(tmp_path / "other")
    assert clone.run("venv.sh", other.python, "any").returncode == 0
    assert not (other.home / "made").exists()
    assert clone.run("venv.sh", other.python).returncode == 0
    assert other.made == 1


def test_an_interrupted_installation_leaves_its_mark(clone: Clone) -> None:
    clone.venv()
    clone.write(clone.root / ".venv" / "bin" / "python", "#!/bin/sh\nexit 1\n")
    assert clone.run("install.sh", "e2e").returncode == 1
    assert (clone.root / ".venv" / ".unfinished").exists()
    clone.write(clone.root / ".venv" / "bin" / "python", '#!/bin/sh\necho "$@" >>asked\n')
    assert clone.run("install.sh", "e2e").returncode == 0
    assert not (clone.root / ".venv" / ".unfinished").exists()
    asked = (clone.root / "asked").read_text(encoding="utf-8").splitlines()
    assert all("--constraint constraints.txt" in line for line in asked if "pip install" in line)


@pytest.mark.parametrize("user", ["0", "1000"])
def test_root_gets_what_the_tests_need_and_others_the_command(clone: Clone, tmp_path: Path, user: str) -> None:
    programs = tmp_path / "programs"
    clone.write(programs / "id", f"#!/bin/sh\necho {user}\n")
    clone.write(programs / "apt-get", '#!/bin/sh\necho "$@" >>asked\n')
    for name in ("bash", "sh", "date", "dirname", "mkdir", "sleep"):
        (programs / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        [clone.root / "tools" / "system-packages.sh"], env={"PATH": str(programs)},
        capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE,
    )  # fmt: skip
    if user == "0":
        assert done.returncode == 0, done.stderr
        assert "install -y --no-install-recommends git openssh-client chromium" in (clone.root / "asked").read_text(
            encoding="utf-8"
        )
    else:
        assert done.returncode == 1
        assert "sudo apt-get install git openssh-client chromium" in done.stderr
        assert len(done.stderr.splitlines()) == 1


VEZA_E2E = """\
#!/bin/sh
case "$*" in
  *" sessions") exec {python} -m veza_e2e "$@" ;;
  *) echo "$@" >>asked ;;
esac
"""


@pytest.mark.parametrize(
    ("archive", "interrupted", "resumed"),
    [("build/rehearsals", True, True), ("build/rehearsals", False, False), ("docs/archive/payment-e2e", True, False)],
    ids=["interrupted", "ended", "not a rehearsal"],
)
def test_a_demo_resumes_its_own_walkthrough_that_was_interrupted(
    clone: Clone, archive: str, *, interrupted: bool, resumed: bool
) -> None:
    session = Script().start().until("pay") if interrupted else Script().start().until("revoked").end()
    session.store(clone.root / archive)
    programs = clone.root / ".venv" / "bin"
    clone.write(programs / "veza-e2e", VEZA_E2E.format(python=shlex.quote(sys.executable)))
    (programs / "python").symlink_to(sys.executable)
    done = clone.run("demo.sh")
    assert done.returncode == 0, done.stderr
    first, *_ = (clone.root / "asked").read_text(encoding="utf-8").splitlines()
    assert first == (f"resume {session.session}" if resumed else "run --unattended --refund")
