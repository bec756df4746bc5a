"""The form of a message: what tells one that makes no sense from a worker that cannot take messages."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from triggers.base import forms

#: The form of each argument: what is looked up by it, or becomes a part of a key.
_FITS: Final[dict[str, Callable[[object], bool]]] = {
    "scheduler": forms.is_scheduler,
}

#: What Celery would do after a task: none of it is ever sent.
_AFTERWARDS: Final = ("callbacks", "errbacks", "chain", "chord")

#: What the producers of this project send is far shorter.
LONGEST_BODY = 100_000


@dataclass(frozen=True, slots=True)
class Shape:
    """What a Celery task is sent with.

    Attributes:
        names: What each argument is, in order: names of `_FITS`.
        also: Words of which any may follow, each once.
    """

    names: Sequence[str] = ()
    also: frozenset[str] = frozenset()

    def fit(self, args: Sequence[object]) -> bool:
        """Whether a message may have these."""
        own, rest = args[: len(self.names)], args[len(self.names) :]
        if len(own) != len(self.names) or not all(_FITS[name](one) for name, one in zip(self.names, own, strict=True)):
            return False
        return all(isinstance(one, str) and one in self.also for one in rest) and len(set(rest)) == len(rest)


def fault_of(message: Any, tasks: Mapping[str, Shape]) -> str:
    """What is wrong with the form of a message, "" when it is one that this project's producers send.

    Args:
        message: as kombu has it: `headers`, `body`.
        tasks: name of each Celery task that is sent → what it is sent with.
    """
    try:
        return _of_headers(message.headers, tasks) or _of_body(message.body, tasks[message.headers["task"]])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as fault:
        return f"{type(fault).__name__}: {fault}"


def hinted_scheduler(text: str, task: str) -> str:
    """The scheduler that a message in a queue, as it lies in Redis, hints a Celery task of; "" if it does not."""
    try:
        message = json.loads(text)
        if message["headers"]["task"] != task:
            return ""
        (scheduler, *_), *_ = json.loads(base64.b64decode(message["body"]))
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""
    return scheduler if forms.is_scheduler(scheduler) else ""


def _of_headers(headers: Any, tasks: Container[str]) -> str:
    if not isinstance(headers, dict) or not isinstance(headers.get("task"), str):
        return "it names no task"
    if headers["task"] not in tasks:  # those that Celery brings call others
        return f"there is no task {headers['task']!r:.100}"
    if not isinstance(headers.get("id"), str):
        return "it has no id"
    retries, limits = headers.get("retries") or 0, headers.get("timelimit") or (None, None)
    if type(retries) is not int or any(limit is not None for limit in limits):
        return "this program never sends such retries or time limits"
    if headers.get("eta") is not None:
        return "it is for a later time"
    if headers.get("expires") is not None:
        datetime.fromisoformat(headers["expires"])
    return ""


def _of_body(body: Any, wanted: Shape) -> str:
    if len(body) > LONGEST_BODY:
        return f"its body has {len(body):,} bytes"
    parts = json.loads(body)
    if not isinstance(parts, list) or len(parts) != 3:
        return "its body is not arguments, keywords and options"
    args, kwargs, embedded = parts
    if not isinstance(args, list) or kwargs != {} or not isinstance(embedded, dict):
        return "its body is not arguments, keywords and options"
    if any(embedded.get(name) for name in _AFTERWARDS):
        return "it names a task to run after it"
    if not wanted.fit(args):
        return f"this program never sends such arguments: {args!r:.100}"
    return ""
