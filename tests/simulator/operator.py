"""The simulated operator: answers the prompts, pays at the page, runs the SQL, and makes the plan's mistakes."""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from simulator import database
from simulator.books import Order, Payment
from simulator.clock import Stuck
from simulator.plan import MINUTE
from simulator.world import World

from veza_e2e.ports.progress import Progress
from veza_e2e.ports.protocols import EndOfInput

Act = Callable[[Order, Payment], str | None]
MOST_ASKED = 25
_QUOTED = re.compile(r"`([^`]+)`")


class SimulatedOperator:
    """A person with a plan.

    Args:
        world: what they act on.
        tick: told of each question.
        nested: what they do in a second terminal, once, while a question waits.
    """

    by: Literal["operator", "script"] = "operator"

    def __init__(self, world: World, tick: Callable[[str], None], nested: Callable[[], None]) -> None:
        self.world = world
        self.plan = world.plan
        self._tick = tick
        self._nested = nested
        self._asked: Counter[str] = Counter()
        self._done: set[str] = set()
        self.careful = False
        self.shown: list[str] = []
        self.questions: Counter[str] = Counter()
        self.at_page: Order | None = None

    def begin(self) -> None:
        """A new command: questions may come again."""
        self._asked.clear()

    def open(self, url: str) -> bool:
        """Open the checkout page. The operator reads it, and pays later."""
        self._tick("browser: opens the page")
        self.world.catch_up()
        payment = self.world.payments.get(url.rpartition("/")[2])
        self.at_page = self.world.orders[payment.order] if payment else None
        return True

    def tell(self, text: str) -> None:
        self.shown.append(text)

    def pause(self, progress: Progress, sleep: Callable[[float], None]) -> str | None:
        """Wait, and type nothing."""
        sleep(progress.pause)
        return None

    def ask(
        self, question: str, text: str, *, timeout: float | None = None, progress: Progress | None = None
    ) -> str | None:
        self._tick(f"operator: asked {question}")
        self.questions[question] += 1
        self._asked[f"{question}\n{text}"] += 1
        if timeout is None and self._asked[f"{question}\n{text}"] > MOST_ASKED:
            raise Stuck(f"{question} is asked again and again: {text[-200:]}")
        self.world.clock.sleep(2)
        self._once("second", question == "paid", self._nested)
        self._interruptions(question)
        answer = self._answer(question, text, timeout)
        self.shown.append(f"? {text}\n> {answer}")
        return answer

    def _once(self, name: str, when: bool, act: Callable[[], None]) -> None:
        if when and name not in self._done and not self.careful:
            self._done.add(name)
            act()

    def _mistake(self, name: str, question: str, wanted: str) -> bool:
        """Whether this is the one time for the plan's mistake."""
        if self.plan.mistake != name or question != wanted or name in self._done or self.careful:
            return False
        self._done.add(name)
        return True

    def _interruptions(self, question: str) -> None:
        where = ("paid", "transfers", "refund")[self.plan.seed % 3]
        if self._mistake("interrupt", question, where):
            signal.raise_signal(signal.SIGINT)
        if self._mistake("end_of_input", question, where):
            raise EndOfInput

    def _answer(self, question: str, text: str, timeout: float | None) -> str | None:
        match question:
            case "product":
                return "99" if self._mistake("wrong_number", question, "product") else "1"
            case "amount":
                return self._amount(text)
            case "paid":
                return self._paid(timeout or 0)
            case "paid_elsewhere":
                return "n" if any(one.foreign and one.id in text for one in self.world.orders.values()) else "y"
            case "refund":
                keep = self._mistake("keep", question, "refund")
                return ("keep" if keep else "refund") if "`keep`" in text else ("n" if keep else "y")
            case _:
                return self._by_its_words(question, text)

    def _amount(self, text: str) -> str:
        if self._mistake("wrong_amount", "amount", "amount"):
            return "6.66 EUR"
        orders = [one for one in self.world.own_orders() if one.status == "pending_payment"]
        found = re.search(r"([0-9]+(?:\.[0-9]{2})?) ([A-Z]{3})", text.replace("\n", " "))
        if orders:
            return money(orders[-1].total, orders[-1].currency)
        return found[0] if found else ""

    def _by_its_words(self, question: str, text: str) -> str:
        """Answer a question by what its text offers."""
        if question.endswith("_right") and self.plan.paste == "doubted" and question not in self._done:
            self._done.add(question)
            return "n"
        if question.endswith("_late"):
            return "go on"
        if "[y/N]" in text or "[Y/n]" in text:
            return "n" if self._mistake("total_refused", question, "vat") else "y"
        offered = _QUOTED.findall(text)
        if "charge anyway" in offered or "charge anyway" in text:
            return "charge anyway"
        if question.endswith("_skipped") or "why?" in text.lower():
            return "no access to the database today"
        return offered[0] if offered else "y"

    # At the checkout.

    def _paid(self, timeout: float) -> str | None:
        if self._mistake("quit", "paid", "paid"):
            return "q"
        order = self.at_page
        if order is None:
            return self._leave(timeout)
        payment = self.world.payments[order.payment or ""]
        self.world.clock.sleep(40)
        self.world.catch_up()
        if payment.received or payment.status == "processing":
            return "" if self.careful or self.plan.checkout != "watch" else self._watch(timeout)
        if self.careful:
            return "" if self.world.pay(payment) else self._leave(timeout)
        acts: dict[str, Act] = {
            "decline": self._decline,
            "decline_then_pay": self._decline,
            "challenge": self._challenge,
            "early": self._early,
            "leave": lambda _order, _payment: self._leave(timeout),
            "late": lambda order, payment: self._pay(order, payment, timeout, waits=8),
        }
        act = acts.get(self.plan.checkout)
        return self._pay(order, payment, timeout) if act is None else act(order, payment)

    def _decline(self, order: Order, payment: Payment) -> str | None:
        final = self.plan.checkout == "decline"
        if "declined" not in self._done:
            self._done.add("declined")
            self.world.decline(payment, final=final)
            return None
        return self._leave(15) if final else self._pay(order, payment, 15)

    def _challenge(self, _order: Order, payment: Payment) -> str:
        self.world.challenge(payment)
        return ""

    def _early(self, order: Order, payment: Payment) -> str | None:
        if "early" not in self._done:
            self._done.add("early")
            return ""
        return self._pay(order, payment, 15)

    def _pay(self, order: Order, payment: Payment, timeout: float, waits: int = 0) -> str | None:
        if not self._waited(waits):
            return self._wait(timeout)
        if not self.world.pay(payment):
            return "q"
        if self.plan.checkout == "pay_twice":
            self.world.pay_again(order)
        if self.plan.checkout == "pay_and_close":
            raise EndOfInput
        return self._watch(timeout) if self.plan.checkout == "watch" else ""

    def _watch(self, timeout: float) -> str | None:
        """Wait for the order to move by itself, an hour or so."""
        return "" if self._waited(240) else self._wait(timeout)

    def _leave(self, timeout: float) -> str | None:
        return "q" if self._waited(8) else self._wait(timeout)

    def _wait(self, timeout: float) -> str | None:
        """Let the question wait."""
        self.world.clock.sleep(timeout)
        self.world.catch_up()
        return None

    def _waited(self, times: int) -> bool:
        self._asked["waited"] += 1
        return self._asked["waited"] > times

    # The rows.

    def paste(self, question: str, text: str, peek: Callable[[], str] | None = None) -> str:
        self._tick(f"operator: asked {question}")
        self.questions[question] += 1
        self._asked[question] += 1
        if self._asked[question] > MOST_ASKED:
            raise Stuck(f"{question} is asked again and again: {text[:200]}")
        self.shown.append(f"? {text}")
        self.world.clock.sleep(2 * MINUTE)
        self._interruptions("transfers")
        if self.plan.ledger == "skip" and not self.careful and self._asked[question] < 4:
            return "skip"
        pasted = self.printed(text)
        self.shown.append(f"> (pastes {len(pasted.splitlines())} lines)")
        return pasted

    def printed(self, text: str) -> str:
        """What psql prints for the SQL that a prompt or its file holds; sometimes only nearly."""
        sql = database.query_in(text) or database.query_in("\n".join(self.shown[-6:])) or self._in_file(text)
        if sql is None:
            raise Stuck(f"the prompt for rows shows no SQL: {text[:200]}")
        self.world.catch_up()
        # Whose paste was refused does what the prompt advises.
        kind = "csv" if self.careful or self._asked["pasted"] else self.plan.paste_format
        self._asked["pasted"] += 1
        good = database.printed(database.run(self.world, sql), kind)
        if self.careful or "pasted" in self._done:
            return good
        self._done.add("pasted")
        match self.plan.paste:
            case "cut":
                return good[: -(len(good.splitlines()[-1]) // 2 + 3)]
            case "error":
                return 'ERROR:  relation "seller_transfers" does not exist\nLINE 4:   FROM orders o LEFT JOIN'
            case "nothing":
                return ""
            case "foreign":
                own = self.world.own_orders()[-1].id
                return good.replace(own, "9" * len(own) if own.isdigit() else "0" + own[1:])
            case _:
                return good

    def _in_file(self, text: str) -> str | None:
        for word in re.findall(r"\S+\.sql", text):
            path = Path(word.strip("'\""))
            if path.is_file():
                return database.query_in(path.read_text(encoding="utf-8"))
        return None


def money(minor: int, currency: str) -> str:
    """An amount as people write it."""
    currency = currency.upper()
    return f"{minor} {currency}" if currency == "JPY" else f"{minor // 100}.{minor % 100:02d} {currency}"
