"""The local server at the pace of a genuine one, as it was measured on one whose stores were stood in for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: What a call takes there, seconds. A range was measured: its middle.
CALLS: Final = {"tasks.clone": 0.005, "tasks.enqueue": 0.011}
#: `enqueue_many`, for each task in it: 6 to 11 ms.
EACH_ENQUEUED: Final = 0.0085
#: A page of changes: 23 to 29 ms if it is empty, 125 to 196 ms with 500 objects.
EMPTY_PAGE: Final = 0.026
FULL_PAGE: Final = 0.160
PAGE: Final = 500


def before(endpoint: str, body: bytes) -> float:
    """Seconds by which a call takes effect later."""
    if endpoint == "tasks.enqueue_many":
        return EACH_ENQUEUED * len(json.loads(body)["ids"])
    return CALLS.get(endpoint, 0.0)


def after(endpoint: str, answer: bytes) -> float:
    """Seconds by which an answer comes later."""
    if not endpoint.endswith(".get_all_ex"):
        return 0.0
    found = len(json.loads(answer)["data"].get(endpoint.partition(".")[0], ()))
    return EMPTY_PAGE + (FULL_PAGE - EMPTY_PAGE) * found / PAGE


class Paced:
    """The application of a sandbox behind that pace. Calls wait beside one another, as with many workers."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        endpoint = scope["path"].rpartition("/")[2]
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if seconds := before(endpoint, body):
            await asyncio.sleep(seconds)
        held: list[Message] = []

        async def once() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def hold(message: Message) -> None:
            held.append(message)

        await self._app(scope, once, hold)
        answer = b"".join(message.get("body", b"") for message in held)
        if held[0].get("status") == 200 and (seconds := after(endpoint, answer)):
            await asyncio.sleep(seconds)
        for message in held:
            await send(message)
