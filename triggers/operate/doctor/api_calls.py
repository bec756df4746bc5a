"""Will the month's calls to the ClearML API do, and does the server take any now?"""

from __future__ import annotations

from collections.abc import Iterator

from triggers.operate.api_budget import ApiBudget, line, read_budget
from triggers.operate.doctor.findings import Finding
from triggers.operate.target import Target

_ABOUT = "API calls"

#: What to do about a server that refuses calls.
BUSY = "wait: polls and launches resume by themselves, nothing is lost; if a quota is used up, raise it in ClearML"


def look(target: Target) -> Iterator[Finding]:
    """Look at the account of calls; it costs none."""
    budget = read_budget(target.ledger, target.settings.api_calls_per_month)
    if budget.paused_seconds:
        way = BUSY
        yield Finding(_ABOUT, "bad", line(budget), way)
    elif budget.is_used_up:
        yield Finding(_ABOUT, "bad", f"{line(budget)}: polls and launches wait", _until(budget))
    elif budget.polls_are_over:
        yield Finding(_ABOUT, "bad", line(budget), _until(budget))
    elif budget.is_over:
        way = "polls slow down to stay within the limit; if that is too slow, raise TRIGGERS_API_CALLS_PER_MONTH"
        yield Finding(_ABOUT, "warn", line(budget), way)
    else:
        yield Finding(_ABOUT, "ok", line(budget))


def _until(budget: ApiBudget) -> str:
    return f"raise TRIGGERS_API_CALLS_PER_MONTH, or wait for {budget.ends:%Y-%m-%d}; nothing is lost meanwhile"
