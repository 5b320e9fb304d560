"""The command line."""

from veza_e2e import lean

lean.without_httpx_cli()
