"""Throw-away OpenSSH keys, and policies that allow them."""

from __future__ import annotations

import subprocess
from pathlib import Path

NAMESPACE = 'namespaces="veza-e2e"'


def new_key(path: Path) -> Path:
    """Make a key without a passphrase; return the private key's path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return path


def policy(path: Path, **keys: Path) -> Path:
    """Write an allowed signers file with a line for each name; return its path."""
    lines = [f"{name}@veza.test {NAMESPACE} {public(key)}\n" for name, key in keys.items()]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def public(key: Path) -> str:
    return key.with_suffix(".pub").read_text(encoding="utf-8").strip()
