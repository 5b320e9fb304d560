"""Saves the sessions, in every state, that the installed version leaves behind: `python tests/left_behind/make.py`.

This was run once at version 0.1.0, on the code of commit 2621f61, and made `tests/left_behind/0.1.0/`. Its folders are
fixtures: every later version verifies, renders, replays and resumes them (`tests/journeys/test_left_behind.py`),
because an operator whose refund takes six days upgrades in between. They are never made again, and never changed. A
later version may run this to leave its own folder beside them; it refuses to replace one. With names, only these cases
are acted out, into `build/left-behind`, to look at.

It drives the command line as a user does. It runs in a network namespace of its own, so that backends and sessions get
ports that no machine hands out by itself: years later the same ports are still free for the same backends.

A rehearsal backend's SQLite database is saved as an SQL script, without its login tokens and the keys of its tokens
and webhooks, which it makes anew; the end of each client secret is replaced. The clock is the machine's: a session is
as old as it is, and the tests say when it is resumed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PORTS = "29200 29899"
"""Below the range from which systems hand out ports; no service is registered for them."""


def main() -> None:
    script = f"ip link set lo up && echo '{PORTS}' > /proc/sys/net/ipv4/ip_local_port_range && exec \"$@\""
    acting = [sys.executable, str(HERE / "acts.py"), *sys.argv[1:]]
    path = os.pathsep.join([str(HERE.parent), str(HERE.parents[1])])
    command = ["unshare", "--map-root-user", "--net", "sh", "-c", script, "sh", *acting]
    os.execvpe(command[0], command, {**os.environ, "PYTHONPATH": path})


if __name__ == "__main__":
    main()
