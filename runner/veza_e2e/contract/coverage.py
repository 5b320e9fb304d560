"""Operation by status by direction: what holds the contract, from the contract and the recordings themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from veza_e2e.contract.bindings import by_operation
from veza_e2e.contract.spec import Spec
from veza_e2e.operations import operation_of


@dataclass(frozen=True, slots=True)
class Row:
    """One documented answer and what looks at it.

    Attributes:
        operation: the operationId.
        status: the documented status.
        method: the SDK's method; empty where there is none.
        evidence: `fact`, `derived` or `assumed`.
        sent: a: the requests of the method are held against the operation.
        read: b: answers of this status are generated and read by the SDK.
        typed: static: the SDK's types and the schema contain each other.
        recorded: d: how many recorded answers of this status there are.
    """

    operation: str
    status: str
    method: str
    evidence: str
    sent: bool
    read: bool
    typed: bool
    recorded: int


def rows(spec: Spec, recorded: Mapping[tuple[str, str], int]) -> list[Row]:
    """Return a row for each documented answer."""
    return list(_rows(spec, recorded))


def _rows(spec: Spec, recorded: Mapping[tuple[str, str], int]) -> Iterator[Row]:
    methods = by_operation()
    evidence = {
        node.get("operationId"): str(node.get("x-veza-evidence", ""))
        for item in spec.document["paths"].values()
        for node in item.values()
        if isinstance(node, dict)
    }
    for operation in spec.operations:
        method = methods.get(operation.id)
        for status, media in operation.responses.items():
            known = method is not None and status.isdecimal()
            label = method.label if method else ""
            count = recorded.get((operation.id, status), 0)
            mark = evidence.get(operation.id, "")
            yield Row(operation.id, status, label, mark, method is not None, known, known and bool(media), count)


def recorded(folders: Iterable[Path]) -> dict[tuple[str, str], int]:
    """Count the recorded answers by operation and status.

    Args:
        folders: recordings; one without a `cassette.json` counts nothing.
    """
    found: dict[tuple[str, str], int] = {}
    for path in (folder / "cassette.json" for folder in folders):
        for call in json.loads(path.read_text(encoding="utf-8"))["interactions"] if path.is_file() else ():
            operation = operation_of(httpx.Request(call["request"]["method"], call["request"]["url"]))
            if operation is not None and call.get("response"):
                key = (operation, str(call["response"]["status"]))
                found[key] = found.get(key, 0) + 1
    return found


def page(found: Iterable[Row]) -> str:
    """Return the coverage as a page in Markdown."""
    lines = [
        "# Contract coverage", "",
        "Made by `veza-e2e contract coverage` from the contract, the SDK and the recordings. For each documented",
        "answer: **a** the SDK's requests are held against the operation, **b** generated answers are read by the SDK,",
        "**static** the SDK's types and the schema contain each other, **d** how often a recording holds the answer.",
        "**c**, the rehearsal backend against the contract, asks every operation in every phase of schemathesis.", "",
        "| Operation | SDK | Evidence | Status | a | b | static | d |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in found:
        marks = " | ".join("yes" if one else "no" for one in (row.sent, row.read, row.typed))
        lines.append(f"| {row.operation} | {row.method} | {row.evidence} | {row.status} | {marks} | {row.recorded} |")
    return "\n".join(lines) + "\n"
