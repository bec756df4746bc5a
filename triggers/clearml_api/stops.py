"""Stopping what was launched: one call, which may be repeated."""

from __future__ import annotations

from triggers.base.errors import Refused
from triggers.clearml_api.connection import Api


def stop(api: Api, task_id: str, reason: str) -> bool:
    """Abort a ClearML task: its worker ends it, and one that is queued leaves its queue.

    Returns:
        False if there was nothing to stop: it has ended or is gone.

    Raises:
        Refused: The server refuses the call for another reason, such as missing rights.
    """
    try:
        api.call("tasks.stop", {"task": task_id, "force": True, "status_reason": reason})
    except Refused as refused:
        if refused.code != 400:
            raise
        return False
    return True
