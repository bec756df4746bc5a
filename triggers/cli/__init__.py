"""The command line `clearml-triggers`: runs a verb, turns what it raises into one line and an exit code."""

from __future__ import annotations

import atexit
import gc
import sys

#: Objects made until the garbage collector looks. A verb makes most of them by importing, keeps them, and ends soon;
#: with the usual 700 a tenth of its time goes into looking at them.
_COLLECT_AFTER = 100_000

#: Exit codes of every verb; what a signal ends has the code that shells give it.
OK, NOT_SO, USAGE, INTERRUPTED = 0, 1, 2, 130

#: Modules of the extra `sandbox`.
_SANDBOX_MODULES = frozenset(("starlette", "uvicorn", "python_multipart", "multipart"))


def main() -> None:
    """Run the command line and end the process with its exit code. Errors a person can mend are one line."""
    gc.set_threshold(_COLLECT_AFTER)
    # on its way out Python looks at all objects once more for those in cycles, and its memory is gone right after
    atexit.register(gc.freeze)
    try:
        _run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _run() -> None:
    from triggers.cli import streams
    from triggers.errors import TriggersError, Usage

    streams.prepare()
    try:
        from triggers.cli.app import app

        app(prog_name="clearml-triggers")
    except Usage as error:
        _end(USAGE, str(error))
    except TriggersError as error:
        _end(NOT_SO, str(error))
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _SANDBOX_MODULES:
            raise
        _end(USAGE, f"the local ClearML server needs {missing}: pip install 'clearml-triggers[sandbox]'")


def _end(code: int, line: str) -> None:
    from triggers.terminal import say_problem

    say_problem(f"clearml-triggers: {line}")
    sys.exit(code)
