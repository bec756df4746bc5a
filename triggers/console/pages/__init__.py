"""The pages: a function each, from what was asked to what is shown. They read; changing is left to `verbs`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.responses import RedirectResponse, Response

from triggers.console.pages import firing, history, objects, overview, people, trigger, waiting
from triggers.console.request import Asked

Show = Callable[[Asked], Response]


def _start(asked: Asked) -> Response:
    """The schedulers, or the only one."""
    found = asked.site.schedulers.all()
    if len(found) == 1:
        return RedirectResponse(f"/s/{found[0].id}", 302)
    return asked.page("schedulers.html", found=found)


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
