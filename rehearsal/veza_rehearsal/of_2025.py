"""The dialect of 2025: the forms in which the public Go backend of July 2025 writes things.

The switch `dialect_2025` turns it on. Inside, the backend goes on as before; only what goes over the wire changes.
docs/rehearsal.md says of each trait which public fact it comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from veza_rehearsal.answers import RefusedError, error_text

if TYPE_CHECKING:
    from collections.abc import Mapping

SWITCH: Final = "dialect_2025"
_ZERO_TIME: Final = "0001-01-01T00:00:00Z"
_IDS: Final = frozenset({"id", "user_id", "buyer_id", "seller_id", "order_id", "product_id"})
_LARGEST_ID: Final = 2**128 - 1
_TOKENS: Final = frozenset({"token_type", "csrf_token"})
_OMITTED_ZEROS: Final = frozenset(
    {"tax_amount_cents", "refunded_amount_cents", "page", "per_page", "total", "total_pages"}
)


def number(text: str) -> int | str:
    """Give an id as the integer that stands for it; a processor's id, which is not a UUID, stays a text."""
    try:
        return UUID(text).int
    except ValueError:
        return text


def key(text: str | int) -> str:
    """Give the id that an integer, or its digits, stands for; what is neither stays as it is."""
    digits = str(text)
    if not (digits.isascii() and digits.isdecimal()) or int(digits) > _LARGEST_ID:
        return digits
    return str(UUID(int=int(digits)))


def understood(body: dict[str, Any]) -> dict[str, Any]:
    """Give a request's body with its integers as the ids that they stand for.

    Raises:
        RefusedError: An id is a text, and all products have integers (404; a real one answers 400, which the contract
            does not allow to a request that it calls valid).
    """
    items = body.get("items")
    if items is None:
        return body
    if any(isinstance(item["product_id"], str) for item in items):
        raise RefusedError(error_text(404, "No such product: their ids are integers"))
    return {**body, "items": [{**item, "product_id": key(item["product_id"])} for item in items]}


def answered(operation: str, body: Any) -> Any:
    """Give an answer's body in the forms of 2025."""
    if not isinstance(body, dict) or "success" not in body:
        return body
    spoken = {name: _written(member) for name, member in body.items() if name != "message" or member}
    if spoken.get("data") == []:
        spoken["data"] = None
    data = spoken.get("data")
    if operation == "refreshToken" and isinstance(data, dict):
        # A renewal gives no other refresh token: the one in hand goes on.
        data.pop("refresh_token", None)
    if operation == "getStatus" and isinstance(data, dict):
        data["services"] = {name: service["status"] for name, service in data["services"].items()}
    return spoken


def rows(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give rows of the books with their ids as the digits that the API shows."""
    return [{name: str(number(one)) if name in _IDS else one for name, one in row.items()} for row in table]


def _written(value: Any) -> Any:
    if isinstance(value, list):
        return [_written(member) for member in value]
    if not isinstance(value, dict):
        return value
    written = {name: _member(name, member) for name, member in value.items() if not _left_out(name, member)}
    return written | _not_there_yet(value)


def _member(name: str, value: Any) -> Any:
    if name in _IDS and isinstance(value, str):
        return number(value)
    if name == "currency":
        return value.lower()
    return None if name == "license_types" else _written(value)


def _left_out(name: str, value: Any) -> bool:
    return name in _TOKENS or (name in _OMITTED_ZEROS and value == 0)


def _not_there_yet(value: Mapping[str, Any]) -> dict[str, Any]:
    """What Go writes for members of an order, a license or a user that are not there yet."""
    texts: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    more: dict[str, Any] = {}
    if "total_amount_cents" in value:
        texts, times = ("refund_id", "refund_status"), ("completed_at", "refunded_at")
    elif "granted_at" in value:
        times = ("revoked_at",)
    elif "username" in value:
        more = {"avatar": {"String": "", "Valid": False}, "is_active": False}
    absent = {name: "" for name in texts if value.get(name) is None}
    return absent | {name: _ZERO_TIME for name in times if value.get(name) is None} | more
