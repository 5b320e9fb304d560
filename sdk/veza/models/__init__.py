"""The models of the API, one module for each resource; each is built when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from veza.models._base import Model, OpenEnum
    from veza.models.auth import Login, Role, Tokens, User
    from veza.models.licenses import License, LicenseStatus
    from veza.models.orders import (
        CheckoutOrder,
        Order,
        OrderItem,
        OrderStatus,
        PaymentStatus,
        Refund,
        RefundedOrder,
        RefundStatus,
    )
    from veza.models.paging import Meta
    from veza.models.products import Product, ProductStatus
    from veza.models.system import Health, HealthState, ProcessorMode, Service, ServiceState, Status

_HOMES: Final = {
    "_base": ("Model", "OpenEnum"),
    "auth": ("Login", "Role", "Tokens", "User"),
    "licenses": ("License", "LicenseStatus"),
    "orders": (
        "CheckoutOrder",
        "Order",
        "OrderItem",
        "OrderStatus",
        "PaymentStatus",
        "Refund",
        "RefundStatus",
        "RefundedOrder",
    ),
    "paging": ("Meta",),
    "products": ("Product", "ProductStatus"),
    "system": ("Health", "HealthState", "ProcessorMode", "Service", "ServiceState", "Status"),
}

__all__ = [
    "CheckoutOrder",
    "Health",
    "HealthState",
    "License",
    "LicenseStatus",
    "Login",
    "Meta",
    "Model",
    "OpenEnum",
    "Order",
    "OrderItem",
    "OrderStatus",
    "PaymentStatus",
    "ProcessorMode",
    "Product",
    "ProductStatus",
    "Refund",
    "RefundStatus",
    "RefundedOrder",
    "Role",
    "Service",
    "ServiceState",
    "Status",
    "Tokens",
    "User",
]


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415

    for home, names in _HOMES.items():
        if name in names:
            value: object = getattr(import_module(f"{__name__}.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
