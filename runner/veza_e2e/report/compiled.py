"""Keeps compiled templates as Python keeps compiled modules, so that not each process compiles them again."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from jinja2.bccache import Bucket, BytecodeCache

_SEAL = 32
"""Bytes in front: a digest of what follows and of what made it, so that no broken file is read."""


class Compiled(BytecodeCache):
    """Files in `__pycache__` beside the templates. Where Python keeps no modules, or may not write, there are none.

    Args:
        folder: the templates'.
        kind: names the environment; each compiles a template in its own way.
        made_by: the version of the code that the environment's settings come from.
    """

    def __init__(self, folder: Path, kind: str, made_by: str) -> None:
        self._folder, self._kind = folder / "__pycache__", kind
        self._made_by = f"{version('jinja2')} {made_by}".encode()

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return the file's name; a copy of the templates elsewhere has files of the same names."""
        return f"{name.replace('/', '-')}.{self._kind}.{sys.implementation.cache_tag}"

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load what is kept of a template. What another version made, or of another text, is left alone."""
        with suppress(OSError):
            kept = (self._folder / bucket.key).read_bytes()
            seal, code = kept[:_SEAL], kept[_SEAL:]
            if seal == self._seal(code):
                bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template, whole or not at all."""
        if sys.dont_write_bytecode:
            return
        path, code = self._folder / bucket.key, bucket.bytecode_to_string()
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        with suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            part.write_bytes(self._seal(code) + code)
            part.replace(path)

    def _seal(self, code: bytes) -> bytes:
        return hashlib.sha256(self._made_by + code).digest()
