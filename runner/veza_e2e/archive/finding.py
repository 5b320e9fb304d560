"""Finds the session that a person names: by the beginning of its id, or as the latest."""

from __future__ import annotations

from collections.abc import Sequence

from veza_e2e.archive.sessions import Archive, Stored, UnknownSessionError

LATEST = "latest"
"""Names the newest session, wherever a session is named."""


def find(archives: Sequence[Archive], name: str, environment: str | None = None) -> Stored:
    """Return the one session that is named.

    Args:
        archives: where to look.
        name: how its id begins, or `latest`.
        environment: of which the latest is meant; None for any.

    Raises:
        UnknownSessionError: there is no such session, or several.
    """
    every = {stored.session: stored for archive in archives for stored in archive.sessions()}
    where = ", ".join(str(archive.root) for archive in archives)
    if name == LATEST:
        newest = (every[session] for session in sorted(every, reverse=True))
        # One whose beginning cannot be read may be meant; a command that gets it says that it is damaged.
        found = next((one for one in newest if environment is None or _environment(one) in {environment, None}), None)
        if found is None:
            raise UnknownSessionError(f"no session{f' of {environment}' if environment else ''} in {where}")
        return found
    named = [session for session in every if session.startswith(name.upper())]
    if len(named) == 1:
        return every[named[0]]
    if not named:
        raise UnknownSessionError(f"no session {name!r:.40} in {where}")
    raise UnknownSessionError(f"{len(named)} sessions begin with {name!r:.40}: {', '.join(sorted(named)[:3])} …")


def _environment(stored: Stored) -> str | None:
    first = stored.beginning()
    return None if first is None else first.environment
