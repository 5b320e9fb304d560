"""The types of the operations' arguments, as the contract bounds them."""

from __future__ import annotations

from typing import Annotated, NotRequired, Required, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

_ID = r"^[A-Za-z0-9_-]+$"

ProductId: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=_ID)]
WholeId: TypeAlias = Annotated[int, Field(strict=True)]
OrderId: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=_ID)]
IdempotencyKey: TypeAlias = Annotated[str, Field(min_length=1, max_length=255, pattern=_ID)]
PageNumber: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]
Limit: TypeAlias = Annotated[int, Field(ge=1, le=100)]
LicenseType: TypeAlias = Annotated[str, Field(min_length=1, max_length=64)]
Email: TypeAlias = Annotated[str, Field(min_length=3, max_length=254)]
Reason: TypeAlias = Annotated[str, Field(min_length=1, max_length=500)]
RefundCents: TypeAlias = Annotated[int, Field(ge=1)]


class Item(TypedDict):
    """A product to order."""

    product_id: Required[ProductId | WholeId]
    license_type: NotRequired[LicenseType]
