"""`reuse_task`: the launch protocol where the base task itself is run, every time.

There is no draft of our own to delete, so a late enqueue cannot be shut out as for clones; instead the key on
the task says whose run it is, and nobody enqueues it but the holder of the slot on its id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triggers.actions.attempt import Attempt
from triggers.actions.launching import protocol as launch
from triggers.actions.launching import reads
from triggers.actions.launching.request import reuse_edit
from triggers.base.errors import Fenced, LaunchImpossible
from triggers.base.plural import plural
from triggers.clearml_api import launches
from triggers.model.events import Event
from triggers.model.launch_tags import FIRING, LaunchTags, value_of
from triggers.rules.recovery import DRAFT, RUNNING

PUBLISHED = frozenset({"published", "publishing"})

#: Pause between two looks whether a task was enqueued by a call that may still arrive, seconds.
UNSURE_SECONDS = 5.0


def prepare(attempt: Attempt, base: Mapping[str, Any] | None) -> None:
    """Reset the base task and write the key on it; then it may be enqueued.

    What an earlier attempt did shows on the task: our key and any other status than `created` is a launch.
    """
    ctx, firing = attempt.ctx, attempt.firing
    if base is None:
        task_id = getattr(attempt.trigger.action, "base_task_id", "")
        raise LaunchImpossible(
            f"ClearML task {task_id} (reuse_task) is not on the server; change the trigger, then retry the dead letter"
        )
    status, ours = base["status"], value_of(FIRING, base.get("system_tags") or ()) == firing.key
    if ours and status != DRAFT:
        attempt.launched(base["id"], "found by its key")
    elif status in RUNNING:
        attempt.skip(f"ClearML task {base['id']} is {status} and cannot be reused yet", base["id"])
    elif status in PUBLISHED:
        raise LaunchImpossible(
            f"ClearML task {base['id']} is published and cannot be reset; give the trigger another schedule_task_id or "
            "leave reuse_task out, then retry the dead letter"
        )
    elif launch.find_queue(attempt):
        if not ours:
            if status != DRAFT:
                # not in a process that was frozen since it read the task, which runs for the next firing by now
                if ctx.ledger.firings.renew(attempt.lane, [firing], ctx.settings.lease_seconds):
                    raise Fenced("the firing was taken by another before its task was reset")
                launches.reset_task(ctx.api, base["id"])
            tags = LaunchTags.of(ctx.ledger.scheduler, firing.key, firing.lease)
            edit = reuse_edit(attempt.trigger, Event.from_json(firing.event), base, tags)
            launches.edit_draft(ctx.api, base["id"], edit)
            if not _is_ours(attempt, base["id"]):  # another scheduler, which this slot does not keep out
                attempt.snooze(ctx.settings.lease_seconds / 2, "another scheduler is about to run the ClearML task")
                return
        ctx.ledger.firings.record(firing, base["id"])
        attempt.task_id = base["id"]


def _is_ours(attempt: Attempt, task_id: str) -> bool:
    """Whether the task carries this firing's key as it is now."""
    task = launches.read_base_tasks(attempt.ctx.api, [task_id]).get(task_id)
    return task is not None and value_of(FIRING, task.get("system_tags") or ()) == attempt.firing.key


def settle(attempt: Attempt, status: str | None, *, refused: bool = False) -> None:
    """Decide after an enqueue of unknown outcome, or for a firing that an earlier attempt recorded.

    Our key is on the task since before the record, so any status but `created` is the launch. A draft has not
    been enqueued, if no call can arrive any more and the read shows all of them: the record is cleared and `prepare`
    goes on from the key. Until then it stays: the server accepts a second enqueue of a run that has failed meanwhile.

    Args:
        attempt: the firing is recorded.
        status: as read, None when the task is gone.
        refused: the server refused the enqueue, which says that there was none.
    """
    task_id = attempt.task_id or attempt.firing.task or ""
    if status is None:
        attempt.launched(task_id, "the launched ClearML task was deleted by someone")
    elif status in RUNNING and attempt.task_id is not None and not _is_ours(attempt, task_id):
        attempt.skip(f"ClearML task {task_id} is {status} for another scheduler", task_id)
    elif status != DRAFT:
        attempt.launched(task_id)
    elif refused or (attempt.task_id is None and _all_shows(attempt, task_id)):
        attempt.ctx.ledger.firings.clear(attempt.firing, task_id)
        attempt.task_id, attempt.cleared = None, True
        if attempt.firing.failures >= attempt.ctx.settings.max_attempts:
            attempt.give_up(f"{attempt.firing.reason} ({plural(attempt.firing.failures, 'attempt')})")


def _all_shows(attempt: Attempt, task_id: str) -> bool:
    """Whether the task that was read as a draft is one for certain; else the attempt ends, as launched or to wait."""
    ctx, over_ms = attempt.ctx, reads.call_over_ms(attempt.ctx, attempt.firing.recorded_ms or 0)
    left = (over_ms - ctx.ledger.now_ms()) / 1000
    if left > 0 or not reads.show_all_until(ctx, over_ms):
        pause = min(max(left, reads.LOOK_SECONDS), UNSURE_SECONDS)
        attempt.snooze(pause, f"ClearML task {task_id} may have been enqueued: waiting until reads would show it")
        return False
    status = launches.read_statuses(ctx.api, [task_id]).get(task_id)
    if status != DRAFT:
        settle(attempt, status)
    return status == DRAFT
