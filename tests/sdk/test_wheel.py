"""The wheel stands on its own: two dependencies, complete types, and the suite on the lowest and highest versions."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from veza.testing import EMAIL, PASSWORD, FakeBackend, serve

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SUITE = (
    "operations", "retries", "errors", "models", "money", "paths", "paging", "tokens", "http_client", "secrets",
    "waiting",
)  # fmt: skip
TOOLS = ("pytest", "pytest-timeout", "hypothesis")
VERSIONS = {
    "alone": (),
    "lowest": ("httpx==0.28.1", "pydantic==2.11.0", "httpx2==2.0.0", *TOOLS),
    "highest": ("httpx<1", "pydantic<3", "httpx2", *TOOLS),
}
USE = """
import sys, veza
url, email, password = sys.argv[1:]
assert not {"veza_e2e", "yaml", "httpx2"} & sys.modules.keys()
with veza.Veza(url, email=email, password=password) as client:
    print(client.products.get("11").price, client.orders.create(["11"]).order.status)
"""


def run(*command: object, **options: object) -> str:
    done = subprocess.run(  # type: ignore[call-overload]  # options as given
        [str(one) for one in command], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    (built,) = out.glob("*.whl")
    return built


def environment(name: str, wheel: Path) -> Path:
    """Return the folder of programs of a virtual environment with the wheel; its dependencies are kept between runs."""
    wanted = VERSIONS[name]
    digest = hashlib.sha256(repr((wanted, sys.version)).encode()).hexdigest()[:12]
    home = ROOT / "build" / "venvs" / f"{name}-{digest}"
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    if not (home / "complete").exists():
        venv.create(home, with_pip=True, clear=True)
        run(programs / "python", "-m", "pip", "install", "--quiet", wheel, *wanted)
        (home / "complete").touch()
    run(programs / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", wheel)
    return programs


def test_the_sdk_needs_two_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith("METADATA")]
        needs = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist") or []
    plain = [re.split(r"[<>=!~\[ ;]", one)[0] for one in needs if "extra ==" not in one]
    assert sorted(plain) == ["httpx", "pydantic"]
    assert {"veza/py.typed", "veza/openapi.json", "veza/openapi.yaml"} <= set(names)
    assert not any(name.startswith(("tests/", "sdk/")) for name in names)


def test_it_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    programs = environment("alone", wheel)
    installed = run(programs / "python", "-m", "pip", "list", "--format=freeze")
    assert "httpx2" not in installed
    with serve(FakeBackend()) as url:
        printed = run(programs / "python", "-W", "error", "-I", "-c", USE, url, EMAIL, PASSWORD, cwd=tmp_path)
    assert printed == "5.00 EUR pending_payment\n"


@pytest.mark.parametrize("name", ["lowest", "highest"])
def test_the_suite_passes_on(name: str, wheel: Path, tmp_path: Path) -> None:
    programs = environment(name, wheel)
    files = [ROOT / "tests" / "sdk" / f"test_{one}.py" for one in SUITE]
    printed = run(
        programs / "python", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--import-mode=importlib",
        "-W", "error", f"--rootdir={tmp_path}", "-c", os.devnull, *files, cwd=tmp_path,
        env=os.environ | {"VEZA_TEST_EXAMPLES": "6"},
    )  # fmt: skip
    assert " passed" in printed
    where = run(programs / "python", "-I", "-c", "import veza; print(veza.__file__)", cwd=tmp_path)
    assert str(programs.parent) in where


def test_the_types_are_complete(wheel: Path, tmp_path: Path) -> None:
    programs = environment("highest", wheel)
    active = os.environ | {"VIRTUAL_ENV": str(programs.parent), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    printed = run(
        sys.executable, "-m", "pyright", "--verifytypes", "veza", "--ignoreexternal", cwd=tmp_path, env=active
    )  # fmt: skip
    assert "Type completeness score: 100%" in printed
