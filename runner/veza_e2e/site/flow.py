"""Draws the flow of money between buyer, processor, Veza and seller as inline SVG.

Shows only amounts that were seen. An arrow without one is dashed and says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from veza_e2e.evidence import Summary
from veza_e2e.frozen import dataclass
from veza_e2e.journal import Line
from veza_e2e.journal.addenda import Addendum, Attestation
from veza_e2e.journal.story import Story
from veza_e2e.report.booked import booked
from veza_e2e.report.escape import inline
from veza_e2e.report.told import amount

_UNSEEN = "not seen"


@dataclass(frozen=True, slots=True)
class Arrow:
    """A movement of money between two neighbours."""

    x1: int
    x2: int
    y: int
    what: str
    shown: str | None
    css: str


def money_flow(lines: Sequence[Line], summary: Summary, addenda: Sequence[Addendum | Attestation] = ()) -> Markup:
    """Return the SVG."""
    currency, rows = summary.money.currency, booked(Story(lines), addenda)
    arrows = [
        Arrow(140, 330, 62, "charged", _moved(summary.money.charged_cents, currency), "out"),
        Arrow(330, 140, 104, "refunded", _moved(summary.money.refunded_cents, currency), "back"),
        Arrow(450, 640, 62, "to the seller", _brief(rows.seller if rows else None), "out"),
        Arrow(640, 450, 104, "reversed", _brief(rows.reversed if rows and rows.back else None), "back"),
    ]
    boxes = [(20, "Buyer"), (330, "Processor"), (640, "Seller")]
    told = inline("; ".join(f"{a.what}: {a.shown or _UNSEEN}" for a in arrows))
    parts = [
        '<div class="veza-scroll" tabindex="0" role="region" aria-label="Where the money went">',
        f'<svg class="veza-flow" viewBox="0 0 780 190" role="img" aria-label="{told}">',
        '<defs><marker id="veza-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"',
        ' orient="auto">',
        '<path d="M0 0L8 4L0 8z"/></marker></defs>',
    ]
    parts += [_box(x, 40, name) for x, name in boxes]
    parts += [_arrow(arrow) for arrow in arrows]
    parts += [_box(330, 150, "Veza"), _fee(_brief(rows.fee if rows else None))]
    return Markup("\n".join([*parts, "</svg></div>"]))  # noqa: S704 - numbers, and texts that went through inline


def _brief(told: str | None) -> str | None:
    return told and told.partition(",")[0]


def _moved(cents: int | None, currency: str | None) -> str | None:
    return amount(cents, currency) if cents else None


def _box(x: int, y: int, name: str) -> str:
    height = 34 if name == "Veza" else 84
    return (
        f'<rect class="veza-box" x="{x}" y="{y}" width="120" height="{height}" rx="6"/>'
        f'<text class="veza-box-name" x="{x + 60}" y="{y + height // 2 + 5}" text-anchor="middle">{name}</text>'
    )


def _arrow(arrow: Arrow) -> str:
    css = arrow.css if arrow.shown else "unseen"
    x1, x2 = (arrow.x1 + 4, arrow.x2 - 4) if arrow.x1 < arrow.x2 else (arrow.x1 - 4, arrow.x2 + 4)
    return (
        f'<line class="veza-arrow veza-{css}" x1="{x1}" x2="{x2}" y1="{arrow.y}" y2="{arrow.y}" '
        f'marker-end="url(#veza-tip)"/>'
        f'<text class="veza-amount" x="{(x1 + x2) // 2}" y="{arrow.y - 8}" text-anchor="middle">'
        f"{inline(arrow.what)} {inline(arrow.shown or _UNSEEN)}</text>"
    )


def _fee(shown: str | None) -> str:
    css = "out" if shown else "unseen"
    return (
        f'<line class="veza-arrow veza-{css}" x1="390" x2="390" y1="126" y2="148" marker-end="url(#veza-tip)"/>'
        f'<text class="veza-amount" x="404" y="142">platform fee {inline(shown or _UNSEEN)}</text>'
    )
