"""Ten different sessions, most of them walked through for real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from front_door import Shell

DRY_RUN = {"session": "01KQPH1RM0DRY0000000000000", "hash": "c" * 64, "ended_at": "2026-05-03T09:00:00.000Z"}
HOSTILE = '<script>alert(1)</script> | "x" \n# y'
REAL = {
    "passed": ("--refund",),
    "kept": ("--no-refund",),
    "order": ("--refund", "--fault", "currency_mismatch"),
    "completed": ("--refund", "--fault", "partial_capture"),
    "license": ("--refund", "--fault", "license_not_granted"),
    "transfers": ("--refund", "--fault", "wrong_seller"),
    "revoked": ("--refund", "--fault", "seller_balance_low"),
    "incomplete": ("--refund", "--fault", "refund_pending"),
}


@dataclass(frozen=True)
class Sessions:
    """Ten different sessions in one archive, by what is particular about them."""

    root: Path
    folders: Mapping[str, Path]


def walked(folder: Path, root: Path, name: str) -> Path:
    """Walk a real session through at the rehearsal backend, and put it into the common archive."""
    folder.mkdir(parents=True)
    (folder / "veza-e2e.toml").write_text('[limits]\npoll_timeout = "2s"\n', encoding="utf-8")
    result = Shell(folder).run("--release", f"with {name}", *REAL[name])
    assert result.code in {0, 1, 4}, result.stderr
    made = (folder / result.json["paths"]["journal"]).parent
    target: Path = root / made.relative_to(folder / "build" / "rehearsals")
    target.parent.mkdir(parents=True, exist_ok=True)
    made.rename(target)
    return target
