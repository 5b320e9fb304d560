"""Step 6: checks that the order granted a license."""

from __future__ import annotations

from collections.abc import Sequence

from veza import License, LicenseStatus
from veza_e2e.journal.findings import FindingCode
from veza_e2e.steps.context import Context, TimedOut
from veza_e2e.steps.results import Buyer, ChosenProduct, GrantedLicense, PlacedOrder
from veza_e2e.steps.step import Failed, resume_and, step
from veza_e2e.steps.waiting import licenses_said, waiting_for


@step("license", GrantedLicense)
def verify_license(context: Context, buyer: Buyer, product: ChosenProduct, order: PlacedOrder) -> GrantedLicense:
    """Find the license of this buyer, product and order (operation listMyLicenses)."""
    _ = buyer  # licenses/mine lists the licenses of the account that is logged in: the buyer

    def ours(licenses: Sequence[License]) -> list[License]:
        return [one for one in licenses if one.order_id == order.order_id and one.product_id == product.product_id]

    try:
        licenses = context.wait(
            lambda: ours(context.api.licenses.mine(order_id=order.order_id)),
            bool,
            timeout=context.options.grace,
            waiting=waiting_for(context, order, "waiting for the license"),
            told=licenses_said,
        )
    except TimedOut:
        raise Failed(
            FindingCode.LICENSE_MISSING,
            f"no license for order {order.order_id} and product {product.product_id} "
            f"{context.options.grace:.0f} s after the order was completed",
            meaning=context.account().said,
            todo=resume_and(context),
        ) from None
    if len(licenses) > 1:
        raise Failed(
            FindingCode.SEVERAL_LICENSES,
            f"order {order.order_id} granted {len(licenses)} licenses: {', '.join(one.id for one in licenses)}",
            meaning=context.account().said,
            todo=resume_and(context),
        )
    found = licenses[0]
    if found.status is not LicenseStatus.ACTIVE:
        raise Failed(
            FindingCode.LICENSE_NOT_ACTIVE,
            f"license {found.id} is {str(found.status)!r}, not active",
            meaning=context.account().said,
            todo=resume_and(context),
        )
    return GrantedLicense(
        license_id=found.id,
        status=str(found.status),
        product_id=found.product_id,
        order_id=found.order_id,
        granted_at=found.granted_at.isoformat(),
    )
