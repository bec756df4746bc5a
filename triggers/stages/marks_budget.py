"""The budget of marks: those of the objects that changed longest ago are forgotten, where the server knows as much."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from triggers import sources
from triggers.base.errors import Refused, Transient
from triggers.base.logs import logger
from triggers.base.plural import plural
from triggers.clearml_api import launches
from triggers.clearml_api.existing import existing
from triggers.context import Context
from triggers.ledger.firings import forgetting
from triggers.ledger.firings.firing import firing_key
from triggers.ledger.ledger import SECONDS_PER_DAY
from triggers.ledger.matching.forgotten_marks import KeptMark, Rounds
from triggers.ledger.registry.registry import Entry
from triggers.model.launch_tags import FIRING, firing_tag, value_of
from triggers.rules.forgetting import can_be_looked_up, may_forget
from triggers.rules.recovery import DRAFT
from triggers.sources.collection import Collection

log = logger(__name__)

#: Marks of one round that are looked up by the key of their launch, and those of which only the object is.
LOOKED_UP: Final = 2_000
#: Where a pass over all marks forgets less than this share of what it looks up, the next one comes after a pause.
STUCK_SHARE: Final = 0.05
PAUSE_MS: Final = 3_600_000
#: While batches have waited for longer, what was read is not decided on yet: nothing is forgotten, ms.
BEHIND_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class MarksUse:
    """How many marks there are, how many may be, and whether more can be forgotten in the rounds to come."""

    count: int = 0
    most: int = 0
    stuck: bool = False


def keep_marks(ctx: Context, now_ms: int) -> MarksUse:
    """Forget some marks where there are more, or older ones, than the settings allow. At rest it asks for nothing.

    May be cut off anywhere, and done twice: a mark is forgotten by one script, once the server has been asked.
    """
    of, marks = ctx.settings, ctx.ledger.marks
    most = forgetting.allowed(of.marks_megabytes, forgetting.MARK_BYTES)
    if of.marks_days is None and marks.used_bytes() <= of.marks_megabytes * 1_000_000:
        return MarksUse(0, most)
    entries = {id_: entry for id_, entry in ctx.ledger.registry.snapshot().entries.items() if _on_server(entry)}
    counts = marks.counts(sorted(entries))
    count, rounds = sum(counts.values()), marks.rounds()
    too_many = max(0, count - most)
    if (too_many or of.marks_days is not None) and rounds.next_ms <= now_ms and not ctx.api.pause_seconds:
        try:
            count -= _round(ctx, now_ms, {id_: entries[id_] for id_ in counts}, rounds, too_many)
        except (Transient, Refused) as failure:
            log.warning("cannot tell which marks of objects may be forgotten; retrying: %s", failure)
    return MarksUse(count, most, count > most and marks.rounds().stuck)


def _on_server(entry: Entry) -> bool:
    return isinstance(sources.of_kind(entry.trigger.kind), Collection)


def _round(ctx: Context, now_ms: int, entries: Mapping[str, Entry], rounds: Rounds, too_many: int) -> int:
    """Look at the next part of the marks; how many were forgotten."""
    look, days = ctx.ledger.upkeep(), ctx.settings.marks_days
    if look.undecided or (look.batches_ms is not None and look.batches_ms <= now_ms - BEHIND_MS):
        return 0
    before_ms = _decided_ms(ctx, now_ms, entries)
    aged_ms = 0 if days is None else now_ms - int(days * SECONDS_PER_DAY * 1000)
    found, trigger, cursor = ctx.ledger.marks.look(sorted(entries), rounds)
    latest = {id_: ms if too_many else min(aged_ms, ms) for id_, ms in before_ms.items()}
    old = [one for one in found if one.mark.changed_ms < latest[one.trigger]]
    old.sort(key=lambda one: one.mark.changed_ms)
    if rounds.stuck:  # the oldest have to stay: look at others
        random.shuffle(old)
    chosen = _choose(ctx, entries, old)
    most = max(too_many, sum(one.mark.changed_ms < aged_ms for one in old))
    gone = _forget(ctx, entries, chosen, before_ms, most)
    looked_up, forgotten = rounds.looked_up + len(chosen), rounds.forgotten + gone
    rounds = replace(rounds, trigger=trigger, cursor=cursor, looked_up=looked_up, forgotten=forgotten)
    if not trigger:
        rounds = _next_pass(rounds, now_ms, too_many - gone > 0)
    ctx.ledger.marks.note(rounds)
    if gone:
        log.info("forgot %s of objects whose launches are on the server, or which are gone", plural(gone, "mark"))
    return gone


def _decided_ms(ctx: Context, now_ms: int, entries: Mapping[str, Entry]) -> dict[str, int]:
    """By trigger, up to which time all changes were read, less what may be read again.

    A mark that was looked up says when its firing was launched; no earlier change may be left that it would hide.
    """
    kinds = {id_: entry.trigger.kind for id_, entry in entries.items()}
    again_ms = int(1000 * max(ctx.settings.sweep_window_seconds, ctx.settings.overlap_seconds))
    read_ms = {
        kind: ctx.ledger.reading.cursor(sources.of_kind(kind).name).read_to_ms - again_ms
        for kind in set(kinds.values())
    }
    return {id_: min(now_ms - forgetting.KEPT_MS, read_ms[kind]) for id_, kind in kinds.items()}


def _next_pass(rounds: Rounds, now_ms: int, over: bool) -> Rounds:
    stuck = over and rounds.forgotten <= rounds.looked_up * STUCK_SHARE
    return Rounds(next_ms=0 if over and not stuck else now_ms + PAUSE_MS, stuck=stuck)


#: A mark, and the key of the last firing that it tells of.
Candidate = tuple[KeptMark, str]


def _choose(ctx: Context, entries: Mapping[str, Entry], old: Sequence[KeptMark]) -> list[Candidate]:
    """The first marks whose firings are over and forgotten: some with a launch to find, and some without."""
    by_key, others = list[Candidate](), list[Candidate]()
    for start in range(0, len(old), LOOKED_UP):
        some = [(one, _key(ctx, one)) for one in old[start : start + LOOKED_UP]]
        known = ctx.ledger.marks.known_firings([key for _, key in some])
        for one, key in some:
            if key not in known:
                (by_key if _has_launch(entries[one.trigger], one) else others).append((one, key))
        if len(by_key) >= LOOKED_UP:
            break
    return [*by_key[:LOOKED_UP], *others[:LOOKED_UP]]


def _key(ctx: Context, one: KeptMark) -> str:
    return firing_key(ctx.ledger.scheduler, one.trigger, one.object, one.mark.occurrence)


def _has_launch(entry: Entry, one: KeptMark) -> bool:
    trigger = entry.trigger
    return bool(trigger.action.clones) and can_be_looked_up(trigger.policy.fire, one.mark)


def _forget(
    ctx: Context, entries: Mapping[str, Entry], chosen: Sequence[Candidate], before_ms: Mapping[str, int], most: int
) -> int:
    """Ask the server of these marks, and forget those that it makes needless, `most` at most; how many."""
    if not chosen or most <= 0:
        return 0
    here = _objects_here(ctx, entries, chosen)
    gone = [(one, key) for one, key in chosen if one.object not in here][:most]
    asked = [(one, key) for one, key in chosen if one.object in here and _has_launch(entries[one.trigger], one)]
    launched = _launched(ctx, [key for _, key in asked])
    found = [
        (one, key)
        for one, key in asked
        if may_forget(entries[one.trigger].trigger.policy.cooldown_minutes, launched.get(key), before_ms[one.trigger])
    ][: most - len(gone)]
    return _take(ctx, gone, may_fire=False) + _take(ctx, found, may_fire=True)


def _take(ctx: Context, marks: Sequence[Candidate], *, may_fire: bool) -> int:
    of: dict[str, list[Candidate]] = {}
    for one in marks:
        of.setdefault(one[0].trigger, []).append(one)
    return sum(ctx.ledger.marks.forget(trigger, some, may_fire=may_fire) for trigger, some in of.items())


def _objects_here(ctx: Context, entries: Mapping[str, Entry], chosen: Sequence[Candidate]) -> set[str]:
    """Those of the objects that are still on the server."""
    ids: dict[str, set[str]] = {}
    for one, _ in chosen:
        ids.setdefault(sources.of_kind(entries[one.trigger].trigger.kind).name, set()).add(one.object)
    return {id_ for name, of_name in ids.items() for id_ in existing(ctx.api, name, sorted(of_name))}


def _launched(ctx: Context, keys: Sequence[str]) -> dict[str, int]:
    """When the firings of these keys were launched, as far as the server shows their launches."""
    found = launches.find_launches(ctx.api, [firing_tag(key) for key in keys]) if keys else []
    return {value_of(FIRING, one.system_tags): one.created_ms for one in found if one.status != DRAFT}
