"""What the SDK costs, as ratios in one run: import, first call, each call, memory; beside six other SDKs.

python benchmarks/bench_sdk.py             measures, writes docs/sdk/benchmarks.md, exits 1 where a bound is passed
python benchmarks/bench_sdk.py --alone     without the other SDKs (they need a package index)
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import venv
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "sdk" / "benchmarks.md"
VENV = ROOT / "build" / "bench-venv"
OTHERS = ("openai", "anthropic", "stripe", "workos", "githubkit", "hishel<2", "polar-sdk")
GET = 0.85
"""What a typed GET was to cost, of httpx and json."""
CASES = (
    "veza products.list", "veza orders.get", "openai models.list", "anthropic models.list", "stripe products.list",
    "workos get_organization", "githubkit list_tags", "polar refunds.list",
)  # fmt: skip
IMPORTS = {
    "veza (every name lazy)": "import veza",
    "veza, with a client": "from veza import Veza; Veza('http://veza.test')",
    "veza, every public name": "from veza import *",
    "openai": "import openai",
    "anthropic": "import anthropic",
    "stripe": "import stripe",
    "workos": "import workos",
    "githubkit": "from githubkit import GitHub",
    "polar": "import polar.v2026_10",
}
BASE = "import httpx; from pydantic import BaseModel"
TIMED = """
import resource, time
start = time.process_time()
{code}
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
BODY = (
    'b\'{"success": true, "data": {"id": "11", "title": "t", "seller_id": "3", "price_cents": 500, "currency": "EUR", '
    '"status": "active", "license_types": []}}\''
)
FIRST_RAW = f"""
import json, httpx
from pydantic import BaseModel
class Product(BaseModel):
    id: str
    title: str
    seller_id: str
    price_cents: int
    currency: str
    status: str
    license_types: tuple[str, ...]
client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, content={BODY})))
Product.model_validate(json.loads(client.get("http://veza.test/api/v1/marketplace/products/11").content)["data"])
"""
FIRST_VEZA = f"""
import httpx, veza
transport = httpx.MockTransport(lambda request: httpx.Response(200, content={BODY}))
veza.Veza("http://veza.test", http_client=httpx.Client(transport=transport)).products.get("11")
"""


def cost(python: Path, code: str) -> tuple[float, int] | None:
    """Return the CPU seconds and the peak memory in KiB of some code in a new process; None where it fails."""
    done = subprocess.run([python, "-c", TIMED.format(code=code)], capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        return None
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), int(peak)


def compare(python: Path, base: str, code: str, rounds: int = 9) -> tuple[float, float] | None:
    """Return the ratio of CPU, least against least, and the median of the additional MiB."""
    pairs = [(cost(python, base), cost(python, code)) for _ in range(rounds)]
    if any(one is None or other is None for one, other in pairs):
        return None
    whole = [(one, other) for one, other in pairs if one and other]
    ratio = min(other[0] for _, other in whole) / min(one[0] for one, _ in whole)
    return ratio, statistics.median((other[1] - one[1]) / 1024 for one, other in whole)


def measured(python: Path, script: str, *arguments: str) -> dict[str, float] | None:
    """Return what a script of this folder prints as JSON; None where it fails."""
    command = [str(python), str(Path(__file__).parent / script), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    found: dict[str, float] | None = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    return found


def prepare() -> Path:
    """Return the interpreter of a throw-away environment with the other SDKs and this one."""
    python = VENV / "bin" / "python"
    if not (VENV / "complete").exists():
        venv.create(VENV, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *OTHERS], check=True)
        (VENV / "complete").touch()
    pip = [str(python), "-m", "pip", "install", "-q", "--upgrade", "--no-deps", "--force-reinstall"]
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", VENV / "wheel", ROOT], check=True,
                   capture_output=True)  # fmt: skip
    subprocess.run([*pip, *map(str, (VENV / "wheel").glob("*.whl"))], check=True)
    return python


def shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def report(python: Path, *, alone: bool) -> tuple[str, list[str]]:
    """Return the page and the bounds that were passed."""
    over: list[str] = []

    def bounded(name: str, value: float, most: float, target: float | None = None) -> str:
        if value > most:
            over.append(f"{name}: {value:.2f} is over {most}")
        target = target or most
        verdict = "reached" if value <= target else "**not reached**"
        return f"| {name} | {value:.2f} | ≤ {target:g} | {verdict} | ≤ {most:g} |"

    own = ["| what | measured | target | | bound |", "|---|--:|--:|---|--:|"]
    least = compare(python, BASE, IMPORTS["veza (every name lazy)"])
    client = compare(python, BASE + "; httpx.Client()", IMPORTS["veza, with a client"])
    first = compare(python, FIRST_RAW, FIRST_VEZA)
    assert least
    assert client
    assert first
    own += [
        bounded("`import veza`, CPU against `import httpx` and `pydantic.BaseModel`", least[0], 1.10),
        bounded("`import veza`, additional peak memory, MiB", least[1], 3),
        bounded("import and client, CPU against importing both and `httpx.Client()`", client[0], 1.10),
        bounded("import, client and first typed call, CPU against raw httpx and one equal model", first[0], 1.15),
    ]
    calls = {name: measured(python, "bench_sdk_others.py", name) for name in (CASES[:2] if alone else CASES)}
    for name, most in ((CASES[0], 0.9), (CASES[1], 0.9)):
        found = calls[name]
        assert found
        own.append(bounded(f"`{name}`, CPU against `httpx.Client.get` and `json.loads`", found["ratio"], most, GET))
    memory = measured(python, "bench_sdk_memory.py")
    assert memory
    for name in CASES[:2]:
        found = measured(python, "bench_sdk_others.py", f"async {name}")
        assert found
        against = "`httpx.AsyncClient.get` and `json.loads`"
        own.append(bounded(f"async `{name}`, CPU against {against}", found["ratio"], 0.9, GET))
    own.append(bounded("growth of resident memory, 10,000 mixed calls from 8 threads, MiB", memory["growth_mib"], 1))
    machine = f"{platform.system()} {platform.machine()}"
    lines = [
        "# What the SDK costs", "",
        "Written by `python benchmarks/bench_sdk.py`. All numbers are ratios measured in one run, over one fake",
        "transport that every client shares; they move by a few hundredths from run to run. `make bench` fails over a",
        "bound; a target may be lower.", "",
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {machine}, {os.cpu_count()} cores.", "",
        *own, "",
    ]  # fmt: skip
    if not alone:
        lines += ["## Beside other SDKs", "", *others(python, calls), ""]
    return "\n".join(lines), over


def others(python: Path, calls: dict[str, dict[str, float] | None]) -> list[str]:
    """Return the tables of all SDKs."""
    rows = ["A typed GET of about 2 KB, CPU against `httpx.Client.get` and `json.loads` (1.00):", "",
            "| call | bytes | CPU |", "|---|--:|--:|"]  # fmt: skip
    for name, found in calls.items():
        rows.append(f"| {name} | {found['bytes']:.0f} | {shown(found['ratio'])} |" if found else f"| {name} | - | - |")
    rows += ["", "Import, against `import httpx` and `pydantic.BaseModel` (1.00):", "",
             "| import | CPU | additional MiB |", "|---|--:|--:|"]  # fmt: skip
    for name, code in IMPORTS.items():
        pair = compare(python, BASE, code, rounds=5) or (None, None)
        rows.append(f"| {name} | {shown(pair[0])} | {shown(pair[1])} |")
    return rows


def main() -> int:
    """Measure, write the page, and say which bounds were passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alone", action="store_true", help="without the other SDKs; the page is printed, not written")
    alone = parser.parse_args().alone
    page, over = report(Path(sys.executable) if alone else prepare(), alone=alone)
    if not alone:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")
    print(page)
    for line in over:
        print(f"over its bound: {line}", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
