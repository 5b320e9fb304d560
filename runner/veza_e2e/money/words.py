"""The sentences about the money for a step that ends early, in one place."""

from __future__ import annotations

from veza_e2e.journal.events import StepName

UNCHARGED = "Nothing was charged."
UNPAID = "The order was not paid; nothing was charged."
UNKNOWN = "Whether the card was charged is not known."
UNASKED = "By the order nothing was charged; the processor was not asked."
PAGE_OPEN = "The order may be paid as long as its page is open."
OUT = "The card was charged; the refund is still open."
CHARGED = "The card was charged. The refund is open: resume the session to get the money back."
RESUME = "Resume to refund, and report the finding to the backend's makers."
MONEY: dict[StepName, str] = {
    "login": UNCHARGED,
    "products": UNCHARGED,
    "order": UNCHARGED,
    "pay": PAGE_OPEN,
    "completed": "Whether the card was charged was not seen.",
    "license": OUT,
    "transfers": OUT,
    "refund": OUT,
    "revoked": "The card was charged, the refund was asked for.",
}
"""What to say about the money if a step ends without a response."""
