"""The append-only log of a session: one event per line, chained by hashes, fsynced before anything acts on it."""

from veza_e2e.journal.chain import (
    GENESIS,
    DamagedError,
    JournalError,
    Line,
    Reading,
    Scan,
    chain,
    each_line,
    parse,
    read,
    scan,
    timestamp,
)
from veza_e2e.journal.file import FileSink, LockedError, MemorySink, Sink, UnwritableError, is_locked
from veza_e2e.journal.log import Journal

__all__ = [
    "GENESIS",
    "DamagedError",
    "FileSink",
    "Journal",
    "JournalError",
    "Line",
    "LockedError",
    "MemorySink",
    "Reading",
    "Scan",
    "Sink",
    "UnwritableError",
    "chain",
    "each_line",
    "is_locked",
    "parse",
    "read",
    "scan",
    "timestamp",
]
