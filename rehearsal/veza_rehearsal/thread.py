"""Runs the rehearsal backend in a thread: the same server on a real socket, without starting a process."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from veza_rehearsal import app, server, store
from veza_rehearsal.backend import Backend, Settings

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from typing import TextIO

    from veza_rehearsal.accounts import Operator
    from veza_rehearsal.contract import Contract
    from veza_rehearsal.database import Database
    from veza_rehearsal.faults import Fault
    from veza_rehearsal.server import Server


@contextmanager
def serving(
    contract: Contract,
    database: str,
    operator: Operator,
    *,
    port: int = 0,
    environment: str = "sandbox",
    faults: Sequence[Fault] = (),
    wall: Callable[[], datetime],
    seed: int | None = None,
    log: TextIO | None = None,
) -> Iterator[tuple[str, Server]]:
    """Serve on 127.0.0.1 until the block ends.

    Args:
        contract: The operations, from `contract.load`.
        database: `sqlite:///PATH` or a PostgreSQL DSN.
        operator: The account that can log in.
        port: The port; 0 takes a free one.
        environment: `sandbox` or `live`.
        faults: The switches that are on.
        wall: Returns the aware time. After moving it, call the server's `catch_up`.
        seed: Makes ids, tokens and the clock repeatable; replaces `wall`.
        log: The stream for a line of JSON per request.

    Yields:
        The base URL, and the server.

    Raises:
        OSError: The port is taken, or the database cannot be opened.
    """
    bound = server.listen(port)
    port = bound.getsockname()[1]
    settings = Settings(f"http://127.0.0.1:{port}", port, environment, operator, tuple(faults), seed)

    def make(opened: Database, ready: Callable[[], None]) -> Server:
        backend = Backend(opened, settings, contract, wall)
        return server.Server(app.build(backend, contract, log), backend, ready)

    thread = _Serving(bound, database, make)
    thread.start()
    try:
        thread.ready.wait()
        if thread.server is None or thread.failure is not None:
            raise thread.failure or RuntimeError("the rehearsal backend did not start")
        yield settings.base_url, thread.server
    finally:
        if thread.server is not None:
            thread.server.stop()
        thread.join()
    if thread.failure is not None:
        raise thread.failure


class _Serving(threading.Thread):
    """Opens the database in its own thread, as SQLite requires, and serves until stopped."""

    def __init__(
        self, bound: socket.socket, database: str, make: Callable[[Database, Callable[[], None]], Server]
    ) -> None:
        super().__init__(name="rehearsal backend")
        self._bound, self._database, self._make = bound, database, make
        self.ready = threading.Event()
        self.server: Server | None = None
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            with closing(store.connect(self._database)) as opened:
                self.server = self._make(opened, self.ready.set)
                self.server.run([self._bound])
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            self.failure = error
        finally:
            self._bound.close()
            self.ready.set()
