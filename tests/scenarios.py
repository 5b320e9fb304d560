"""Records the committed cassettes anew, through the command line: `python tests/scenarios.py [NAME …]`."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from at_terminal import as_csv
from surroundings import PATIENCE, kept

from veza_e2e.ports.ledger import RehearsalLedger

ROOT = Path(__file__).parents[1]
GOOD, DECLINED = "4242424242424242", "4000000000000002"
FINE = frozenset({0})
INCOMPLETE = frozenset({4})


class Workshop:
    """A folder of its own, in which veza-e2e runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**kept(os.environ), "HOME": str(folder), "BROWSER": "true", "PYTHONFAULTHANDLER": "1"}

    def start(self, *words: str) -> Person:
        """Start a command."""
        return Person([sys.executable, "-m", "veza_e2e", *words], self.folder, self.environment)

    def do(self, *words: str, codes: frozenset[int] = FINE) -> dict[str, object]:
        """Run a command to its end and return its JSON document."""
        person = self.start("--json", *words)
        return person.end(codes)

    @property
    def session(self) -> str:
        """The only session there is."""
        (folder,) = (self.folder / ".veza-e2e" / "recordings").iterdir()
        return folder.name

    @property
    def recording(self) -> Path:
        """What is recorded of it."""
        return self.folder / ".veza-e2e" / "recordings" / self.session / "recording.part"

    @contextmanager
    def backend(self) -> Iterator[httpx.Client]:
        """Run the session's rehearsal backend by itself."""
        database = f"sqlite:///{self.folder / '.veza-e2e' / 'rehearsal' / self.session / 'backend.db'}"
        server = self.start("rehearsal", "serve", "--port", "0", "--database", database)
        url = re.search(r"http://127\.0\.0\.1:\d+", server.until("books:"))
        try:
            with httpx.Client(base_url=url[0] if url else "", trust_env=False, timeout=PATIENCE) as client:
                yield client
        finally:
            server.process.terminate()
            server.process.communicate(timeout=PATIENCE)


class Person:
    """A command that runs, and what a person at its terminal reads and types."""

    def __init__(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.read = ""
        self._seen = 0
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def _follow(self) -> None:
        assert self.process.stderr is not None
        while data := os.read(self.process.stderr.fileno(), 65536):
            with self._more:
                self.read += data.decode(errors="replace")
                self._more.notify_all()

    def until(self, text: str) -> str:
        """Wait until something new was said that holds `text`; return what is new."""
        with self._more:
            said = self._more.wait_for(lambda: text in self.read[self._seen :], PATIENCE)
            assert said, f"{text!r} was never said: {self.read[self._seen :]!r}"
            new = self.read[self._seen :]
            self._seen += new.index(text) + len(text)
            return new

    def type(self, text: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def end(self, codes: frozenset[int] = FINE) -> dict[str, object]:
        """Wait for the end and return the JSON document."""
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        late = threading.Timer(PATIENCE, self.process.send_signal, [signal.SIGABRT])  # it tells then where it stood
        late.start()
        output = self.process.stdout.read()
        late.cancel()
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        assert code in codes, f"{code}: {self.read}"
        document: dict[str, object] = json.loads(output) if output.strip() else {}
        return document


def refund(shop: Workshop) -> None:
    """Everything, to the revoked license."""
    shop.do("run", "--unattended", "--refund")


def no_refund(shop: Workshop) -> None:
    """The purchase is kept."""
    shop.do("run", "--unattended", "--no-refund")


def declined_then_paid(shop: Workshop) -> None:
    """A person whose first card is declined, and who looks at the status before the second one is charged."""
    person = shop.start("--json", "run", "--refund")
    person.until("Which one do you buy?")
    person.type("1")
    person.until("Pay on that page")
    url = _page(person)
    _pay(url, DECLINED)
    person.type("s")
    person.until("the processor says failed")
    _pay(url, GOOD)
    person.until("ROLLBACK;")
    _paste(person, url)
    person.end()


def _pay(url: str, card: str) -> None:
    page = httpx.get(url, trust_env=False, timeout=PATIENCE).text
    attempt = re.search(r'name="attempt" value="(\d+)"', page)
    form = {"card_number": card, "expiry": "12/40", "cvc": "123", "attempt": attempt[1] if attempt else "0"}
    httpx.post(url, data=form, trust_env=False, timeout=PATIENCE)


def _printed(base_url: str, order: str) -> str:
    """What psql would print, in its CSV form."""
    with httpx.Client(base_url=base_url, trust_env=False, timeout=PATIENCE) as client:
        return as_csv(*(RehearsalLedger(client, read=True).rows("", order).rows or ()))


def slow_webhook(shop: Workshop) -> None:
    """The webhook is late, and the access token runs out meanwhile."""
    shop.do("run", "--unattended", "--refund", "--fault", "webhook_delay=4", "--fault", "jwt_ttl=2")


def refund_pending_resumed(shop: Workshop) -> None:
    """The refund takes longer than anybody waits, and is through when the session is resumed."""
    (shop.folder / "veza-e2e.toml").write_text('[limits]\npoll_timeout = "3s"\n', encoding="utf-8")
    shop.do("run", "--unattended", "--refund", "--fault", "refund_pending", codes=INCOMPLETE)
    with shop.backend() as client:
        client.post("/rehearsal/faults", json={"faults": []}).raise_for_status()
    shop.do("resume", shop.session)


def paid_not_completed(shop: Workshop) -> None:
    """The processor was paid, and its webhook never arrives."""
    (shop.folder / "veza-e2e.toml").write_text('[limits]\npoll_timeout = "3s"\n', encoding="utf-8")
    shop.do("run", "--unattended", "--refund", "--fault", "webhook_lost", codes=INCOMPLETE)


def killed(shop: Workshop) -> None:
    """The process is killed while it waits for the webhook, after the card was charged."""
    person = shop.start("--json", "run", "--unattended", "--refund", "--fault", "webhook_delay=1")
    person.until("5/9")
    _follow(lambda: shop.recording.read_text(encoding="utf-8").count('"step":"completed"') > 6)
    person.process.send_signal(signal.SIGKILL)
    person.end(frozenset({-signal.SIGKILL}))


def killed_and_resumed(shop: Workshop) -> None:
    """And the session is resumed."""
    killed(shop)
    shop.do("resume", shop.session)


def _follow(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < until
        threading.Event().wait(0.005)


def interrupted_and_resumed(shop: Workshop) -> None:
    """Ctrl-C at the checkout, then `q`, then a paste that is no answer: three processes of one session."""
    person = shop.start("--json", "run", "--refund")
    person.until("Which one do you buy?")
    person.type("1")
    person.until("Pay on that page")
    person.process.send_signal(signal.SIGINT)
    person.end(frozenset({130}))
    person = shop.start("--json", "resume", shop.session)
    person.until("Pay on that page")
    person.type("q")
    person.end(INCOMPLETE)
    person = shop.start("--json", "resume", shop.session)
    person.until("Pay on that page")
    url = _page(person)
    _pay(url, GOOD)
    person.until("ROLLBACK;")
    person.type("nonsense")
    person.type(".")
    person.until("cannot be used")
    _paste(person, url)
    person.end()


def _page(person: Person) -> str:
    return str(re.findall(r"http://127\.0\.0\.1:\d+/hyperswitch/payment_link/\S+", person.read)[-1])


def _paste(person: Person, url: str) -> None:
    """Paste the rows, and after the refund once more."""
    _paste_once(person, url)
    person.until("ROLLBACK;")
    _paste_once(person, url)


def _paste_once(person: Person, url: str) -> None:
    order = re.findall(r"WHERE o\.id = '([0-9a-f-]{36})'", person.read)[-1]
    person.type(_printed(url.partition("/hyperswitch")[0], order))
    person.type(".")
    person.until("[y/N]")
    person.type("y")


SCENARIOS: Mapping[str, Callable[[Workshop], None]] = {
    "refund": refund,
    "no-refund": no_refund,
    "declined-then-paid": declined_then_paid,
    "slow-webhook": slow_webhook,
    "refund-pending-resumed": refund_pending_resumed,
    "paid-not-completed": paid_not_completed,
    "killed-and-resumed": killed_and_resumed,
    "interrupted-and-resumed": interrupted_and_resumed,
}


def record(name: str, folder: Path) -> Path:
    """Act a scenario out in `folder` and return the cassette that was published there."""
    shop = Workshop(folder)
    SCENARIOS[name](shop)
    shop.do("cassettes", "keep", shop.session, name)
    return folder / "cassettes" / name


def main(names: list[str]) -> None:
    """Record the cassettes and put them in their place."""
    for name in names or list(SCENARIOS):
        with tempfile.TemporaryDirectory() as folder:
            kept = record(name, Path(folder))
            shutil.rmtree(ROOT / "cassettes" / name, ignore_errors=True)
            shutil.copytree(kept, ROOT / "cassettes" / name)
        print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
