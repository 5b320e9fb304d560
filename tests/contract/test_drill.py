"""The drill: another backend's Swagger 2.0, a patch of at most 150 lines, and the project works with that backend."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import openapi_spec_validator
import pytest
from front_door import figures
from surroundings import environment

from veza_contract import spec

from .conftest import ROOT

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(1800)]

DRILL = Path(__file__).with_name("drill")
SWAGGER, PATCH = DRILL / "swagger.yaml", DRILL / "adapt.patch"
ACCOUNT = {"email": "operator@veza.test", "password": "correct horse battery staple"}
PARTS = (
    "sdk", "runner", "rehearsal", "templates", "tests/contract", "tests/amount.py", "tests/front_door.py",
    "tests/later.py", "tests/surroundings.py", "pyproject.toml",
)  # fmt: skip
# All of it is tried on our own dialect.
A_QUARTER = """
import sys
sys.path.insert(0, "tests")
import amount, pytest
amount.choose(brief=True)
sys.exit(pytest.main(sys.argv[1:]))
"""
MAP = (
    ("listOrders", "GET /marketplace/orders"),
    ("createOrder", "POST /marketplace/orders"),
    ("getOrder", "GET /marketplace/orders/{id}"),
    ("requestRefund", "POST /marketplace/orders/{id}/refund"),
    ("listMyLicenses", "GET /marketplace/licenses/mine"),
)


class Copy:
    """A copy of the project that the patch was applied to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def path(self) -> str:
        return os.pathsep.join(str(self.folder / part) for part in ("sdk", "runner", "rehearsal"))

    def python(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=environment(PYTHONPATH=self.path, **variables),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    folder = tmp_path_factory.mktemp("adapted")
    for part in PARTS:
        source, target = ROOT / part, folder / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "_generated*"))
        else:
            shutil.copy(source, target)
    subprocess.run(["git", "apply", str(PATCH)], cwd=folder, check=True)
    copy = Copy(folder)
    generated = copy.python("sdk/generate.py")
    assert generated.returncode == 0, generated.stderr
    imported = copy.python("-c", "import veza, veza_e2e, veza_rehearsal; print(veza.__file__, veza_e2e.__file__)")
    assert imported.stdout.count(str(folder)) == 2
    return copy


def test_the_patch_is_small() -> None:
    text = PATCH.read_text(encoding="utf-8")
    changed = [line for line in text.splitlines() if re.match(r"[+-](?!\+\+ |-- )", line)]
    files = re.findall(r"^\+\+\+ b/(.+)$", text, re.MULTILINE)
    assert len(changed) <= 150
    assert len(files) <= 4


def test_their_spec_is_valid_and_names_no_operation() -> None:
    document = spec.load(SWAGGER)
    openapi_spec_validator.validate(document)
    assert not any(operation.named for operation in spec.read(document).operations)


def test_their_spec_breaks_the_project_as_it_is_and_not_the_adapted_one(adapted: Copy, tmp_path: Path) -> None:
    words = [word for name, where in MAP for word in ("--map", f"{name}={where}")]
    command = ["-m", "veza_e2e", "--json", "contract", "diff", "--spec", str(SWAGGER), *words]
    before = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )
    assert before.returncode == 5, before.stderr
    broken = "\n".join(item["message"] for item in json.loads(before.stdout)["items"] if item["status"] == "break")
    for word in ("path:", "_session.py", "_checkout.py", "configure checkout_page"):
        assert word in broken
    after = adapted.python(*command)
    left = [item for item in json.loads(after.stdout)["items"] if item["status"] == "break"]
    assert (after.returncode, left) == (0, [])


def test_the_adapted_sdk_passes_the_contract_tests(adapted: Copy) -> None:
    slowest = "tests/contract/test_sdk.py::test_every_documented_answer_is_read_without_loss_or_raises_its_own_error"
    # The synchronous client, which is generated from the asynchronous one, reads them all.
    words = ("-q", "-p", "no:cacheprovider", "--deselect", f"{slowest}[async]", "tests/contract/test_sdk.py")
    done = adapted.python("-c", A_QUARTER, *words)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_walkthrough_passes_is_recorded_and_replayed_in_that_dialect(adapted: Copy) -> None:
    done = adapted.python("-m", "veza_e2e", "--json", "run", "--unattended", "--refund", "--record", "drill")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["outcome"] == "passed"
    assert figures(summary["money"]) == (500, 500, "EUR")
    tape = (adapted.folder / "cassettes/drill/cassette.json").read_text(encoding="utf-8")
    for said in ("/api/v1/marketplace/orders", "/marketplace/licenses/mine", '"total_amount": '):
        assert said in tape
    replayed = adapted.python("-m", "veza_e2e", "--json", "replay", "drill")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    checked = adapted.python("-m", "veza_e2e", "--json", "cassettes", "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_running_backend_of_that_dialect_is_tested_with_a_token_of_its_own(adapted: Copy) -> None:
    command = [sys.executable, "-m", "veza_rehearsal", "--contract", "sdk/veza/openapi.json"]
    command += ["--database", "sqlite:///served.db"]
    with subprocess.Popen(
        command, cwd=adapted.folder, env=environment(PYTHONPATH=adapted.path), stdout=subprocess.PIPE
    ) as serving:
        try:
            assert serving.stdout is not None
            base_url = json.loads(serving.stdout.readline())["base_url"]
            cookies = httpx.post(f"{base_url}/api/v1/auth/login", json=ACCOUNT, trust_env=False).cookies
            token = f"{cookies['veza_session']}|{cookies['csrf_token']}"
            words = ("--base-url", base_url, "--examples", "2", "--rate-limit", "1000/s")
            done = adapted.python("-m", "veza_e2e", "--json", "contract", "test", *words, VEZA_ACCESS_TOKEN=token)
        finally:
            serving.kill()
    assert done.returncode == 4, done.stdout + done.stderr
    tested = {item["name"]: item["status"] for item in json.loads(done.stdout)["items"]}
    assert tested.keys() >= {"GET /marketplace/orders", "GET /marketplace/licenses/mine", "GET /auth/me"}
    # The account has no order that could be asked for.
    assert {name for name, status in tested.items() if status != "proven"} == {"GET /marketplace/orders/{order_id}"}
    reports = [path.read_text(encoding="utf-8") for path in (adapted.folder / "build/contract-test").iterdir()]
    assert reports
    assert not [text for text in reports if cookies["veza_session"] in text or cookies["csrf_token"] in text]


@pytest.mark.parametrize("fault", ["jwt_ttl=2", "webhook_delay=1"])
def test_the_login_is_renewed_in_that_dialect(adapted: Copy, fault: str) -> None:
    done = adapted.python("-m", "veza_e2e", "--json", "run", "--unattended", "--no-refund", "--fault", fault)
    assert done.returncode == 0, done.stderr
