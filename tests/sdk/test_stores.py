"""The token stores against real servers: a lock that ends by itself, and no write of one who has lost it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest
import redis
import redis.asyncio
from postgres import USER, Bouncer, Server
from psycopg.rows import dict_row
from redis_server import PASSWORD, RedisServer
from surroundings import PATIENCE

import veza
from veza.stores.postgres import AsyncPostgresTokenStore, PostgresTokenStore
from veza.stores.redis import AsyncRedisTokenStore, RedisTokenStore
from veza.testing import FakeBackend, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.process
HOLDER = """
import sys, veza
kind, where, account = sys.argv[1:]
module = veza.stores.redis if "Redis" in kind else veza.stores.postgres
with getattr(module, kind)(where, name=account, lease=1).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


SYNC = ["redis", "postgres", "pgbouncer"]
BOTH = [*SYNC, "redis-async", "postgres-async", "pgbouncer-async"]
STORES = {
    "redis": (RedisTokenStore, AsyncRedisTokenStore),
    "postgres": (PostgresTokenStore, AsyncPostgresTokenStore),
    "pgbouncer": (PostgresTokenStore, AsyncPostgresTokenStore),
}


FORKED = """
import os, sys, veza
from veza.testing import FakeBackend, connect
kind, where, account = sys.argv[1:]
module = veza.stores.redis if "Redis" in kind else veza.stores.postgres
store, other = (getattr(module, kind)(where, name=account) for _ in range(2))
child = False
with store.lock():
    if pid := os.fork():
        os.waitpid(pid, 0)
        store.write('{"access_token": null, "refresh_token": null}')
        backend = FakeBackend()
        client = connect(backend, token_provider=veza.SharedLogin(connect(backend), other))
        try:
            client.auth.me(deadline=0.5)
        except veza.DeadlineExceededError:
            print("still held", flush=True)
    else:
        child = True
if child:
    os._exit(0)
"""


class Opened:
    """A store in the hands of one replica, driven alike whether it is asynchronous or not."""

    def __init__(self, store: Any, runner: asyncio.Runner | None) -> None:
        self.store = store
        self._runner = runner

    def _done(self, value: Any) -> Any:
        async def awaited() -> Any:
            return await value

        return value if self._runner is None else self._runner.run(awaited())

    @contextmanager
    def lock(self) -> Iterator[float]:
        context = self.store.lock()
        if self._runner is None:
            with context as lease:
                yield lease
            return
        lease = self._done(context.__aenter__())
        try:
            yield lease
        finally:
            self._done(context.__aexit__(None, None, None))

    def read(self) -> str | None:
        found: str | None = self._done(self.store.read())
        return found

    def write(self, text: str) -> None:
        self._done(self.store.write(text))


class Kind:
    """One kind of store with its server. Each place that it opens is empty at first."""

    def __init__(self, name: str, where: str, runner: asyncio.Runner | None) -> None:
        self.store: Any = STORES[name][runner is not None]
        self.where = where
        self.runner = runner
        self.account = os.urandom(4).hex()

    def opened(self, **options: Any) -> Opened:
        return Opened(self.store(self.where, **({"name": self.account, "lease": 30} | options)), self.runner)


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    server = RedisServer()
    yield server.url
    server.remove()


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[Server]:
    server = Server()
    PostgresTokenStore(f"{server.dsn}/postgres").create()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def postgres_url(postgres_server: Server) -> str:
    return with_password(postgres_server.port)


@pytest.fixture(scope="module")
def pgbouncer_url(postgres_server: Server) -> Iterator[str]:
    bouncer = Bouncer(postgres_server)
    yield with_password(bouncer.port)
    bouncer.remove()


def with_password(port: int) -> str:
    """Return a URL with a password, which this server does not ask for."""
    return f"postgresql://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres"


@pytest.fixture(params=BOTH)
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    name, _, is_async = request.param.partition("-")
    runner = asyncio.Runner() if is_async else None
    yield Kind(name, request.getfixturevalue(f"{name}_url"), runner)
    if runner is not None:
        runner.close()


def test_what_is_written_is_read_by_others(kind: Kind) -> None:
    one, two = kind.opened(), kind.opened()
    assert one.read() is None
    for text in ("first", "second", '{"é": "\\u0000 \'"}'):
        with one.lock() as lease:
            assert 25 < lease <= 30
            one.write(text)
            assert one.read() == text
        assert two.read() == text
    assert kind.opened(name="another").read() is None


def test_the_lock_is_free_as_soon_as_it_is_given_back(kind: Kind) -> None:
    began = time.monotonic()
    for number in range(6):
        store = kind.opened()
        with store.lock():
            store.write(str(number))
    assert time.monotonic() - began < 25


def test_nothing_is_written_without_the_lock(kind: Kind) -> None:
    store = kind.opened()
    with pytest.raises(veza.InvalidRequestError, match="lock"):
        store.write("x")
    with store.lock():
        pass
    with pytest.raises(veza.InvalidRequestError, match="lock"):
        store.write("x")
    assert store.read() is None


def test_who_lost_the_lock_overwrites_nothing_and_releases_nothing(kind: Kind) -> None:
    late, later, last = kind.opened(lease=0.2), kind.opened(), kind.opened(lease=0.2)
    with late.lock():
        with later.lock():  # waits until the lease ends
            later.write("later")
            with pytest.raises(veza.LeaseEndedError):
                late.write("late")
            assert later.read() == "later"
        with last.lock():
            last.write("last")
    assert last.read() == "last"


@pytest.mark.parametrize("kind", SYNC, indirect=True)
def test_a_deadline_bounds_the_wait_for_a_lock_and_who_lost_it_does_not_free_it(kind: Kind) -> None:
    backend = FakeBackend()
    client = connect(backend, token_provider=veza.SharedLogin(connect(backend), kind.opened().store))
    later = kind.opened().lock()
    with kind.opened(lease=0.2).lock():
        later.__enter__()
    with pytest.raises(veza.DeadlineExceededError):
        client.auth.me(deadline=0.5)
    later.__exit__(None, None, None)
    assert client.auth.me(deadline=60).id == "user-1"


def test_a_lease_that_ended_while_nobody_waited_loses_nothing(kind: Kind) -> None:
    late = kind.opened(lease=0.01)
    with late.lock():
        late.write("one")
        late.write("two")
    assert late.read() == "two"


@pytest.mark.parametrize("kind", SYNC, indirect=True)
@pytest.mark.parametrize("password", ["wrong", None])
def test_replicas_that_start_together_send_one_login_right_or_wrong(kind: Kind, password: str | None) -> None:
    backend, start = FakeBackend(), threading.Barrier(8)

    def replica(_: int) -> str:
        own = connect(backend, email=backend.email, password=password or backend.password)
        client = connect(backend, token_provider=veza.SharedLogin(own, kind.opened().store))
        start.wait(60)
        try:
            return client.auth.me().id
        except veza.AuthenticationError:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(replica, range(8))) == {"refused" if password else "user-1"}
    assert backend.count("login") == 1


@pytest.mark.parametrize("kind", SYNC, indirect=True)
def test_the_lock_of_a_killed_process_ends_by_its_lease(kind: Kind) -> None:
    command = [sys.executable, "-c", HOLDER, kind.store.__name__, kind.where, kind.account]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.send_signal(signal.SIGKILL)
    store = kind.opened()
    with store.lock():
        store.write("survived")
    assert store.read() == "survived"


@pytest.fixture
def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("kind", SYNC, indirect=True)
def test_a_forked_child_leaves_the_lock_to_its_parent(kind: Kind) -> None:
    command = [sys.executable, "-c", FORKED, kind.store.__name__, kind.where, kind.account]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE)
    assert (done.stdout, done.returncode, done.stderr) == ("still held\n", 0, "")


@pytest.mark.parametrize(("module", "driver"), [("redis", "redis"), ("postgres", "psycopg")])
def test_a_driver_that_is_missing_is_said_with_what_to_install(module: str, driver: str) -> None:
    code = f"import sys, veza; sys.modules[{driver!r}] = None; veza.stores.{module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert f"pip install 'veza[{module}]'" in done.stderr.splitlines()[-1]


def secrets_in(error: BaseException) -> list[str]:
    """Return the passwords that an error shows, whoever prints it; chained errors included."""
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(getattr(error, "__dict__", None))
    return [one for one in (PASSWORD, quote(PASSWORD, safe=""), "hush") if one in told]


def test_no_secret_shows(kind: Kind) -> None:
    store = kind.opened().store
    assert kind.account in repr(store)
    assert not [one for one in (PASSWORD, "%2F", "127.0.0.1") if one in repr(store)]


@pytest.mark.parametrize("use", ["read", "lock"])
def test_a_server_that_cannot_be_reached_is_said(kind: Kind, use: str, free_port: int) -> None:
    kind.where = re.sub(r":\d+/", f":{free_port}/", kind.where)
    store = kind.opened()
    with pytest.raises(veza.TokenStoreError) as caught:
        store.read() if use == "read" else store.lock().__enter__()
    assert str(free_port) in str(caught.value)
    assert secrets_in(caught.value) == []


@pytest.mark.parametrize("name", ["redis", "postgres"])
def test_a_malformed_url_is_refused_without_quoting_it(name: str) -> None:
    scheme = {"redis": "redis", "postgres": "postgresql"}[name]
    urls = [f"{scheme}://:hush/hush@127.0.0.1:x/0", f"{scheme}://u:hush/hush@h/db", "x://:hush@127.0.0.1", "hush", ""]
    for store, url in product(STORES[name], urls):
        with pytest.raises(veza.InvalidRequestError, match=f"{scheme}://") as caught:
            store(url)
        assert secrets_in(caught.value) == []


def test_a_wrong_password_of_the_server_is_said_and_does_not_show(redis_url: str) -> None:
    store = RedisTokenStore(redis_url.replace(quote(PASSWORD, safe=""), "hush"))
    with pytest.raises(veza.TokenStoreError, match="password") as caught:
        store.read()
    assert secrets_in(caught.value) == []


@pytest.mark.parametrize("decode", [False, True])
def test_a_client_of_the_callers_is_used_and_left_open(redis_url: str, decode: bool) -> None:
    with redis.Redis.from_url(redis_url, decode_responses=decode) as client:
        store = RedisTokenStore(client, name=f"own-{decode}")
        with store.lock():
            store.write("text")
        assert store.read() == "text"
        assert client.ping()

    async def scene() -> str | None:
        async with redis.asyncio.Redis.from_url(redis_url, decode_responses=decode) as client:
            return await AsyncRedisTokenStore(client, name=f"own-{decode}").read()

    assert asyncio.run(scene()) == "text"


def test_a_key_that_holds_something_else_is_said(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("{taken}", "1")
    with pytest.raises(veza.TokenStoreError, match="WRONGTYPE"):
        RedisTokenStore(redis_url, name="taken").read()


def test_a_table_that_is_not_there_is_said_and_made(postgres_server: Server) -> None:
    url = postgres_server.empty("fresh")
    store = PostgresTokenStore(url, table="auth.logins")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA auth")
    for use in (store.read, store.lock().__enter__):
        with pytest.raises(veza.TokenStoreError, match=r'"auth.logins" does not exist; create\(\) makes the table'):
            use()
    with ThreadPoolExecutor(8) as pool:  # as replicas that start together do
        for done in [pool.submit(PostgresTokenStore(url, table="auth.logins").create) for _ in range(8)]:
            done.result()
    with store.lock():
        store.write("text")
    assert store.read() == "text"
    asyncio.run(AsyncPostgresTokenStore(url).create())
    assert PostgresTokenStore(url).read() is None


@pytest.mark.parametrize("isolation", ["repeatable\\ read", "serializable"])
def test_connections_of_the_callers_are_used(postgres_server: Server, isolation: str) -> None:
    options = f"-c default_transaction_isolation={isolation}"
    given: list[psycopg.Connection[Any]] = []

    def connection() -> psycopg.Connection[Any]:
        given.append(psycopg.connect(f"{postgres_server.dsn}/postgres", options=options, row_factory=dict_row))
        return given[-1]

    def use(number: int) -> str | None:
        store = PostgresTokenStore(connection, name=f"own {isolation}")
        with store.lock():
            store.write(str(number))
            return store.read()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(use, range(12))) == [str(number) for number in range(12)]
    assert all(one.closed for one in given)  # as their context does


def test_an_error_does_not_quote_the_row(postgres_server: Server) -> None:
    url = postgres_server.empty("strict")
    store = PostgresTokenStore(url)
    store.create()
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE veza_login ADD CHECK (content <> 'hush')")
    token = "hush"  # else the traceback quotes this line
    with store.lock(), pytest.raises(veza.TokenStoreError, match="check constraint") as caught:
        store.write(token)
    assert secrets_in(caught.value) == []
