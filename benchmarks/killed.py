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


class Point:
    """Counts the system calls, and strikes at one of them."""

    def __init__(self, number: int, how: int) -> None:
        self.number = number
        self.how = how
        self.seen = 0

    def wrap(self, call: Callable[..., Any], *, halved: int | None = None, writes: bool = False) -> Callable[..., Any]:
        """Return `call`, counted; `halved` is the place of the argument that is cut for a half."""

        def at(*args: Any, **kwargs: Any) -> Any:
            self.seen += 1
            if self.how == _FULL and writes and self.seen >= self.number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self.how == _FULL or self.seen != self.number:
                return call(*args, **kwargs)
            given = list(args)
            if self.how == _HALF and halved is not None:
                given[halved] = bytes(given[halved])[: len(given[halved]) // 2]
            if self.how != _BEFORE:
                call(*given, **kwargs)
            return os.kill(os.getpid(), signal.SIGKILL)

        return at


def main() -> int:
    point = Point(int(sys.argv[1]), int(sys.argv[2]))

    class Socket(socket.socket):
        pass

    for name, halved in (("send", 1), ("sendall", 1), ("recv", None)):
        setattr(Socket, name, point.wrap(getattr(socket.socket, name), halved=halved))
    socket.socket = Socket  # type: ignore[misc]
    os.write = point.wrap(os.write, halved=1, writes=True)
    os.fsync = point.wrap(os.fsync)
    os.link = point.wrap(os.link)

    from veza_e2e.__main__ import main as command  # noqa: PLC0415 - the calls are wrapped first

    sys.argv[1:] = sys.argv[4:]
    code = command()
    sys.stderr.write(f"\n{point.seen} points\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
