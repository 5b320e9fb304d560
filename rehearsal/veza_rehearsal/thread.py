"""The rehearsal backend in a thread of this process: the same server on a real socket, without a process's start-up."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from veza_rehearsal import app, server, store
from veza_rehearsal.backend import Backend, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from veza_rehearsal.accounts import Operator
    from veza_rehearsal.contract import Contract
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
) -> Iterator[tuple[str, Server]]:
    """Serve on 127.0.0.1 until the block ends.

    Args:
        contract: The operations, as `contract.load` returns them.
        database: `sqlite:///PATH` or a PostgreSQL DSN.
        operator: The account that can log in.
        port: The port; 0 takes a free one.
        environment: `sandbox` or `live`.
        faults: The switches that are on.
        wall: Returns the time, aware. Whoever moves it calls the server's `catch_up`.

    Yields:
        The base URL, and the server.

    Raises:
        OSError: The port is taken, or the database cannot be opened.
    """
    bound = server.listen(port)
    port = bound.getsockname()[1]
    settings = Settings(f"http://127.0.0.1:{port}", port, environment, operator, tuple(faults), None)
    begun = threading.Event()
    started: list[Server] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            with closing(store.connect(database)) as opened:  # SQLite wants one thread for all
                backend = Backend(opened, settings, contract, wall=wall)
                started.append(server.Server(app.build(backend, contract, None), backend, begun.set))
                started[0].run([bound])
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            failed.append(error)
        finally:
            bound.close()
            begun.set()

    thread = threading.Thread(target=run, name="rehearsal backend")
    thread.start()
    begun.wait()
    try:
        if failed:
            raise failed[0]
        yield settings.base_url, started[0]
    finally:
        for one in started:
            one.stop()
        thread.join()
    if failed:
        raise failed[0]
