"""A client in the workers of the servers that services run under: no worker gets the answer to another's question."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest
from sdk.keepalive import kept_alive
from surroundings import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORDERS = 500
WORKERS = 4
SLOW = 0.01  # seconds for each answer: long enough that the workers ask at the same time
THREADED = """
import os, veza

client = veza.Veza(os.environ["BACKEND"], access_token="t", timeout=60)
if "PRELOADED" in os.environ:
    client.orders.get("preloaded")  # a connection is open before the workers are forked

def app(environ, start_response):
    wanted = environ["PATH_INFO"].rpartition("/")[2]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {client.orders.get(wanted).id}".encode()]
"""
LOOPED = """
import asyncio, os, veza

client = veza.AsyncVeza(os.environ["BACKEND"], access_token="t", timeout=60)
if "PRELOADED" in os.environ:
    asyncio.run(client.orders.get("preloaded"))

async def app(scope, receive, send):
    if scope["type"] == "http":
        wanted = scope["path"].rpartition("/")[2]
        body = f"{os.getpid()} {(await client.orders.get(wanted)).id}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": body})
"""
GUNICORN = (
    "gunicorn",
    "service:app",
    "--preload",
    "--workers",
    str(WORKERS),
    "--bind",
    "fd://{fd}",
    "--no-control-socket",
)
SERVERS = {
    "gunicorn": (THREADED, (*GUNICORN, "--threads", "4")),
    "gunicorn of uvicorn": (LOOPED, (*GUNICORN, "--worker-class", "uvicorn_worker.UvicornWorker")),
    "uvicorn": (LOOPED, ("uvicorn", "service:app", "--workers", str(WORKERS), "--fd", "{fd}", "--lifespan", "off")),
}


@contextmanager
def serving(service: str, command: tuple[str, ...], folder: Path, backend: str) -> Iterator[int]:
    """Start a service on a port that is bound already, so that nobody has to wait for it; end it and its workers."""
    (folder / "service.py").write_text(service, encoding="utf-8")
    environment = {**os.environ, "BACKEND": backend, "PYTHONPATH": str(folder)}
    if "--preload" in command:
        environment["PRELOADED"] = "1"
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening, (folder / "log").open("wb") as log:
        fd = listening.fileno()
        server = subprocess.Popen(
            [sys.executable, "-m", *(word.format(fd=fd) for word in command)],
            cwd=folder, env=environment, pass_fds=[fd], stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            yield listening.getsockname()[1]
        finally:
            server.terminate()
            try:
                server.wait(timeout=PATIENCE)
            finally:
                if server.returncode is None:
                    os.killpg(server.pid, signal.SIGKILL)
                    server.wait()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_no_worker_gets_the_order_of_another(server: str, tmp_path: Path) -> None:
    service, command = SERVERS[server]
    wanted = [f"order-{number}" for number in range(ORDERS)]
    with kept_alive(SLOW) as backend, serving(service, command, tmp_path, backend.url) as port:

        def got(order: str) -> list[str]:
            """Ask on a connection of its own, so that every worker has a part."""
            with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
                connection.request("GET", f"/{order}")
                return connection.getresponse().read().decode().split()

        with ThreadPoolExecutor(4 * WORKERS) as pool:
            answers = list(pool.map(got, wanted))
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert [answer[-1] for answer in answers] == wanted, log[-2000:]
    assert len(Counter(answer[0] for answer in answers)) == WORKERS
    assert "Traceback" not in log
