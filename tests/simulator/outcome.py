"""What a history came to, in a few lines: exits, decision, each witness's figures, steps, acceptance and comparisons.

The outcomes of the fixed histories are kept in `outcomes.txt`. A change of a rule shows there, history by history, in a
file that is read before it is committed: `python -m benchmarks.simulate --accept` writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.machine import Ran

FIXED = 200
OUTCOMES = Path(__file__).with_name("outcomes.txt")


def outcome(seed: int, ran: Sequence[Ran], journals: Mapping[str, bytes]) -> str:
    """A history's outcome, as `outcomes.txt` holds it."""
    told = [one.document for one in ran if "acceptance" in one.document]
    lines = [f"seed {seed}", "exits " + ", ".join(f"{one.words[0]} {one.exit}" for one in ran)]
    lines += _last(told[-1]) if told else []
    for data in journals.values():
        findings = ", ".join(one.decode() for one in re.findall(rb'"finding":"(\w+)"', data))
        lines.append(f"journal {data.count(10)} lines: {findings or 'no finding'}")
    return "\n".join(lines) + "\n"


def _last(document: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the last document that a command printed."""
    waiting, reason = document["waiting_for"], document["decision_reason"]
    yield f"{document['outcome']}, waiting for {waiting}, {document['account']}, {document['decision']}: {reason}"
    money = document["money"]
    for name in ("charged", "refunded"):
        said = ", ".join(_figure(one) for one in money["witnesses"][name]) or "nobody says"
        yield f"{name} {money[f'{name}_cents']} {money['currency']}: {said}"
    yield "steps " + ", ".join(f"{one['name']} {one['status']}{_of(one['trace'])}" for one in document["steps"])
    yield "acceptance " + ", ".join(
        f"{one['id']} {one['status']}{_of(one['evidence'])}" for one in document["acceptance"]
    )
    yield "; ".join(
        f"{one['id']} {one['status']}: {one['left']} = {one['right']}" for one in document["reconciliation"]
    )


def _figure(said: Mapping[str, Any]) -> str:
    return " ".join(str(one) for one in said.values())


def _of(events: Sequence[int]) -> str:
    """Events with their neighbours together: 3-5 9."""
    spans: list[list[int]] = []
    for one in events:
        if spans and one == spans[-1][-1] + 1:
            spans[-1][1:] = [one]
        else:
            spans.append([one])
    return f" ({' '.join('-'.join(map(str, span)) for span in spans)})" if spans else ""


def accepted() -> dict[int, str]:
    """The outcomes that were accepted, by seed."""
    blocks = OUTCOMES.read_text(encoding="utf-8").split("\n\n")
    return {int(one.split(maxsplit=2)[1]): one.strip() + "\n" for one in blocks}
