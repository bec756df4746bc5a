"""What this process has taken from its queues and not begun: it lies in no queue, and waits for a thread here."""

from __future__ import annotations

from celery.worker import state

from triggers.base import forms


def hinted(task: str) -> set[str]:
    """The schedulers whose hints to a Celery task wait here for a thread.

    Celery takes as many messages in advance as there are threads. Without these, a turn would go on although another
    scheduler waits for its own, since its hint is in no queue any more.
    """
    waiting = (request for request in list(state.requests.values()) if request not in state.active_requests)
    firsts = (str(next(iter(request.args), "")) for request in waiting if request.name == task)
    return {first for first in firsts if forms.is_scheduler(first)}
