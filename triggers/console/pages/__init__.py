"""The pages: a function each, from what was asked to what is shown. They read; changing is left to `verbs`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import redis
from starlette.responses import RedirectResponse, Response

from triggers.base.errors import TriggersError
from triggers.console.pages import firing, history, objects, overview, people, trigger, waiting
from triggers.console.request import Asked
from triggers.console.schedulers import ShownScheduler
from triggers.operate.status import SchedulerStatus, read_status

Show = Callable[[Asked], Response]


def _start(asked: Asked) -> Response:
    """The schedulers, or the only one."""
    found = asked.site.schedulers.all()
    if len(found) == 1:
        return RedirectResponse(f"/s/{found[0].id}", 302)
    return asked.page("schedulers.html", found=[(one, _status(one)) for one in found])


def _status(one: ShownScheduler) -> SchedulerStatus | None:
    """How it is doing; None where its Redis gives no answer."""
    try:
        return one.asked(lambda: read_status(one.target, last=0))
    except (TriggersError, redis.RedisError):
        return None


#: Address → page. Nothing else lists them.
PAGES: Final[dict[str, Show]] = {
    "/": _start,
    "/s/{scheduler}": overview.page,
    "/s/{scheduler}/find": objects.find,
    "/s/{scheduler}/triggers/{trigger:path}": trigger.page,
    "/s/{scheduler}/edit/{trigger:path}": trigger.edit,
    "/s/{scheduler}/test/{trigger:path}": trigger.test,
    "/s/{scheduler}/firings/{firing}": firing.page,
    "/s/{scheduler}/objects/{object:path}": objects.page,
    "/s/{scheduler}/waiting": waiting.page,
    "/s/{scheduler}/history": history.page,
    "/s/{scheduler}/workers": people.workers,
    "/s/{scheduler}/audit": people.audit,
}
