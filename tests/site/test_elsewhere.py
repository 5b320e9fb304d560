"""In the owner's own repository, from the wheel: a site of its own, and pages for a site that is there."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from front_door import Shell
from surroundings import PATIENCE, environment

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, in a folder of their own."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=PATIENCE)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "files")
    return folder / "files"


def run(wheel: Path, folder: Path, *words: str) -> dict[str, object]:
    """Run the wheel's command in a folder; return its document."""
    command = [sys.executable, "-m", "veza_e2e", "--json", *words]
    done = subprocess.run(
        command, cwd=folder, env=environment(folder, PYTHONPATH=str(wheel)), capture_output=True, encoding="utf-8",
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document: dict[str, object] = json.loads(done.stdout)
    return document


def test_all_of_it_works_from_the_wheel_in_a_repository_with_its_own_site(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Ours\n\n[Payments](payments/index.md)\n", encoding="utf-8")
    (tmp_path / "mkdocs.yml").write_text("site_name: Ours\n", encoding="utf-8")
    assert Path(str(wheel / "veza_e2e" / "templates" / "skeleton" / "mkdocs.yml")).is_file()
    run(wheel, tmp_path, "init", "--staging", "https://staging.veza.test")
    kept = ("--archive", "docs/archive/payment-e2e")
    walked = run(wheel, tmp_path, *kept, "run", "--unattended", "--refund", "--release", "2026.12", "--record", "one")
    session = str(walked["session"])
    assert run(wheel, tmp_path, *kept, "resume", session)["outcome"] == "passed", "it looks again"
    run(wheel, tmp_path, "replay", "one")
    run(wheel, tmp_path, *kept, "verify", "--all")
    run(wheel, tmp_path, *kept, "render", "latest")
    run(wheel, tmp_path, "site", "build")
    home = (tmp_path / "build" / "site" / "index.html").read_text(encoding="utf-8")
    assert "2026.12" in home
    assert session in home
    run(wheel, tmp_path, "site", "build", "--into", "docs/payments")
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path / "theirs")]
    quiet = environment(tmp_path, NO_MKDOCS_2_WARNING="1")
    built = subprocess.run(
        mkdocs, cwd=tmp_path, env=quiet, capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False
    )
    assert (built.returncode, built.stderr) == (0, "")
    page = next((tmp_path / "theirs" / "payments").glob(f"*/*/{session}/index.html")).read_text(encoding="utf-8")
    assert "charged 5.00 EUR, back 5.00 EUR" in page


def test_pages_are_never_written_over_what_is_no_page_of_ours(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    theirs = tmp_path / "docs" / "guide" / "index.md"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("# Ours\n", encoding="utf-8")
    refused = shell("site", "build", "--into", "docs/guide")
    assert refused.code == 2
    assert "docs/guide holds pages that were not written here" in refused.stderr
    assert theirs.read_text(encoding="utf-8") == "# Ours\n"
    assert shell("--archive", "kept", "site", "build", "--into", "kept").code == 2
    assert shell("site", "build", "--into", "docs/payments").code == 0
    assert "none yet" in (tmp_path / "docs" / "payments" / "index.md").read_text(encoding="utf-8")
    assert shell("site", "build", "--into", "docs/payments").code == 0, "it replaces its own"
