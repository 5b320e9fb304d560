"""For all tests: what the caller ignores, as a job in the background ignores Ctrl-C and hang-ups, the tests do not."""

from __future__ import annotations

import signal

for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)
