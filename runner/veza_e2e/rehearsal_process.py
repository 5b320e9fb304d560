"""Starts the embedded rehearsal backend as a child process, and ends it."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path

from veza_e2e.child import child_environment
from veza_e2e.config import Secrets, Settings
from veza_e2e.frozen import dataclass
from veza_e2e.journal import disk
from veza_e2e.ports.machine import Machine

_PORT = "port"
_START_SECONDS = 20.0


class RehearsalError(Exception):
    """The rehearsal backend could not be started."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A running rehearsal backend."""

    base_url: str
    process: subprocess.Popen[bytes]

    def wait(self, over: threading.Event) -> None:
        """Wait until `over` is set.

        Raises:
            RehearsalError: the backend ended before that.
        """
        while not over.wait(0.5):
            if self.process.poll() is not None:
                raise RehearsalError(f"the rehearsal backend ended by itself with {self.process.returncode}")


def known_faults() -> tuple[str, ...]:
    """Return the names of the fault switches."""
    import veza_rehearsal  # noqa: PLC0415 - as below

    return tuple(veza_rehearsal.FAULTS)


def check_faults(faults: Sequence[str]) -> tuple[str, ...]:
    """Return the fault switches in their normal form.

    Raises:
        ValueError: a switch is unknown; the message lists the known ones.
    """
    if not faults:
        return ()
    import veza_rehearsal  # noqa: PLC0415 - most runs have no fault, or no rehearsal backend

    return tuple(str(veza_rehearsal.parse_fault(fault)) for fault in faults)


def rehearsal_account(secrets: Secrets) -> Secrets:
    """Return the account of the rehearsal backend: the operator's, else the documented one."""
    import veza_rehearsal  # noqa: PLC0415 - as above

    return Secrets(
        email=secrets.email or veza_rehearsal.DEFAULT_EMAIL,
        password=secrets.password or veza_rehearsal.DEFAULT_PASSWORD,
        hyperswitch_api_key=veza_rehearsal.PROCESSOR_API_KEY,
    )


@contextmanager
def run_backend(
    folder: Path,
    account: Secrets,
    faults: Sequence[str] = (),
    *,
    port: int | None = None,
    database: str | None = None,
    environment: str = "sandbox",
    meanwhile: Callable[[], object] = bool,
) -> Iterator[Backend]:
    """Run a rehearsal backend as a child process. It ends with this process; its state stays in `folder`.

    Args:
        folder: holds database and port; with existing ones the same backend runs again.
        account: the operator's account.
        faults: the switches that are on.
        port: the port; None takes this backend's earlier port, else a free one.
        database: a URL; None takes a file in `folder`.
        environment: `sandbox` or `live`.
        meanwhile: called while the backend starts, as this process must wait for it anyway.

    Raises:
        RehearsalError: it did not start; the message says why.
    """
    kept = folder / _PORT
    port = _kept_port(kept) if port is None else port
    folder.mkdir(parents=True, exist_ok=True)
    with as_file(files("veza").joinpath("openapi.json")) as contract, (folder / "stderr.log").open("ab") as errors:
        command = [sys.executable, "-m", "veza_rehearsal", "--contract", str(contract), "--until-stdin-closes"]
        command += ["--port", str(port), "--environment", environment]
        command += ["--database", database or f"sqlite:///{(folder / 'backend.db').resolve()}"]
        command += [word for fault in faults for word in ("--fault", fault)]
        process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            env=_child_environment(account),
        )
    try:
        meanwhile()
        base_url, port = _listening(process, folder)
        disk.replace(kept, f"{port}\n".encode())
        yield Backend(base_url, process)
    finally:
        _end(process)


def _kept_port(file: Path) -> int:
    if not file.exists():
        return 0
    try:
        return int(file.read_text(encoding="utf-8") or 0)
    except ValueError as error:
        raise RehearsalError(f"{file}: is damaged: it holds no port; remove it to take a free one") from error


def _child_environment(account: Secrets) -> dict[str, str]:
    return {**child_environment(), "OPERATOR_EMAIL": account.email or "", "OPERATOR_PASSWORD": account.password or ""}


def _listening(process: subprocess.Popen[bytes], folder: Path, *, seconds: float = _START_SECONDS) -> tuple[str, int]:
    assert process.stdout is not None
    line, until = b"", time.monotonic() + seconds
    while not line.endswith(b"\n"):
        if not select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))[0]:
            process.kill()
            break
        chunk = os.read(process.stdout.fileno(), 4096)
        if not chunk:
            break
        line += chunk
    try:
        said = json.loads(line)
        return str(said["base_url"]), int(said["port"])
    except (ValueError, KeyError, TypeError) as error:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_START_SECONDS)
        last = (folder / "stderr.log").read_text(errors="replace", encoding="utf-8").strip().splitlines()[-1:]
        raise RehearsalError(f"the rehearsal backend did not start: {' '.join(last) or 'it said nothing'}") from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the child. Its database holds everything that it answered, and it is built to be killed."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()


@contextmanager
def child_process(
    folder: Path, account: Secrets, faults: Sequence[str], *, meanwhile: Callable[[], object] = bool
) -> Iterator[str]:
    """Run a rehearsal backend as a child process and yield its base URL; see `run_backend`."""
    with run_backend(folder, account, faults, meanwhile=meanwhile) as own:
        yield own.base_url


@contextmanager
def reachable(
    settings: Settings, secrets: Secrets, session: str, faults: Sequence[str], machine: Machine,
    *, meanwhile: Callable[[], object] = bool,
) -> Iterator[str | None]:  # fmt: skip
    """Run the session's own rehearsal backend and yield its base URL; in another environment yield None.

    `meanwhile` is called while a child process starts.

    Raises:
        RehearsalError: it did not start.
    """
    if not settings.environment.embedded:
        yield None
        return
    start = machine.start_rehearsal or partial(child_process, meanwhile=meanwhile)
    with start(state_folder(settings, session), secrets, faults) as base_url:
        yield base_url


def forget(settings: Settings, session: str) -> None:
    """Remove the state of a rehearsal backend that has no session."""
    shutil.rmtree(state_folder(settings, session), ignore_errors=True)


def state_folder(settings: Settings, session: str) -> Path:
    """Return the folder for the state of a session's rehearsal backend."""
    return settings.state / "rehearsal" / session
