"""Dispatch: carry out the firings that are due, several at a time, exactly once each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from triggers.actions.attempt import Attempt, ending, launched_each
from triggers.actions.launching import lookups, permissions, reuse
from triggers.actions.launching import protocol as launch
from triggers.actions.launching.looking import look_for_launches, together
from triggers.base.errors import Refused, ServerUnavailable
from triggers.base.logs import logger
from triggers.clearml_api import launches
from triggers.context import Context
from triggers.ledger import leases
from triggers.ledger.firing import Firing
from triggers.model import FunctionAction, TaskAction
from triggers.stages.admission import admit, admit_again
from triggers.stages.call import carry_out
from triggers.stages.taking import take

log = logger(__name__)

#: Batches of firings that one hint leads to at most, so that a flood of one scheduler leaves room for the others.
BATCHES_PER_TURN = 50


def dispatch(ctx: Context) -> int:
    """Take the firings that are due, until none is or it is the turn of others; how many were taken.

    Any number of dispatchers may call it at once, on any host; each firing has one owner at a time.
    """
    taken = 0
    for _ in range(BATCHES_PER_TURN):
        claim = take(ctx, "dispatch", ctx.settings.batch_firings)
        if not claim.firings:
            return taken
        taken += len(claim.firings)
        with _keeping(ctx, claim.firings):
            _carry_out(ctx, claim.firings, claim.registry_version)
    ctx.hints.send("dispatch", ctx.ledger.scheduler)  # behind the hints of the schedulers that share these workers
    return taken


def _keeping(ctx: Context, firings: Iterable[Firing]) -> Any:
    held = list(firings)

    def extend() -> None:
        lost = set(ctx.ledger.firings.renew("dispatch", held, ctx.settings.lease_seconds))
        held[:] = [firing for firing in held if firing.key not in lost]

    return leases.renewing(ctx.settings.lease_seconds / 3, extend)


def _carry_out(ctx: Context, firings: Iterable[Firing], registry_version: int) -> None:
    ctx.know_epoch()
    plan = ctx.plan(registry_version)
    attempts = admit(ctx, plan, firings)
    recorded = [a for a in attempts if a.firing.task]
    _settle_recorded(recorded)
    # where the record was void, a later attempt that Redis has forgotten may have launched
    look_for_launches(recorded)
    admit_again([a for a in recorded if not a.done and a.cleared], plan)
    _clone([a for a in attempts if not a.done])
    launch.record([a for a in attempts if not a.done and a.draft])
    _enqueue(_still_ours([a for a in attempts if not a.done and a.task_id]))
    _call([a for a in attempts if not a.done])


def _settle_recorded(attempts: list[Attempt]) -> None:
    if not attempts:
        return
    api, ids = attempts[0].ctx.api, [a.task_id or a.firing.task or "" for a in attempts]
    statuses = together(attempts, lambda: launches.read_statuses(api, ids))
    for attempt, task_id in zip(attempts, ids, strict=True):
        if not attempt.done:
            with ending(attempt):
                settle = reuse.settle if attempt.recorded_reuses else launch.settle
                settle(attempt, statuses.get(task_id))


def _clone(attempts: list[Attempt]) -> None:
    """Clone for each; base tasks are read once per batch and never kept: people edit them."""
    attempts = [a for a in attempts if isinstance(a.trigger.action, TaskAction)]
    if not attempts:
        return
    actions = [a.trigger.action for a in attempts]
    ids = {action.base_task_id for action in actions if isinstance(action, TaskAction)}
    ctx, api = attempts[0].ctx, attempts[0].ctx.api
    bases = together(attempts, lambda: launches.read_base_tasks(api, [id_ for id_ in ids if id_]))
    for attempt, action in zip(attempts, actions, strict=True):
        if not attempt.done and isinstance(action, TaskAction):
            with ending(attempt):
                base = lookups.base_task(ctx, action.query) if action.query else bases.get(action.base_task_id)
                permissions.check(attempt, base)
                (reuse.prepare if action.reuse_task else launch.clone)(attempt, base)


def _call(attempts: list[Attempt]) -> None:
    """Call the functions that any worker may call."""
    for attempt in attempts:
        action = attempt.trigger.action
        if isinstance(action, FunctionAction):
            with ending(attempt):
                carry_out(attempt, permissions.check_function(attempt, action.reference or ""))


def _still_ours(attempts: list[Attempt]) -> list[Attempt]:
    """Those whose lease is still held: a process that was frozen must not enqueue what others settle now."""
    if not attempts:
        return []
    ctx = attempts[0].ctx
    lost = set(ctx.ledger.firings.renew("dispatch", [a.firing for a in attempts], ctx.settings.lease_seconds))
    for attempt in attempts:
        attempt.done = attempt.firing.key in lost
    return [attempt for attempt in attempts if not attempt.done]


def _enqueue(attempts: list[Attempt]) -> None:
    """One enqueue call per queue; what the answer leaves open is settled by looking, never by asking again."""
    queues: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.task_id and attempt.queue_id:
            queues.setdefault(attempt.queue_id, []).append(attempt)
    for queue_id, group in queues.items():
        try:
            answers = launches.enqueue(group[0].ctx.api, [a.task_id or "" for a in group], queue_id)
        except (ServerUnavailable, Refused) as failure:
            log.warning("enqueueing %d ClearML tasks has an unknown outcome: %s", len(group), failure)
            _settle_recorded(group)
            _fail_withdrawn(group, str(failure))
            continue
        told = [(attempt, answers[attempt.task_id or ""]) for attempt in group]
        launched_each([attempt for attempt, refusal in told if refusal is None])
        refused = [(attempt, refusal) for attempt, refusal in told if refusal is not None]
        _settle_recorded([attempt for attempt, _ in refused])
        for attempt, refusal in refused:
            action = attempt.trigger.action
            if isinstance(action, TaskAction) and action.queue:
                lookups.forget(attempt.ctx, "queue", action.queue)
            _fail_withdrawn([attempt], str(refusal))


def _fail_withdrawn(attempts: list[Attempt], reason: str) -> None:
    """Those whose draft was withdrawn are tried afresh later."""
    for attempt in attempts:
        if not attempt.done:
            with ending(attempt):
                attempt.fail(reason)
