"""The interface of the backend's database: SQLite or PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

Row: TypeAlias = dict[str, Any]
Value: TypeAlias = str | int | None


class Database(Protocol):
    """One connection, used only by the thread of the event loop."""

    failures: tuple[type[Exception], ...]
    """The exceptions raised when the database cannot be reached."""

    def all(self, sql: str, *values: Value) -> list[Row]:
        """Return the rows of a query."""
        ...

    def one(self, sql: str, *values: Value) -> Row | None:
        """Return the first row of a query, if any."""
        ...

    def run(self, sql: str, *values: Value) -> int:
        """Run a statement; return the number of changed rows."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Commit at the end of the block; roll back if the block raises."""
        ...

    def answers(self) -> bool:
        """Whether the database can be reached."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
