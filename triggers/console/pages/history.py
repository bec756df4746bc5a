"""What happened, narrowed by what the address says, so that a view can be sent to a colleague."""

from __future__ import annotations

from starlette.responses import Response

from triggers.base.errors import Usage
from triggers.base.meant import meant
from triggers.console.request import Asked
from triggers.operate.history import Filter
from triggers.operate.times import time_ms
from triggers.operate.words import WORDS

#: Entries of one page.
SIZE = 50


def page(asked: Asked) -> Response:
    """A page of entries, newest first.

    Raises:
        Usage: the time makes no sense.
    """
    query = asked.query
    asked.scheduler.activity.read_on()
    what = query.get("what", "")
    if what and what not in WORDS:
        raise Usage(f"what={what!r}: give one of {', '.join(WORDS)}{meant(what, WORDS)}")
    since = query.get("since", "")
    wanted = Filter(
        _trigger_id(asked, query.get("trigger", "")),
        query.get("object", "").strip(),
        (what,) if what else (),
        time_ms(since, asked.now_ms, "since") if since else 0,
    )
    found = asked.scheduler.activity.page(wanted, query.get("before", ""), SIZE)
    given = {name: query.get(name, "") for name in ("trigger", "object", "what", "since")}
    return asked.page("history.html", found=found, given=given, words=WORDS)


def _trigger_id(asked: Asked, name: str) -> str:
    """The id of a trigger by its name; one that is not known any more is looked for as it is given."""
    if not name:
        return ""
    try:
        return asked.scheduler.target.entry(name, retired=True).trigger.id
    except Usage:
        return name if ":" in name else f"task:{name}"
