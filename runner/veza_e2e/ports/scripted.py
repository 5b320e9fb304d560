"""Answers and pays in the operator's place; for the rehearsal backend only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Literal

import httpx

from veza_e2e.ports.progress import Beats, Progress
from veza_e2e.ports.protocols import EndOfInput

_ANSWERS = {"product": "1", "paid": "", "vat": "y", "transfers_right": "y", "refund": "refund", "amount": ""}
_MAX_PAGES = 6


class ScriptedOperator:
    """Answers every question so that the walkthrough continues."""

    by: Literal["operator", "script"] = "script"

    def __init__(self) -> None:
        self._beats = Beats()

    def ask(
        self, question: str, text: str, *, timeout: float | None = None, progress: Progress | None = None
    ) -> str | None:
        """See `protocols.Operator`."""
        if question not in _ANSWERS:
            raise EndOfInput
        return _ANSWERS[question]

    def pause(self, progress: Progress, sleep: Callable[[float], None]) -> str | None:
        """See `protocols.Operator`; the wait is told in plain lines."""
        self._beats.sleep(progress, sleep)
        return None

    def paste(self, question: str, text: str, peek: Callable[[], str] | None = None) -> str:
        """See `protocols.Operator`; an unattended run reads the books and is never asked to paste."""
        raise EndOfInput

    def tell(self, text: str) -> None:
        """Show nothing, since nobody reads it."""


class _Forms(HTMLParser):
    """The forms of a page, each with its target and fields."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
        elif self.forms and tag in {"input", "button"} and given.get("name"):
            fields = self.forms[-1][1]
            if tag == "input" or given["name"] not in fields:
                fields[given["name"]] = given.get("value", "")


class ScriptedBrowser:
    """Pays through the checkout page's own form, with a test card; completes a 3-D Secure challenge.

    Args:
        client: reaches the rehearsal backend, and follows no link to another host.
        card: the values for the form, by field name.
    """

    by: Literal["operator", "script"] = "script"

    def __init__(self, client: httpx.Client, card: Mapping[str, str]) -> None:
        self._client = client
        self._card = card

    def open(self, url: str) -> bool:
        """See `protocols.Browser`. Returns False if the payment could not be made."""
        try:
            page = self._followed(self._client.get(url))
            for _ in range(_MAX_PAGES):
                parser = _Forms()
                parser.feed(page.text)
                if page.status_code != httpx.codes.OK or not parser.forms or not self._on_site(page):
                    break
                action, fields = self._choose(parser.forms)
                page = self._followed(self._client.post(page.url.join(action), data=fields))
        except httpx.HTTPError:
            return False
        return page.is_success

    def _followed(self, page: httpx.Response) -> httpx.Response:
        return self._client.get(page.url.join(page.headers["location"])) if page.is_redirect else page

    def _choose(self, forms: list[tuple[str, dict[str, str]]]) -> tuple[str, dict[str, str]]:
        action, fields = forms[0]
        return action, {**fields, **{name: value for name, value in self._card.items() if name in fields}}

    def _on_site(self, page: httpx.Response) -> bool:
        return page.url.host == self._client.base_url.host and page.url.port == self._client.base_url.port
