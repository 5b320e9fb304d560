"""Settings of `[signing]`: who signs, and who may. Both files lie outside the archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from veza_e2e.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Signing:
    """The files of `[signing]`."""

    key: Path | None = None
    """Signs each manifest by itself: an OpenSSH private key, or the public key of one that the agent holds."""
    allowed_signers: Path | None = None
    """The policy: OpenSSH's allowed signers."""


def read(folder: Path, table: Mapping[str, object]) -> Signing:
    """Return the settings of a table; its paths are relative to `folder`.

    Raises:
        ValueError: a setting is unknown, or is not a path; the message begins with its name.
    """
    known = [f.name for f in fields(Signing)]
    for name, value in table.items():
        if name not in known:
            raise ValueError(f"{name} is not a setting; known: {', '.join(known)}")
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{name} must be the path of a file, not {value!r:.40}")
    return Signing(**{name: folder / Path(str(value)).expanduser() for name, value in table.items()})
