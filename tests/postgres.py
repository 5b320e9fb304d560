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
from server_process import started
from surroundings import PATIENCE

USER = "rehearsal"


def program(name: str, package: str = "postgresql") -> str:
    """Find a program of the PostgreSQL server or of pgbouncer, which Debian keeps off the path."""
    path = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    for found in (shutil.which(name, path=path), *map(str, kept)):
        if found is not None:
            return found
    pytest.fail(f"{name} is missing; run: apt-get install --yes {package}")


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
        self.process = started(command, "ready to accept connections", self.folder, self.owner)

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


class Bouncer:
    """A pgbouncer in transaction mode before a server: each transaction may run on another connection."""

    def __init__(self, server: Server) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="veza-pgbouncer-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        settings = {
            "listen_addr": "127.0.0.1", "listen_port": self.port, "unix_socket_dir": "", "auth_type": "any",
            "pool_mode": "transaction", "default_pool_size": 3, "max_client_conn": 500,
            # Nobody reads its log once it is up: a line for each connection would fill the pipe, and stop it.
            "log_connections": 0, "log_disconnections": 0, "log_stats": 0,
        }  # fmt: skip
        lines = ["[databases]", f"* = host=127.0.0.1 port={server.port} user={USER}", "[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in settings.items()]
        settings_file = self.folder / "pgbouncer.ini"
        settings_file.write_text("\n".join(lines), encoding="utf-8")
        if server.owner:  # pgbouncer refuses to run as root, and what root wrote may be for root alone
            for path in (self.folder, settings_file):
                shutil.chown(path, server.owner)
        command = [program("pgbouncer", "pgbouncer"), settings_file.name]
        self.process = started(command, "process up", self.folder, server.owner)

    def remove(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)
        shutil.rmtree(self.folder)
