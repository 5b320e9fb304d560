"""The rehearsal backend's books: asked of no other backend, and not before the operator wants to see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest

from veza.testing import Reply
from veza_e2e.ports.ledger import RehearsalLedger

if TYPE_CHECKING:
    from runner.conftest import Walk

HTML = httpx.Response(200, content=b"<html>")


@dataclass
class Books:
    """A backend on this machine that answers something to whoever asks for its books."""

    answer: httpx.Response
    asked: list[str] = field(default_factory=list)

    def ledger(self, *, read: bool) -> RehearsalLedger:
        def handle(request: httpx.Request) -> httpx.Response:
            self.asked.append(request.url.path)
            return self.answer

        return RehearsalLedger(
            httpx.Client(base_url="http://veza.test", transport=httpx.MockTransport(handle)), read=read
        )


def skipping(walk: Walk, books: Books, *, rehearsal: bool) -> list[str]:
    """Walk with a person who looks at the books where they can, and skips the rows; return what they saw."""
    walk.goes_through()
    if rehearsal:
        status = {"environment": "test", "services": {"hyperswitch": "ok"}}
        walk.backend.script("getStatus", Reply(data=status, headers={"X-Veza-Rehearsal": "1"}))
    walk.ledger = books.ledger(read=False)  # type: ignore[assignment]  # the walk's own holds rows
    seen: list[str] = []

    def paste(question: str, text: str, peek: Callable[[], str] | None = None) -> str:
        assert question in {"transfers", "reversals"}
        assert len(books.asked) == len(seen), "they have not asked yet"
        seen.extend([peek()] if peek is not None else [])
        assert ("`s` shows what psql would print" in text) is (peek is not None)
        return "skip"

    walk.person.paste = paste  # type: ignore[method-assign]  # this person looks first
    walk.person.always = {**walk.person.always, "transfers_skipped": "later", "reversals_skipped": "later"}
    walk.begin()
    summary = walk.go_on()
    assert (summary.outcome, summary.step("transfers").status) == ("passed", "skipped")
    return seen


def test_a_backend_that_is_no_rehearsal_is_never_asked_for_its_books(walk: Walk) -> None:
    books = Books(HTML)
    assert skipping(walk, books, rehearsal=False) == []
    assert books.asked == []


def test_an_answer_that_is_no_books_is_said_to_who_asks_and_the_rows_can_be_given(walk: Walk) -> None:
    books = Books(HTML)
    seen = skipping(walk, books, rehearsal=True)
    assert seen == ["the rehearsal backend's books cannot be read: its answer is no books"] * 2
    assert books.asked == ["/rehearsal/books"] * 2


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (HTML, "its answer is no books"),
        (httpx.Response(200, json=[]), "its answer is no books"),
        (httpx.Response(200, json={"transfers": [1]}), "its answer is no books"),
        (httpx.Response(200, json={"transfers": None}), "its answer is no books"),
        (httpx.Response(404), "it answered 404"),
    ],
)
def test_an_unattended_run_says_why_it_has_no_rows(answer: httpx.Response, why: str) -> None:
    reading = Books(answer).ledger(read=True).rows("", "order")
    assert (reading.rows, reading.reason) == (None, f"the rehearsal backend's books cannot be read: {why}")
