"""Replicas of a service share one login: threads, processes, and after a crash."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from benchmarks import shared_login

import veza
from veza.testing import FakeBackend, connect

if TYPE_CHECKING:
    from pathlib import Path

REPLICA = """
import sys, veza
url, store = sys.argv[1:3]
login = veza.SharedLogin(veza.Veza(url, email="operator@veza.test", password="rehearsal"), veza.FileTokenStore(store))
client = veza.Veza(url, token_provider=login)
for _ in range(3):
    print(client.auth.me().id, flush=True)
    sys.stdin.readline()
"""


def test_clients_of_one_process_share_a_login(tmp_path: Path) -> None:
    backend = FakeBackend()
    store = veza.FileTokenStore(tmp_path / "login")
    replicas = [connect(backend, token_provider=veza.SharedLogin(connect(backend), store)) for _ in range(5)]
    for replica in replicas:
        replica.auth.me()
    backend.revoke_access()
    for replica in replicas:
        replica.auth.me()
    assert (backend.count("login"), backend.count("refreshToken")) == (1, 1)


def test_a_revoked_refresh_token_leads_to_one_login_for_all(tmp_path: Path) -> None:
    backend = FakeBackend()
    store = veza.FileTokenStore(tmp_path / "login")
    replicas = [connect(backend, token_provider=veza.SharedLogin(connect(backend), store)) for _ in range(3)]
    for replica in replicas:
        replica.auth.me()
    backend.revoke_access()
    backend.revoke_refresh()
    for replica in replicas:
        replica.auth.me()
    assert (backend.count("login"), backend.count("refreshToken")) == (2, 1)


def test_rotated_refresh_tokens_are_kept_for_the_next(tmp_path: Path) -> None:
    backend = FakeBackend(rotate=True)
    for _ in range(3):
        client = connect(backend)
        replica = connect(backend, token_provider=veza.SharedLogin(client, veza.FileTokenStore(tmp_path / "login")))
        replica.auth.me()
        backend.revoke_access()
    assert (backend.count("login"), backend.count("refreshToken")) == (1, 2)


@pytest.mark.process
def test_processes_share_a_login(tmp_path: Path, veza_backend: FakeBackend, veza_server: str) -> None:
    command = [sys.executable, "-c", REPLICA, veza_server, str(tmp_path / "login")]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") for _ in range(2)
    ]
    for _ in range(3):
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "user-1\n"
        veza_backend.revoke_access()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert (veza_backend.count("login"), veza_backend.count("refreshToken")) == (1, 2)


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize(("store", "kill"), [("file", False), ("redis", True), ("pgbouncer", True)])
def test_processes_with_threads_and_tasks_log_in_once(store: str, kill: int) -> None:
    """A short version of `python -m benchmarks.shared_login`; a holder that is killed has logged in once more."""
    found = shared_login.run(store, processes=6, seconds=2, kill=bool(kill))
    assert found.problems == []
    assert found.logins == 1 + kill
    assert found.calls >= 24


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_the_owner_can_read_the_store(tmp_path: Path) -> None:
    store = veza.FileTokenStore(tmp_path / "login")
    store.write("one")
    store.write("two")
    assert store.read() == "two"
    with store.lock():
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("text", ["{", "[]", "{}", json.dumps({"access_token": "a"})])
def test_a_store_that_holds_something_else_is_said(tmp_path: Path, text: str) -> None:
    backend = FakeBackend()
    store = veza.FileTokenStore(tmp_path / "login")
    store.write(text)
    with pytest.raises(veza.InvalidRequestError):
        connect(backend, token_provider=veza.SharedLogin(connect(backend), store)).auth.me()
    assert backend.sent == []
