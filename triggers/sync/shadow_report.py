"""Shadow mode's report, made from the ledger and the server."""

from __future__ import annotations

from typing import Final

import redis

from triggers.base.errors import TriggersError
from triggers.base.logs import logger
from triggers.base.plural import plural
from triggers.base.terminal import say
from triggers.clearml_api import server_now_ms
from triggers.context import Context
from triggers.sync.shadow_comparison import Difference, ObservedLaunch, compare, read_theirs

log = logger(__name__)

TITLE: Final = "Shadow: differences from the original"
_PAGE: Final = 1000


def differences(ctx: Context) -> list[Difference]:
    """Compare what the original has launched since this shadow was registered with what would have been here."""
    snapshot = ctx.ledger.registry.snapshot()
    triggers = {entry.trigger.id: entry.trigger for entry in snapshot.active}
    if not triggers:
        return []
    since_ms = min(entry.since_ms for entry in snapshot.active)
    ours, skipped, after = [], set(), "-"
    while entries := ctx.ledger.history.read(after, _PAGE):
        after = entries[-1].id
        ours += [ObservedLaunch(e.trigger, e.object, e.at_ms) for e in entries if e.what == "shadow"]
        skipped |= {(e.trigger, e.object) for e in entries if e.what == "skipped"}
    theirs = read_theirs(ctx.api, triggers.values(), since_ms)
    return compare(ours, theirs, triggers, skipped=skipped, now_ms=server_now_ms(ctx.api))


def as_table(found: list[Difference]) -> list[list[str]]:
    """The report as a table, header first."""
    rows = [[one.trigger, one.object, one.side, one.row or "unexplained"] for one in found]
    return [["trigger", "object", "launched by", "docs/differences.md"], *rows]


def print_differences(ctx: Context) -> None:
    """Print the report, one line each, at the end of a shadow."""
    try:
        found = differences(ctx)
    except (TriggersError, redis.RedisError) as failure:
        log.warning("cannot report differences: %s", failure)
        return
    count = plural(len(found), "launch differs", "launches differ")
    say(f"triggers: {count} from the original's", *(f"  {one}" for one in found))
