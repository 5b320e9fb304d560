"""A person at the terminal of a live run, through a pseudo-terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import pexpect
from front_door import ACCOUNT, Shell, books, pay

from veza_e2e.ports.seller_transfers import COLUMNS


def psql(base_url: str, **changes: object) -> str:
    """What `psql -X --csv` would print for the last order of a rehearsal backend, with these changes."""
    kept = books(base_url)["transfers"]
    rows = [row for row in kept if row["order_id"] == kept[-1]["order_id"]]
    return as_csv(*({**_joined(row), "row_count": len(rows), **changes} for row in rows))


def _joined(row: Mapping[str, Any]) -> dict[str, object]:
    return {**row, "transfer_id": row["id"], "transfer_currency": row["currency"], "unexplained_cents": 0}


def as_csv(*rows: Mapping[str, object]) -> str:
    """Rows as `psql -X --csv` prints them."""
    printed = io.StringIO()
    table = csv.DictWriter(printed, COLUMNS, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return printed.getvalue()


class Person:
    """Someone at the terminal."""

    def __init__(
        self, shell: Shell, base_url: str, *words: str, archive: str = "archive", env: Mapping[str, str] | None = None,
        dimensions: tuple[int, int] = (50, 160),
    ) -> None:  # fmt: skip
        self.base_url = base_url
        env = {**ACCOUNT, **(env or {})}
        self.terminal = shell.spawn("--env", "prod", "--archive", archive, *words, env=env, dimensions=dimensions)

    def chooses(self, number: int = 1) -> None:
        """Choose a product; agree to a charge that decides nothing, if that is asked first."""
        if self.terminal.expect(["Type `charge anyway`", "Which one do you buy"]) == 0:
            self.terminal.sendline("charge anyway")
            self.terminal.expect("Which one do you buy")
        self.terminal.sendline(str(number))

    def types_the_amount(self, amount: str = "5.00 EUR") -> None:
        self.terminal.expect("Type the amount and currency")
        self.terminal.sendline(amount)

    def pays(self) -> None:
        self.terminal.expect(r"checkout page is at [^:]+: (\S+)")
        url = str(self.terminal.match[1])  # type: ignore[index]
        self.terminal.expect("Enter = paid")
        pay(url)
        self.terminal.sendline("")

    def pastes_the_rows(self) -> None:
        self.terminal.expect("End with an empty line")
        self.pastes(psql(self.base_url))

    def pastes(self, printed: str) -> None:
        self.terminal.sendline(printed)
        self.terminal.expect("Is this what psql printed")
        self.terminal.sendline("y")

    def pastes_the_reversal(self) -> None:
        self.terminal.expect("After the refund")
        self.pastes_the_rows()

    def says(self, answer: str) -> None:
        self.terminal.expect(r"Type\s+`refund`\s+or\s+`keep`")
        self.terminal.sendline(answer)

    def ends(self) -> int:
        self.terminal.expect(pexpect.EOF)
        self.terminal.close()
        assert self.terminal.exitstatus is not None
        return self.terminal.exitstatus
