"""Marks that were forgotten, looked up by the keys of launches before their objects could fire again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from triggers.clearml_api import Api, launches
from triggers.ledger import Ledger
from triggers.ledger.firings.firing import firing_key
from triggers.ledger.matching.matching import Remembered
from triggers.model import Trigger
from triggers.model.launch_tags import FIRING, firing_tag, value_of
from triggers.rules.forgetting import Forgotten, looked_up
from triggers.rules.policies import Mark
from triggers.rules.recovery import DRAFT

#: Trigger id, object id.
Pair = tuple[str, str]


def may_be_forgotten(known: Remembered, pairs: Iterable[Pair]) -> list[Pair]:
    """Those of the pairs that have no mark although they may have had one; what a trigger launched never has."""
    return [
        (trigger, id_)
        for trigger, id_ in dict.fromkeys(pairs)
        if trigger in known.forgotten
        and known.forgotten[trigger].most
        and (mark := known.marks.get((trigger, id_))) is not None
        and not mark.stored
        and known.launchers.get(id_) != trigger
    ]


def look_up(
    ledger: Ledger,
    api: Api,
    pairs: Collection[Pair],
    triggers: Mapping[str, Trigger],
    forgotten: Mapping[str, Forgotten],
) -> dict[Pair, Mark]:
    """The marks that pairs had, as the server's launches tell; pairs without a launch are absent.

    One request for a hundred objects, where they fired once each.

    Raises:
        Transient, Refused: no answer.
    """
    keys = {
        firing_key(ledger.scheduler, trigger, id_, occurrence): (trigger, id_, occurrence)
        for trigger, id_ in pairs
        for occurrence in range(1, forgotten[trigger].most + 1)
    }
    found: dict[Pair, list[tuple[int, int]]] = {}
    for one in launches.find_launches(api, [firing_tag(key) for key in keys]) if keys else ():
        known = keys.get(value_of(FIRING, one.system_tags))
        if known and one.status != DRAFT:
            found.setdefault(known[:2], []).append((known[2], one.created_ms))
    return {pair: looked_up(triggers[pair[0]].policy.fire, forgotten[pair[0]], of) for pair, of in found.items()}


def mark_of(ledger: Ledger, api: Api, trigger: Trigger, object_id: str) -> Mark:
    """The mark of one pair, looked up where it may have been forgotten.

    Raises:
        Unreadable: it is corrupt.
        Transient, Refused: no answer.
    """
    pair = (trigger.id, object_id)
    known = ledger.matching.remembered([pair])
    mark = known.marks.get(pair) or ledger.matching.mark(*pair)
    if not may_be_forgotten(known, [pair]):
        return mark
    return look_up(ledger, api, [pair], {trigger.id: trigger}, known.forgotten).get(pair, mark)
