"""A fake backend to try the client on by hand: its buyers pay, and its refunds come through, at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from veza.testing._backend import FakeBackend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from veza.testing._reply import Reply


class ObligingBackend(FakeBackend):
    """A backend whose buyers pay before an order is read, and whose refunds come through at once."""

    def receive(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a request, after what the shop's buyers do meanwhile."""
        read = url.rpartition("/orders/")[2]
        if method == "GET" and read in self.shop.orders:
            self.shop.pay(read)
        reply = super().receive(method, url, headers, body)
        if reply.status == 202:  # noqa: PLR2004  (a refund was asked for)
            self.shop.settle_refund(json.loads(reply.content())["data"]["order"]["id"])
        return reply
