"""Write what is derived: the operations and the contract as JSON from openapi.yaml, the sync code from the async.

python sdk/generate.py          writes
python sdk/generate.py --check  exits 1 where the files are not what would be written
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import yaml
from ruff import find_ruff_bin  # type: ignore[import-untyped]  # it ships no types

PACKAGE: Final = Path(__file__).parent / "veza"
METHODS: Final = ("get", "head", "post", "put", "patch", "delete")
KEPT: Final = (
    "type", "required", "properties", "items", "minItems", "maxItems", "minimum", "maximum", "minLength",
    "maxLength", "pattern", "enum",
)  # fmt: skip
NOTICE: Final = "Written by sdk/generate.py; not edited by hand."

# Longest first: the async source as its sync twin reads.
WORDS: Final = (
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bCoroutine\[None, None, (\w+)\]", r"\1"),
    (r"\bTaskFlight\b", "ThreadFlight"),
    (r"\bTaskTurn\b", "ThreadTurn"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\bAbstractAsyncContextManager\b", "AbstractContextManager"),
    (r"\bredis\.asyncio\b", "redis"),
    (r"\bLoopConnections\b", "ThreadConnections"),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r"\b_?Async(?=[A-Z])", lambda found: found[0][: found[0].index("A")]),
    (r"\b(veza\.)_async\b", r"\1_sync"),
    (r"\b__a(enter|exit|iter|next)__\b", r"__\1__"),
    (r"\baclose\b", "close"),
    (r"\baiter_bytes\b", "iter_bytes"),
)
SYNC_LINE: Final = re.compile(r"^(?P<indent>\s*).*?  # sync: (?P<code>.+)$")


def resolve(spec: dict[str, Any], node: Any) -> Any:
    """Follow a local `$ref`."""
    while isinstance(node, dict) and "$ref" in node:
        target: Any = spec
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def constraint(spec: dict[str, Any], node: Any) -> dict[str, Any]:
    """Keep of a request's schema what the SDK checks before it sends."""
    kept = {key: value for key, value in resolve(spec, node).items() if key in KEPT}
    if "properties" in kept:
        kept["properties"] = {name: constraint(spec, value) for name, value in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = constraint(spec, kept["items"])
    return kept


def operations(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the table's rows by operationId."""
    rows: dict[str, dict[str, Any]] = {}
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            nodes = (*item.get("parameters", ()), *operation.get("parameters", ()))
            parameters = [resolve(spec, node) for node in nodes]
            body = resolve(spec, operation.get("requestBody", {})).get("content", {}).get("application/json", {})
            rows[operation["operationId"]] = {
                "method": method.upper(),
                "path": path,
                "auth": bool(operation.get("security", spec.get("security", ()))),
                "keyed": any(p["in"] == "header" and p["name"] == "Idempotency-Key" for p in parameters),
                "statuses": tuple(int(status) for status in operation["responses"] if status.startswith("2")),
                "errors": tuple(int(status) for status in operation["responses"] if not status.startswith("2")),
                "parameters": {p["name"]: constraint(spec, p["schema"]) for p in parameters},
                "query": tuple(p["name"] for p in parameters if p["in"] == "query"),
                "body": constraint(spec, body["schema"]) if body else None,
            }
    return rows


def table(spec: dict[str, Any]) -> str:
    """Return the text of `_operations.py`."""
    lines = [
        f'"""The operations of the contract. {NOTICE}"""',
        "from veza._operation import Operation",
        f"BASE_PATH = {spec['servers'][0]['url']!r}",
    ]
    rows = operations(spec)
    for name, row in rows.items():
        fields = ", ".join(f"{key}={value!r}" for key, value in row.items())
        constant = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
        lines.append(f"{constant} = Operation(id={name!r}, {fields})")
    constants = (re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper() for name in rows)
    lines.append(f"OPERATIONS = {{operation.id: operation for operation in ({', '.join(constants)})}}")
    return "\n".join(lines) + "\n"


def sync(source: str) -> str:
    """Return the sync twin of an async module."""
    lines: list[str] = []
    skipping = False
    for line in source.splitlines():
        if line.strip() in {"# async only: begin", "# async only: end"}:
            skipping = line.strip().endswith("begin")
            continue
        if skipping or line.endswith("  # async only"):
            continue
        if found := SYNC_LINE.match(line):
            lines.append(found["indent"] + found["code"])
            continue
        twin = line
        for pattern, replacement in WORDS:
            twin = re.sub(pattern, replacement, twin)
        lines.append(twin)
    text = "\n".join(lines) + "\n"
    return f"# {NOTICE}\n{text}"


def ruff(text: str, path: Path, *command: str) -> str:
    """Pass a text through a ruff command."""
    done = subprocess.run(  # noqa: S603  (our own tool and fixed arguments)
        [find_ruff_bin(), *command, f"--stdin-filename={path}", "-"],
        input=text, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if not done.stdout:
        raise SystemExit(f"ruff {command[0]} on {path.name}: {done.stderr}")
    return done.stdout


def derived() -> dict[Path, str]:
    """Return every derived file with its text."""
    spec = yaml.safe_load((PACKAGE / "openapi.yaml").read_text(encoding="utf-8"))
    files = {PACKAGE / "openapi.json": json.dumps(spec, ensure_ascii=False, indent=1, default=str) + "\n"}
    sources = {PACKAGE / "_operations.py": table(spec)}
    for path in sorted((PACKAGE / "_async").glob("*.py")):
        sources[PACKAGE / "_sync" / path.name] = sync(path.read_text(encoding="utf-8"))
    for path, text in sources.items():
        sorted_text = ruff(text, path, "check", "--select=I,F401", "--fix", "--exit-zero", "--quiet")
        files[path] = ruff(sorted_text, path, "format")
    return files


def main() -> int:
    """Write or check the derived files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 on a difference")
    check = parser.parse_args().check
    stale = []
    for path, text in derived().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in stale:
        sys.stdout.write(f"{'differs' if check else 'written'}: {path.relative_to(PACKAGE.parent)}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
