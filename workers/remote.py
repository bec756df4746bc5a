"""Celery's remote control, cut down to questions: whoever can write to Redis could end every worker with a broadcast.

Flower, `celery inspect`, `celery status` and `doctor` ask; none of them has to change a worker, which is ended and
scaled by what supervises it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from celery.worker.control import Panel

#: What a worker answers. Flower asks for all but the last three; those are of `celery status`, `top` and new workers.
QUESTIONS: Final = frozenset(
    {
        "active",
        "active_queues",
        "conf",
        "registered",
        "reserved",
        "revoked",
        "scheduled",
        "stats",
        "clock",
        "hello",
        "ping",
    }
)


def _hello(state: Any, from_node: str, revoked: Any = None, **_: Any) -> dict[str, Any] | None:  # noqa: ARG001
    """Greet a worker that starts. Celery would also copy which revoked messages it must ignore."""
    if from_node == state.hostname:
        return None
    return {"clock": state.app.clock.forward(), "revoked": None}


class Questions(dict[str, Any]):
    """The commands that a worker takes. Any other changes nothing and is answered by an error.

    Without that, each would be a traceback in the log: Flower broadcasts `enable_events` again and again.
    """

    def __missing__(self, name: str) -> Callable[..., dict[str, str]]:
        return lambda *_, **__: {"error": f"this worker only answers queries; it ignored {name:.40}"}


def only_questions() -> None:
    """Let a worker take no command but these. Idempotent."""
    Panel.data = Questions({name: Panel.data[name] for name in QUESTIONS} | {"hello": _hello})


only_questions()
