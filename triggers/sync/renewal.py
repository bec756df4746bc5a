"""Keep: renew this Redis' lease on the service task, and save the state for a Redis that comes back empty."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from triggers.base.errors import Refused
from triggers.base.logs import logger
from triggers.clearml_api import server_now_ms, service
from triggers.clearml_api.workspace import user_of
from triggers.context import Context
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.history import alarms
from triggers.ledger.polling.service_watch import STOPPING, SeenServiceTask
from triggers.sync import rest, saving
from triggers.sync.clocks import Measured, compare_clocks, confirmed, is_news, measure
from triggers.sync.memory import Memory
from triggers.sync.recall import recall
from triggers.sync.redis_lease import (
    LIFE_MS,
    PREFIX,
    RedisLease,
    address_of,
    callers,
    credible,
    leases_in,
    other_holder,
    outranked,
    was_renewed,
    went_back,
)
from triggers.sync.saving import Saving
from triggers.sync.trust import believed, said_by

log = logger(__name__)

#: The pause between two looks at the service tasks, and between two writes, while something happens.
KEEP_SECONDS: Final = 20.0
#: The alarm raised when another Redis serves the scheduler.
REDIS_ALARM: Final = alarms.TWO_REDISES.name


def keep(ctx: Context, scheduler: Scheduler, memory: Memory, *, force: bool = False) -> bool:
    """Look, renew and save as far as it is due; False when another Redis serves the scheduler.

    At rest it makes no request for minutes: polls see who comes, and the lease says how soon it is renewed then.
    """
    seen, begun = memory.look.service, memory.text("kept_run") != ctx.epoch.run_id
    due = rest.due(seen, _last(memory), KEEP_SECONDS)
    everything = force or begun
    write = everything or (due.may_write and _has_to_write(ctx, scheduler, memory, looks=due.look))
    if not (everything or due.look or write):
        return True
    serves = _renew(ctx, scheduler, memory, ping=everything or due.ping, write=write, begun=begun)
    memory.look_again()  # it may have begun an epoch, or paused triggers again
    return serves


def _renew(ctx: Context, scheduler: Scheduler, memory: Memory, *, ping: bool, write: bool, begun: bool) -> bool:
    """Look, and write where that is due or somebody asks for it; False when another Redis serves the scheduler."""
    server_ms, known = _look(ctx, scheduler, memory, ping=ping)
    found = leases(known, server_ms)
    notice_older_state(ctx, my_lease(ctx, scheduler, known, server_ms), found)
    recall(ctx)  # before the state that it reads is saved over
    _note_person(ctx, scheduler, memory, known)
    lease = my_lease(ctx, scheduler, known, server_ms)
    other = other_holder(_alive(ctx, memory, known, found, server_ms), lease, server_ms)
    if other is not None:
        if was_renewed(other, _rival(memory)) or (not begun and _has_come(other, lease, memory)):
            step_aside(ctx, scheduler, other, said_by(known, other.property))
            return False
        # the next turn looks again: a lease that nobody renews is forged, or its holder is gone. The state is not
        # written meanwhile: that of the other may be the later one
        _watch(memory, other, server_ms)
        service.write_runtime(ctx.api, scheduler.service_task, {lease.property: lease.to_json()})
        return True
    replaced = _take_over(scheduler, found, lease)
    calling = _calling(known, lease)
    if write or replaced or calling != memory.text("callers") or lease.property not in {one.property for one in found}:
        write_all(ctx, scheduler, memory, lease, server_ms, replaced=replaced)
    for name, text in (("callers", calling), ("rival", ""), ("refused", "")):
        memory.put(name, text)
    memory.put("kept_run", ctx.epoch.run_id)
    memory.put("known_runs", " ".join(sorted(one.run for one in found)))
    return True


def _last(memory: Memory) -> rest.LastCalls:
    names = {"looked_ms": "kept_ms", **{name: name for name in ("checked_ms", "pinged_ms", "noted_ms")}}
    numbers = {field: memory.number(name) for field, name in names.items()}
    return rest.LastCalls(**numbers, is_open=any(map(memory.text, ("rival", "clocks_doubted", "refused"))))


def _calling(known: list[service.Service], lease: RedisLease) -> str:
    text = callers((one.runtime for one in known), lease)
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest() if text else ""


def _has_to_write(ctx: Context, scheduler: Scheduler, memory: Memory, *, looks: bool) -> bool:
    """Whether the lease or the state on the service task no longer says enough; soon, where it is looked at anyway."""
    seen = memory.look.service
    memory.put("checked_ms", str(seen.now_ms))
    waited_ms = seen.now_ms - memory.number("written_ms")
    if waited_ms > LIFE_MS * (1 / 2 if looks else 3 / 4) or _answers_ms(scheduler, seen) > memory.number("answers_ms"):
        return True
    if waited_ms >= rest.rest_ms(seen.pause_ms, KEEP_SECONDS) and waited_ms >= ctx.ledger.reading.quiet_ms():
        return True
    return saving.has_changed(ctx, memory)


def _answers_ms(scheduler: Scheduler, seen: SeenServiceTask) -> int:
    return rest.answers_ms(max(scheduler.poll_seconds, scheduler.quiet_seconds), seen.pace_ms)


def notice_older_state(ctx: Context, mine: RedisLease, found: list[RedisLease]) -> None:
    """Begin an epoch where an older state was put in the place of the data and no worker that runs has seen a later."""
    if fence := went_back(found, mine):
        log.warning("the data of the Redis at %s was replaced by an older state; beginning a new epoch", mine.address)
        ctx.ledger.store.seen = max(fence, ctx.ledger.store.seen)
        ctx.begin_epoch()


def _look(ctx: Context, scheduler: Scheduler, memory: Memory, *, ping: bool) -> tuple[int, list[service.Service]]:
    """The server's time and the service tasks; with a ping before, which stamps one, the clocks are compared."""
    seen, began = memory.look.service, time.monotonic()
    pinged = ctx.api.call("tasks.ping", {"task": scheduler.service_task}) if ping else None
    known = services(ctx, scheduler)
    took_ms = int((time.monotonic() - began) * 1000)
    own = next((one for one in known if one.id == scheduler.service_task), None)
    changed_ms = max([seen.changed_ms, *(one.changed_ms for one in known)])
    if own is not None:
        is_stopping = own.status == "in_progress" and own.is_stopping
        status = STOPPING if is_stopping else own.status
        ctx.ledger.service_watch.note(changed_ms=changed_ms, task=own.id, status=status)
    if pinged is not None and own is not None and own.changed_ms:
        measured: Measured | None = measure(own.changed_ms, pinged.server_ms, took_ms)
        if measured and is_news(ctx, measured):
            measured = confirmed(ctx, scheduler.service_task, pinged.server_ms, began)
        if measured:
            compare_clocks(ctx, memory, measured)
    if pinged is not None:
        memory.put("pinged_ms", str(seen.now_ms))
    ctx.ledger.service_watch.looked(seen.now_ms)
    memory.put("kept_ms", str(seen.now_ms))
    memory.put("noted_ms", str(changed_ms))
    server_ms = max((one.read_ms for one in known), default=0)
    return pinged.server_ms if pinged else server_ms or server_now_ms(ctx.api), known


def _alive(
    ctx: Context, memory: Memory, known: list[service.Service], found: list[RedisLease], server_ms: int
) -> list[RedisLease]:
    """The leases without one that was watched for as long as its holder takes to answer, which is removed."""
    rival, seen_ms = _rival(memory), memory.number("rival_ms")
    dead = [one for one in found if one == rival and one.ends_ms(seen_ms) <= server_ms]
    remove_leases(ctx, known, dead)
    return [one for one in found if one not in dead]


def remove_leases(ctx: Context, known: list[service.Service], dead: Sequence[RedisLease]) -> None:
    """Remove leases from the service tasks that have them. Their holder, should it live, finds itself replaced."""
    for one in known:
        if names := [lease.property for lease in dead if lease.property in one.runtime]:
            log.warning("removing from the service task %s the lease that nobody renews: %s", one.id, " ".join(names))
            with suppress(Refused):
                service.write_runtime(ctx.api, one.id, {}, remove=names)


def _watch(memory: Memory, other: RedisLease, server_ms: int) -> None:
    """Remember another's lease, and since when it is as it is."""
    if _rival(memory) != other:
        memory.put("rival", other.to_json())
        memory.put("rival_ms", str(server_ms))


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
            "the scheduler %s/%s continues on the Redis at %s, epoch %d of its data; the one at %s, epoch %d, by %s "
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


def _rival(memory: Memory) -> RedisLease | None:
    return next(iter(leases_in([{PREFIX: memory.text("rival")}])), None)


def my_lease(ctx: Context, scheduler: Scheduler, known: list[service.Service], server_ms: int) -> RedisLease:
    """This Redis' lease as it will be written: the one that is there, renewed, or a new one.

    A new epoch of the same data goes on with the time at which the earlier one was taken.
    """
    instance, epoch = ctx.ledger.homes.instance(), ctx.epoch
    holder = f"process {os.getpid()} on {socket.gethostname()}"
    same = [one for one in leases(known, server_ms) if one.instance == instance and one.until_ms > server_ms]
    since_ms = min((one.since_ms for one in same), default=server_ms)
    run, fence = (epoch.run_id, epoch.number), ctx.ledger.counter()
    answers_ms = _answers_ms(scheduler, ctx.ledger.service_watch.read())
    mine = RedisLease(instance, address_of(redis_url(ctx)), holder, since_ms, server_ms, *run, fence, answers_ms)
    return mine.renewed(holder, server_ms)


def redis_url(ctx: Context) -> str:
    """URL of the Redis in use."""
    return ctx.ledger.store.url()


def write_all(
    ctx: Context, scheduler: Scheduler, memory: Memory, lease: RedisLease, server_ms: int, *, replaced: Sequence[str]
) -> None:
    """Write lease and state as runtime properties, by one request; leases that this one replaces are removed."""
    saved = Saving.of(ctx, server_ms)
    values = {lease.property: lease.to_json(), **saved.values}
    service.write_runtime(ctx.api, scheduler.service_task, values, remove=replaced)
    saved.remember(memory)
    memory.put("written_ms", memory.text("kept_ms"))
    memory.put("answers_ms", str(lease.answers_ms))


def give_back(ctx: Context, scheduler: Scheduler) -> None:
    """Save the state and let any other Redis take the scheduler at once."""
    server_ms = server_now_ms(ctx.api)
    lease = my_lease(ctx, scheduler, [], server_ms)
    service.write_runtime(ctx.api, scheduler.service_task, Saving.of(ctx, server_ms).values, remove=[lease.property])


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
