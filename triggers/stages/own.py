"""Own launches and edits: whether an object that a trigger would fire on is its own launch, or as it has edited it.

A launched ClearML task carries the key of its firing from its first moment, long before the ledger knows its id.
So an event that carries a key of the trigger itself is judged by what the ledger, or else the server, knows of that
firing. Events without such a key, nearly all, cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from triggers.base.errors import Refused, Transient
from triggers.base.logs import logger
from triggers.base.plural import plural
from triggers.clearml_api import Api, launches
from triggers.clearml_api.launches import TaggedTask
from triggers.ledger import Ledger
from triggers.ledger.firings.firing import DIGEST_LENGTH, Firing, trigger_digest
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.model.launch_tags import ATTEMPT, FIRING, firing_tag, value_of
from triggers.model.trigger import slot_of_reused
from triggers.rules.recovery import Hit, Own, Trace, judge_own, judge_own_by_server

log = logger(__name__)

Pair = tuple[Event, Trigger]
#: "own edit": the object is as the trigger itself has edited it.
Verdict = Own | Literal["own edit"]


def judge_each(
    ledger: Ledger,
    api: Api,
    pairs: Sequence[Pair],
    matched: Sequence[bool] | None = None,
    launchers: Mapping[str, str] | None = None,
) -> list[Verdict]:
    """Judge events beside the triggers that they would fire; asks the server about unknown firings only.

    `matched`: which satisfy the condition, all if not given. An own edit after which an object does not is seen: the
    next change by which it does again fires. `launchers`: of the objects, where they were read already.
    """
    if launchers is None:
        launchers = ledger.firings.launchers([event.id for event, _ in pairs])
    keys = _keys(ledger, pairs)
    firings = ledger.undecided.firings(keys.values()) if keys else {}
    verdicts: list[Verdict] = []
    asking: dict[int, str] = {}
    for number, (event, trigger) in enumerate(pairs):
        verdict: Verdict = "own" if launchers.get(event.id) == trigger.id else "other"
        if verdict == "other" and (key := keys.get(number)):
            known = judge_own(_hit(event), _trace(firings.get(key)))
            if known == "unknown":
                asking[number] = key
            verdict = "undecided" if known == "unknown" else known
        verdicts.append(verdict)
    for number, verdict in _ask(api, pairs, asking, firings):
        verdicts[number] = verdict
    editing = [n for n, (_, trigger) in enumerate(pairs) if trigger.sees_own_edits and (matched is None or matched[n])]
    edits = ledger.edits.judge_each([(pairs[n][1].id, pairs[n][0].id, pairs[n][0].changed_ms) for n in editing])
    for number, edit in zip(editing, edits, strict=True):
        if verdicts[number] == "other":
            verdicts[number] = "own edit" if edit == "own" else edit
    return verdicts


def launches_among(ledger: Ledger, api: Api, found: Sequence[TaggedTask]) -> list[TaggedTask]:
    """Those of the tagged ClearML tasks that are, or may become, launches; the rest are people's copies."""
    keys = [value_of(FIRING, one.system_tags) for one in found]
    firings = ledger.undecided.firings(keys)
    verdicts = {}
    for one, key in zip(found, keys, strict=True):
        verdicts[one.id] = judge_own(_hit_of(one), _trace(firings.get(key)))
    unknown = sorted({key for one, key in zip(found, keys, strict=True) if verdicts[one.id] == "unknown"})
    all_of = launches.find_launches(api, [firing_tag(key) for key in unknown]) if unknown else []
    for one, key in zip(found, keys, strict=True):
        if verdicts[one.id] == "unknown":
            hits = [_hit_of(other) for other in all_of if value_of(FIRING, other.system_tags) == key]
            verdicts[one.id] = judge_own_by_server(_hit_of(one), hits)
    return [one for one in found if verdicts[one.id] != "other"]


def _hit_of(one: TaggedTask) -> Hit:
    return Hit(one.id, one.status, value_of(ATTEMPT, one.system_tags))


def _keys(ledger: Ledger, pairs: Sequence[Pair]) -> dict[int, str]:
    """By position, the key of a firing of that very trigger which the object carries.

    A reused base task carries it only after it was reset: until then the slot says for which firing that is.
    """
    digests: dict[str, str] = {}
    reused = sorted({slot_of_reused(event.id) for event, trigger in pairs if _reuses(trigger, event)})
    holders = ledger.undecided.slot_holders(reused) if reused else {}
    keys = {}
    for number, (event, trigger) in enumerate(pairs):
        carried = value_of(FIRING, event.system_tags) if event.system_tags else ""
        held = holders.get(slot_of_reused(event.id), "") if _reuses(trigger, event) else ""
        if carried or held:
            digest = digests.get(trigger.id) or trigger_digest(ledger.scheduler, trigger.id)
            digests[trigger.id] = digest
            key = next((key for key in (held, carried) if key[:DIGEST_LENGTH] == digest), "")
            if key:
                keys[number] = key
    return keys


def _reuses(trigger: Trigger, event: Event) -> bool:
    return trigger.action.runs_itself == event.id


def _hit(event: Event) -> Hit:
    return Hit(event.id, event.status, value_of(ATTEMPT, event.system_tags))


def _trace(firing: Firing | None) -> Trace | None:
    if firing is None:
        return None
    return Trace(firing.state, firing.task, firing.recorded_by)


def _ask(
    api: Api, pairs: Sequence[Pair], asking: Mapping[int, str], firings: Mapping[str, Firing]
) -> Iterator[tuple[int, Own]]:
    """Ask the server for all that carries the keys of firings of which the ledger does not know enough."""
    if not asking:
        return
    try:
        found = launches.find_launches(api, [firing_tag(key) for key in sorted(set(asking.values()))])
    except (Transient, Refused) as failure:
        log.warning("cannot tell who launched %s; retrying: %s", plural(len(asking), "object"), failure)
        return
    for number, key in asking.items():
        of_key = [one for one in found if value_of(FIRING, one.system_tags) == key]
        hits = [_hit_of(one) for one in of_key]
        trace = _trace(firings.get(key))
        yield number, "other" if _is_gone(trace, hits) else judge_own_by_server(_hit(pairs[number][0]), hits)


def _is_gone(trace: Trace | None, hits: Sequence[Hit]) -> bool:
    """Whether the launch that the ledger knows has been deleted: what still carries its key are copies."""
    if trace is None or trace.state != "launched" or not trace.recorded_by:
        return False
    return all(hit.id != trace.task for hit in hits)
