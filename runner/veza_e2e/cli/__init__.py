"""The command line."""

from veza_e2e.cli import lean

lean.without_httpx_cli()
lean.without_pydantic_plugins()
