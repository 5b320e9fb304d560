"""Counts, in a run of the checks, how often each documented response was checked in each direction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import httpx

from veza_contract import containment, requests, responses, sending
from veza_contract.bindings import by_operation
from veza_contract.findings import Finding
from veza_contract.model import Spec
from veza_contract.operations import operation_of

Counts: TypeAlias = Mapping[tuple[str, str], int]
"""The number of responses by operationId and status."""
COUNT, SEED = 5, 1


@dataclass(frozen=True, slots=True)
class Row:
    """A documented response, and how often it was checked.

    Attributes:
        operation: the operationId.
        status: the documented status.
        method: the SDK's method; empty if there is none.
        evidence: `fact`, `derived` or `assumed`.
        sent: a: requests of the method that were checked against the operation.
        read: b: generated responses of this status that the SDK read.
        typed: static: whether the SDK's types and the operation's schemas were compared.
        answered: c: responses of this status from the rehearsal backend that schemathesis found as documented.
        recorded: d: recorded responses of this status.
        problems: what a, b and static found.
    """

    operation: str
    status: str
    method: str
    evidence: str
    sent: int
    read: int
    typed: bool
    answered: int
    recorded: int
    problems: tuple[str, ...] = ()

    @property
    def covered(self) -> bool:
        """Whether a, b and static checked it and found no problem."""
        return bool(self.sent and self.read and self.typed and not self.problems)


def rows(spec: Spec, answered: Counts, recorded: Counts) -> list[Row]:
    """Run a, b and static; return a row for each documented response.

    Args:
        spec: the contract.
        answered: the responses that schemathesis got from the rehearsal backend.
        recorded: the responses in the recordings.
    """
    return list(_rows(spec, answered, recorded))


def _rows(spec: Spec, answered: Counts, recorded: Counts) -> Iterator[Row]:
    methods, evidence, cookies = by_operation(), _evidence(spec), responses.login_cookies(spec)
    budget = responses.Budget(COUNT, SEED)
    calls = sending.sent(COUNT, SEED, asynchronous=False)
    sent = Counter(call.method.operation for call in calls if call.request is not None)
    wrong = [finding for call in calls for finding in requests.check(spec, call)]
    for operation in spec.operations:
        method = methods.get(operation.id)
        about = [finding for finding in wrong if finding.operation == operation.id]
        about += containment.check_operation(operation, method) if method else []
        for status, media in operation.responses.items():
            only, key = replace(operation, responses={status: media}), (operation.id, status)
            found = responses.check_operation(only, method, budget, cookies=cookies) if method else []
            yield Row(
                operation.id, status, method.label if method else "", evidence.get(operation.id, ""),
                sent[operation.id], sum(len(responses.generated(one, budget)) for one in media.values()),
                method is not None, answered.get(key, 0), recorded.get(key, 0), _told([*about, *found]),
            )  # fmt: skip


def _told(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, findings)))


def _evidence(spec: Spec) -> dict[str, str]:
    nodes = (node for item in spec.document["paths"].values() for node in item.values() if isinstance(node, dict))
    return {str(node.get("operationId")): str(node.get("x-veza-evidence", "")) for node in nodes}


def recorded(folders: Iterable[Path]) -> Counts:
    """Count the recorded responses.

    Args:
        folders: recordings; one without a `cassette.json` does not count.
    """
    paths = (folder / "cassette.json" for folder in folders)
    calls = (call for path in paths if path.is_file() for call in json.loads(path.read_text("utf-8"))["interactions"])
    return _counted(
        (call["request"]["method"], call["request"]["url"], call["response"]["status"])
        for call in calls
        if call.get("response")
    )


def answered(har: Path) -> Counts:
    """Count the responses in a report of schemathesis.

    Args:
        har: the report, an HTTP archive.
    """
    entries = json.loads(har.read_text("utf-8"))["log"]["entries"]
    return _counted((e["request"]["method"], e["request"]["url"], e["response"]["status"]) for e in entries)


def _counted(answers: Iterable[tuple[str, str, int]]) -> Counts:
    named = ((operation_of(httpx.Request(method, url)), str(status)) for method, url, status in answers)
    return Counter((operation, status) for operation, status in named if operation is not None)


def page(found: Iterable[Row]) -> str:
    """Return the coverage as a page in Markdown."""
    lines = [
        "# Contract coverage", "",
        "Made by `veza-e2e contract coverage --write docs/contract-coverage.md`, which runs the checks and counts.",
        "For each documented answer: **a** requests of the SDK that were held against the operation, **b**",
        "generated answers that the SDK read, **static** whether its types and the schemas contain each other,",
        "**c** answers that schemathesis had from the rehearsal backend, **d** recorded answers. 0 in **c** or",
        "**d**: that answer was not seen there. The counts are of a short run; the long ones are in [the mutation",
        "score](contract-mutants.md).",
        "",
        "| Operation | SDK | Evidence | Status | a | b | static | c | d |",
        "|---|---|---|---|--:|--:|---|--:|--:|",
    ]  # fmt: skip
    lines += [
        f"| {row.operation} | {row.method} | {row.evidence} | {row.status} | {row.sent} | {row.read} "
        f"| {'yes' if row.typed and not row.problems else 'no'} | {row.answered} | {row.recorded} |"
        for row in found
    ]
    return "\n".join(lines) + "\n"
