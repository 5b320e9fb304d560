"""What the backend asks of a database, whichever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

Row: TypeAlias = dict[str, Any]
Value: TypeAlias = str | int | None


class Database(Protocol):
    """One connection; its user is the event loop's thread alone."""

    failures: tuple[type[Exception], ...]
    """What is raised where the database cannot be asked."""

    def all(self, sql: str, *values: Value) -> list[Row]:
        """Give the rows that the query selects."""
        ...

    def one(self, sql: str, *values: Value) -> Row | None:
        """Give the first row that the query selects, if any."""
        ...

    def run(self, sql: str, *values: Value) -> int:
        """Carry out a statement; gives the number of rows it changed."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Commit at the end of the block; roll back when an exception leaves it."""
        ...

    def answers(self) -> bool:
        """Say whether the database can be asked."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
