"""Keep: renew this Redis' lease on the service task, and save the state for a Redis that comes back empty."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from typing import Final

from triggers import sources
from triggers.base.logs import logger
from triggers.clearml_api import server_now_ms, service
from triggers.clearml_api.workspace import user_of
from triggers.context import Context
from triggers.ledger import alarms
from triggers.ledger.batches import decode_batch
from triggers.ledger.schedulers import Scheduler
from triggers.ledger.service_watch import STOPPING
from triggers.model.events import Event
from triggers.sync import saved_edits
from triggers.sync.clocks import compare_clocks, measure
from triggers.sync.memory import Memory
from triggers.sync.recall import recall
from triggers.sync.redis_lease import (
    PREFIX,
    RedisLease,
    address_of,
    credible,
    leases_in,
    other_holder,
    outranked,
    was_renewed,
    went_back,
)
from triggers.sync.saved_state import PROPERTY, Saved
from triggers.sync.trust import believed, said_by

log = logger(__name__)

#: Pause between two renewals; three fit into the life of a lease.
KEEP_SECONDS: Final = 20.0
#: The alarm raised when another Redis serves the scheduler.
REDIS_ALARM: Final = alarms.TWO_REDISES.name
#: Waiting firings that are looked at for the oldest.
_LOOKED_AT: Final = 200


def keep(ctx: Context, scheduler: Scheduler, memory: Memory, *, force: bool = False) -> bool:
    """Renew and save if it is due, by three requests; False when another Redis serves the scheduler."""
    now_ms = memory.look.now_ms
    begun = memory.text("kept_run") != ctx.epoch.run_id
    if not force and not begun and now_ms - memory.number("kept_ms") < KEEP_SECONDS * 1000:
        return True
    serves = _renew(ctx, scheduler, memory, now_ms, begun=begun)
    memory.look_again()  # it may have begun an epoch, or paused triggers again
    return serves


def _renew(ctx: Context, scheduler: Scheduler, memory: Memory, now_ms: int, *, begun: bool) -> bool:
    server_ms, known = _look(ctx, scheduler, memory)
    found = leases(known, server_ms)
    notice_older_state(ctx, my_lease(ctx, known, server_ms), found)
    recall(ctx)  # before the state that it reads is saved over
    _note_person(ctx, scheduler, memory, known)
    lease = my_lease(ctx, known, server_ms)
    other = other_holder(found, lease, server_ms)
    if other is not None:
        if was_renewed(other, _seen(memory)) or (not begun and _has_come(other, lease, memory)):
            step_aside(ctx, scheduler, other, said_by(known, other.property))
            return False
        # the next turn looks again: a lease that nobody renews is forged, or its holder is gone. The state is not
        # written meanwhile: that of the other may be the later one
        memory.put("rival", other.to_json())
        service.write_runtime(ctx.api, scheduler.service_task, {lease.property: lease.to_json()})
        return True
    write(ctx, scheduler, lease, server_ms, replaced=_take_over(scheduler, found, lease))
    memory.put("kept_ms", str(now_ms))
    memory.put("kept_run", ctx.epoch.run_id)
    memory.put("known_runs", " ".join(sorted(one.run for one in found)))
    return True


def notice_older_state(ctx: Context, mine: RedisLease, found: list[RedisLease]) -> None:
    """Begin an epoch where an older state was put in the place of the data and no worker that runs has seen a later."""
    if fence := went_back(found, mine):
        log.warning("the data of the Redis at %s was replaced by an older state; beginning a new epoch", mine.address)
        ctx.ledger.store.seen = max(fence, ctx.ledger.store.seen)
        ctx.begin_epoch()


def _look(ctx: Context, scheduler: Scheduler, memory: Memory) -> tuple[int, list[service.Service]]:
    """The server's time, by a ping that stamps the service task, and the service tasks; the clocks are compared."""
    began = time.monotonic()
    pinged = ctx.api.call("tasks.ping", {"task": scheduler.service_task})
    known = services(ctx, scheduler)
    took_ms = int((time.monotonic() - began) * 1000)
    own = next((one for one in known if one.id == scheduler.service_task), None)
    if own is not None and own.status == "in_progress" and own.is_stopping:
        ctx.ledger.service_watch.note(changed_ms=own.changed_ms, task=own.id, status=STOPPING)
    if own is not None and own.changed_ms:
        compare_clocks(ctx, memory, measure(own.changed_ms, pinged.server_ms, took_ms))
    return pinged.server_ms, known


def _has_come(other: RedisLease, mine: RedisLease, memory: Memory) -> bool:
    """Whether a higher epoch of the same data began after the last renewal by this run: so somebody serves it.

    What a run finds at its first renewal may be of a dead one whose end Redis forgot; so it waits for a renewal.
    """
    return other.instance == mine.instance and other.run not in memory.text("known_runs").split()


def _take_over(scheduler: Scheduler, found: list[RedisLease], mine: RedisLease) -> list[str]:
    """Name the leases that this one replaces, and say so: what still serves there steps aside at its next renewal.

    An earlier run at this very address has ended, as after any restart: nothing serves there any more.
    """
    replaced = outranked(found, mine)
    for old in replaced:
        if old.address == mine.address:
            continue
        log.warning(
            "the scheduler %s/%s goes on with the Redis at %s, epoch %d of its data; the one at %s, epoch %d, by %s "
            "has to stop serving it if it still does",
            scheduler.project, scheduler.name, mine.address, mine.epoch, old.address, old.epoch, old.holder,
        )  # fmt: skip
    return [old.property for old in replaced]


def _note_person(ctx: Context, scheduler: Scheduler, memory: Memory, known: list[service.Service]) -> None:
    """Remember who else changed the service task last, before writing to it hides that."""
    changed_by = next((one.changed_by for one in known if one.id == scheduler.service_task), "")
    if changed_by and changed_by != user_of(ctx.api):
        memory.put("changed_by", changed_by)


def services(ctx: Context, scheduler: Scheduler) -> list[service.Service]:
    """The service tasks that are believed."""
    return believed(ctx.api, ctx.ledger.scheduler, scheduler.service_task, ctx.settings.service_users)


def leases(known: list[service.Service], server_ms: int) -> list[RedisLease]:
    """The leases on them that somebody can have."""
    return credible(leases_in(one.runtime for one in known), server_ms)


def _seen(memory: Memory) -> RedisLease | None:
    return next(iter(leases_in([{PREFIX: memory.text("rival")}])), None)


def my_lease(ctx: Context, known: list[service.Service], server_ms: int) -> RedisLease:
    """This Redis' lease as it will be written: the one that is there, renewed, or a new one.

    A new epoch of the same data goes on with the time at which the earlier one was taken.
    """
    instance, epoch = ctx.ledger.homes.instance(), ctx.epoch
    holder = f"process {os.getpid()} on {socket.gethostname()}"
    same = [one for one in leases(known, server_ms) if one.instance == instance and one.until_ms > server_ms]
    since_ms = min((one.since_ms for one in same), default=server_ms)
    run, fence = (epoch.run_id, epoch.number), ctx.ledger.counter()
    mine = RedisLease(instance, address_of(redis_url(ctx)), holder, since_ms, server_ms, *run, fence)
    return mine.renewed(holder, server_ms)


def redis_url(ctx: Context) -> str:
    """URL of the Redis in use."""
    return ctx.ledger.store.url()


def write(
    ctx: Context, scheduler: Scheduler, lease: RedisLease, server_ms: int, *, replaced: Sequence[str] = ()
) -> None:
    """Write lease and state as runtime properties, by one request; leases that this one replaces are removed."""
    values = {lease.property: lease.to_json(), **_saved(ctx, server_ms)}
    service.write_runtime(ctx.api, scheduler.service_task, values, remove=replaced)


def give_back(ctx: Context, scheduler: Scheduler) -> None:
    """Save the state and let any other Redis take the scheduler at once."""
    server_ms = server_now_ms(ctx.api)
    lease = my_lease(ctx, [], server_ms)
    service.write_runtime(ctx.api, scheduler.service_task, _saved(ctx, server_ms), remove=[lease.property])


def _saved(ctx: Context, server_ms: int) -> dict[str, str]:
    """The runtime properties that another Redis goes on from."""
    saved = state(ctx, server_ms)
    registry = saved_edits.Kept.of(ctx.ledger.registry.snapshot(), _read_from(ctx, saved.since_ms))
    return {PROPERTY: saved.to_json(), saved_edits.PROPERTY: registry.to_json()}


def _read_from(ctx: Context, since_ms: int) -> int:
    """From when on another Redis would read."""
    return since_ms - int(ctx.settings.overlap_seconds * 1000)


def state(ctx: Context, server_ms: int) -> Saved:
    """What is saved now. The cursor never covers a change that was read and has not been carried out."""
    ledger = ctx.ledger
    waiting = _oldest_waiting(ctx)  # before the cursors: what is granted in between is after them
    snapshot = ledger.registry.snapshot()
    cursors = [ledger.reading.cursor(source.name) for source in sources.serving(snapshot.active)]
    read_to = min((cursor.read_to_ms for cursor in cursors), default=0) or server_ms
    return Saved(
        saved_ms=server_ms,
        read_to_ms=read_to,
        waiting_ms=waiting,
        epoch=ctx.epoch.number,
        registry=snapshot.version,
        paused=tuple(entry.trigger.id for entry in snapshot.active if entry.paused),
        audit=ledger.audit.head().to_text(),
        decided=ledger.decided.since(_read_from(ctx, min(read_to, waiting or read_to))),
    )


def _oldest_waiting(ctx: Context) -> int:
    """Change time of the oldest change that waits in a batch, as a firing, or for its trigger; 0 for none."""
    ledger = ctx.ledger
    times = [note.from_ms for note in ledger.unread_triggers.notes().values()]
    for partition in ledger.reading.waiting_partitions():
        if text := ledger.reading.first_batch(partition):
            times.append(_oldest_in(ctx, partition, text))
    times += ledger.waiting.change_times(ledger.firings.holds(), _LOOKED_AT)
    return min(times, default=0)


def _oldest_in(ctx: Context, partition: int, text: str) -> int:
    """Change time of the oldest change in a batch; of one that cannot be read, what is certainly earlier."""
    try:
        return min(Event.from_json(line).changed_ms for line in decode_batch(text).events)
    except ValueError:
        waits_since_ms = ctx.ledger.waiting.due_ms(str(partition), "batches")
        return max(1, (waits_since_ms or ctx.ledger.now_ms()) - int(ctx.settings.sweep_window_seconds * 1000))


def step_aside(ctx: Context, scheduler: Scheduler, other: RedisLease, source: str) -> None:
    """Stop serving the scheduler from this Redis: another took it while this one was away."""
    text = (
        f"the scheduler {scheduler.project}/{scheduler.name} is now served from another Redis, {other.address}, by "
        f"{other.holder}, epoch {other.epoch} (according to {source}); the one at {address_of(redis_url(ctx))} stops "
        "serving it"
    )
    log.error("%s", text)
    ctx.ledger.history.raise_alarm(REDIS_ALARM, text, ctx.ledger.now_ms())
    ctx.ledger.leave()
