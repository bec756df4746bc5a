"""Notify: tell people of dead letters, stale polls and held bursts, once and not too often."""

from __future__ import annotations

import math
import os
from dataclasses import replace

from triggers.base.errors import Refused, Transient
from triggers.base.logs import logger
from triggers.base.plural import plural
from triggers.base.settings import with_notice_secrets_of_now
from triggers.clearml_api import service
from triggers.clearml_api.links import link
from triggers.clearml_api.service import ConsoleLine
from triggers.context import Context
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.history.history import HistoryEntry
from triggers.ledger.looks.notify_look import NotifyLook
from triggers.ledger.registry.registry import Snapshot
from triggers.model.events import Event
from triggers.model.kinds import noun_of
from triggers.model.parts import label_of_key
from triggers.notices import Notice, Situation, Told, decide
from triggers.notices.send import in_words, send
from triggers.rules.api_budget import end_of_month, is_used_up, kept_for_launches, polls_are_over, projected
from triggers.stages.stalled import lines, stalled

log = logger(__name__)

_PAGE = 1000


def notify(ctx: Context, scheduler: Scheduler) -> int | None:
    """Tell what is due; how many notices, None when another is at it.

    A notice is recorded after it is sent: a crash in between sends it twice, and never drops it.
    """
    ledger = ctx.ledger
    with ledger.notified.turn(ctx.settings.lease_seconds) as token:
        if token is None:
            return None
        look = ledger.look_before_notify(lines(), ("after", "told"))
        known = look.fields
        situation, after = _situation(ctx, scheduler, look)
        before = Told.from_text(known["told"])
        notices, told = decide(before, situation, ctx.settings.notices_per_hour)
        if notices and not _tell(ctx, scheduler, notices):
            return 0
        if (told, after) != (before, known["after"]):
            ledger.notified.write(token, {"told": told.to_text(), "after": after or "0-0"})
        return len(notices)


def _situation(ctx: Context, scheduler: Scheduler, look: NotifyLook) -> tuple[Situation, str]:
    """What there is to tell, and up to where the history was looked at."""
    ledger, dead, after = ctx.ledger, dict[str, Notice](), look.fields["after"]
    snapshot = ledger.registry.snapshot(look.registry_version)
    while look.newest not in ("", after):
        page = ledger.history.read(after or "-", _PAGE)
        for entry in page:
            if entry.what == "dead":
                count = dead[entry.trigger].count + 1 if entry.trigger in dead else 1
                dead[entry.trigger] = _dead(ctx, scheduler, snapshot, entry, count)
        after = page[-1].id if page else after
        if len(page) < _PAGE:
            break
    return Situation(look.now_ms, dead, _lasting(ctx, scheduler, snapshot, look), look.muted), after


def _dead(ctx: Context, scheduler: Scheduler, snapshot: Snapshot, entry: HistoryEntry, count: int) -> Notice:
    kind, _, name = entry.trigger.partition(":")
    called, first = _name_of(ctx, entry.firing), entry.reason.partition("\n")[0]
    object_ = f"{kind} {called!r} ({entry.object})" if called else f"{kind} {entry.object}"
    known = snapshot.entries.get(entry.trigger)
    label = label_of_key(known.trigger if known else None, entry.firing)
    what = f"{label} for {object_}" if label else object_
    text = f"{noun_of(kind)} {name!r} gave up {what}: {first}"
    page = link(scheduler, kind, entry.object)
    return Notice("dead", text, name, _owner(snapshot, entry.trigger), count, page, entry.object)


def _name_of(ctx: Context, key: str) -> str:
    """Name of the object of a firing, as it was when the firing was granted."""
    firing = ctx.ledger.firings.get(key)
    try:
        return Event.from_json(firing.event).name if firing else ""
    except ValueError:  # it is damaged: that it was given up says so
        return ""


def _lasting(
    ctx: Context, scheduler: Scheduler, snapshot: Snapshot, look: NotifyLook | None = None
) -> dict[str, Notice]:
    look = look or ctx.ledger.look_before_notify(lines(), ("told",))
    page = link(scheduler, "task", scheduler.service_task)
    stopped = stalled(ctx.ledger, snapshot, scheduler.poll_seconds, ctx.epoch.began_ms, look)
    found = {name: Notice(kind, text, link=page) for name, (kind, text) in stopped.items()}
    for name, alarm in look.alarms.items():
        reason, _, trigger = name.partition(":")
        held = Notice("held burst" if reason == "pace" else "alarm", str(alarm.get("text", name)), link=page)
        found[name] = replace(held, trigger=trigger.partition(":")[2], owner=_owner(snapshot, trigger))
    return found | _budget(ctx, page) | _pause(ctx, page)


def _budget(ctx: Context, page: str) -> dict[str, Notice]:
    """That the month's calls to the ClearML API will not do, as the last day went, or that none is left."""
    limit = ctx.settings.api_calls_per_month
    if limit is None:
        return {}
    usage = ctx.ledger.calls.usage()
    most = ", ".join(f"{cause} {count:,}" for cause, count in list(usage.by("cause").items())[:3])
    made = f"{usage.made:,} of {plural(limit, 'call')} of TRIGGERS_API_CALLS_PER_MONTH are made ({most})"
    until = f"until {end_of_month(usage.now):%Y-%m-%d}, unless you raise it; nothing is lost"
    gone, found = usage.made + usage.lent, dict[str, Notice]()
    if is_used_up(limit, gone):
        found["API calls used up"] = Notice("API budget", f"{made}: polls and launches wait {until}", link=page)
    elif polls_are_over(limit, gone):
        kept = f"polls wait {until}. The last {plural(kept_for_launches(limit), 'call')} are for launches"
        found["API calls of polls used up"] = Notice("API budget", f"{made}: {kept}", link=page)
    comes_to = projected(usage)
    if comes_to > limit:
        text = (
            f"the projection for this month is {plural(comes_to, 'call')} to the ClearML API; {made}. Polls "
            "stretch until this fits"
        )
        found["API budget"] = Notice("API budget", text, link=page)
    return found


def _pause(ctx: Context, page: str) -> dict[str, Notice]:
    """That the ClearML server refuses calls, as long as this lasts for more than a minute."""
    pause = ctx.ledger.calls.pause_of(ctx.api.shown_host)
    if pause is None or not pause.is_long:
        return {}
    text = (
        f"the ClearML server refuses calls ({pause.why}); the next call is made in {math.ceil(pause.seconds)} s. Polls "
        "and launches wait until it accepts calls again, and nothing is lost. If a quota is used up, raise it "
        "in ClearML"
    )
    return {"API pause": Notice("API pause", text, link=page)}


def _owner(snapshot: Snapshot, trigger: str) -> str:
    entry = snapshot.entries.get(trigger)
    return (entry.trigger.owner or "") if entry else ""


def _tell(ctx: Context, scheduler: Scheduler, notices: list[Notice]) -> bool:
    """Send, and always write to the log of the service task; False if no place accepted it."""
    sent = send(notices, f"{scheduler.project}/{scheduler.name}", with_notice_secrets_of_now(ctx.settings, os.environ))
    if sent and scheduler.service_task:
        lines = [ConsoleLine(ctx.ledger.now_ms(), "warning", in_words(notice)) for notice in notices]
        try:
            service.report(ctx.api, scheduler.service_task, lines, [])
        except (Refused, Transient) as failure:
            log.warning("cannot write notices to the service task: %s", failure)
    return sent
