"""Logging in before the SDK does, and one line instead of a traceback for what a person has to change.

The SDK retries a dead server without a word and answers wrong credentials with a long traceback; our own client
says at once what is wrong.
"""

from __future__ import annotations

import contextlib
import io
import math
import sys
from collections.abc import Callable
from types import TracebackType

from triggers.base.errors import NoCredentials, Refused, ServerBusy, ServerUnavailable, TriggersError, Usage
from triggers.base.retry import patiently
from triggers.base.settings import Settings
from triggers.base.terminal import say_problem
from triggers.clearml_api import Api, Credentials, does_answer, identity
from triggers.client.exit_limit import limit_exit

#: Exit codes of a script: something failed; a person has to change something.
_FAILED, _USAGE = 1, 2

_Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


def log_in(settings: Settings, credentials: Credentials | None = None) -> None:
    """Make sure that the ClearML server answers and takes our credentials; waits for a server that is away.

    Raises:
        NoCredentials: none are configured.
        Usage: the server refuses them, gives no usable answer for two minutes, or wants a longer pause.
    """
    credentials = credentials or Credentials.resolve()
    api = Api(credentials, timeout_seconds=settings.request_timeout_seconds)
    try:
        patiently(lambda: identity(api))
    except Refused as refused:
        raise Usage(
            f"the ClearML server at {api.shown_host} refused the credentials ({credentials.whose}): {refused.message}. "
            "Create new ones in ClearML's web pages (Settings > Workspace) and run `clearml-init`, or set "
            "CLEARML_API_ACCESS_KEY and CLEARML_API_SECRET_KEY"
        ) from refused
    except ServerBusy as busy:
        raise Usage(
            f"the ClearML server refuses calls now: {busy}. Start the script again in {math.ceil(busy.seconds / 60)} "
            "min; if a quota is used up, raise it in ClearML's web pages (Settings > Billing & Usage)"
        ) from busy
    except ServerUnavailable as failure:
        raise Usage(
            f"no ClearML server answers at {credentials.shown_host}: {failure}. Check that it runs, and api.api_server "
            "in clearml.conf or CLEARML_API_HOST"
        ) from failure
    finally:
        api.close()


def speak_plainly(missing: NoCredentials | None = None) -> None:
    """Let an error of ours that ends this process be one line on standard error, with exit code 2 (`Usage`) or 1.

    Idempotent. What was there before, the SDK's hook among it, still learns of the error: its task ends as failed.

    Args:
        missing: why there is no current ClearML task, where a script may expect one.
    """
    previous = sys.excepthook
    if not isinstance(previous, _Plainly) or missing:
        sys.excepthook = _Plainly(previous, missing)


class _Plainly:
    """A `sys.excepthook` before another one."""

    def __init__(self, previous: _Hook, missing: NoCredentials | None) -> None:
        self._previous, self._missing = previous, missing

    def __call__(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if self._missing is not None and _is_of_no_task(error):
            error = self._missing
        if not isinstance(error, TriggersError):
            self._previous(kind, error, traceback)
            return
        say_problem(f"clearml-triggers: {error}")
        with contextlib.redirect_stderr(io.StringIO()):
            self._previous(type(error), error, traceback)
        code = _USAGE if isinstance(error, Usage) else _FAILED
        if "clearml" in sys.modules:  # it may be why the script ends that the server has gone
            limit_exit(code, lambda: does_answer(Credentials.resolve()), extensions=math.inf)
        raise SystemExit(code)


def _is_of_no_task(error: BaseException) -> bool:
    """Whether the script used `Task.current_task()`, which is None without credentials, as if there were one."""
    clearml = sys.modules.get("clearml")
    if clearml is None or not isinstance(error, AttributeError) or error.obj is not None:
        return False
    return hasattr(clearml.Task, str(error.name))
