"""`dataclass` as the standard library's, made in two thirds of the time.

The library compiles `==`, `hash` and `repr` anew for each class, which costs a process that has 170 of them a tenth of
its time. Here all frozen ones share three functions.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, **options: bool) -> Any:
        """Make a dataclass; for its arguments see `dataclasses.dataclass`."""
        if cls is None:
            return lambda given: dataclass(given, frozen=frozen, **options)
        if not frozen:
            return dataclasses.dataclass(cls, **options)
        made = dataclasses.dataclass(cls, frozen=True, repr=False, eq=False, **options)
        for name, method in (("__eq__", _equal), ("__hash__", _hashed), ("__repr__", _shown)):
            if name not in vars(cls):
                setattr(made, name, method)
        return made


def _equal(self: Any, other: object) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    kind: Any = type(self)
    values = _compared(kind)
    return values(self) == values(other)


def _hashed(self: Any) -> int:
    kind: Any = type(self)
    return hash(_compared(kind)(self))


@recursive_repr()
def _shown(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self) if one.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


@cache
def _compared(cls: Any) -> Any:
    """Return what gives the values of an instance that count where two are compared."""
    names = [one.name for one in dataclasses.fields(cls) if one.compare]
    return attrgetter(*names) if names else lambda _: ()
