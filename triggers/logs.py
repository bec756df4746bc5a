"""Log lines that say what they are about: trigger, firing and object, as text or as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone

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


def _fields_of(record: logging.LogRecord) -> dict[str, str]:
    known = _about.get()
    found = ((name, getattr(record, name, None) or known.get(name)) for name in FIELDS)
    return {name: str(value) for name, value in found if value}


class TextFormatter(logging.Formatter):
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
            "at": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields_of(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def formatter(style: str) -> logging.Formatter:
    """The formatter of the setting `log_format`."""
    return JsonFormatter() if style == "json" else TextFormatter()


def dress(logger: logging.Logger, style: str) -> None:
    """Let all handlers of a logger write in that style."""
    for handler in logger.handlers:
        handler.setFormatter(formatter(style))
