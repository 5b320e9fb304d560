"""Signs files with OpenSSH keys, and checks signatures (`ssh-keygen -Y`), which stand beside their files as `*.sig`.

Who may sign is the policy: an allowed signers file of OpenSSH that lies outside the archive. Whoever can rewrite the
archive could rewrite a policy in it.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Literal

from veza_e2e.archive.files import ArchiveError
from veza_e2e.child import child_environment
from veza_e2e.frozen import dataclass

NAMESPACE = "veza-e2e"
SIGNERS = "allowed_signers"
SUFFIX = ".sig"
_ASKS = frozenset({"SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY", "WAYLAND_DISPLAY"})
"""With these ssh-keygen asks for a passphrase in a window."""
_PATIENCE = 120
"""Seconds that ssh-keygen may take; a security key waits for a touch."""
_GRACE = 10
"""Seconds in which an interrupted ssh-keygen has put the terminal back."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The result of checking one signature."""

    status: Literal["ok", "not checked", "damaged"]
    message: str


def signature_of(path: Path) -> Path:
    """Return the path of a file's signature."""
    return path.with_name(path.name + SUFFIX)


def check(path: Path, policy: Path | None) -> Signature:
    """Check the signature beside `path`: that it fits the file, and that the policy allows its key now.

    Args:
        path: the signed file.
        policy: the allowed signers; None if there is no policy: then whose key it is is not checked.
    """
    signature = signature_of(path)
    try:
        who = None if policy is None else _principal(path, signature, policy)
        allowed = ["verify", "-f", str(policy), "-I", who or "", "-n", NAMESPACE, "-s", str(signature)]
        if who is not None and not _ssh_keygen(path, allowed).returncode:
            return Signature("ok", f"signed by {who}")
        if _ssh_keygen(path, ["check-novalidate", "-n", NAMESPACE, "-s", str(signature)]).returncode:
            return Signature("damaged", f"{signature}: does not fit {path.name}")
    except FileNotFoundError:
        return Signature("not checked", "ssh-keygen is not installed")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Signature("not checked", f"ssh-keygen could not be run: {type(error).__name__}")
    if policy is not None:
        return Signature("damaged", f"{signature}: by a key that {policy} does not allow, or no longer")
    return Signature(
        "not checked", "fits the file; whose key it is was not checked: no --allowed-signers FILE says who may"
    )


def _principal(path: Path, signature: Path, policy: Path) -> str | None:
    done = _ssh_keygen(path, ["find-principals", "-f", str(policy), "-s", str(signature)])
    lines = done.stdout.decode(errors="replace").splitlines()
    return lines[0].split(",")[0] if done.returncode == 0 and lines else None


def _ssh_keygen(path: Path, arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    with path.open("rb") as file:
        return subprocess.run(  # noqa: S603 - no shell, own names
            ["ssh-keygen", "-Y", *arguments],  # noqa: S607 - the one on the path
            stdin=file,
            capture_output=True,
            check=False,
            env=child_environment(),
            timeout=_PATIENCE,
        )


def sign(path: Path, key: Path, *, asks: bool = True) -> Path:
    """Sign a file with an OpenSSH key; return the signature, which is written beside it.

    Args:
        path: the file.
        key: a private key, or the public key of one that the agent holds.
        asks: whether ssh-keygen may ask for a passphrase. If not, a key with one needs the agent.

    Raises:
        ArchiveError: there is a signature already, or ssh-keygen failed.
    """
    if signature_of(path).exists():
        raise ArchiveError(f"{signature_of(path)}: is there already")
    command = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(path)]
    try:
        code, words = _asking(command) if asks else _silent(command)
    except FileNotFoundError as error:
        raise ArchiveError("ssh-keygen is not installed") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ArchiveError(f"ssh-keygen did not sign {path.name}: {type(error).__name__}") from error
    if code:
        said = words.decode(errors="replace").strip().splitlines()
        raise ArchiveError(f"ssh-keygen did not sign {path.name}: {said[-1] if said else code}")
    return signature_of(path)


def _asking(command: list[str]) -> tuple[int, bytes]:
    """Run a command that may ask the person for a passphrase; return its exit code and its errors.

    While it asks, the terminal shows nothing that is typed. If the person interrupts it, it is waited for, so that it
    puts the terminal back.
    """
    with subprocess.Popen(  # noqa: S603 - no shell, own names
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=child_environment(persons=True)
    ) as child:
        try:
            _, said = child.communicate()
        except KeyboardInterrupt:
            child.terminate()
            try:
                child.wait(_GRACE)
            except subprocess.TimeoutExpired:
                child.kill()
            raise
        return child.returncode, said


def _silent(command: list[str]) -> tuple[int, bytes]:
    """Run a command that can ask nobody, neither at the terminal nor in a window."""
    environment = child_environment(persons=True)
    done = subprocess.run(  # noqa: S603 - no shell, own names
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env={name: one for name, one in environment.items() if name not in _ASKS},
        timeout=_PATIENCE,
        start_new_session=True,
    )
    return done.returncode, done.stderr
