"""Pretend: what shadow mode does where the launch would be. Reads what a launch would need, and writes nothing."""

from __future__ import annotations

from triggers.actions.attempt import Attempt, ending
from triggers.actions.launching import lookups
from triggers.clearml_api import launches
from triggers.model import FunctionAction


def pretend(attempt: Attempt) -> None:
    """End an admitted firing as a shadow, or as a dead letter or to be tried again where a launch would."""
    with ending(attempt):
        action, ctx = attempt.trigger.action, attempt.ctx
        if isinstance(action, FunctionAction):
            attempt.shadow(f"would call {action.name}")
            return
        if action.query:
            base = lookups.base_task(ctx, action.query)
        else:
            base = launches.read_base_tasks(ctx.api, [action.base_task_id or ""]).get(action.base_task_id or "")
        if base is None:
            attempt.give_up("the base task is not on the server")
        elif lookups.queue_id(ctx, action.queue or "") is None:
            attempt.fail(f"the queue {action.queue!r} is not on the server; create it or change the trigger")
        else:
            verb = "reset and enqueue" if action.reuse_task else "clone"
            attempt.shadow(f"would {verb} {base['id']} for queue {action.queue}")
