"""Veza: the typed client of the Veza music marketplace. Each name is loaded when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from veza import errors as errors
    from veza import hooks as hooks
    from veza import models as models
    from veza import money as money
    from veza import stores as stores
    from veza import testing as testing
    from veza import tokens as tokens
    from veza._async.client import AsyncVeza
    from veza._async.paging import AsyncListing, AsyncPage
    from veza._async.shared import AsyncSharedLogin
    from veza._clock import AsyncClock, AsyncSystemClock, Clock, SystemClock
    from veza._ids import IntegerId
    from veza._listed import Listed
    from veza._options import CallOptions
    from veza._raw import RawResponse
    from veza._response import ResponseInfo
    from veza._secret import Secret
    from veza._sync.client import Veza
    from veza._sync.paging import Page
    from veza._sync.shared import SharedLogin
    from veza._version import __version__
    from veza._waited import Waited
    from veza.errors import (
        APIConnectionError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        ConflictError,
        DeadlineExceededError,
        InternalServerError,
        InvalidArgumentError,
        InvalidRequestError,
        InvalidResponseError,
        LeaseEndedError,
        LockedError,
        NotFoundError,
        PermissionDeniedError,
        RateLimitError,
        TokenStoreError,
        UnexpectedStatusError,
        UnprocessableEntityError,
        VezaError,
    )
    from veza.hooks import Attempt, Hooks
    from veza.models import (
        CheckoutOrder,
        Health,
        HealthState,
        License,
        LicenseStatus,
        Login,
        Meta,
        Order,
        OrderItem,
        OrderStatus,
        PaymentStatus,
        ProcessorMode,
        Product,
        ProductStatus,
        Refund,
        RefundedOrder,
        RefundStatus,
        Role,
        Service,
        ServiceState,
        Status,
        Tokens,
        User,
    )
    from veza.money import Money
    from veza.tokens import (
        AsyncFileTokenStore,
        AsyncTokenProvider,
        AsyncTokenStore,
        FileTokenStore,
        TokenProvider,
        TokenStore,
    )

_HOMES: Final = {
    "veza._async.client": ("AsyncVeza",),
    "veza._async.paging": ("AsyncListing", "AsyncPage"),
    "veza._async.shared": ("AsyncSharedLogin",),
    "veza._clock": ("AsyncClock", "AsyncSystemClock", "Clock", "SystemClock"),
    "veza._ids": ("IntegerId",),
    "veza._listed": ("Listed",),
    "veza._options": ("CallOptions",),
    "veza._raw": ("RawResponse",),
    "veza._response": ("ResponseInfo",),
    "veza._secret": ("Secret",),
    "veza._sync.client": ("Veza",),
    "veza._sync.paging": ("Page",),
    "veza._sync.shared": ("SharedLogin",),
    "veza._version": ("__version__",),
    "veza._waited": ("Waited",),
    "veza.errors": (
        "APIConnectionError", "APIStatusError", "APITimeoutError", "AuthenticationError", "BadRequestError",
        "ConflictError", "DeadlineExceededError", "InternalServerError", "InvalidArgumentError", "InvalidRequestError",
        "InvalidResponseError", "LeaseEndedError", "LockedError", "NotFoundError", "PermissionDeniedError",
        "RateLimitError", "TokenStoreError", "UnexpectedStatusError", "UnprocessableEntityError", "VezaError",
    ),
    "veza.hooks": ("Attempt", "Hooks"),
    "veza.models": (
        "CheckoutOrder", "Health", "HealthState", "License", "LicenseStatus", "Login", "Meta", "Order", "OrderItem",
        "OrderStatus", "PaymentStatus", "ProcessorMode", "Product", "ProductStatus", "Refund", "RefundStatus",
        "RefundedOrder", "Role", "Service", "ServiceState", "Status", "Tokens", "User",
    ),
    "veza.money": ("Money",),
    "veza.tokens": (
        "AsyncFileTokenStore", "AsyncTokenProvider", "AsyncTokenStore", "FileTokenStore", "TokenProvider", "TokenStore",
    ),
}  # fmt: skip

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncClock",
    "AsyncFileTokenStore",
    "AsyncListing",
    "AsyncPage",
    "AsyncSharedLogin",
    "AsyncSystemClock",
    "AsyncTokenProvider",
    "AsyncTokenStore",
    "AsyncVeza",
    "Attempt",
    "AuthenticationError",
    "BadRequestError",
    "CallOptions",
    "CheckoutOrder",
    "Clock",
    "ConflictError",
    "DeadlineExceededError",
    "FileTokenStore",
    "Health",
    "HealthState",
    "Hooks",
    "IntegerId",
    "InternalServerError",
    "InvalidArgumentError",
    "InvalidRequestError",
    "InvalidResponseError",
    "LeaseEndedError",
    "License",
    "LicenseStatus",
    "Listed",
    "LockedError",
    "Login",
    "Meta",
    "Money",
    "NotFoundError",
    "Order",
    "OrderItem",
    "OrderStatus",
    "Page",
    "PaymentStatus",
    "PermissionDeniedError",
    "ProcessorMode",
    "Product",
    "ProductStatus",
    "RateLimitError",
    "RawResponse",
    "Refund",
    "RefundStatus",
    "RefundedOrder",
    "ResponseInfo",
    "Role",
    "Secret",
    "Service",
    "ServiceState",
    "SharedLogin",
    "Status",
    "SystemClock",
    "TokenProvider",
    "TokenStore",
    "TokenStoreError",
    "Tokens",
    "UnexpectedStatusError",
    "UnprocessableEntityError",
    "User",
    "Veza",
    "VezaError",
    "Waited",
    "__version__",
]


_MODULES: Final = ("errors", "hooks", "models", "money", "stores", "testing", "tokens")

if not TYPE_CHECKING:  # else a type checker believes every misspelt name

    def __getattr__(name: str) -> object:
        if name in __all__ or name in _MODULES:
            from importlib import import_module  # noqa: PLC0415  (an import that needs no name does without)

            if name in _MODULES:
                return import_module(f"veza.{name}")
            for home, names in _HOMES.items():
                if name in names:
                    value: object = getattr(import_module(home), name)
                    globals()[name] = value
                    return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted((*__all__, *_MODULES))
