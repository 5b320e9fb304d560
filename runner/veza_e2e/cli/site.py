"""`site`: builds and serves the site."""

from __future__ import annotations

import contextlib
import functools
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click

from veza_e2e.archive.sessions import Archive
from veza_e2e.cli.lookup import policy_of
from veza_e2e.cli.output import Exit, Invocation, Item, Stop, items, say
from veza_e2e.config import PUBLISHED_ARCHIVE

OUT = Path("build/site")
_OUT = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=OUT,
    show_default=True,
    metavar="DIR",
    help="Where the built site goes.",
)


_OWN = "name a folder of its own, such as docs/payments"


@click.group()
def site() -> None:
    """Build and serve the site of reports."""


@site.command()
@_OUT
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DOCS_DIR",
    help="Write plain Markdown pages into a folder of your own docs instead, and build nothing.",
)
@click.pass_obj
def build(invocation: Invocation, out: Path, into: Path | None) -> None:
    """Write all pages to build/site-src and build the site with mkdocs.

    Shows the sessions of staging and production; for rehearsals, add --archive build/rehearsals. In a repository that
    has no such site yet, a plain one is made. DIR is replaced; it must be an earlier site, empty, or not there. If a
    file is damaged, the site says so, and the command ends with 6.
    """
    if _written(invocation, into) if into else _built(invocation, out):
        raise click.exceptions.Exit(Exit.DAMAGED)


def _built(invocation: Invocation, out: Path) -> bool:
    """Build the site and print the result; return whether any session or attestation is damaged."""
    from veza_e2e.site.build import SiteError, erased  # noqa: PLC0415 - the templates are slow to import
    from veza_e2e.site.build import build as build_site  # noqa: PLC0415

    archive = Archive(invocation.archive or PUBLISHED_ARCHIVE)
    lost = erased(archive, root=Path.cwd(), out=out)
    if lost:
        raise Stop(Exit.USAGE, f"--out {out} would erase {lost}", "name a folder of its own, such as build/site")
    try:
        built = build_site(archive, root=Path.cwd(), out=out, policy=policy_of(invocation))
    except (SiteError, OSError) as error:
        raise Stop(Exit.FAILED, str(error), "the site that was there before is untouched") from error
    rows = [Item("site", "ok", f"{_counted(built.sessions)}; open {(out / 'index.html').resolve()}")]
    rows += [Item(name, "damaged", shown) for name, shown in built.damaged]
    items(invocation, rows, ok=not built.damaged)
    return bool(built.damaged)


def _written(invocation: Invocation, into: Path) -> bool:
    """Write the pages into a foreign docs folder; return whether any session is damaged."""
    from veza_e2e.site.into import ForeignError, write_into  # noqa: PLC0415 - the templates are slow to import

    archive = Archive(invocation.archive or PUBLISHED_ARCHIVE)
    there, kept = into.resolve(), archive.root.resolve()
    if there in (kept, *kept.parents) or kept in there.parents:
        raise Stop(
            Exit.USAGE,
            f"--into {into} is in the archive, or holds it",
            "name a folder of its own, such as docs/payments",
        )
    try:
        written = write_into(archive, into)
    except ForeignError as error:
        raise Stop(Exit.USAGE, f"--into: {error}", _OWN) from error
    except OSError as error:
        raise Stop(Exit.FAILED, f"--into {into}: {error.strerror}", "name a folder that you may write") from error
    rows = [Item("pages", "ok", f"{_counted(written.sessions)} in {into / 'index.md'}")]
    rows += [Item(session, "damaged", "shown as damaged; veza-e2e verify says more") for session in written.damaged]
    items(invocation, rows, ok=not written.damaged)
    return bool(written.damaged)


@site.command()
@_OUT
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, metavar="N", help="0 takes a free one."
)
@click.pass_obj
def serve(invocation: Invocation, out: Path, port: int) -> None:
    """Build the site and serve it on this machine until Ctrl-C. Damaged sessions are shown as damaged.

    Pages come with the strict Content-Security-Policy that the build writes to DIR/_headers.
    """
    from veza_e2e.site.policy import headers  # noqa: PLC0415 - slow to import, as above

    _built(invocation, out)
    strict = headers(out)

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            for name, value in strict.items():
                self.send_header(name, value)
            super().end_headers()

    handler = functools.partial(Handler, directory=str(out))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server, contextlib.suppress(KeyboardInterrupt):
        say(f"http://127.0.0.1:{server.server_port}/ until Ctrl-C")
        server.serve_forever()


def _counted(sessions: int) -> str:
    return f"{sessions} session{'s' * (sessions != 1)}"
