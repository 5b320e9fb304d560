"""Keeps compiled templates as Python keeps compiled modules, so that not each process compiles them again."""

from __future__ import annotations

import pickle
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from jinja2.bccache import Bucket, FileSystemBytecodeCache


class Compiled(FileSystemBytecodeCache):
    """Files in `__pycache__` beside the templates. Where Python keeps no modules, or may not write, there are none.

    Args:
        folder: the templates'.
        kind: names the environment; each compiles a template in its own way.
        made_by: the version of the code that the environment's settings come from.
    """

    def __init__(self, folder: Path, kind: str, made_by: str) -> None:
        super().__init__(str(folder / "__pycache__"), f"%s.{kind}.{sys.implementation.cache_tag}")
        self._made_by = f"{version('jinja2')} {made_by}\n"

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return the file's name; a copy of the templates elsewhere has files of the same names."""
        return name.replace("/", "-")

    def get_source_checksum(self, source: str) -> str:
        """Return what must be the same, so that what another version made is not used."""
        return super().get_source_checksum(self._made_by + source)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load what is kept of a template; a file that cannot be read counts as none."""
        with suppress(OSError, EOFError, ValueError, pickle.UnpicklingError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template, whole or not at all."""
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)
