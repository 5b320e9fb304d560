"""The append-only log of a session: one event per line, chained by hashes, fsynced before anything acts on it."""

from veza_e2e.journal.chain import GENESIS, DamagedError, JournalError, Line, Reading, chain, parse, read, timestamp
from veza_e2e.journal.file import FileSink, LockedError, MemorySink, Sink, UnwritableError
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
    "Sink",
    "UnwritableError",
    "chain",
    "parse",
    "read",
    "timestamp",
]
