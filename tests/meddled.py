"""A terminal whose rehearsal backend answers through a proxy that changes what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from front_door import Shell
from meddling import Answer, meddling

from veza_e2e.config import Secrets


class Meddled(Shell):
    """A shell whose rehearsal backend answers through a proxy."""

    change: Callable[[Answer], object]
    texts: Mapping[str, Callable[[str], str]] = MappingProxyType({})

    @contextmanager
    def _rehearsal(self, folder: Path, account: Secrets, faults: Sequence[str]) -> Iterator[str]:
        with (
            super()._rehearsal(folder, account, faults) as base_url,
            meddling(base_url, self.change, **self.texts) as proxy,
        ):
            yield proxy
