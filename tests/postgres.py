"""A PostgreSQL server of a test's own, on loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest
from surroundings import PATIENCE

USER = "rehearsal"


def program(name: str) -> str:
    """Find a program of the PostgreSQL server, which Debian keeps off the path."""
    found = [shutil.which(name), *map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True))]
    for path in found:
        if path is not None:
            return path
    pytest.fail(f"{name} is missing; run: apt-get install --yes postgresql")


class Server:
    """A server in a folder of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="veza-postgres-"))
        # PostgreSQL refuses to run as root.
        self.owner = "postgres" if os.geteuid() == 0 else None
        if self.owner:
            shutil.chown(self.folder, self.owner)
        initdb = [program("initdb"), "--auth=trust", f"--username={USER}", "--no-sync", "--encoding=UTF8", "--locale=C"]
        subprocess.run([*initdb, "data"], cwd=self.folder, user=self.owner, check=True, stdout=subprocess.DEVNULL)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.dsn = f"postgresql://{USER}@127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off"}
        command = [program("postgres"), "-D", "data", *(f"--{name}={value}" for name, value in options.items())]
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            user=self.owner,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            encoding="utf-8",
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "ready to accept connections" in line:
                return
        pytest.fail("the PostgreSQL server did not start")

    def stop(self) -> None:
        # SIGINT ends the sessions that are open; SIGTERM would wait for them.
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=PATIENCE)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def empty(self, name: str) -> str:
        """Make an empty database; return its URL."""
        with psycopg.connect(f"{self.dsn}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"{self.dsn}/{name}"
