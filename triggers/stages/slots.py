"""Slots: who holds that of a trigger that launches one at a time, judged against what runs on the server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from triggers.actions.attempt import Attempt
from triggers.actions.launching import lookups, reads
from triggers.clearml_api import launches
from triggers.clearml_api.launches import TaggedTask
from triggers.context import Context, Plan
from triggers.ledger.firings.firing import DIGEST_LENGTH, trigger_digest
from triggers.model.launch_tags import FIRING, scheduler_tag, value_of
from triggers.rules.recovery import Holder
from triggers.stages import own


def know(ctx: Context, plan: Plan) -> bool:
    """After a new epoch, bind the slots that Redis may have forgotten to what runs on the server. Once.

    False while reads may not show yet what was launched, and while the enqueue of an attempt that Redis forgot may
    still be under way: its draft would run in a slot given to another meanwhile. Drafts are read before what runs, so
    that one enqueued in between is seen running.
    """
    if ctx.epoch.slots_known:
        return True
    scheduler, holders = ctx.ledger.scheduler, dict[str, str]()
    single = {
        trigger_digest(scheduler, id_): id_ for id_, e in plan.entries.items() if e.trigger.policy.single_instance
    }
    tag = scheduler_tag(scheduler)
    shows = reads.shown(ctx)
    if shows < reads.ReadsShow.records:
        return False
    if shows < reads.ReadsShow.calls and any(
        _may_be_enqueued(ctx, key) for key, _ in _of(single, launches.find_drafts(ctx.api, tag))
    ):
        return False
    running = own.launches_among(ctx.ledger, ctx.api, launches.find_running(ctx.api, tag))
    for key, task_id in _of(single, running):  # oldest first; when it has ended, `_adopt_running` finds the others
        holders.setdefault(single[key[:DIGEST_LENGTH]], f"{key} {task_id}")
    ctx.ledger.firings.rebuild_slots(ctx.epoch.number, holders)
    ctx.begin_epoch()
    return True


def holder_of(attempt: Attempt) -> tuple[str, str, Holder]:
    """The last holder of the slot that an attempt needs as written, its ClearML task, and whether that runs.

    What is being launched counts as running. A launch that runs outside of the slot is put into it first.
    """
    ctx, slot = attempt.ctx, attempt.slot
    holder, task_id, held = _holder(ctx, slot)
    if _others_may_run(attempt, holder, task_id, held) and _adopt_running(attempt, holder):
        holder, task_id, held = _holder(ctx, slot)
    if held == "ended" and attempt.reuses and not _read_is_of_last_run(attempt, holder, task_id):
        held = "unclear"
    return holder, task_id, held


def _of(triggers: Mapping[str, str], found: Iterable[TaggedTask]) -> Iterator[tuple[str, str]]:
    """Firing key and id of the ClearML tasks that these triggers launched, by digest."""
    for one in found:
        key = value_of(FIRING, one.system_tags)
        if key[:DIGEST_LENGTH] in triggers:
            yield key, one.id


def _may_be_enqueued(ctx: Context, key: str) -> bool:
    """Whether a draft with this key may be of an attempt that goes on: not once the firing has ended."""
    firing = ctx.ledger.firings.get(key)
    return firing is None or firing.state in ("waiting", "held")


def _holder(ctx: Context, slot: str) -> tuple[str, str, Holder]:
    """The slot's last holder as written, its ClearML task, and whether that runs."""
    holder, task_id = ctx.ledger.firings.slot_holder(slot)
    return holder, task_id, lookups.holders(ctx, {slot: task_id})[slot] if task_id else "running"


def _others_may_run(attempt: Attempt, holder: str, task_id: str, held: Holder) -> bool:
    """Whether the trigger may have made launches that run outside of its slot, since before it needed one.

    Its slot is bound to the oldest of them. So once a holder has ended there may be others, unless it was the last
    launch of all.
    """
    if not attempt.trigger.action.clones:
        return False
    count, last = attempt.ctx.ledger.history.last_of("granted" if not holder else "launched", attempt.trigger.id)
    return count > 1 if not holder else held == "ended" and last != task_id


def _adopt_running(attempt: Attempt, ended_holder: str) -> bool:
    """Bind the slot, which is free or whose holder has ended, to the oldest of the trigger's launches that run."""
    ctx, id_ = attempt.ctx, attempt.trigger.id
    digest = trigger_digest(ctx.ledger.scheduler, id_)
    running = launches.find_running(ctx.api, scheduler_tag(ctx.ledger.scheduler))
    found = next(_of({digest: id_}, own.launches_among(ctx.ledger, ctx.api, running)), None)
    if found is not None:
        ctx.ledger.undecided.adopt_slot(attempt.slot, " ".join(found), ended_holder)
    return found is not None


def _read_is_of_last_run(attempt: Attempt, holder: str, task_id: str) -> bool:
    """Whether what is read of a reused task is its last run: right after the launch it may be the one before.

    To reset on the word of such a read would take a run out of its queue.
    """
    ctx = attempt.ctx
    seconds = ctx.ledger.firings.launched_seconds([task_id])[0]
    if seconds is None or seconds >= ctx.settings.overlap_seconds:
        return True
    base = launches.read_base_tasks(ctx.api, [task_id]).get(task_id)
    return base is None or value_of(FIRING, base.get("system_tags") or ()) == holder.partition(" ")[0]
