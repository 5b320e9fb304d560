"""One history: a session from its start to its end, with what goes wrong in between, checked after each command."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simulator.api import OWNED
from simulator.books import BankLine, Order, Payment
from simulator.chain import Chain
from simulator.checks import CHECKS, Moment
from simulator.clock import SimulatedClock
from simulator.disk import new_root
from simulator.healing import heal
from simulator.machine import Ran, Simulated
from simulator.operator import money
from simulator.outcome import outcome
from simulator.plan import DAY, HOUR, MINUTE, Plan

from veza_e2e.cli.app import COMMANDS
from veza_e2e.cli.attest import attest

RELEASE = "2026.11"
ROUNDS, HEALED_ROUNDS = 3, 10
REFUSED = 3
_LOSS = re.compile('--accept-loss "([^"]+)"')
_OFFERED = re.compile(r"veza-e2e (?:--\S+ \S+ )*(\w+) ([^\n]*)")
HARMLESS = frozenset({
    "ids", "absent", "extra", "nanoseconds", "money", "currency_case", "error_shape", "payment_told", "services",
    "live", "dry_run",
    "disk_full", "price", "token_ttl", "paste_format", "paste", "gap", "kills", "network", "processor_network",
    "second",
    "bank", "refund_lag", "wander", "mistake", "ledger", "key", "foreign", "honoured",
})  # fmt: skip
"""Deviations after which the world is still in order, so that the session must pass in the end."""


LATE_OR_RIGHT: Mapping[str, tuple[object, ...]] = {
    "webhook": (150, 40 * MINUTE, 5 * HOUR, 20 * HOUR),
    "checkout": ("decline_then_pay", "watch", "late", "pay_and_close", "early", "async", "elsewhere"),
    "license": ("late",),
    "transfer": ("late", "very_late", "two_rows", "lower_case", "quoted_error", "cancelled_too"),
    "refund": ("processor_lags", "processor_hides"),
    "revocation": ("late",),
    "reversal": ("late",),
    "tax": ("added", "inclusive"),
}
"""Values of other deviations after which it is in order as well, at once or within a day."""


_UNFORESEEN = re.compile(rb'"attestations":\{[^}]*\}|"previous":"[0-9a-f]+"')
"""The ids of attestations are drawn by the machine, so a manifest that names one is foreseen by no seed."""


@dataclass
class Told:
    """What became of a history."""

    plan: Plan
    violations: list[tuple[str, str]] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)
    story: list[str] = field(default_factory=list)
    digest: str = ""
    outcome: str = ""


class History:
    """Runs a plan.

    Args:
        plan: what deviates.
        root: an empty folder for the machine's disk.
    """

    def __init__(self, plan: Plan, root: Path) -> None:
        self.told = Told(plan)
        self.plan = plan
        self.root = root
        self.session: str | None = None
        self.owners: dict[str, str | None] = {}
        self._loss: tuple[str, ...] = ()
        self.given_up = False
        self.bank_right = False
        self.attested = False
        self.ended_files: dict[str, str] = {}
        self.journals: dict[str, bytes] = {}
        self.chain: dict[str, Chain] = {}
        clock = SimulatedClock()
        if plan.live and plan.dry_run:
            self._dry_run(clock)
        self.sim = Simulated(plan, root, clock)

    def run(self) -> Told:
        """Live the history."""
        self._begin()
        if self.session is not None:
            self._rounds()
            self._heal()
            self._afterwards()
        self._at_last()
        self.told.story = self.sim.world.happened
        self._reached()
        self.told.outcome = outcome(self.plan.seed, self.sim.ran, self.journals)
        return self.told

    def _dry_run(self, clock: SimulatedClock) -> None:
        """A straight walkthrough on the staging backend, some hours before."""
        staging = Simulated(Plan(seed=self.plan.seed), self.root, clock)
        clock.sleep(3 * HOUR)
        ran = staging.command("run", "--release", RELEASE)
        if ran.exit != 0:
            self.told.violations.append(("dry_run", f"the straight dry-run exited {ran.exit}"))

    # Commands.

    def _do(self, *words: str) -> Ran:
        self.sim.world.just_told.clear()
        before = self.sim.world.looking = self._ended()
        ran = self.sim.command(*words)
        found = ran.document.get("session")
        if isinstance(found, str) and self.session is None:
            self.session = found
        if self.session is None:
            self.session = self._newest()
        session = found if isinstance(found, str) else self._newest() if words[0] == "run" else self.session
        for order in self.sim.world.own_orders():
            self.owners.setdefault(order.id, session)
        self.given_up = self.given_up or (words[0] == "abandon" and ran.exit == 0)
        moment = Moment(
            sim=self.sim,
            ran=ran,
            ended=self._ended(),
            session=session,
            owners=self.owners,
            given_up=self.given_up,
            late_news=bool(self.ended_files),
            bank_right=self.bank_right,
            attested=self.attested,
            ending=self._ended() and not before,
        )
        self.sim.violations += [one for check in CHECKS for one in check(moment)]
        self.sim.violations += self._files()
        self.told.reached[f"exit {ran.exit} of {words[0]}"] += 1
        for name in ("outcome", "account", "waiting_for", "decision"):
            if isinstance(ran.document.get(name), str):
                self.told.reached[f"{name} {ran.document[name]}"] += 1
        for violation in self.sim.violations:
            if violation not in self.told.violations:
                self.told.violations.append(violation)
                self.sim.world.note(f"!! {violation[0]}: {violation[1]}")
        self.sim.violations.clear()
        self._go_over(ran)
        return ran

    def _go_over(self, ran: Ran) -> None:
        """Go on with the session that bars this one, as the refusal offers."""
        hint = str((ran.document.get("error") or {}).get("hint"))
        barring = re.search(r" resume ([0-9A-Z]{26})", hint)
        if ran.exit == REFUSED and ran.words[0] == "resume" and barring:
            self.session = barring[1]

    def _run_words(self) -> tuple[str, ...]:
        return ("run", "--release", RELEASE, *(("--live",) if self.plan.live else ()))

    def _begin(self) -> None:
        for _ in range(3):
            ran = self._do(*self._run_words())
            if self.session is not None or (ran.exit is not None and "error" not in ran.document):
                return
            self._wait(60)

    def _wait(self, seconds: float) -> None:
        self.sim.clock.sleep(seconds)
        self.sim.world.catch_up()

    def _newest(self) -> str | None:
        folders = sorted(self.sim.archive.glob("*/*/*/journal.jsonl"))
        here = [one for one in folders if f'"environment":"{self.sim.environment}"'.encode() in one.read_bytes()[:4000]]
        return here[-1].parent.name if here else None

    def _journal(self) -> Path | None:
        return next(iter(self.sim.archive.glob(f"*/*/{self.session}/journal.jsonl")), None)

    def _ended(self) -> bool:
        journal = self._journal()
        whole = b"" if journal is None else journal.read_bytes()[-4000:].rpartition(b"\n")[0]
        return b'"type":"SessionEnded"' in whole.rpartition(b"\n")[2]

    def _rounds(self) -> None:
        """Resume as the operator does, with what they try besides."""
        for number in range(ROUNDS):
            if self._ended():
                return
            self._wait(self.plan.gap)
            if number == 0 and self.plan.wander:
                self._wander()
            if not self._ended():
                self._do("resume", str(self.session))

    def _wander(self) -> None:
        words = {
            "abandon": ("abandon", str(self.session), "--reason", "tired of it"),
            "run": self._run_words(),
            "show": ("show", str(self.session)),
            "verify": ("verify", str(self.session)),
        }
        self._do(*words[self.plan.wander])

    def _heal(self) -> None:
        """Mend the world, then follow what is offered: the session must end."""
        if self._ended():
            return
        self.sim.network.faults = {name: {} for name in self.sim.network.faults}
        self.sim.kills.clear()
        self.sim.operator.careful = True
        if self.plan.key in {"rejected", "down"}:
            self.sim.processor.state = "good"
        if self.sim.ledger.state in {"broken", "empty"}:
            self.sim.ledger.state = "connection"
        heal(self.sim.world)
        last: Ran | None = None
        for number in range(HEALED_ROUNDS):
            self._wait(DAY + 3600)
            last = self._do(*self._next(last, number))
            loss = _LOSS.search(last.err)
            self._loss = ("--accept-loss", loss[1]) if loss else self._loss
            if self._ended():
                return
        self.told.violations.append(("unending", f"not ended by {HEALED_ROUNDS} commands in a world that is in order"))

    def _next(self, last: Ran | None, number: int) -> tuple[str, ...]:
        """The next command, as the last one offers it: at first resume, then whatever else."""
        if last is None or number < 3:
            return ("resume", str(self.session))
        offered = dict(self._offered(last))
        if last.words[0] == "abandon" and self._loss:
            return ("abandon", str(self.session), "--reason", "the loss is known", *self._loss)
        if "abandon" in offered:
            return offered["abandon"]
        return ("resume", str(self.session))

    def _offered(self, ran: Ran) -> Iterator[tuple[str, tuple[str, ...]]]:
        for found in _OFFERED.finditer(ran.out + "\n" + ran.err):
            try:
                words = (found[1], *shlex.split(found[2]))
            except ValueError:
                continue
            if found[1] in COMMANDS:
                yield found[1], tuple("no use any more" if word == "TEXT" else word for word in words)

    # After the end.

    def _afterwards(self) -> None:
        """The statement, the attestations, and a look days later."""
        if not self._ended():
            return
        self._note_files()
        self._wait(4 * DAY)
        if self.plan.refund == "fails_late" or self.plan.dispute or self.plan.again or self.plan.seed % 2:
            self._do("resume", str(self.session))
        self._later_evidence()
        if self.plan.live:
            self._wait(4 * DAY)
            self._do("attest", "ex-9", "--by", "An Operator")
            self._statement()
            self._do("show", str(self.session))

    def _later_evidence(self) -> None:
        """What the operator could not give in the session: the rows, and what the dashboard shows."""
        if "rows" in COMMANDS and self.plan.ledger in {"skip", "broken"}:
            self._do("rows", str(self.session))
        session_option = any(option.name == "session" for option in attest.params)
        orders = self._own_orders()
        if not session_option or self.plan.key not in {"none", "revoked"} or not orders:
            return
        for payment in self.sim.world.payments_of(orders[0].id):
            if payment.received:
                self._attest_payment(payment)

    def _own_orders(self) -> list[Order]:
        """The orders of the session that this history follows."""
        return [one for one in self.sim.world.own_orders() if self.owners.get(one.id) == self.session]

    def _attest_payment(self, payment: Payment) -> None:
        words = ["attest", "dashboard", "--session", str(self.session), "--by", "An Operator"]
        words += ["--payment", payment.id, "--charged", money(payment.received, payment.currency)]
        if payment.returned:
            words += ["--refund", payment.refunds[-1].id, "--refunded", money(payment.returned, payment.currency)]
        elif payment.refunds:
            words += ["--refunded", money(0, payment.currency)]
        self.attested = True
        self._do(*words)

    def _statement(self) -> None:
        own = [one.id for one in self._own_orders()]
        lines = [one for one in self.sim.world.bank if one.order in own]
        if not lines or self.plan.bank == "nothing":
            return
        line: BankLine = lines[-1]
        amount = line.amount + (100 if self.plan.bank == "wrong_amount" else 0)
        seen = "charge-dropped" if self.plan.bank == "charge-dropped" else "credit"
        back = sum(one.returned for one in self.sim.world.payments_of(own[-1]))
        self.bank_right = self.plan.bank != "wrong_amount" and line.amount == back
        self._wait(4 * DAY)
        self._do(
            "bank", str(self.session), "--seen", seen, "--date", line.day, "--amount", money(amount, line.currency)
        )

    def _files(self) -> Iterator[tuple[str, str]]:
        """Journals only grow, their chain is whole, and nothing of an ended session changes."""
        for path in self.sim.archive.glob("*/*/*/journal.jsonl"):
            data = path.read_bytes()
            before = self.journals.get(path.parent.name, b"")
            whole = before[: before.rfind(b"\n") + 1]
            if not data.startswith(whole):
                yield "lost", "a line of the journal that was on the disk is gone"
            if data != before:
                yield from self.chain.setdefault(path.parent.name, Chain()).broken(data)
            self.journals[path.parent.name] = data
        for name, digest in self.ended_files.items():
            path = self.root / name
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                yield "rewritten", f"{path.name} of an ended session was changed"

    def _note_files(self) -> None:
        journal = self._journal()
        if journal is not None:
            for path in journal.parent.iterdir():
                name = str(path.relative_to(self.root))
                self.ended_files[name] = hashlib.sha256(path.read_bytes()).hexdigest()

    def _at_last(self) -> None:
        """What must hold at the end: no secret, all verified, and a straight history passed."""
        sim = self.sim
        verified = self.plan.seed % 3 == 0  # the chain is checked after each command anyway
        if verified and self._ended() and self._do("verify", str(self.session)).exit != 0:
            self.told.violations.append(("verify", sim.ran[-1].out[:200]))
        secrets = [*sim.api.secrets, "pg-9fL2vq", "buyer@operator.example"]
        digest = hashlib.sha256()
        for path in sorted(one for one in sim.archive.rglob("*") if one.is_file()):
            data = path.read_bytes()
            if "attestations" not in path.parts:
                digest.update(path.name.encode() + _UNFORESEEN.sub(b"", data))
            found = next((secret for secret in secrets if secret.encode() in data), None)
            if found:
                self.told.violations.append(("secret", f"{path.name} holds {found[:3]}…"))
        for ran in sim.ran:
            digest.update(f"{ran.words[0]} {ran.exit}".encode())
        self.told.digest = digest.hexdigest()
        self._straight()

    def _straight(self) -> None:
        """A history in which nothing is wrong, or only late, must not have failed: late is not missing."""
        paid = any(one.received for one in self.sim.world.payments.values())
        wrong = [name for name, value in self.plan.deviations.items() if not _harmless(name, value)]
        # Without a key nobody sees a method that settles after days: a day after the page expired it is missing.
        unseen = self.plan.checkout == "async" and self.plan.key == "none"
        # Another session of the account bought the product, and was killed before its refund: the backend is right.
        owned = any(OWNED in ran.err for ran in self.sim.ran)
        if wrong or unseen or owned or not paid or not self._ended():
            return
        outcomes = [ran.document.get("outcome") for ran in self.sim.ran if ran.document.get("session") == self.session]
        if not self.given_up and "failed" in outcomes:
            self.told.violations.append(("failed_straight", "failed although nothing was wrong in the world"))

    def _reached(self) -> None:
        reached = self.told.reached
        for name, value in self.plan.deviations.items():
            if name in {"network", "processor_network"}:
                continue
            shown = len(value) if isinstance(value, tuple) else value
            reached[f"{name} {shown}"] += 1
        for met in self.sim.network.met:
            reached[met.partition(" on ")[0]] += 1
        for place in self.sim.killed_at:
            reached[f"killed at {re.sub(r'/[0-9a-f-]{20,}|/pay_.*|/[0-9]+', '/ID', place)}"] += 1
        for data in self.journals.values():
            for finding in set(re.findall(rb'"finding":"(\w+)"', data)):
                reached[f"finding {finding.decode()}"] += 1


def _harmless(name: str, value: object) -> bool:
    return name in HARMLESS or value in LATE_OR_RIGHT.get(name, ())


def live(plan: Plan, root: Path) -> Told:
    """Run one history in an empty folder."""
    return History(plan, new_root(root)).run()


def simpler(plan: Plan) -> Iterator[Plan]:
    """Plans with one deviation less."""
    for name, value in plan.deviations.items():
        yield plan.straightened(name)
        if isinstance(value, tuple) and len(value) > 1:
            yield from (plan.having(name, value[:n] + value[n + 1 :]) for n in range(len(value)))
