"""The launch protocol for one firing: look at what is there, clone, record; withdraw what may not be enqueued.

The enqueue itself is `dispatch`'s, since one call takes several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from triggers.actions.attempt import Attempt
from triggers.actions.clearml_task import TaskAction
from triggers.actions.endings import ending
from triggers.actions.launching import drafts, lookups
from triggers.actions.launching.reads import LOOK_SECONDS, ReadsShow
from triggers.actions.launching.request import launch_request, resolve_target_project
from triggers.base.errors import Fenced, LaunchImpossible, Refused, ServerBusy
from triggers.base.exhaustive import assert_never
from triggers.base.plural import plural
from triggers.clearml_api import launches
from triggers.clearml_api.launches import TaggedTask
from triggers.context import Context
from triggers.ledger.firings.firing import Firing, firing_key
from triggers.ledger.history.history import FOUND
from triggers.model.events import Event
from triggers.model.launch_tags import ATTEMPT, FIRING, LaunchTags, firing_tag, value_of
from triggers.model.schedule_fields import SCHEDULE
from triggers.rules.recovery import DRAFT, Hit, judge_found, judge_recorded

#: After this long, even a Redis that crashes has its writes on disk (append-only file, every second).
DURABLE_SECONDS = 2.5

#: Later occurrences of one object that are looked for at once.
OCCURRENCES_PER_LOOK = 100

__all__ = ["clone", "look", "record", "settle"]


def settle(attempt: Attempt, status: str | None) -> None:
    """Decide what became of the recorded ClearML task, whose enqueue may have been sent.

    Afterwards the firing is launched, or has no record any more and can be cloned afresh. Never enqueues:
    a second enqueue of an id would be accepted for a task that was fetched, stopped or has failed meanwhile.
    """
    firing, task_id = attempt.firing, attempt.task_id or attempt.firing.task
    assert task_id is not None
    match judge_recorded(status, withdrawing=firing.withdrawing == task_id):
        case "launched":
            attempt.launched(task_id)
        case "launched_and_deleted":
            if (seconds := _unseen_seconds(attempt)) > 0:
                attempt.snooze(seconds, "the server does not show the recorded ClearML task yet: checking again")
            else:
                attempt.launched(task_id, "the launched ClearML task was deleted by someone")
        case "void" | "withdraw":
            # what is not seen may be a draft that is not visible yet: to delete it again does no harm
            _withdraw(attempt, task_id)
        case other:
            assert_never(other)


def _unseen_seconds(attempt: Attempt) -> float:
    """How much longer the recorded ClearML task, made shortly before it was recorded, may be invisible to reads."""
    recorded_ms, overlap = attempt.firing.recorded_ms, attempt.ctx.settings.overlap_seconds
    if attempt.task_id is not None:  # recorded by this very attempt
        return overlap
    if recorded_ms is None:  # by an earlier release
        return 0.0
    return overlap - (attempt.ctx.ledger.now_ms() - recorded_ms) / 1000


def _withdraw(attempt: Attempt, task_id: str) -> None:
    """Delete the recorded draft, once Redis cannot forget any more that it was going to be deleted.

    Else its being gone would pass for a launch that somebody deleted, and the change would be lost.
    """
    if attempt.ctx.ledger.firings.withdraw(attempt.firing, task_id) < DURABLE_SECONDS:
        if attempt.task_id is None:  # else the enqueue has failed, and the caller says so
            attempt.snooze(DURABLE_SECONDS, "withdrawing a draft whose enqueue was never confirmed")
    elif drafts.delete(attempt.ctx, task_id) == "launched":
        attempt.launched(task_id)
    else:
        _clear(attempt, task_id)
        if attempt.firing.failures >= attempt.ctx.settings.max_attempts:
            attempt.give_up(f"{attempt.firing.reason} ({plural(attempt.firing.failures, 'attempt')})")


def _clear(attempt: Attempt, task_id: str) -> None:
    attempt.ctx.ledger.firings.clear(attempt.firing, task_id)
    attempt.task_id, attempt.cleared = None, True


def look(attempt: Attempt, found: Sequence[TaggedTask], shown: ReadsShow) -> None:
    """Decide about the ClearML tasks that carry the firing's key, nothing being recorded.

    `shown`: what the read that found them showed for certain.
    """
    ctx, firing = attempt.ctx, attempt.firing
    hits = [Hit(hit.id, hit.status, hit.cloned_by) for hit in found if not _was_prepared(hit, firing.attempts)]
    forgotten = may_be_forgotten(ctx, firing)
    late = forgotten and shown < ReadsShow.calls
    judged = judge_found(hits, firing.attempts[:-1], late_enqueue_possible=late)
    if judged.launched:
        _count_on(attempt)
        attempt.launched(judged.launched, FOUND)
        return
    for task_id in judged.void:
        if drafts.delete(ctx, task_id) == "launched":
            attempt.launched(task_id, FOUND)
            return
    if judged.wait:
        attempt.snooze(
            ctx.settings.lease_seconds / 2, "found a draft of a forgotten attempt: waiting for a late enqueue"
        )
    elif forgotten and shown < ReadsShow.records:
        wait_for_reads(attempt)


def wait_for_reads(attempt: Attempt) -> None:
    """Look again once reads show what Redis has forgotten: until then, what is not found says nothing."""
    attempt.snooze(LOOK_SECONDS, "reads of the ClearML server lag: waiting until they show what Redis has forgotten")


def _was_prepared(found: TaggedTask, attempts: Sequence[str]) -> bool:
    """Whether an attempt known here has made this task ready to be run itself: that attempt is over, and it is left."""
    return found.status == DRAFT and not found.cloned_by and value_of(ATTEMPT, found.system_tags) in attempts


def may_be_forgotten(ctx: Context, firing: Firing) -> bool:
    """Whether the firing may have been launched without the ledger remembering it."""
    if firing.kind == SCHEDULE:
        return ctx.epoch.may_have_launched_time(firing.granted_ms)
    return ctx.epoch.may_have_launched(firing.changed_ms, firing.granted_ms, firing.polled_ms)


def _count_on(attempt: Attempt) -> None:
    """Of a repeating trigger Redis may have forgotten more occurrences than this: go on after the last of them.

    Else each would be granted once more and found launched: as many transitions missed as there had been.
    """
    ctx, firing, trigger = attempt.ctx, attempt.firing, attempt.trigger
    last = first = firing.occurrence
    while trigger.policy.fire != "once":
        keys = {
            firing_key(ctx.ledger.scheduler, trigger.id, firing.object, number): number
            for number in range(first + 1, first + 1 + OCCURRENCES_PER_LOOK)
        }
        found = launches.find_launches(ctx.api, [firing_tag(key) for key in keys])
        counted = [keys.get(value_of(FIRING, one.system_tags), 0) for one in found if one.status != DRAFT]
        if not counted:
            break
        last, first = max(counted), first + OCCURRENCES_PER_LOOK
    if last > firing.occurrence:
        ctx.ledger.firings.raise_mark(firing, last)


def find_queue(attempt: Attempt) -> bool:
    """Resolve the queue's id; without one the attempt fails, since people create queues later."""
    queue = getattr(attempt.trigger.action, "queue", None) or ""
    attempt.queue_id = lookups.queue_id(attempt.ctx, queue)
    if attempt.queue_id is None:
        attempt.fail(f"the queue {queue!r} is not on the server; create it or change the trigger")
    return attempt.queue_id is not None


def clone(attempt: Attempt, base: Mapping[str, Any] | None) -> None:
    """Clone the base task with its launch tags, edit what the call cannot carry: a draft that is to be recorded."""
    ctx, firing, action = attempt.ctx, attempt.firing, attempt.action
    assert isinstance(action, TaskAction)
    if base is None:
        what = f"base task {action.base_task_id}" if action.base_task_id else "task that matches schedule_task_query"
        raise LaunchImpossible(f"the {what} is not on the server; change the trigger, then retry the dead letter")
    if not find_queue(attempt):
        return
    project = resolve_target_project(attempt.trigger, base)
    request = launch_request(
        attempt.trigger,
        Event.from_json(firing.event),
        base,
        LaunchTags.of(ctx.ledger.scheduler, firing.key, firing.lease),
        lookups.project_id(ctx, project) if project else None,
    )
    attempt.cloned = True
    try:
        draft = launches.clone(ctx.api, request)
    except ServerBusy:
        attempt.cloned = False  # it was refused before it had an effect
        raise
    if request.edit:
        try:
            launches.edit_draft(ctx.api, draft, request.edit)
        except Refused:
            drafts.delete(ctx, draft)
            raise
    attempt.draft = draft


def record(attempts: Sequence[Attempt]) -> bool:
    """Record the drafts that were just made; from then on they may be enqueued.

    An attempt that was overtaken deletes its own draft, which the ledger says is void.

    Returns:
        Whether the leases of those that go on have just been extended. Not where a draft was deleted since: that took
        a call.
    """
    if not attempts:
        return True
    ctx, extended = attempts[0].ctx, True
    drafted = [(attempt.firing, attempt.draft) for attempt in attempts]
    answers, lost = ctx.ledger.firings.record_each(drafted, "dispatch", ctx.settings.lease_seconds)
    for attempt, recorded in zip(attempts, answers, strict=True):
        with ending(attempt):
            if recorded == attempt.draft:
                attempt.task_id = attempt.draft
                attempt.done = attempt.firing.key in lost  # whoever has taken it since settles what is recorded
                continue
            extended = False
            drafts.delete(ctx, attempt.draft)
            if isinstance(recorded, Fenced):
                raise recorded
            raise Fenced(f"ClearML task {recorded} is already recorded")
    return extended
