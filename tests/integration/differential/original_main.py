"""The original TriggerScheduler in a process of its own, since the SDK keeps global state.

Reads one JSON object a line, answers with one; its `_step` is what its own loop calls at every poll.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

from clearml.automation import TriggerScheduler


class Host:
    """One scheduler at a time; keeps what its functions were called with."""

    def __init__(self) -> None:
        self.scheduler: Any = None
        self.calls: list[tuple[str, str]] = []

    def begin(self, triggers: list[tuple[str, dict[str, Any]]]) -> None:
        """Declare afresh, as a restarted script does; a trigger without an action gets a function."""
        self.scheduler = TriggerScheduler(force_create_task_name="original", force_create_task_project="Differential")
        for kind, arguments in triggers:
            if "schedule_task_id" not in arguments:
                arguments = arguments | {"schedule_function": self._function(arguments["name"])}
            getattr(self.scheduler, f"add_{kind}_trigger")(**arguments)

    def _function(self, name: str) -> Any:
        def differential_function(object_id: str) -> None:
            self.calls.append((name, object_id))

        return differential_function

    def step(self) -> list[tuple[str, str]]:
        """One poll; the calls that it made."""
        self.calls.clear()
        self.scheduler._step()
        for thread in threading.enumerate():
            if "differential_function" in thread.name:
                thread.join()
        return self.calls

    def service_task(self) -> str:
        """Id of its own ClearML task."""
        return str(self.scheduler._task.id)


def main() -> None:
    """Answer until the input ends. The SDK prints: answers have a descriptor of their own."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    host = Host()
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            answer = {"result": getattr(host, ask.pop("do"))(**ask)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
    os._exit(0)  # not the SDK's own end, which would wait for its uploads


if __name__ == "__main__":
    main()
