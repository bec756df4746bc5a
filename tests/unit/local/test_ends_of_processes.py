"""How a process that serves ends on each Python: they differ in `KeyboardInterrupt` and in threads at the exit."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

INTERRUPTED = """
import atexit, signal, sys
from triggers.client.interruption import end_process
atexit.register(print, "the exit is whole")
try:
    end_process(int(sys.argv[1]))
except KeyboardInterrupt:
    print("seen by the script")
    if sys.argv[2] == "raises":
        raise
"""

HELD = """
import atexit, threading
from triggers.client import exit_limit
exit_limit.SDK_SECONDS = 0.2
asked = []
def answers():
    asked.append(1)
    print("asked", flush=True)
    return len(asked) <= {answers}
atexit.register(threading.Event().wait, {held})  # as the SDK does
exit_limit.limit_exit(143, answers{extensions})
print("the script has ended", flush=True)
"""


def held(*, answers: object, seconds: float | None, extensions: str = "") -> str:
    """A script whose exit takes as long; None: it never ends. `answers`: so often the server answers."""
    return HELD.format(answers=answers, held=seconds, extensions=extensions)


def ended(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_that_nobody_handles_ends_the_process_quietly(number: signal.Signals, code: int) -> None:
    if number == signal.SIGTERM:  # the SDK's handler of it does nothing
        script = INTERRUPTED.replace("try:", "signal.signal(signal.SIGTERM, lambda *_: None)\ntry:")
    else:
        script = INTERRUPTED
    done = ended(script, str(int(number)), "raises")
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.splitlines() == ["seen by the script", "the exit is whole"]
    done = ended(script, str(int(number)), "goes on")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_error_of_the_script_is_shown_as_ever() -> None:
    script = INTERRUPTED.replace("        raise\n", "        raise ValueError('of the script')\n")
    done = ended(script, str(int(signal.SIGINT)), "raises")
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("ValueError: of the script")


@pytest.mark.parametrize("answers", ["0", "int('no number')"])
def test_an_exit_that_is_held_ends_when_the_server_does_not_answer(answers: str) -> None:
    done = ended(held(answers=answers, seconds=None))
    assert done.returncode == 143
    assert done.stdout.splitlines() == ["the script has ended", "asked"]
    assert "the ClearML server gave no answer at the end" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_exit_on_a_slow_machine_has_more_time_but_ends() -> None:
    done = ended(held(answers=99, seconds=None))
    assert done.returncode == 143
    assert done.stdout.count("asked") == 4
    assert "the SDK did not end" in done.stderr


def test_an_exit_after_an_error_has_time_as_long_as_the_server_answers() -> None:
    done = ended(held(answers=6, seconds=None, extensions=", extensions=float('inf')"))
    assert done.returncode == 143
    assert done.stdout.count("asked") == 7
    assert "the ClearML server gave no answer at the end" in done.stderr


def test_an_exit_that_is_not_held_is_left_alone() -> None:
    done = ended(held(answers=0, seconds=0))
    assert (done.returncode, done.stderr) == (0, "")
