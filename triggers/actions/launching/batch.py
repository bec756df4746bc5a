"""Launching several firings at once: one read of base tasks, one enqueue a queue; each is launched exactly once."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.actions.attempt import Attempt
from triggers.actions.clearml_task import TaskAction
from triggers.actions.endings import ending, launched_each
from triggers.actions.launching import lookups, permissions, protocol, reuse
from triggers.actions.launching.looking import together
from triggers.base.errors import Refused, ServerBusy, ServerUnavailable
from triggers.base.logs import logger
from triggers.base.plural import plural
from triggers.clearml_api import launches

log = logger(__name__)


def launch(attempts: Sequence[Attempt]) -> None:
    """Clone or reset base tasks, record the drafts, enqueue them. All attempts launch ClearML tasks.

    Where the server has just refused calls, one goes first: if only enqueuing is refused, a whole batch of drafts would
    be made and withdrawn after each pause.
    """
    first = 1 if attempts and attempts[0].ctx.api.is_trying else 0
    for some in (attempts[:first], attempts[first:]):
        if some:
            _launch(some)


def _launch(attempts: Sequence[Attempt]) -> None:
    _prepare(attempts)
    drafted = [a for a in attempts if not a.done and a.draft]
    extended = protocol.record(drafted)
    ready = [a for a in attempts if not a.done and a.task_id]
    _enqueue(ready if extended and all(a.draft for a in ready) else _still_ours(ready))


def settle_recorded(attempts: Sequence[Attempt], *, refused: bool = False) -> None:
    """Settle what became of recorded ClearML tasks, whose enqueue may have been sent, or was `refused`."""
    if not attempts:
        return
    api, ids = attempts[0].ctx.api, [a.task_id or a.firing.task or "" for a in attempts]
    statuses = together(attempts, lambda: launches.read_statuses(api, ids))
    for attempt, task_id in zip(attempts, ids, strict=True):
        if not attempt.done:
            with ending(attempt):
                if attempt.recorded_reuses:
                    reuse.settle(attempt, statuses.get(task_id), refused=refused)
                else:
                    protocol.settle(attempt, statuses.get(task_id))


def pretend(attempt: Attempt, action: TaskAction) -> None:
    """Look for what a launch would need, and say what it would do."""
    ctx, id_ = attempt.ctx, action.base_task
    if action.query:
        base = lookups.base_task(ctx, action.query)
    else:
        base = launches.read_base_tasks(ctx.api, [id_]).get(id_)
    if base is None:
        attempt.give_up("the base task is not on the server")
    elif lookups.queue_id(ctx, action.queue or "") is None:
        attempt.fail(f"the queue {action.queue!r} is not on the server; create it or change the trigger")
    else:
        verb = "reset and enqueue" if action.reuse_task else "clone"
        attempt.shadow(f"would {verb} {base['id']} for queue {action.queue}")


def _prepare(attempts: Sequence[Attempt]) -> None:
    """Make each its draft; base tasks are read once per batch and never kept: people edit them."""
    asking = [(attempt, attempt.action) for attempt in attempts]
    ctx, ids = attempts[0].ctx, {action.base_task for _, action in asking} - {""}
    bases = together(attempts, lambda: launches.read_base_tasks(ctx.api, list(ids)))
    for attempt, action in asking:
        if not attempt.done and isinstance(action, TaskAction):
            with ending(attempt):
                base = lookups.base_task(ctx, action.query) if action.query else bases.get(action.base_task)
                permissions.check(attempt, base)
                (reuse.prepare if action.reuse_task else protocol.clone)(attempt, base)


def _still_ours(attempts: list[Attempt]) -> list[Attempt]:
    """Those whose lease is still held, extended: a process that was frozen must not enqueue what others settle now."""
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
        except ServerBusy as busy:
            log.warning("the server refused to enqueue %s: %s", plural(len(group), "ClearML task"), busy)
            for attempt in group:
                with ending(attempt):
                    attempt.wait_for_server(busy)
            continue
        except (ServerUnavailable, Refused) as failure:
            log.warning("enqueuing %s has an unknown outcome: %s", plural(len(group), "ClearML task"), failure)
            settle_recorded(group)
            _fail_withdrawn(group, str(failure))
            continue
        told = [(attempt, answers[attempt.task_id or ""]) for attempt in group]
        launched_each([attempt for attempt, refusal in told if refusal is None])
        refused = [(attempt, refusal) for attempt, refusal in told if refusal is not None]
        settle_recorded([attempt for attempt, _ in refused], refused=True)
        for attempt, refusal in refused:
            action = attempt.action
            if isinstance(action, TaskAction) and action.queue:
                lookups.forget(attempt.ctx, "queue", action.queue)
            _fail_withdrawn([attempt], str(refusal))


def _fail_withdrawn(attempts: list[Attempt], reason: str) -> None:
    """Those whose draft was withdrawn are tried afresh later."""
    for attempt in attempts:
        if not attempt.done:
            with ending(attempt):
                attempt.fail(reason)
