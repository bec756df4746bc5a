"""Who works, and who changed what."""

from __future__ import annotations

from starlette.responses import Response

from triggers.console.request import Asked
from triggers.operate import api_budget
from triggers.operate.doctor import examine
from triggers.operate.status import read_status
from triggers.operate.times import time_ms

#: Lines of one page.
SIZE = 50


def workers(asked: Asked) -> Response:
    """The workers, the stages, and what `doctor` finds when it is asked."""
    target = asked.scheduler.target
    return asked.page(
        "workers.html",
        status=read_status(target, last=0),
        running=sorted(target.ledger.workers_at_work().items()),
        calls=_calls(asked),
        budget=api_budget.read_budget(target.ledger, target.settings.api_calls_per_month),
        findings=list(examine(target)) if "doctor" in asked.query else None,
    )


def _calls(asked: Asked) -> list[tuple[str, str, int]]:
    """Calls to the ClearML API by endpoint and result, the most frequent first."""
    found = asked.scheduler.target.ledger.api_requests()
    rows = [(*field.partition(" ")[::2], count) for field, count in found.items()]
    return sorted(rows, key=lambda row: -row[2])


def audit(asked: Asked) -> Response:
    """The audit log.

    Raises:
        Usage: the time or the cursor makes no sense.
    """
    since = asked.query.get("since", "")
    since_ms = time_ms(since, asked.now_ms, "since") if since else 0
    before = asked.query.get("before", "")
    lines = asked.scheduler.target.ledger.audit.read(since_ms, SIZE + 1, before)
    shown = lines[:SIZE]
    return asked.page("audit.html", lines=shown, since=since, next=shown[-1].id if len(lines) > SIZE else "")
