"""Does the ClearML server answer, and does it have what the triggers name?"""

from __future__ import annotations

import time
from collections.abc import Iterator

from triggers.base.errors import Refused, ServerBusy, ServerUnavailable, Usage
from triggers.base.plural import named, plural
from triggers.clearml_api import identity, launches
from triggers.clearml_api.version import OLDEST_TEXT, too_old
from triggers.client.checks import lacking
from triggers.ledger.registry.registry import Snapshot
from triggers.model.launch_tags import FIRING, scheduler_tag, value_of
from triggers.operate.doctor.api_calls import BUSY
from triggers.operate.doctor.findings import Finding
from triggers.operate.target import Target
from triggers.rules.recovery import DRAFT
from triggers.rules.undoing import undoing
from triggers.sync.clocks import in_words

#: Clocks that differ by more confuse people; nothing else depends on it, ms.
_CLOCKS_DIFFER_MS = 60_000

_CREDENTIALS = "run clearml-init, or set CLEARML_API_HOST, CLEARML_API_ACCESS_KEY and CLEARML_API_SECRET_KEY"


def look(target: Target) -> Iterator[Finding]:
    """Reachable, credentials, version, clock; then names and strays, if it answers."""
    try:
        yield from _server(target)
        yield from _names(target, target.ledger.registry.snapshot())
        yield from _strays(target)
    except Usage as error:
        yield Finding("ClearML credentials", "bad", str(error), _CREDENTIALS)
    except Refused as refusal:
        yield Finding("ClearML credentials", "bad", str(refusal), _CREDENTIALS)
    except ServerBusy as busy:
        yield Finding("ClearML server", "bad", str(busy), BUSY)
    except ServerUnavailable as failure:
        yield Finding("ClearML server", "bad", str(failure), "check that it runs and can be reached from here")


def _server(target: Target) -> Iterator[Finding]:
    began = time.monotonic()
    answer = target.api.call("server.info", {})
    took_ms = (time.monotonic() - began) * 1000
    version = str(answer.data.get("version") or "")
    if why := too_old(version):
        way = f"upgrade it to {OLDEST_TEXT} or later"
        yield Finding("ClearML server", "bad", f"{target.scheduler.host}: {why}: nothing fires", way)
    else:
        shown = version or "of unknown version"
        yield Finding("ClearML server", "ok", f"{target.scheduler.host}, {shown}, answers in {took_ms:.0f} ms")
    workspace = identity(target.api)
    if workspace != target.scheduler.workspace:
        words = f"they are of workspace {workspace}, the scheduler's is {target.scheduler.workspace}"
        yield Finding("ClearML credentials", "bad", words, "use a key pair of the scheduler's workspace")
    else:
        yield Finding("ClearML credentials", "ok", f"of workspace {workspace}")
    ahead_ms = answer.server_ms - int(time.time() * 1000)
    if abs(ahead_ms) > _CLOCKS_DIFFER_MS:
        way = "ahead of" if ahead_ms > 0 else "behind"
        words = f"the server's is {abs(ahead_ms) / 1000:.0f} s {way} this machine's"
        yield Finding("clocks", "warn", f"{words}; only the server's times are compared", "synchronize both (NTP)")
    else:
        yield Finding("clocks", "ok", "this machine and the server agree")
    if stamps_ms := target.ledger.reading.stamps_ms():
        yield Finding("server clocks", "warn", in_words(stamps_ms), "synchronize them (NTP)")


def _names(target: Target, known: Snapshot) -> Iterator[Finding]:
    triggers = sorted((entry.trigger for entry in known.active), key=lambda trigger: (trigger.name, trigger.id))
    absent = lacking(target.api, triggers)
    for one in absent:
        # a script may well be registered before the project that it waits for
        yield Finding("names", "warn" if one.may_come else "bad", one.text, "create it, or change the trigger")
    if not absent:
        yield Finding("names", "ok", "the server has every queue, project and base task that triggers name")
    for pair in undoing(triggers):
        way_out = f"let {pair.undoes!r} exclude what {pair.does!r} fires for, or give fire='once'"
        yield Finding("edits", "warn", pair.words, way_out)
    local = [t.name for t in triggers if t.action.lane == "caller"]
    if local and target.ledger.homes.holder() is None:
        words = f"no running script calls the functions of {named(local)}"
        yield Finding("functions", "bad", words, "start the script that declares them")


def _strays(target: Target) -> Iterator[Finding]:
    """Drafts that nothing will enqueue, except those of a firing under way. Nothing is deleted here."""
    strays = []
    for found in launches.find_drafts(target.api, scheduler_tag(target.scheduler.id)):
        firing = target.ledger.firings.get(value_of(FIRING, found.system_tags))
        under_way = firing is not None and firing.state in ("waiting", "held")
        if found.status == DRAFT and not under_way and (firing is None or firing.task != found.id):
            strays.append(found.id)
    if strays:
        words = f"{plural(len(strays), 'draft')} left by launches that failed: {', '.join(strays[:5])}"
        yield Finding("strays", "warn", words, "delete them in ClearML, unless people cloned them from a launch")
    else:
        yield Finding("strays", "ok", "no draft is left behind")
