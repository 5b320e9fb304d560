"""The environment of child processes: the one place where it is made. No secret is in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from veza_e2e.config import SECRET_VARIABLES
from veza_e2e.redaction.needles import Needles, core

_INHERITED = frozenset({
    "PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR",
    # For the loader, and for a moved clock, so that parent and child agree on the day.
    "LD_LIBRARY_PATH", "LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC",
    # Where schemathesis' generator keeps its tables of characters, which take seconds to make.
    "HYPOTHESIS_STORAGE_DIRECTORY",
})  # fmt: skip
_PERSONS = frozenset({
    "BROWSER", "DISPLAY", "XAUTHORITY", "DESKTOP_SESSION", "SESSION_MANAGER", "USER", "LOGNAME", "SHELL", "TERM",
    "COLORTERM", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "SSH_SK_PROVIDER", "WSLENV",
    "WSL_DISTRO_NAME", "WSL_INTEROP",
})  # fmt: skip
_FAMILIES = ("XDG_", "DBUS_", "WAYLAND_", "GNOME_", "KDE_", "GTK_", "GDK_", "QT_", "MOZ_", "LC_", "__CF")


def child_environment(variables: Mapping[str, str] | None = None, *, persons: bool = False) -> dict[str, str]:
    """Return the environment's variables that a child process needs; no secret is among them.

    Args:
        variables: the environment's; None takes this process's own.
        persons: whether the child is a person's program, such as the browser or ssh-keygen, which needs the desktop
            and the agent too.
    """
    given = os.environ if variables is None else variables
    secrets = {core(kind, given[name]): kind for kind, name in _KINDS.items() if given.get(name)}
    needles = Needles(secrets)
    return {
        name: value
        for name, value in given.items()
        if (name in _INHERITED or (persons and (name in _PERSONS or name.startswith(_FAMILIES))))
        and value not in secrets
        and needles.find(value) is None
    }


@contextmanager
def for_a_persons_program() -> Iterator[None]:
    """Give this process the environment of a person's program for a while: for a starter that takes none."""
    before = dict(os.environ)
    try:
        _set(child_environment(persons=True))
        yield
    finally:
        _set(before)


def _set(wanted: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


_KINDS = {
    "dsn" if name == "database_url" else name: variable
    for name, variable in SECRET_VARIABLES.items()
    if name != "email"
}
