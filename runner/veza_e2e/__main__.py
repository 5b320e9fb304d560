"""`veza-e2e` and `python -m veza_e2e`."""

from __future__ import annotations

import sys


def main() -> int:
    """Check what the machine has, then run the command.

    Returns:
        The exit code, as the interface promises it.
    """
    if sys.platform not in {"linux", "darwin"}:
        sys.stderr.write(f"veza-e2e runs on Linux and macOS, not on {sys.platform}; on Windows use WSL.\n")
        return 2
    try:
        import click  # noqa: F401, PLC0415 - asked for before anything else
    except ModuleNotFoundError:
        sys.stderr.write("veza-e2e needs the extra: pip install 'veza[e2e]'\n")
        return 2
    from veza_e2e.cli.app import main as run  # noqa: PLC0415

    return run()


if __name__ == "__main__":
    sys.exit(main())
