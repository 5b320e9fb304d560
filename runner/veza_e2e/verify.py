"""Checks offline whether a session's files are unchanged: chain, views, addenda, signatures.

It also says what a hash chain cannot prove: someone who rewrites all of it leaves no trace. Signatures, the
processor's ids and the `Date` of responses are independent witnesses.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from veza_e2e import report
from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.sessions import JOURNAL, Archive, Stored
from veza_e2e.journal import DamagedError, Reading
from veza_e2e.journal.events import SessionEnded, SessionStarted

CheckStatus = Literal["ok", "open", "not checked", "damaged"]
NAMESPACE = "veza-e2e"
LIMITS = (
    "a chain shows that nothing was changed, cut out or put in between; it cannot show that the whole was not written "
    "anew, nor that no addendum was taken from the end or all of them written anew: for that, compare a signature of "
    "each file, or the processor's and the bank's own records"
)


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    name: str
    status: CheckStatus
    message: str


def verify(stored: Stored, signers: Path | None = None) -> tuple[Check, ...]:
    """Return the results of all checks of a session.

    Args:
        stored: the session.
        signers: OpenSSH's allowed signers file, if there is one.
    """
    try:
        reading = stored.read()
    except DamagedError as error:
        return (Check("chain", "damaged", f"event {error.seq}: {error.reason}"),)
    except OSError as error:
        return (Check("chain", "damaged", f"{stored.journal}: {error.strerror}"),)
    checks = [*_chain(reading), *_views(stored, reading), *_dry_run(stored, reading), *_addenda(stored, reading)]
    return (*checks, *_signatures(stored, signers))


def _chain(reading: Reading) -> Iterator[Check]:
    count = len(reading.lines)
    if reading.ended and reading.torn:
        yield Check("chain", "damaged", f"event {count + 1}: something stands after SessionEnded")
    elif reading.ended:
        yield Check("chain", "ok", f"{count} events, ended, last hash {reading.lines[-1].hash}")
    else:
        torn = f"; {reading.torn} bytes of an unterminated line follow" if reading.torn else ""
        yield Check("chain", "open", f"open: the tail cannot be proven ({count} events{torn})")


def _views(stored: Stored, reading: Reading) -> Iterator[Check]:
    last = reading.lines[-1].event if reading.lines else None
    if not isinstance(last, SessionEnded):
        return
    if not isinstance(reading.lines[0].event, SessionStarted):
        yield Check("chain", "damaged", "event 1: is no beginning of a session that this version can read")
        return
    rendered = report.render(reading.lines) if last.template == report.template_version() else None
    for name, expected in sorted(last.views.items()):
        path = stored.folder / Path(name).name
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            yield Check(name, "damaged", f"{path}: {error.strerror}")
            continue
        if found != expected:
            yield Check(name, "damaged", f"{path}: does not have the digest that event {len(reading.lines)} names")
        elif rendered is None:
            yield Check(name, "ok", "has its digest; not rendered again: another template version made it")
        elif hashlib.sha256(rendered.get(name, b"")).hexdigest() != expected:
            yield Check(name, "damaged", f"{path}: is not what the journal renders to")
        else:
            yield Check(name, "ok", "has its digest, and is what the journal renders to")


def _dry_run(stored: Stored, reading: Reading) -> Iterator[Check]:
    first = reading.lines[0].event if reading.lines else None
    if not isinstance(first, SessionStarted) or first.dry_run is None:
        return
    session, cited = first.dry_run["session"], first.dry_run["hash"]
    found = next((other for other in Archive(stored.folder.parents[2]).sessions() if other.session == session), None)
    if found is None:
        yield Check("dry-run", "not checked", f"{session} is not in this archive")
        return
    try:
        last = found.read().lines[-1].hash
    except (DamagedError, OSError) as error:
        yield Check("dry-run", "damaged", f"{session}: {error}")
        return
    if last == cited:
        yield Check("dry-run", "ok", f"{session} ends with the hash that event 1 cites")
    else:
        yield Check("dry-run", "damaged", f"{session} does not end with the hash that event 1 cites")


def _addenda(stored: Stored, reading: Reading) -> Iterator[Check]:
    for path, item in stored.each_addendum(reading):
        if isinstance(item, ArchiveError):
            yield Check(path.name, "damaged", str(item))
            continue
        cited = "the last hash, and the addendum before it" if item.previous else "the last hash"
        yield Check(path.name, "ok", f"cites {cited}; {item.told}")


def signature_of(path: Path) -> Path:
    """Return the path of a file's signature."""
    return path.with_name(path.name + ".sig")


def _signatures(stored: Stored, signers: Path | None) -> Iterator[Check]:
    signed = [path for path in (stored.journal, *stored.addendum_files()) if signature_of(path).exists()]
    for path in signed:
        yield _signature(path, signers)
    if stored.journal not in signed:
        yield Check(signature_of(stored.journal).name, "not checked", f"{JOURNAL} is not signed")


def _signature(path: Path, signers: Path | None) -> Check:
    signature = signature_of(path)
    try:
        who = _principal(path, signature, signers) if signers else None
        check = ["verify", "-f", str(signers), "-I", who] if who and signers else ["check-novalidate"]
        done = _ssh_keygen(path, [*check, "-n", NAMESPACE, "-s", str(signature)])
    except FileNotFoundError:
        return Check(signature.name, "not checked", "ssh-keygen is not installed")
    if done.returncode:
        return Check(signature.name, "damaged", f"{signature}: does not fit {path.name}")
    if who:
        return Check(signature.name, "ok", f"signed by {who}")
    return Check(
        signature.name, "ok", "fits the file; whose key it is was not checked (no allowed_signers file names it)"
    )


def _principal(path: Path, signature: Path, signers: Path) -> str | None:
    done = _ssh_keygen(path, ["find-principals", "-f", str(signers), "-s", str(signature)])
    lines = done.stdout.decode(errors="replace").splitlines()
    return lines[0].split(",")[0] if done.returncode == 0 and lines else None


def _ssh_keygen(path: Path, arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    command = ["ssh-keygen", "-Y", *arguments]
    with path.open("rb") as file:
        return subprocess.run(command, stdin=file, capture_output=True, check=False)  # noqa: S603 - no shell, own names


def sign(path: Path, key: Path) -> None:
    """Sign a file with an OpenSSH key; the signature is written beside it as `*.sig`.

    Raises:
        ArchiveError: there is a signature already, or ssh-keygen failed.
    """
    if signature_of(path).exists():
        raise ArchiveError(f"{signature_of(path)}: is there already")
    command = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - as above
    except FileNotFoundError as error:
        raise ArchiveError("ssh-keygen is not installed") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ArchiveError(f"ssh-keygen did not sign {path.name}: {said[-1] if said else done.returncode}")
