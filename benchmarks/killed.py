"""Runs `veza-e2e` and kills it with SIGKILL at a chosen system call: no handler, no buffer, no goodbye.

    python benchmarks/killed.py POINT HALF -- ARGUMENTS

POINT counts, from 1, the process's writes to and syncs of files and its sends and receives on sockets. With HALF = 1 a
write or send that is hit is carried out by half, with 2 as a whole before the kill, with 0 not at all. HALF = 3 kills
nothing: from that point on the disk is full.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

_BEFORE, _HALF, _FULL = 0, 1, 3


def main() -> int:
    point, how = int(sys.argv[1]), int(sys.argv[2])
    seen = 0

    def due() -> bool:
        nonlocal seen
        seen += 1
        return seen == point

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def wrapped(call: Callable[..., Any], *, halved: int | None = None) -> Callable[..., Any]:
        def at(*args: Any, **kwargs: Any) -> Any:
            if how == _FULL:
                due()
                if seen >= point and call is really_write:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return call(*args, **kwargs)
            if not due():
                return call(*args, **kwargs)
            if how != _BEFORE:
                given = list(args)
                if how == _HALF and halved is not None:
                    given[halved] = bytes(given[halved])[: len(given[halved]) // 2]
                call(*given, **kwargs)
            return kill()

        return at

    really_write = os.write
    os.write = wrapped(os.write, halved=1)
    os.fsync = wrapped(os.fsync)
    os.link = wrapped(os.link)

    class Socket(socket.socket):
        pass

    for name, halved in (("send", 1), ("sendall", 1), ("recv", None)):
        setattr(Socket, name, wrapped(getattr(socket.socket, name), halved=halved))
    socket.socket = Socket  # type: ignore[misc]

    from veza_e2e.cli.app import main as command  # noqa: PLC0415 - the calls are wrapped first

    code = command(sys.argv[4:])
    sys.stderr.write(f"\n{seen} points\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
