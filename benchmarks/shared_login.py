"""Replicas of a service that share one login, by each store, against a backend that allows three logins.

    python -m benchmarks.shared_login --store redis|postgres|pgbouncer|file [--kill] [--processes 20] [--threads 4]
    python -m benchmarks.shared_login --write      all of them; writes docs/sdk/replicas-measured.md

Every fourth process is asynchronous and has tasks in place of threads. Access tokens last ten seconds, so the login is
renewed on the way. With --kill, one more process is killed with SIGKILL in its login, while the others wait for it: the
backend has carried the login out, and the tokens are not in the store yet.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import driver

import veza
from veza_rehearsal import DEFAULT_EMAIL, DEFAULT_PASSWORD

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "sdk" / "replicas-measured.md"
STORES = ("file", "redis", "postgres", "pgbouncer")
LEASE = 5.0
TOKENS_LAST = 10
PAUSE = 0.5
_PATIENCE = 300


@dataclass(frozen=True)
class Figures:
    """What happened in one run."""

    store: str
    processes: int
    threads: int
    seconds: float
    killed: bool
    calls: int
    logins: int
    """That the backend counted."""
    renewals: int
    slowest: float
    """Seconds that the slowest call took."""
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """What should not have happened."""
        told = [f"{count} calls failed: {error}" for error, count in self.failures.items()]
        allowed = 1 + self.killed
        return told if self.logins <= allowed else [*told, f"{self.logins} logins in place of {allowed}"]


def store(kind: str, where: str, *, is_async: bool) -> Any:
    """Return a process's own store."""
    if kind == "file":
        return (veza.AsyncFileTokenStore if is_async else veza.FileTokenStore)(where)
    if kind == "redis":
        redis = veza.stores.redis
        return (redis.AsyncRedisTokenStore if is_async else redis.RedisTokenStore)(where, lease=LEASE)
    postgres = veza.stores.postgres
    return (postgres.AsyncPostgresTokenStore if is_async else postgres.PostgresTokenStore)(where, lease=LEASE)


class Tally:
    """What one process saw."""

    def __init__(self, *, dies: bool) -> None:
        self.calls = 0
        self.renewals = 0
        self.slowest = 0.0
        self.failures: Counter[str] = Counter()
        self._dies = dies

    def answered(self, attempt: veza.Attempt) -> None:
        if attempt.operation == "login" and self._dies:
            print("inside", flush=True)
            time.sleep(_PATIENCE)
        self.renewals += attempt.operation == "refreshToken"

    def called(self, began: float, error: Exception | None) -> None:
        self.calls += 1
        self.slowest = max(self.slowest, time.monotonic() - began)
        if error is not None:
            self.failures[f"{type(error).__name__}: {error}"[:200]] += 1


def replica(asked: argparse.Namespace) -> None:
    """Be one process: wait for the start, call until the time is over, print what was seen."""
    tally = Tally(dies=asked.dies)
    options: dict[str, Any] = {"email": DEFAULT_EMAIL, "password": DEFAULT_PASSWORD}
    options["hooks"] = veza.Hooks(response=tally.answered)
    kept = store(asked.store, asked.where, is_async=asked.tasks)
    print("ready", flush=True)
    sys.stdin.readline()
    ends = time.monotonic() + asked.seconds
    if asked.tasks:
        asyncio.run(_tasks(veza.AsyncSharedLogin(veza.AsyncVeza(asked.backend, **options), kept), asked, tally, ends))
    else:
        login = veza.SharedLogin(veza.Veza(asked.backend, **options), kept)
        with ThreadPoolExecutor(asked.threads) as pool:
            list(pool.map(lambda _: _calls(login, asked.backend, tally, ends), range(asked.threads)))
    told = {"calls": tally.calls, "renewals": tally.renewals, "slowest": tally.slowest, "failures": tally.failures}
    print(json.dumps(told), flush=True)


def _calls(login: veza.SharedLogin, backend: str, tally: Tally, ends: float) -> None:
    with veza.Veza(backend, token_provider=login) as client:
        over = False
        while not over:  # once at least, however busy the machine is
            began = time.monotonic()
            error = None
            try:
                client.auth.me()
            except Exception as raised:  # noqa: BLE001  (it is counted)
                error = raised
            tally.called(began, error)
            time.sleep(PAUSE)
            over = time.monotonic() >= ends


async def _tasks(login: veza.AsyncSharedLogin, asked: argparse.Namespace, tally: Tally, ends: float) -> None:
    async def calls() -> None:
        async with veza.AsyncVeza(asked.backend, token_provider=login) as client:
            over = False
            while not over:  # once at least, however busy the machine is
                began = time.monotonic()
                error = None
                try:
                    await client.auth.me()
                except Exception as raised:  # noqa: BLE001  (it is counted)
                    error = raised
                tally.called(began, error)
                await asyncio.sleep(PAUSE)
                over = time.monotonic() >= ends

    await asyncio.gather(*(calls() for _ in range(asked.threads)))


@contextmanager
def server(kind: str, folder: Path) -> Iterator[str]:
    """Start the store's server; yield where it is."""
    sys.path.insert(0, str(ROOT / "tests"))  # where the servers of the suite are
    stop: list[Callable[[], None]] = []
    try:
        if kind == "file":
            yield str(folder / "login")
        elif kind == "redis":
            redis = import_module("redis_server").RedisServer()
            stop.append(redis.remove)
            yield redis.url
        else:
            module = import_module("postgres")
            postgres = module.Server()
            stop.append(postgres.remove)
            where = f"{postgres.dsn}/postgres"
            veza.stores.postgres.PostgresTokenStore(where).create()
            if kind == "pgbouncer":
                bouncer = module.Bouncer(postgres)
                stop.insert(0, bouncer.remove)
                where = f"postgresql://{module.USER}@127.0.0.1:{bouncer.port}/postgres"
            yield where
    finally:
        sys.path.remove(str(ROOT / "tests"))
        for one in stop:
            one()


@contextmanager
def rehearsal(folder: Path) -> Iterator[str]:
    """Start a backend; yield its URL."""
    faults = [word for fault in ("login_limit=3", f"jwt_ttl={TOKENS_LAST}") for word in ("--fault", fault)]
    words = ["rehearsal", "serve", "--port", "0", "--database", f"sqlite:///{folder / 'backend.db'}", *faults]
    with subprocess.Popen(
        [*driver.COMMAND, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            yield next(word for word in line.split() if word.startswith("http://"))
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=_PATIENCE)


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def run(kind: str, *, processes: int = 20, threads: int = 4, seconds: float = 30.0, kill: bool = False) -> Figures:
    """Let replicas share a login for some seconds, and say what happened."""
    with driver.folder("veza-shared-") as folder, server(kind, folder) as where, rehearsal(folder) as backend:
        command = [sys.executable, "-m", "benchmarks.shared_login", "--replica", "--store", kind, "--where", where]
        command += ["--backend", backend, "--threads", str(threads), "--seconds", str(seconds)]
        victims = [[*command, "--dies"]] if kill else []
        others = [[*command, *(["--tasks"] if number % 4 == 3 else [])] for number in range(processes)]
        started = [
            subprocess.Popen(one, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
            for one in (*victims, *others)
        ]
        try:
            for process in started:
                assert _line(process) == "ready"
            if kill:
                _go(started[0])
                assert _line(started[0]) == "inside"
            for process in started[kill:]:
                _go(process)
            if kill:
                time.sleep(1)  # the others are at its lock by now
                started[0].send_signal(signal.SIGKILL)
            seen = [json.loads(process.communicate(timeout=_PATIENCE)[0]) for process in started[kill:]]
        finally:
            for process in started:
                process.kill()
                process.communicate()
        with closing(sqlite3.connect(folder / "backend.db")) as database:
            (logins,) = database.execute("SELECT count(*) FROM login_attempts").fetchone()
    failures: Counter[str] = Counter()
    for one in seen:
        failures.update(one["failures"])
    return Figures(
        kind, processes, threads, seconds, kill,
        calls=sum(one["calls"] for one in seen),
        logins=logins,
        renewals=sum(one["renewals"] for one in seen),
        slowest=max(one["slowest"] for one in seen),
        failures=dict(failures),
    )  # fmt: skip


def page(found: list[Figures]) -> str:
    """Return the page of the docs."""
    first = found[0]
    text = f"""\
# Replicas that share a login, measured

Written by `python -m benchmarks.shared_login --write`. {datetime.now(UTC):%Y-%m-%d}, Python
{platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores.

{first.processes} processes with {first.threads} threads each call the rehearsal backend for {first.seconds:g} s, each
thread with half a second between two calls (`login_limit=3`: the fourth login in 15 minutes is refused). In every
fourth process tasks of an `AsyncVeza` take the threads' place. Access tokens last {TOKENS_LAST} s.

*Killed*: one more process has logged in and is killed with SIGKILL before the tokens are in the store, while all
others wait for them. Its login counts, too, so two are right. The lock of a server's store has a lease of {LEASE:g} s
here; that of a file ends with its process.
"""
    lines = [text, "| store | | calls | failed | logins | renewals | slowest call, s |"]
    lines.append("|---|---|--:|--:|--:|--:|--:|")
    for one in found:
        failed = sum(one.failures.values())
        row = (one.store, "killed" if one.killed else "", one.calls, failed, one.logins, one.renewals)
        lines.append("".join(f"| {cell} " for cell in row) + f"| {one.slowest:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure; 1 if a call failed or there was one login too many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=STORES, default="redis")
    parser.add_argument("--kill", action="store_true", help="one more process is killed in its login, before")
    parser.add_argument("--processes", type=int, default=20)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--write", action="store_true", help="every store, with and without a kill; writes the page")
    for name in ("where", "backend"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    for name in ("replica", "tasks", "dies"):
        parser.add_argument(f"--{name}", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.replica:
        replica(asked)
        return 0
    size = {"processes": asked.processes, "threads": asked.threads, "seconds": asked.seconds}
    wanted = [(kind, kill) for kind in STORES for kill in (False, True)] if asked.write else [(asked.store, asked.kill)]
    found = []
    for kind, kill in wanted:
        found.append(run(kind, kill=kill, **size))
        print(found[-1], *found[-1].problems, sep="\n", flush=True)
    if asked.write:
        PAGE.write_text(page(found), encoding="utf-8")
    return int(any(one.problems for one in found))


if __name__ == "__main__":
    sys.exit(main())
