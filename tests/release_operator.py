"""Someone who brings a release to a decision: a dry-run, a rehearsed live run at a pseudo-terminal, and commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from at_terminal import Person
from front_door import ACCOUNT, Result, Shell, books, serving
from later import Ahead
from meddling import Answer, meddling
from surroundings import PATIENCE

RELEASE = "2026.12"
DAY = 24 * 3600


class Operator:
    """Someone who brings a release to a decision; the clock of the commands and the backend is theirs."""

    def __init__(self, folder: Path, base_url: str, *, reached_at: str | None = None, **secrets: str) -> None:
        folder.mkdir()
        self.clock = Ahead()
        self.shell = Shell(folder, self.clock)
        self.shell.configure("prod", reached_at or base_url, reports="live", live=True)
        self.base_url = base_url
        self.secrets = ACCOUNT | secrets
        self.session = ""

    def makes_the_dry_run(self) -> None:
        made = self.shell("--archive", "archive", "--json", "run", "--unattended", "--refund", "--release", RELEASE)
        assert made.code == 0, made.stderr

    def sits_down(self, *words: str) -> Person:
        return Person(self.shell, self.base_url, *(words or ("run", "--live", "--release", RELEASE)), env=self.secrets)

    def buys(self, amount: str = "5.00 EUR") -> Person:
        """Up to the payment, the gate satisfied."""
        person = self.sits_down()
        assert person.terminal.expect(["charge anyway", "Which one do you buy"]) == 1, "the dry-run counts"
        person.terminal.sendline("1")
        person.types_the_amount(amount)
        person.pays()
        return person

    def left(self, person: Person, code: int = 0) -> dict[str, Any]:
        assert person.ends() == code, person.terminal.before
        (journal,) = [path for path in self.shell.folder.rglob("journal.jsonl") if b'"prod"' in path.read_bytes()]
        self.session = journal.parent.name
        return self.shown()

    def asks(self, *words: str) -> Result:
        return self.shell("--env", "prod", "--archive", "archive", "--json", *words, env=self.secrets)

    def command(self, *words: str) -> Result:
        done = self.asks(*words)
        assert done.code == 0, done.stdout + done.stderr
        return done

    def shown(self) -> dict[str, Any]:
        return self.command("show", self.session).json

    def waits(self, days: int) -> None:
        self.clock.seconds += days * DAY
        moved = {"advance_seconds": days * DAY}
        httpx.post(f"{self.base_url}/rehearsal/clock", json=moved, trust_env=False, timeout=PATIENCE).raise_for_status()

    def reads_the_dashboards(self) -> None:
        """The processor's dashboard, for the figures; it names them by the ids that the order tells."""
        known = self.shown()
        words = ["--payment", known["payment_id"], "--charged", "5.00 EUR"]
        words += ["--refund", known["refund_id"], "--refunded", "5.00 EUR"]
        self.command("attest", "dashboard", "--session", self.session, "--by", "A. Person", *words)

    def reads_the_statement(self, seen: str = "credit", amount: str = "5.00 EUR") -> None:
        day = self.clock.now().date().isoformat()
        self.command("bank", self.session, "--seen", seen, "--date", day, "--amount", amount)

    def attests_ex_9(self) -> None:
        self.command("attest", "ex-9", "--by", "A. Person", "--release", RELEASE)

    def decides(self) -> tuple[str, str]:
        """Return what the release's decision is and would be; every item is met by then."""
        decided = {item["name"]: item["status"] for item in self.command("release", RELEASE).json["items"]}
        shown = self.shown()
        assert {item["id"]: item["status"] for item in shown["acceptance"]} == dict.fromkeys(
            [item["id"] for item in shown["acceptance"]], "met"
        )
        assert {one["id"]: one["status"] for one in shown["reconciliation"]} == dict.fromkeys(
            ["R1", "R2", "R3", "R4", "R5", "R6"], "equal"
        )
        assert (shown["account"], shown["refund_open"]) == ("returned", False)
        happened = books(self.base_url)
        assert (happened["orders"], happened["charges"], happened["refunds"]) == (1, 1, 1)
        return decided["decision"], decided["rehearsed_decision"]


@contextmanager
def operator(
    tmp_path: Path,
    *faults: str,
    database: str | None = None,
    change: Callable[[Answer], object] | None = None,
    **secrets: str,
) -> Iterator[Operator]:
    """Give an operator who has made the dry-run; with `change`, a proxy changes what the live backend answers."""
    with ExitStack() as stack:
        base_url = stack.enter_context(
            serving(tmp_path / "server", *faults, time=Ahead(), environment="live", database=database)
        )
        proxy = None if change is None else stack.enter_context(meddling(base_url, change))
        someone = Operator(tmp_path / "client", base_url, reached_at=proxy, **secrets)
        someone.makes_the_dry_run()
        yield someone


def skips(person: Person) -> None:
    person.terminal.expect("`skip` goes on without the rows")
    person.terminal.sendline("skip")
    person.terminal.expect("Why")
    person.terminal.sendline("whoever may use psql is away")
