"""Money: integer minor units and a currency. Exact; a float never enters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?")
_FORMAT: Final = re.compile(r"([^0-9]?[<>^])?([1-9][0-9]{0,3})?s?", re.DOTALL)
_TEXT: Final = re.compile(r"(?P<amount>[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?)\s+(?P<currency>[A-Z]{3})")

# ISO 4217: the currencies whose minor unit is not a hundredth.
_DIGITS: Final = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)  # noqa: SIM905
    | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
    | dict.fromkeys(("CLF", "UYW"), 4)
)


def minor_digits(currency: str) -> int:
    """Return how many decimals the currency's major unit has (ISO 4217): 2 for EUR, 0 for JPY."""
    return _DIGITS.get(currency.upper(), 2)


def to_minor(amount: str | Decimal | int, currency: str) -> int:
    """Turn an amount in major units into minor units, exactly.

    Args:
        amount: decimal text (`"5.00"`), a Decimal or an int; never a float.
        currency: the ISO 4217 code.

    Raises:
        TypeError: the amount is a float or a bool.
        ValueError: the amount is not a number, or finer than the minor unit.
    """
    given: object = amount
    if isinstance(given, bool) or not isinstance(given, str | Decimal | int):
        raise TypeError(f"an amount is text, a Decimal or an int, not {type(amount).__name__}")
    if isinstance(amount, str) and not _DECIMAL.fullmatch(amount):
        raise ValueError("the amount is not a decimal number")
    try:
        sign, digits, exponent = Decimal(amount).as_tuple()
    except InvalidOperation:
        raise ValueError("the amount is not a decimal number") from None
    if not isinstance(exponent, int):
        raise ValueError("the amount is not a finite number")  # noqa: TRY004  (NaN is a Decimal, of a wrong value)
    number = int("".join(map(str, digits)))
    shift = exponent + minor_digits(currency)
    scale: int = 10 ** abs(shift)
    number, rest = (number * scale, 0) if shift >= 0 else divmod(number, scale)
    if rest:
        raise ValueError(f"the amount is finer than the minor unit of {currency}")
    return -number if sign else number


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount of one currency.

    Sums, differences, whole multiples and comparisons are exact and need one currency.

    Attributes:
        minor: the amount in the currency's minor unit (cents).
        currency: the ISO 4217 code.

    Raises:
        TypeError: `minor` is not an int (a float is refused).
        ValueError: `currency` is not three capital letters.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        minor: object = self.minor
        if isinstance(minor, bool) or not isinstance(minor, int):
            raise TypeError(f"minor units are an int, not {type(minor).__name__}")
        currency: object = self.currency
        if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
            raise ValueError("a currency is three capital letters (ISO 4217)")

    @classmethod
    def from_major(cls, amount: str | Decimal | int, currency: str) -> Money:
        """Read an amount in major units: `from_major("5.00", "EUR")`. As `to_minor` for its errors."""
        return cls(to_minor(amount, currency), currency)

    @classmethod
    def parse(cls, text: str) -> Money:
        """Read what `str` writes: `"5.00 EUR"`.

        Raises:
            ValueError: the text is not an amount, a space and a currency.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError('money is written as "5.00 EUR"')
        return cls.from_major(found["amount"], found["currency"])

    @property
    def major(self) -> Decimal:
        """The amount in major units, with the currency's decimals."""
        return Decimal(f"{self.minor}e-{minor_digits(self.currency)}")

    def __str__(self) -> str:
        return f"{self.major:f} {self.currency}"

    def __format__(self, spec: str) -> str:
        """Fill and align, as `f"{price:>12}"`.

        Raises:
            ValueError: the format has a precision, which would cut digits off, or fills with zeros, or is not one.
        """
        if not _FORMAT.fullmatch(spec):
            raise ValueError("money is formatted with fill, alignment and width only, such as >12")
        return format(str(self), spec)

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} are two currencies")
        return other.minor

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor + self._same(other), self.currency)

    def __radd__(self, start: int) -> Money:
        """Let `sum` begin with its 0, which has no currency."""
        given: object = start
        return self if given == 0 and type(given) is int else NotImplemented

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor - self._same(other), self.currency)

    def __mul__(self, count: int) -> Money:
        if isinstance(count, bool) or not isinstance(count, int):
            return NotImplemented
        return Money(self.minor * count, self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.minor), self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor >= self._same(other)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept Money, or an object with an integer `minor` and a `currency`; write such an object."""
        from pydantic_core import core_schema  # noqa: PLC0415  (only a model with such a field needs it)

        fields = core_schema.typed_dict_schema(
            {
                "minor": core_schema.typed_dict_field(core_schema.int_schema(strict=True)),
                "currency": core_schema.typed_dict_field(core_schema.str_schema(strict=True, pattern="^[A-Z]{3}$")),
            },
            extra_behavior="forbid",
        )
        made = core_schema.no_info_after_validator_function(lambda given: cls(**given), fields)
        return core_schema.union_schema(
            [core_schema.is_instance_schema(cls), made],
            mode="left_to_right",
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda money: {"minor": money.minor, "currency": money.currency}
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        return {
            "type": "object",
            "properties": {"minor": {"type": "integer"}, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
            "required": ["minor", "currency"],
            "additionalProperties": False,
        }
