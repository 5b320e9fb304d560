"""Finds sessions for commands, and turns errors of the archive into exit codes."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from veza_e2e import config
from veza_e2e.archive.files import ArchiveError
from veza_e2e.archive.finding import find
from veza_e2e.archive.releases import standing
from veza_e2e.archive.sessions import Archive, Stored, UnknownSessionError
from veza_e2e.archive.signatures import sign
from veza_e2e.cli.output import Exit, Invocation, Stop, say
from veza_e2e.evidence import Summary
from veza_e2e.journal import DamagedError


def archives(invocation: Invocation) -> list[Archive]:
    """Return the archives to search: `--archive`, else the environment's archive and the other default one.

    Raises:
        Stop: the configuration cannot be used.
    """
    first = home(invocation)
    if invocation.archive:
        return [first]
    roots = dict.fromkeys((first.root, config.REHEARSAL_ARCHIVE, config.PUBLISHED_ARCHIVE))
    return [Archive(root, first.signs, first.index) for root in roots]


def home(invocation: Invocation) -> Archive:
    """Return the archive of the chosen environment.

    Raises:
        Stop: the configuration cannot be used.
    """
    return archive_of(settings_of(invocation))


def archive_of(settings: config.Settings) -> Archive:
    """Return the environment's archive, whose new manifests `[signing] key` signs, with its index."""
    key = settings.signing.key
    signs = None if key is None else partial(_signed, key=key)
    return Archive(settings.archive, signs, settings.state / "index")


def _signed(manifest: Path, key: Path) -> None:
    """Sign a manifest. If that fails, say so: the manifest can be signed at any time."""
    try:
        sign(manifest, key, asks=False)
    except ArchiveError as error:
        later = command_in(manifest.parents[3], None, "sign", manifest.parent.name, "--key", str(key))
        say(f"Not signed: {error}. Nothing is lost; later: {later}")


def attested(archive: Archive, item: str, release: str | None) -> bool | None:
    """Return whether a person attested `item` for the release, or for all; None if an attestation is damaged."""
    try:
        return any(one.item == item and one.release in {None, release} for one in archive.attestations())
    except ArchiveError:
        return None


def settings_of(invocation: Invocation) -> config.Settings:
    """Return the settings.

    Raises:
        Stop: the configuration cannot be used.
    """
    try:
        return config.load(invocation.environment, config=invocation.config, archive=invocation.archive)
    except config.ConfigError as error:
        hint = f"correct it, then try: {invocation.command('preflight')}"
        if invocation.config is None and not config.CONFIG_FILE.exists():
            hint = f"write the file: {replace(invocation, environment=config.REHEARSAL).command('init')}"
        if error.meant is not None:
            hint = f"did you mean: {replace(invocation, environment=error.meant).command('preflight')}"
        raise Stop(Exit.USAGE, str(error), hint) from error


def stored_session(invocation: Invocation, prefix: str) -> Stored:
    """Return the session whose id begins with `prefix`; `latest` is the newest of `--env`, or of all without it.

    Raises:
        Stop: no session, or several, have such an id.
    """
    try:
        named = invocation.environment if invocation.environment != config.REHEARSAL else None
        return find(archives(invocation), prefix, named)
    except UnknownSessionError as error:
        raise Stop(Exit.USAGE, str(error), f"list them: {invocation.command('sessions')}") from error


def command_in(archive: Path, environment: str | None, *words: str) -> str:
    """Return the command line of some words about an archive's sessions; the two default ones need not be named."""
    given = ["veza-e2e"]
    if environment is not None:
        given += ["--env", environment]
    if archive not in {config.REHEARSAL_ARCHIVE, config.PUBLISHED_ARCHIVE}:
        given += ["--archive", str(archive)]
    return shlex.join([*given, *words])


def verify_command(stored: Stored) -> str:
    """Return the command that says what of a session is damaged."""
    return command_in(stored.folder.parents[2], None, "verify", stored.session)


def in_its_environment(invocation: Invocation, stored: Stored) -> Invocation:
    """Return the invocation with the environment of a session, whatever `--env` was given."""
    first = stored.beginning()
    return invocation if first is None else replace(invocation, environment=first.environment)


def summary_of(stored: Stored) -> Summary:
    """Return a session's summary, beside what the dry-run that it cites says now.

    Raises:
        Stop: its files are damaged.
    """
    try:
        return standing(stored)
    except (DamagedError, ArchiveError, OSError) as error:
        raise Stop(Exit.DAMAGED, str(error), f"what is damaged: {verify_command(stored)}") from error


def written(write: Callable[[], Path]) -> Path:
    """Call `write` and return the path that it wrote.

    Raises:
        Stop: nothing was written.
    """
    try:
        return write()
    except (ArchiveError, OSError) as error:
        raise Stop(
            Exit.FAILED, str(error), "nothing was written; make room, or name a folder that you may write"
        ) from error


def chosen_sessions(invocation: Invocation, prefixes: tuple[str, ...]) -> list[Stored]:
    if prefixes:
        return [stored_session(invocation, prefix) for prefix in prefixes]
    return [stored for archive in archives(invocation) for stored in archive.sessions()]


def policy_of(invocation: Invocation, signers: Path | None = None, *, required: bool = False) -> Path | None:
    """Return the file that says whose signatures count: `signers`, else that of the settings; None if there is none.

    Raises:
        Stop: there is none and it is required, it cannot be read, or it lies in an archive.
    """
    policy = signers or settings_of(invocation).signing.allowed_signers
    hint = "name a file with the keys that may sign: --allowed-signers FILE, or [signing] allowed_signers"
    if policy is None:
        if required:
            raise Stop(Exit.USAGE, "--require-signature: nothing says whose signatures count", hint)
        return None
    if not policy.is_file():
        raise Stop(Exit.USAGE, f"[signing] allowed_signers: {policy} is not a file", hint)
    for archive in archives(invocation):
        if policy.resolve().is_relative_to(archive.root.resolve()):
            raise Stop(Exit.USAGE, f"{policy} lies in the archive, where it can be rewritten with the rest", hint)
    return policy
