"""A client in forked processes and in several event loops, over real connections that are kept open."""

from __future__ import annotations

import asyncio
import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
from sdk.keepalive import Kept, kept_alive
from surroundings import PATIENCE

import veza
from veza.testing import AsyncFakeClock, FakeBackend, connect, connect_async

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
CHILDREN = """
import asyncio, httpx, os, sys, threading, veza
url = sys.argv[1]

def child(work):
    if not (pid := os.fork()):
        try:
            work()
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
        os._exit(0)
    return pid

def get(order):
    return lambda: print(client.orders.get(order).id, flush=True)
"""


@pytest.fixture
def kept() -> Iterator[Kept]:
    with kept_alive() as one:
        yield one


def printed(code: str, *arguments: object) -> list[str]:
    """Return the lines that a program which forks prints: one of its own, since pytest's process has threads."""
    command = [sys.executable, "-c", CHILDREN + code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@forks
@pytest.mark.process
@pytest.mark.parametrize("given", ["", ", http_client=httpx.Client"])
def test_a_forked_child_makes_connections_of_its_own(kept: Kept, given: str) -> None:
    code = f"""
client = veza.Veza(url, access_token="t"{given})
get("parent-1")()
for pid in [child(get(f"child-{{number}}")) for number in range(4)]:
    os.waitpid(pid, 0)
get("parent-2")()
"""
    children = {f"child-{number}" for number in range(4)}
    lines = printed(code, kept.url)
    assert (lines[0], set(lines[1:-1]), lines[-1]) == ("parent-1", children, "parent-2")
    assert (len(kept.ports("parent")), len(kept.ports("child"))) == (1, 4)
    assert not kept.ports("parent") & kept.ports("child")


@forks
@pytest.mark.process
def test_a_forked_child_with_an_event_loop_makes_connections_of_its_own(kept: Kept) -> None:
    code = """
client = veza.AsyncVeza(url, access_token="t")

async def scene(who):
    print((await client.orders.get(f"{who}-1")).id, (await client.orders.get(f"{who}-2")).id, flush=True)

asyncio.run(scene("parent"))
os.waitpid(child(lambda: asyncio.run(scene("child"))), 0)
asyncio.run(scene("parent"))
"""
    assert printed(code, kept.url) == ["parent-1 parent-2", "child-1 child-2", "parent-1 parent-2"]
    assert not kept.ports("parent") & kept.ports("child")


@forks
@pytest.mark.process
def test_a_given_client_that_the_parent_used_is_refused_in_the_child(kept: Kept) -> None:
    code = """
http = httpx.Client()
client = veza.Veza(url, access_token="t", http_client=http)
get("parent-1")()
os.waitpid(child(get("child-1")), 0)
another = veza.Veza(url, access_token="t", http_client=http)
os.waitpid(child(lambda: another.orders.get("child-2")), 0)
same = veza.Veza(url, access_token="t", http_client=lambda: http)
os.waitpid(child(lambda: same.orders.get("child-2")), 0)
unused = veza.Veza(url, access_token="t", http_client=httpx.Client())
os.waitpid(child(lambda: print(unused.orders.get("child-3").id, flush=True)), 0)
get("parent-2")()
"""
    lines = printed(code, kept.url)
    assert [lines[0], *lines[4:]] == ["parent-1", "child-3", "parent-2"]
    for line in lines[1:4]:
        assert line.startswith("InvalidRequestError")
        assert "http_client=lambda: httpx.Client()" in line
    assert [order for order, _ in kept.asked] == ["parent-1", "child-3", "parent-2"]


@forks
@pytest.mark.process
def test_a_fork_while_a_login_is_under_way_holds_up_no_child(kept: Kept) -> None:
    code = """
parent = os.getpid()
inside, go_on = threading.Event(), threading.Event()

def provide(rejected):
    if os.getpid() == parent:
        inside.set()
        go_on.wait()
    return "token"

client = veza.Veza(url, token_provider=provide)
thread = threading.Thread(target=get("parent-1"))
thread.start()
inside.wait()
with __import__("warnings").catch_warnings():
    __import__("warnings").simplefilter("ignore", DeprecationWarning)
    pid = child(get("child-1"))
os.waitpid(pid, 0)
go_on.set()
thread.join()
"""
    assert printed(code, kept.url) == ["child-1", "parent-1"]


@forks
@pytest.mark.process
def test_a_fork_while_the_token_file_is_locked_leaves_the_lock_to_the_parent(tmp_path: Path) -> None:
    code = """
store = veza.FileTokenStore(sys.argv[2])
inside, go_on = threading.Event(), threading.Event()
released, tell = os.pipe()

def hold():
    with store.lock():
        inside.set()
        go_on.wait()

def lock_later():
    os.read(released, 1)
    with store.lock():
        print("child", flush=True)

thread = threading.Thread(target=hold)
thread.start()
inside.wait()
with __import__("warnings").catch_warnings():
    __import__("warnings").simplefilter("ignore", DeprecationWarning)
    pid = child(lock_later)
go_on.set()
thread.join()
with store.lock():
    print("parent", flush=True)
os.write(tell, b".")
os.waitpid(pid, 0)
"""
    assert printed(code, "", tmp_path / "login") == ["parent", "child"]


@forks
@pytest.mark.process
def test_a_forked_child_keeps_the_login_that_the_parent_has() -> None:
    code = """
from veza.testing import FakeBackend, connect, transport
backend = FakeBackend()
client = connect(backend, http_client=lambda: httpx.Client(transport=transport(backend)))
client.auth.me()
os.waitpid(child(lambda: print(client.auth.me().id, backend.count("login"), flush=True)), 0)
"""
    assert printed(code, "") == ["user-1 1"]


def test_one_client_serves_event_loops_one_after_the_other(kept: Kept) -> None:
    client = veza.AsyncVeza(kept.url, access_token="t", max_retries=0)

    async def scene(loop: int) -> list[str]:
        return [(await client.orders.get(f"loop-{loop}-{number}")).id for number in range(2)]

    for loop in range(3):
        assert asyncio.run(scene(loop)) == [f"loop-{loop}-0", f"loop-{loop}-1"]
        assert len(kept.ports(f"loop-{loop}")) == 1
    assert len(kept.ports("loop")) == 3


def test_one_client_serves_event_loops_side_by_side(kept: Kept) -> None:
    client = veza.AsyncVeza(kept.url, access_token="t", max_retries=0)
    turns = threading.Barrier(2)
    found: dict[str, list[str]] = {}

    async def scene(name: str) -> list[str]:
        seen = []
        for number in range(5):
            turns.wait(60)
            seen.append((await client.orders.get(f"{name}-{number}")).id)
        return seen

    def run(name: str) -> None:
        found[name] = asyncio.run(scene(name))

    threads = [threading.Thread(target=run, args=[name]) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: [f"{name}-{number}" for number in range(5)] for name in ("one", "two")}
    assert (len(kept.ports("one")), len(kept.ports("two"))) == (1, 1)
    assert not kept.ports("one") & kept.ports("two")


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # what the SDK warns of
def test_a_given_client_in_a_second_event_loop_says_what_to_do(kept: Kept) -> None:
    def scene() -> None:
        client = veza.AsyncVeza(kept.url, access_token="t", http_client=httpx.AsyncClient(), max_retries=0)

        async def get() -> str:
            return (await client.orders.get("order")).id

        assert asyncio.run(get()) == "order"
        with pytest.raises(veza.APIConnectionError, match="pass a function that makes a client"):
            asyncio.run(get())

    scene()
    gc.collect()


def test_closing_an_asynchronous_client_closes_it_in_each_loop(kept: Kept) -> None:
    made: list[httpx.AsyncClient] = []

    def make() -> httpx.AsyncClient:
        made.append(httpx.AsyncClient())
        return made[-1]

    client = veza.AsyncVeza(kept.url, access_token="t", http_client=make)
    ready, go_on = threading.Event(), threading.Event()

    async def elsewhere() -> None:
        await client.orders.get("elsewhere")
        ready.set()
        await asyncio.to_thread(go_on.wait)

    async def here() -> None:
        await client.orders.get("here")
        await client.aclose()
        with pytest.raises(veza.APIConnectionError, match="closed") as caught:
            await client.orders.get("here")
        assert caught.value.reason == "closed"

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()
    ready.wait()
    asyncio.run(here())
    go_on.set()
    thread.join()
    assert [one.is_closed for one in made] == [True, True]


@pytest.mark.parametrize("family", [httpx, httpx2])
def test_cancelled_calls_do_not_use_up_the_connections(kept: Kept, family: Any) -> None:
    def make() -> Any:
        return family.AsyncClient(limits=family.Limits(max_connections=1))

    async def scene() -> None:
        for turns in range(12):  # cancelled while waiting for a connection, while connecting, while sending, …
            client = veza.AsyncVeza(kept.url, access_token="t", http_client=make, clock=AsyncFakeClock())
            calls = [asyncio.create_task(client.orders.get(f"gone-{number}")) for number in range(3)]
            for _ in range(turns):
                await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            assert (await client.orders.get("fine", timeout=0.5)).id == "fine"
            await client.aclose()

    asyncio.run(scene())


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_is_neither_pickled_nor_copied_and_says_what_to_do(duplicate: Any) -> None:
    for client in (connect(FakeBackend()), connect_async(FakeBackend())):
        for thing in (client, client._engine):
            with pytest.raises(TypeError, match="in each process"):
                duplicate(thing)
