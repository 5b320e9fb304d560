"""Acts out the sessions that `make.py` saves, and says what each must come to. Started by `make.py` alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import httpx
import pexpect
from at_terminal import Person
from front_door import ACCOUNT, pay
from left_behind.saving import End, save

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COMMAND = [sys.executable, "-m", "veza_e2e"]
PUBLISHED = "docs/archive/payment-e2e"
REHEARSALS = "build/rehearsals"
CONFIG = """\
[env.{name}]
base_url = "{base_url}"
expected_environment = ["{reports}"]
live = {live}
idempotency = {live}
checkout_hosts = ["127.0.0.1"]
hyperswitch_url = "{base_url}/hyperswitch"
"""
SHORT = '\n[limits]\npoll_timeout = "2s"\n'
RELEASE = "2026.12"
LATE = "webhook_delay=10"


@dataclass
class Place:
    """An empty folder in which a session is begun and left, by processes of their own as a user starts them."""

    folder: Path
    env: str = "rehearsal"
    archive: str = REHEARSALS
    base_url: str = ""

    @property
    def session(self) -> str:
        """The newest session."""
        return max(path.parent.name for path in self.folder.rglob("journal.jsonl"))

    @property
    def environment(self) -> dict[str, str]:
        """What the processes find in their environment."""
        fixed = {"HOME": str(self.folder), "LANG": "C.UTF-8", "TERM": "xterm", "BROWSER": "true"}
        return {"PATH": os.environ["PATH"], **fixed, **(ACCOUNT if self.env != "rehearsal" else {})}

    def words(self, *words: str) -> list[str]:
        """Return the words of a command on the session's environment, whose archive may be another one's."""
        usual = REHEARSALS if self.env == "rehearsal" else PUBLISHED
        given = [] if self.env == "rehearsal" else ["--env", self.env]
        return [*given, *([] if self.archive == usual else ["--archive", self.archive]), *words]

    def do(self, *words: str, code: int = 0) -> None:
        """Run a command to its end."""
        command = [*COMMAND, *self.words(*words)]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == code, f"{words}: {done.returncode}, not {code}: {done.stderr}"

    def unattended(self, *words: str, code: int = 0) -> None:
        self.do("run", "--unattended", *words, code=code)

    @contextmanager
    def served(self, name: str, *switches: str, limits: str = "", archive: str = PUBLISHED) -> Iterator[None]:
        """Run the backend of a configured environment; that of `prod` reports that it is live."""
        reports = "live" if name == "prod" else "sandbox"
        words = [word for switch in switches for word in ("--fault", switch)]
        process = subprocess.Popen(
            [*COMMAND, "rehearsal", "serve", "--port", "0", "--environment", reports, *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        try:
            assert process.stdout
            self.base_url = process.stdout.readline().split(" is at ")[1].split(" ")[0]
            self.env, self.archive = name, archive
            live = str(name == "prod").lower()
            config = CONFIG.format(name=name, base_url=self.base_url, reports=reports, live=live)
            (self.folder / "veza-e2e.toml").write_text(config + limits, encoding="utf-8")
            yield
        finally:
            process.terminate()
            process.communicate(timeout=20)


class AtTerminal(Person):
    """A person at the terminal of any command, and not of a live one only."""

    def __init__(self, place: Place, *words: str) -> None:
        self.base_url = place.base_url
        command = [*COMMAND, *place.words(*words)]
        self.terminal = pexpect.spawn(
            command[0],
            command[1:],
            cwd=str(place.folder),
            env=place.environment,
            encoding="utf-8",
            timeout=20,
            dimensions=(50, 160),
        )

    def opens(self) -> str:
        self.terminal.expect(r"checkout page is at [^:]+: (\S+)")
        url = str(self.terminal.match[1])  # type: ignore[index]
        self.base_url = url.partition("/hyperswitch")[0]
        self.terminal.expect("Enter = paid")
        return url

    def pays(self) -> None:
        pay(self.opens())
        self.terminal.sendline("")

    def interrupts(self) -> None:
        """Press Ctrl-C while the command waits: a recording that ends within a call does not replay in 0.1.0."""
        threading.Event().wait(1.3)
        self.terminal.sendintr()
        self.comes_to(130)

    def answers(self, answer: str) -> None:
        self.terminal.expect(r"\[y/N\]")
        self.terminal.sendline(answer)

    def comes_to(self, code: int) -> None:
        found = self.ends()
        assert found == code, f"ended with {found}, not {code}"


def before_payment(place: Place) -> None:
    """The page is offered, and the operator leaves."""
    person = AtTerminal(place, "run", "--refund")
    person.chooses()
    person.opens()
    person.terminal.sendline("q")
    person.comes_to(4)


def paid_process_gone(place: Place) -> None:
    """The card is charged, the webhook is late, and the process is killed before the operator says a word."""
    person = AtTerminal(place, "run", "--refund", "--fault", LATE)
    person.chooses()
    pay(person.opens())
    person.terminal.kill(signal.SIGKILL)
    person.terminal.wait()


def paid_webhook_lost(place: Place) -> None:
    (place.folder / "veza-e2e.toml").write_text(SHORT, encoding="utf-8")
    place.unattended("--refund", "--fault", "webhook_lost", code=4)


def kept(place: Place) -> None:
    place.unattended("--no-refund")


def kept_by_operator(place: Place) -> None:
    """Ctrl-C at the checkout, a resume that pays, and `n` to the refund."""
    person = AtTerminal(place, "run")
    person.chooses()
    person.opens()
    person.interrupts()
    person = AtTerminal(place, "resume")
    person.pays()
    person.pastes_the_rows()
    person.answers("n")
    person.comes_to(0)


def refund_pending(place: Place) -> None:
    (place.folder / "veza-e2e.toml").write_text(SHORT, encoding="utf-8")
    place.unattended("--refund", "--fault", "refund_pending", code=4)


def license_missing(place: Place) -> None:
    place.unattended("--refund", "--fault", "license_not_granted", code=1)


def refund_failed(place: Place) -> None:
    place.unattended("--refund", "--fault", "refund_fails", code=1)


def killed(pattern: str, share: str = "none") -> Callable[[Place], None]:
    """Return the act of a run that is killed at a line of its journal."""

    def act(place: Place) -> None:
        script = str(HERE / "killed_at_line.py")
        words = [sys.executable, script, pattern, share, "--", "--json", "run", "--unattended", "--refund"]
        done = subprocess.run(words, cwd=place.folder, env=place.environment, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        (kept,) = place.folder.glob(".veza-e2e/rehearsal/*/port")
        _gone(int(kept.read_text(encoding="utf-8")))

    return act


def _gone(port: int) -> None:
    """Wait until the embedded backend has noticed the end of its parent."""
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/rehearsal/books", trust_env=False)
        except httpx.TransportError:
            return
        threading.Event().wait(0.02)


def passed(place: Place) -> None:
    place.unattended("--refund")


def link_expired(place: Place) -> None:
    place.unattended("--refund", "--fault", "checkout_expired", code=1)


def license_not_revoked(place: Place) -> None:
    place.unattended("--refund", "--fault", "license_not_revoked", code=1)


def over_limit(place: Place) -> None:
    place.unattended("--refund", "--max-amount", "5.50 EUR", "--fault", "vat_added=19", code=3)


def abandoned(place: Place) -> None:
    place.unattended("--no-refund")
    place.do("abandon", place.session, "--reason", "the purchase is kept")


def refund_failed_late(place: Place) -> None:
    """The refund succeeds, and fails after all; the resume writes an addendum."""
    place.unattended("--refund", "--fault", "refund_fails_late=1")
    threading.Event().wait(1.5)
    place.do("resume", place.session, code=1)
    assert list(place.folder.rglob("addendum-001.json"))


def shop_before_payment(place: Place) -> None:
    with place.served("shop"):
        person = AtTerminal(place, "run", "--refund")
        person.chooses()
        person.opens()
        person.terminal.sendline("q")
        person.comes_to(4)


def shop_paid(place: Place) -> None:
    """The card is charged, the webhook is late, and Ctrl-C ends the process."""
    with place.served("shop", LATE):
        person = AtTerminal(place, "run", "--refund")
        person.chooses()
        pay(person.opens())
        person.interrupts()


def shop_refund_pending(place: Place) -> None:
    with place.served("shop", "refund_pending", limits=SHORT):
        person = AtTerminal(place, "run", "--refund")
        person.chooses()
        person.pays()
        person.pastes_the_rows()
        person.comes_to(4)


def _live(place: Place, *words: str, says: str) -> None:
    person = AtTerminal(place, "run", "--live", *words)
    person.chooses()
    person.types_the_amount()
    person.pays()
    person.pastes_the_rows()
    person.says(says)
    person.comes_to(0)


def prod_kept(place: Place) -> None:
    with place.served("prod"):
        _live(place, says="keep")


def prod_passed(place: Place) -> None:
    """A dry-run, a rehearsed live run, EX-9 attested, the bank's credit, and all of it signed."""
    place.unattended("--refund", "--release", RELEASE)
    with place.served("prod", archive=REHEARSALS):
        _live(place, "--release", RELEASE, says="refund")
    place.do("attest", "ex-9", "--by", "A. Person", "--release", RELEASE)
    day = datetime.now(UTC).date().isoformat()
    bank = ("--seen", "credit", "--date", day, "--amount", "5.00 EUR", "--reference", "REHEARSAL")
    place.do("bank", place.session, *bank)
    with tempfile.TemporaryDirectory() as keys:
        key = Path(keys) / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
        place.do("sign", place.session, "--key", str(key))
        public = key.with_suffix(".pub").read_text(encoding="utf-8").strip()
    signers = f'operator@veza.test namespaces="veza-e2e" {public}\n'
    (place.folder / REHEARSALS / "allowed_signers").write_text(signers, encoding="utf-8")


PASSED = End(0, "passed", charged=500, refunded=500, orders=1, charges=1, refunds=1)
UNPAID = End(1, "failed", charged=0, refunded=0, orders=1, charges=0, refunds=0)
"""A page can be paid on for 15 minutes; then the order expires: nothing was charged, and the session has failed."""
OPEN = End(4, "incomplete", charged=500, refunded=0, orders=1, charges=1, refunds=0)
UNDER_WAY = End(4, "incomplete", charged=500, refunded=0, orders=1, charges=1, refunds=1)
NEVER_COMPLETED = End(1, "failed", charged=500, refunded=0, orders=1, charges=1, refunds=0)
"""Webhooks are sent again for 24 hours: until then a paid order may complete, after that it has failed."""
BACK_BUT_FAILED = End(1, "failed", charged=500, refunded=500, orders=1, charges=1, refunds=1)
"""What was not delivered stays failed, and the money comes back."""
NOT_BACK = End(1, "failed", charged=500, refunded=0, orders=1, charges=1, refunds=0)
KEPT = End(0, "passed", charged=500, refunded=0, orders=1, charges=1, refunds=0)
REFUSED = End(3, "refused", charged=0, refunded=0, orders=1, charges=0, refunds=0)
IN_DOUBT = End(4, "incomplete", charged=0, refunded=0, orders=0, charges=0, refunds=0, abandon=True)
"""The request for the order may have been sent, and no order is there. Its key held for 23 hours: no other is sent."""


@dataclass(frozen=True)
class Case:
    """A session's act, and what it must come to when it is resumed at once and six days later."""

    act: Callable[[Place], None]
    at_once: End
    later: End


CASES: Mapping[str, Case] = {
    "before-payment": Case(before_payment, PASSED, UNPAID),
    "paid-process-gone": Case(paid_process_gone, PASSED, PASSED),
    "paid-webhook-lost": Case(paid_webhook_lost, OPEN, NEVER_COMPLETED),
    "kept": Case(kept, PASSED, PASSED),
    "kept-by-operator": Case(kept_by_operator, PASSED, PASSED),
    "refund-pending": Case(refund_pending, UNDER_WAY, PASSED),
    "license-missing": Case(license_missing, BACK_BUT_FAILED, BACK_BUT_FAILED),
    "refund-failed": Case(refund_failed, NOT_BACK, NOT_BACK),
    "killed-1-login": Case(killed('"step":"login","target":"api","type":"CallFinished"'), PASSED, PASSED),
    "killed-2-products": Case(killed('"step":"products","type":"StepFinished"'), PASSED, PASSED),
    "killed-3-order-unsent": Case(killed('"createOrder".*"type":"CallIntended"', "whole"), PASSED, IN_DOUBT),
    "killed-3-order": Case(killed('"createOrder".*"type":"CallFinished"'), PASSED, UNPAID),
    "killed-4-pay": Case(killed('"step":"pay","type":"StepStarted"', "whole"), PASSED, UNPAID),
    "killed-4-pay-charged": Case(killed('"step":"pay","type":"BrowserOpened"'), PASSED, PASSED),
    "killed-5-completed": Case(killed('"step":"completed","target":"api","type":"CallFinished"'), PASSED, PASSED),
    "killed-6-license": Case(killed('"step":"license","type":"StepFinished"'), PASSED, PASSED),
    "killed-7-transfers": Case(killed('"step":"transfers","type":"StepFinished"', "half"), PASSED, PASSED),
    "killed-8-refund-unsent": Case(killed('"requestRefund".*"type":"CallIntended"', "whole"), PASSED, PASSED),
    "killed-8-refund": Case(killed('"requestRefund".*"type":"CallFinished"'), PASSED, PASSED),
    "killed-9-revoked": Case(killed('"step":"revoked","target":"api","type":"CallFinished"'), PASSED, PASSED),
    "ended-passed": Case(passed, PASSED, PASSED),
    "ended-link-expired": Case(link_expired, UNPAID, UNPAID),
    "ended-license-not-revoked": Case(license_not_revoked, BACK_BUT_FAILED, BACK_BUT_FAILED),
    "ended-over-limit": Case(over_limit, REFUSED, REFUSED),
    "ended-abandoned": Case(abandoned, KEPT, KEPT),
    "ended-refund-failed-late": Case(refund_failed_late, NOT_BACK, NOT_BACK),
    "shop-before-payment": Case(shop_before_payment, PASSED, UNPAID),
    "shop-paid": Case(shop_paid, PASSED, PASSED),
    "shop-refund-pending": Case(shop_refund_pending, UNDER_WAY, PASSED),
    "prod-kept": Case(prod_kept, PASSED, PASSED),
    "prod-passed": Case(prod_passed, PASSED, PASSED),
}


def act_out(name: str, target: Path) -> None:
    """Act a case out in a folder of its own, and save what it leaves."""
    case = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        case.act(place)
        resume = place.words("resume", place.session)
        ends = {"at once": case.at_once, "six days later": case.later}
        save(place.folder, target / name, resume=resume, archive=place.archive, ends=ends)
    print(name, flush=True)


def main(names: list[str]) -> None:
    target = ROOT / "build" / "left-behind" if names else HERE / version("veza")
    if not names and target.exists():
        sys.exit(f"{target.relative_to(ROOT)} is there already, and what was left behind is never changed")
    for name in names or CASES:
        shutil.rmtree(target / name, ignore_errors=True)
        act_out(name, target)
    if not names:
        shutil.copytree(ROOT / "cassettes", target / "cassettes")


if __name__ == "__main__":
    main(sys.argv[1:])
