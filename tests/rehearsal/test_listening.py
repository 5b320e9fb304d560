"""A port that is taken is said, and what was opened for it is closed."""

from __future__ import annotations

import errno
import gc
import warnings
from contextlib import closing

import pytest

from veza_rehearsal.server import listen


def test_a_port_that_is_taken_leaves_no_socket_open() -> None:
    with closing(listen(0)) as first, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        first.listen()
        taken = first.getsockname()[1]
        with pytest.raises(OSError, match=rf"\[Errno {errno.EADDRINUSE}\]"):
            listen(taken)
        gc.collect()
    assert [str(warning.message) for warning in said] == []
    listen(taken).close()
