"""The worker process of local mode (`workers.local`: beat and all workers) with its edges wrapped.

Also shortens what no setting shortens: how long names are believed, and when strays are looked for; and how
long the worker of an aborted task has to end it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.crash import edges
from triggers.actions import abort
from triggers.actions.launching import lookups
from triggers.clearml_api import connection
from triggers.ledger.firings import firings
from triggers.local.parent import end_with_parent

#: file descriptor of the pipe that tells of the parent's end
PARENT = "CRASH_TEST_PARENT"
#: environment variable: the name that this process calls the server by, for faults that are meant for it
CALLER = "CRASH_TEST_CALLER"
#: when drafts of void attempts are looked for after the end of a firing, ms
STRAY_LOOK_MS = 1500


def prepare() -> None:
    """Make this process one that can be killed at a point, and that ends with its parent."""
    end_with_parent(int(os.environ[PARENT]))
    edges.wrap(Path(os.environ[edges.FOLDER]))
    firings.STRAY_LOOK_MS = STRAY_LOOK_MS
    lookups.BELIEVE_SECONDS = 0.0
    abort.GRACE_MS = 1000
    abort._LOOK_AGAIN_SECONDS = 0.2
    connection._HEADERS["X-ClearML-Worker"] = os.environ[CALLER]


def main() -> int:
    """Be a worker."""
    prepare()
    from workers.local import main as work

    return work()


if __name__ == "__main__":
    sys.exit(main())
