"""A Redis server of a test's own, on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
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
        self.process = subprocess.Popen([program, *words], stdout=subprocess.PIPE, encoding="utf-8")
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                return
        pytest.fail("the Redis server did not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)
