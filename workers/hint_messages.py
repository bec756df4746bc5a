"""Hints as they lie in their queue, so that the script by which work comes to wait sends its hint in the same step.

Celery makes them, as it makes all messages: it publishes to a transport of kombu's that keeps what it is given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from kombu import Connection, Producer
from kombu.transport import virtual
from kombu.utils.json import dumps

from triggers.base.broker import broker_prefix


class _KeepingChannel(virtual.Channel):  # type: ignore[misc]
    """Keeps the last message that it is given, as kombu's Redis transport would write it."""

    kept: tuple[str, str] | None = None

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        self.kept = queue, dumps(message)

    def _size(self, queue: str) -> int:  # noqa: ARG002
        return 0


class _KeepingTransport(virtual.Transport):  # type: ignore[misc]
    Channel = _KeepingChannel


class HintMessages:
    """Makes messages without sending them. Thread-safe."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def made(self, publish: Callable[[Producer], Any]) -> tuple[str, str]:
        """What `publish` gives its producer: the key of the queue in Redis, and the message as it lies there."""
        channel = self._channel()
        publish(Producer(channel))
        if channel.kept is None:
            raise LookupError("nothing was published")
        (queue, text), channel.kept = channel.kept, None
        return broker_prefix() + queue, text

    def _channel(self) -> _KeepingChannel:
        if not hasattr(self._of_thread, "channel"):
            self._of_thread.connection = Connection(transport=_KeepingTransport)
            self._of_thread.channel = self._of_thread.connection.channel()
        channel: _KeepingChannel = self._of_thread.channel
        return channel
