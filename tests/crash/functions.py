"""A function that a trigger calls on any worker: one line in a file for each call."""

from __future__ import annotations

import os
from typing import Any


def note(object_id: str, firing: dict[str, Any]) -> None:
    with open(os.environ["CRASH_TEST_CALLS"], "a") as calls:
        calls.write(f"{object_id} {firing['key']}\n")
