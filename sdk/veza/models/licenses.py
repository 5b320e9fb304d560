"""What a buyer may use."""

from __future__ import annotations

from veza.models._base import Id, LicenseTold, Maybe, Model, OpenEnum, Timestamp, Unsaid


class LicenseStatus(OpenEnum):
    """Whether a license holds."""

    ACTIVE = "active"
    REVOKED = "revoked"


class License(Model):
    """A license (operation listMyLicenses)."""

    id: Id
    """The license's id."""
    order_id: Id
    """The order that it was bought with."""
    product_id: Id
    """The product that it allows the use of."""
    license_type: Unsaid[LicenseTold] = None
    """Which use it allows, in the seller's terms; None where the backend does not say."""
    status: LicenseStatus
    """Whether it holds."""
    granted_at: Timestamp
    """When it was granted."""
    revoked_at: Maybe[Timestamp] = None
    """When it was revoked; None while it holds."""
