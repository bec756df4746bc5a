"""What a user's function receives about the firing that calls it."""

from __future__ import annotations

from typing import TypedDict


class FiringInfo(TypedDict):
    """The firing that calls a function, passed to functions that have a parameter `firing`.

    Attributes:
        key: Idempotency key: the same at every attempt, different for every firing. Use it to do a thing once.
        trigger: Name of the trigger.
        kind: Kind of the object: "model", "dataset", or "task".
        object: Id of the object.
        name: Name of the object when the firing was granted.
        project: Full name of the object's project at that time.
        changed_ms: Time of the change that fired, in milliseconds since 1970 (UTC), by the ClearML server's clock.
        attempt: 1 at the first call, 2 at the first retry, and so on.
    """

    key: str
    trigger: str
    kind: str
    object: str
    name: str
    project: str
    changed_ms: int
    attempt: int
