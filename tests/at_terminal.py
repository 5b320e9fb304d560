"""A person at the terminal of a live run, through a pseudo-terminal."""

from __future__ import annotations

import pexpect
from front_door import ACCOUNT, Shell, books, pay

PASTE = "order_id | amount_cents | platform_fee_cents | currency | status"


class Person:
    """Someone at the terminal."""

    def __init__(self, shell: Shell, base_url: str, *words: str, archive: str = "archive") -> None:
        self.base_url = base_url
        self.terminal = shell.spawn("--env", "prod", "--archive", archive, *words, env=ACCOUNT)

    def chooses(self, number: int = 1) -> None:
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
        row = books(self.base_url)["transfers"][-1]
        cells = [row["order_id"], row["amount_cents"], row["platform_fee_cents"], row["currency"], row["status"]]
        self.terminal.sendline(PASTE)
        self.terminal.sendline(" | ".join(str(cell) for cell in cells))
        self.terminal.sendline("(1 row)")
        self.terminal.sendline("")
        self.terminal.expect("Is this what psql printed")
        self.terminal.sendline("y")

    def says(self, answer: str) -> None:
        self.terminal.expect("Type `refund` or `keep`")
        self.terminal.sendline(answer)

    def ends(self) -> int:
        self.terminal.expect(pexpect.EOF)
        self.terminal.close()
        assert self.terminal.exitstatus is not None
        return self.terminal.exitstatus
