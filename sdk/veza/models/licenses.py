"""What a buyer may use."""

from __future__ import annotations

from veza.models._base import Id, LicenseType, Model, OpenEnum, Timestamp


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
    license_type: LicenseType
    """Which use it allows, in the seller's terms."""
    status: LicenseStatus
    """Whether it holds."""
    granted_at: Timestamp
    """When it was granted."""
    revoked_at: Timestamp | None = None
    """When it was revoked; None while it holds."""
