"""Where programs begin: what a person can fix ends a program with one line instead of a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from triggers.base.errors import TriggersError, Usage

#: Exit codes of every program; what a signal ends has the code that shells give it.
OK, NOT_SO, USAGE, INTERRUPTED = 0, 1, 2, 130

#: What each extra brings, by the module that is missing without it.
_EXTRAS = {
    "starlette": ("sandbox", "the local ClearML server"),
    "uvicorn": ("sandbox", "the local ClearML server"),
    "python_multipart": ("sandbox", "the local ClearML server"),
    "multipart": ("sandbox", "the local ClearML server"),
    "itsdangerous": ("console", "the console"),
    "jinja2": ("console", "the console"),
    "markupsafe": ("console", "the console"),
    "prometheus_client": ("metrics", "the metrics exporter"),
    "flower": ("flower", "`celery flower`"),
}


@contextmanager
def ended_in_one_line() -> Iterator[None]:
    """End the process with one line and an exit code for errors that a person can fix; others pass."""
    try:
        yield
    except Usage as error:
        _end(USAGE, str(error))
    except TriggersError as error:
        _end(NOT_SO, str(error))
    except ModuleNotFoundError as error:
        way_out = way_to(error)
        if way_out is None:
            raise
        _end(USAGE, way_out)
    except Exception as error:
        way_out = _refused_by_redis(error)
        if way_out is None:
            raise
        _end(NOT_SO, way_out)


def _refused_by_redis(error: Exception) -> str | None:
    """What a Redis that cannot be used says, None for other errors."""
    if "redis" not in sys.modules:  # not imported for this: a program that does not use it starts faster
        return None
    from triggers.base import redis_refusals

    return redis_refusals.said(error) if redis_refusals.code_of(error) else None


def way_to(error: ModuleNotFoundError, extra: str = "") -> str | None:
    """How to get a module that an extra brings; None for others. `extra`: the one to name if several bring it."""
    module = (error.name or "").partition(".")[0]
    if module not in _EXTRAS:
        return None
    meant = next((one for one in _EXTRAS.values() if one[0] == extra), _EXTRAS[module])
    extra, what = meant
    return f"{what} needs {module}: pip install 'clearml-triggers[{extra}]'"


def _end(code: int, line: str) -> None:
    from triggers.base.terminal import say_problem

    say_problem(f"clearml-triggers: {line}")
    sys.exit(code)
