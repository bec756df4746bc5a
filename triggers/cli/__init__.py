"""The command line `clearml-triggers`: runs a verb, turns what it raises into one line and an exit code.

Owns options, tables, colors and exit codes, one file a verb. What a verb finds out or changes is `operate`'s,
`explain`'s and `configuration`'s, so that another surface can do the same.
"""

from __future__ import annotations

import atexit
import gc
import sys

from triggers.base.entry_point import INTERRUPTED, NOT_SO, OK, USAGE, ended_in_one_line

__all__ = ["INTERRUPTED", "NOT_SO", "OK", "USAGE", "Done", "main"]

#: Objects made until the garbage collector looks. A verb makes most of them by importing, keeps them, and ends soon;
#: with the usual 700 a tenth of its time goes into looking at them.
_COLLECT_AFTER = 100_000


class Done(SystemExit):
    """A verb has ended well that leaves nothing to be done at exit."""


def main() -> None:
    """Run the command line and end the process with its exit code. Errors that a person can fix are one line."""
    gc.set_threshold(_COLLECT_AFTER)
    # at exit Python looks at all objects once more for those in cycles, and its memory is gone right after
    atexit.register(gc.freeze)
    try:
        with ended_in_one_line():
            from triggers.cli import streams

            streams.prepare()
            from triggers.cli.bare import call_of

            if call := call_of(sys.argv[1:]):
                call()
                raise Done(OK)
            from triggers.cli.verbs import app_of

            app_of(sys.argv[1:])(prog_name="clearml-triggers")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
