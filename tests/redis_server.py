"""A Redis server of a test's own, on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
from server_process import started
from surroundings import PATIENCE

PASSWORD = "keep/this:quiet"


class RedisServer:
    """A server in a folder of its own, which keeps nothing on the disk."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail("redis-server is missing; run: apt-get install --yes redis-server")
        self.folder = Path(tempfile.mkdtemp(prefix="veza-redis-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/0"
        options = {
            "bind": "127.0.0.1", "port": self.port, "dir": self.folder, "save": "",
            "appendonly": "no", "requirepass": PASSWORD,
        }  # fmt: skip
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        # Its clock is its own: under a moved one its allocator and the library that moves it can wait for each other.
        own = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        self.process = started([program, *words], "Ready to accept connections", self.folder, env=own)

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)
