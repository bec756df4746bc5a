"""Log lines that say what they are about: trigger, firing and object, as text or as JSON.

Names and errors in a line may hold anything. `logger` makes what this project logs harmless as it is logged, since a
script has handlers of its own; the formatters do so for what other packages log.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

from triggers.base.escaping import in_lines, json_text, one_line
from triggers.base.plural import plural

#: what a line can be about, in the order in which it is shown
FIELDS = ("scheduler", "trigger", "object", "firing")

_about: ContextVar[dict[str, str]] = ContextVar("about", default={})  # noqa: B039  never changed, only replaced


@contextmanager
def about(**fields: str) -> Iterator[None]:
    """Every line that is logged in the body, by this thread, carries these fields."""
    token = _about.set({**_about.get(), **fields})
    try:
        yield
    finally:
        _about.reset(token)


class Seldom:
    """Lets a line through that says something new, and once a minute while the same thing lasts.

    What goes wrong for every message of every thread would fill the log and hide the rest.
    """

    def __init__(self, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self._clock = seconds, clock
        self._last: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def suffix(self, about: str) -> str | None:
        """What to add to the line, None to leave it out.

        Args:
            about: what goes wrong: equal for lines of which one is enough.
        """
        now = self._clock()
        with self._lock:
            at, count = self._last.get(about, (float("-inf"), 0))
            if now - at < self.seconds:
                self._last[about] = at, count + 1
                return None
            if len(self._last) > 1000:
                self._last.clear()
            self._last[about] = now, 0
            return f" ({plural(count, 'time')} more since)" if count else ""


def _fields_of(record: logging.LogRecord) -> dict[str, str]:
    known = _about.get()
    found = ((name, getattr(record, name, None) or known.get(name)) for name in FIELDS)
    return {name: str(value) for name, value in found if value}


class _Shown:
    """An argument of a log line, harmless however the line shows it."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __str__(self) -> str:
        return one_line(self.value)

    def __repr__(self) -> str:
        return one_line(repr(self.value))


#: The attribute of a line (`extra`) that tells how a user's function failed: its errors are not this project's.
USERS_CODE: Final = "users_code"


def shown_value(argument: object) -> object:
    """An argument of a log line as it was given."""
    return argument.value if isinstance(argument, _Shown) else argument


class _Harmless(logging.Filter):
    """Passes every record on, with nothing in it that a terminal or a reader of logs would act on."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = one_line(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(map(_harmless, record.args))
        if record.exc_info and not record.exc_text:
            record.exc_text = in_lines(logging.Formatter().formatException(record.exc_info))
        return True


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(value)
    return value if isinstance(value, (bool, int, float)) or value is None else _Shown(value)


_HARMLESS = _Harmless()


def silence(library: str) -> None:
    """Let a library log nothing any more, since its lines hold secrets."""
    logging.getLogger(library).setLevel(logging.CRITICAL + 1)


def logger(name: str) -> logging.Logger:
    """The logger of a module; every module of this project takes its own from here."""
    found = logging.getLogger(name)
    found.addFilter(_HARMLESS)  # the same one: added once, however often
    return found


class LineFormatter(logging.Formatter):
    """One line, below it a traceback if there is one, whose lines are indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return one_line(super().formatMessage(record))

    def formatException(self, exc_info: Any) -> str:  # noqa: N802
        return in_lines(super().formatException(exc_info))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return in_lines(super().formatStack(stack_info))


class TextFormatter(LineFormatter):
    """One line for people; what it is about stands at its end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        about = " ".join(f"{name}={value!r}" for name, value in _fields_of(record).items())
        line = super().formatMessage(record)
        return f"{line} [{about}]" if about else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields_of(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json_text(line)


def formatter(style: str) -> logging.Formatter:
    """The formatter of the setting `log_format`."""
    return JsonFormatter() if style == "json" else TextFormatter()


def dress(of: logging.Logger, style: str) -> None:
    """Let all handlers of a logger write in that style."""
    for handler in of.handlers:
        handler.setFormatter(formatter(style))
    # at DEBUG it writes the path of every address, which is a secret of those that notices go to
    logging.getLogger("urllib3").setLevel(logging.INFO)


def to_standard_error(layout: str, *filters: logging.Filter) -> None:
    """Let this process log warnings and errors to standard error, unless its owner has set that up already."""
    handler = logging.StreamHandler()
    for each in filters:
        handler.addFilter(each)
    handler.setFormatter(LineFormatter(layout))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
