"""Collects what a report states beside the steps: money, ids, the operator's risks, related documents."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from veza.money import Money
from veza_e2e.evidence import Summary
from veza_e2e.journal.events import SessionStarted
from veza_e2e.journal.story import Story, cents_of, text_of
from veza_e2e.report.escape import inline


@dataclass(frozen=True, slots=True)
class Fact:
    """A name with a value."""

    name: str
    value: str | Markup


def amount(cents: int | None, currency: str | None) -> str:
    """Return an amount as shown to people."""
    if cents is None:
        return "unknown"
    try:
        return str(Money(cents, currency or ""))
    except ValueError:
        return f"{cents} minor units" if cents else "nothing"


def facts(summary: Summary, story: Story) -> list[Fact]:
    """Return the money and the ids that were seen."""
    product, order, transfers = story.result("products"), story.result("order"), story.result("transfers")
    currency = summary.money.currency
    rows = transfers.get("rows")
    listed = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list | tuple) else []
    seller = sum(cents_of(row.get("amount_cents")) or 0 for row in listed)
    fee = sum(cents_of(row.get("platform_fee_cents")) or 0 for row in listed)
    known = [
        ("Charged to the card", amount(summary.money.charged_cents, currency)),
        ("Refunded", amount(summary.money.refunded_cents, currency)),
        ("Product", text_of(product.get("title"))),
        ("List price", _some(cents_of(product.get("price_cents")), text_of(product.get("currency")))),
        ("VAT", _some(cents_of(order.get("tax_cents")), currency)),
        ("Order total", _some(cents_of(order.get("total_cents")), currency)),
        ("To the seller", amount(seller, currency) if listed else None),
        ("Platform fee", amount(fee, currency) if listed else None),
        ("Session", summary.session),
        ("Order", summary.order_id),
        ("Payment", summary.payment_id),
        ("Refund", summary.refund_id),
        ("License", text_of(story.result("license").get("license_id"))),
        ("Product id", text_of(product.get("product_id"))),
        ("Seller", text_of(product.get("seller_id"))),
        ("Account", story.started.account if story.started else None),
        ("Operator", story.started.operator if story.started else None),
        ("Backend", story.started.base_url if story.started else None),
        ("Began", moment(summary.started_at)),
        ("Last event", moment(summary.last_at)),
        ("Dry-run", f"{summary.dry_run['session']} (last hash {summary.dry_run['hash']})" if summary.dry_run else None),
        ("Tools", ", ".join(f"{k} {v}" for k, v in sorted(story.started.tools.items())) if story.started else None),
    ]
    return [Fact(name, value) for name, value in known if value]


def _some(cents: int | None, currency: str | None) -> str | None:
    return None if cents is None else amount(cents, currency)


def moment(at: str) -> str:
    """Return an RFC 3339 time as shown to people, to the second."""
    return f"{at[:10]} {at[11:19]} UTC"


def risks(summary: Summary, story: Story, started: SessionStarted) -> list[Fact]:
    """Return the operator's risks, with what this session shows about each."""
    price = _some(cents_of(story.result("products").get("price_cents")), summary.money.currency)
    limit = amount(started.max_amount_cents, started.max_amount_currency)
    vat = cents_of(story.result("order").get("tax_cents"))
    return [
        Fact("Test product of about 5 EUR", f"The product cost {price or 'an unknown amount'}; the limit was {limit}."),
        Fact("Personal card, not corporate", "The operator pays with their own card and gets the refund there."),
        Fact(
            "Sandbox against live confusion",
            f"The backend called itself {_reported(story)}; live was {'' if started.live_requested else 'not '}asked "
            f"for; funds were {summary.funds}.",
        ),
        Fact(
            "VAT line in the EU",
            "The order was not reached." if vat is None
            else f"VAT on the order: {amount(vat, summary.money.currency)}. The total was shown before the payment.",
        ),
        Fact(
            "Bank-statement lag inside the refund window",
            "The statement shows the refund after 5 to 7 business days, or the charge vanishes without a credit line.",
        ),
    ]  # fmt: skip


def _reported(story: Story) -> str:
    return (story.gate.reported_environment if story.gate else None) or "nothing"


def artefacts(started: SessionStarted) -> list[Fact]:
    """Return the commands and documents that belong to the session."""
    live = " --live" if started.live_requested else ""
    release = f" --release {started.release}" if started.release else ""
    commands = [
        Fact("Pre-flight", _command(f"veza-e2e --env {started.environment} preflight{live}")),
        Fact("Walkthrough", _command(f"veza-e2e --env {started.environment} run{live}{release}")),
    ]
    names = {
        "canary_release": "Canary release document",
        "go_no_go": "GO/NO-GO checklist",
        "hyperswitch_dashboard": "Hyperswitch dashboard",
        "stripe_dashboard": "Stripe dashboard",
    }
    return commands + [Fact(title, _linked(started.links.get(name))) for name, title in names.items()]


def _command(text: str) -> Markup:
    return Markup("<code>{}</code>").format(inline(text))


def _linked(target: str | None) -> str | Markup:
    if target is None:
        return "not configured"
    if not target.startswith(("https://", "http://")):
        return target
    return Markup('<a href="{0}">{0}</a>').format(inline(target))
