"""Firings: durable records of what was granted, and the scripts that move them from state to state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from triggers.base import forms
from triggers.base.errors import Fenced
from triggers.base.formats import KNOWN
from triggers.ledger import clock
from triggers.ledger.firings import lines
from triggers.ledger.firings.firing import Beginning, Claim, Firing, PlainTriggers, State
from triggers.ledger.keys import Keys
from triggers.ledger.leases import nonce
from triggers.ledger.signing import NO_KEY, Signer
from triggers.ledger.store import Arguments, Call, Script, ScriptCall, Store
from triggers.model.action import Lane

RENEW, BEGIN, RECORD = Script("renew"), Script("begin", uses=("pace",)), Script("record")
WITHDRAW, CLEAR, FINISH = Script("withdraw"), Script("clear"), Script("finish")
PUT_BACK, HOLD, RELEASE = Script("put_back"), Script("hold"), Script("release")
MOVE, REBUILD_SLOTS, RAISE_MARK = Script("move"), Script("slots_rebuild"), Script("raise_mark")

#: When to look for drafts that void attempts may have left, ms after the firing ended.
STRAY_LOOK_MS = 120_000

#: What a firing may do that wants to be launched now: go, wait for the pace, or for the slot's holder.
Begun = Literal["go", "pace", "busy"]

#: A firing that pauses longer does not keep others out of its slot.
SLOT_PAUSE_SECONDS = 60


class Firings:
    """The firings of one scheduler. Every method is one script: atomic, fenced, safe to repeat.

    Methods that take a `Firing` raise `Fenced` when another attempt has taken it meanwhile; those for several run the
    script once for each, in one trip, and give the `Fenced` in its place.
    """

    def __init__(
        self, store: Store, keys: Keys, *, retention_seconds: float, history_length: int, signer: Signer = NO_KEY
    ) -> None:
        self.store, self.keys, self.signer = store, keys, signer
        self.retention_ms, self.history_length = int(retention_seconds * 1000), history_length

    def claim(
        self,
        lane: Lane,
        limit: int,
        lease_seconds: float,
        running: Iterable[Firing] = (),
        before: Sequence[ScriptCall] = (),
        plain: PlainTriggers | None = None,
    ) -> Claim:
        """Lease up to `limit` firings that are due, of each trigger in turn; those of a later release are passed over.

        What is `running` in this process keeps its lease, even if it has expired, and is not claimed again. What has to
        be done `before` goes in the same trip. First attempts at firings of `plain` triggers begin with it.
        """
        keys = [self.keys.due(lane), self.keys.fence, self.keys.registry_version]
        keys += [self.keys.lines(lane), self.keys.served(lane)]
        arguments: Arguments = (
            limit,
            int(lease_seconds * 1000),
            nonce(),
            self.keys.firing(""),
            KNOWN["firing"],
            lines.PASSED_OVER,
            plain.to_json() if plain else "",
            *(part for firing in running for part in (firing.key, firing.lease)),
        )
        version, found, answers = lines.claim(self.store, (lines.CLAIM, keys, arguments), before)
        return replace(Claim.from_answer(version, found, self.signer), before=tuple(answers))

    def renew(self, lane: Lane, firings: Iterable[Firing], lease_seconds: float) -> list[str]:
        """Extend the leases that are still ours; the keys of those that are not."""
        script, keys, arguments = self._renewing(lane, firings, lease_seconds)
        return list(self.store.run(script, keys, *arguments))

    def _renewing(self, lane: Lane, firings: Iterable[Firing], lease_seconds: float) -> ScriptCall:
        owners = [part for firing in firings for part in (firing.key, firing.lease)]
        return RENEW, [self.keys.due(lane)], (int(lease_seconds * 1000), self.keys.firing(""), *owners)

    def begin(self, asked: Sequence[Beginning]) -> list[tuple[Begun, str] | Fenced]:
        """Ask of each, in order, whether it may be launched now: ("go", ""), ("pace", until ms) or ("busy", holder)."""
        calls: list[Call] = []
        for one in asked:
            firing = one.firing
            keys = [self.keys.firing(firing.key), self.keys.slots, self.keys.pace(firing.trigger)]
            calls.append((keys, (firing.lease, firing.key, one.slot, one.ended_holder, one.per_minute)))
        answers = self.store.run_each(BEGIN, calls)
        return [a if isinstance(a, Fenced) else (a[0], a[1] if len(a) > 1 else "") for a in answers]

    def record(self, firing: Firing, task_id: str) -> str:
        """Write the id of what will be enqueued, set-if-absent; the id that is recorded now."""
        keys, arguments = self._record(firing, task_id)
        return str(self.store.run(RECORD, keys, *arguments))

    def record_each(
        self, clones: Sequence[tuple[Firing, str]], lane: Lane, lease_seconds: float
    ) -> tuple[list[str | Fenced], set[str]]:
        """Write the ids of clones, each set-if-absent, then extend the leases, in one trip.

        Returns:
            The ids that are recorded now, and the keys of the firings whose lease is not ours any more.
        """
        calls: list[ScriptCall] = [(RECORD, *self._record(firing, task_id)) for firing, task_id in clones]
        calls.append(self._renewing(lane, [firing for firing, _ in clones], lease_seconds))
        *recorded, lost = self.store.run_together(calls)
        return recorded, set(lost)

    def _record(self, firing: Firing, task_id: str) -> Call:
        signature = self.signer.sign("task", firing.key, task_id)
        return [self.keys.firing(firing.key)], (firing.lease, task_id, signature)

    def withdraw(self, firing: Firing, task_id: str) -> float:
        """Announce that the recorded draft will be deleted; how many seconds ago that was announced first."""
        age_ms: int = self.store.run(WITHDRAW, [self.keys.firing(firing.key)], firing.lease, task_id)
        return age_ms / 1000

    def clear(self, firing: Firing, task_id: str) -> None:
        """Forget the recorded id, whose draft is gone."""
        self.store.run(CLEAR, [self.keys.firing(firing.key)], firing.lease, task_id)

    def raise_mark(self, firing: Firing, occurrence: int) -> None:
        """Let the object's next occurrence be the one after `occurrence`, if fewer are remembered."""
        keys = [self.keys.firing(firing.key), self.keys.marks(firing.trigger)]
        self.store.run(RAISE_MARK, keys, firing.lease, firing.object, occurrence)

    def launched(self, firing: Firing, lane: Lane, *, task_id: str = "", slot: str = "", reason: str = "") -> int:
        """End the firing as launched and bind its slot to the ClearML task; Redis' time in ms."""
        return self._end(firing, lane, "launched", reason, task_id, slot)

    def launched_each(self, launches: Sequence[tuple[Firing, str, str]], lane: Lane) -> list[int | Fenced]:
        """The same of several: firing, ClearML task id and slot."""
        return self.store.run_together(self.launching_each(launches, lane))

    def launching_each(self, launches: Sequence[tuple[Firing, str, str]], lane: Lane) -> list[ScriptCall]:
        """The calls of `launched_each`, to make them in one trip with others."""
        ended = [self._finish(firing, lane, "launched", "", task_id, slot) for firing, task_id, slot in launches]
        return [(FINISH, *call) for call in ended]

    def skip(self, firing: Firing, lane: Lane, reason: str, *, task_id: str = "") -> int:
        """End the firing without a launch and release its key: the object's next change counts again."""
        return self._end(firing, lane, "skipped", reason, task_id, "")

    def shadow(self, firing: Firing, lane: Lane, reason: str, *, slot: str = "") -> int:
        """End the firing where it would be launched: its key stays taken, its slot is free again."""
        return self._end(firing, lane, "shadow", reason, "", slot)

    def give_up(self, firing: Firing, lane: Lane, reason: str, *, slot: str = "") -> int:
        """Make the firing a dead letter; its key stays taken until a person retries or drops it."""
        return self._end(firing, lane, "dead", reason, "", slot)

    def _end(self, firing: Firing, lane: Lane, state: State, reason: str, task_id: str, slot: str) -> int:
        keys, arguments = self._finish(firing, lane, state, reason, task_id, slot)
        ended: int = self.store.run(FINISH, keys, *arguments)
        return ended

    def _finish(self, firing: Firing, lane: Lane, state: State, reason: str, task_id: str, slot: str) -> Call:
        keys = self.keys
        strays_in_ms = STRAY_LOOK_MS if len(firing.attempts) > 1 and lane == "dispatch" else 0
        names = [
            keys.firing(firing.key),
            keys.due(lane),
            keys.slots,
            keys.marks(firing.trigger),
            keys.launched,
        ]
        names += [keys.launched_times, keys.strays, keys.dead, keys.history]
        ended = (firing.lease, firing.key, state, reason, task_id, slot, firing.object, firing.trigger)
        return names, (*ended, self.retention_ms, self.history_length, strays_in_ms)

    def fail(self, firing: Firing, lane: Lane, seconds: float, reason: str, *, untouched: bool = False) -> None:
        """Count a failed attempt and make the firing due again `seconds` from now.

        Args:
            firing: the claimed firing.
            lane: its lane.
            seconds: pause before it is due again; during one longer than a minute, another may take its slot.
            reason: shown to people.
            untouched: this attempt has not reached the clone call, so its nonce can be forgotten.
        """
        self._put_back(firing, lane, seconds, reason, failed=True, untouched=untouched)

    def snooze(self, firing: Firing, lane: Lane, seconds: float, reason: str, *, untouched: bool = False) -> None:
        """Make the firing due again `seconds` from now, although nothing failed; the arguments are those of `fail`."""
        self._put_back(firing, lane, seconds, reason, failed=False, untouched=untouched)

    def _put_back(
        self, firing: Firing, lane: Lane, seconds: float, reason: str, *, failed: bool, untouched: bool
    ) -> None:
        names = [self.keys.firing(firing.key), self.keys.due(lane), self.keys.history]
        names.append(self.keys.slots)
        pause = int(seconds * 1000)
        self.store.run(
            PUT_BACK,
            names,
            firing.lease,
            firing.key,
            pause,
            reason,
            int(failed),
            int(untouched),
            self.history_length,
            int(seconds > SLOT_PAUSE_SECONDS),
        )

    def hold(self, firing: Firing, lane: Lane, hold: str, reason: str, *, latest: bool = False) -> None:
        """Let the firing wait on purpose in the hold of that name; `latest`: only the newest waits on there."""
        keys = self.keys
        names = [keys.firing(firing.key), keys.due(lane), keys.held(hold), keys.holds, keys.history]
        names += [keys.marks(firing.trigger), keys.slots]
        self.store.run(
            HOLD,
            names,
            firing.lease,
            firing.key,
            hold,
            reason,
            self.history_length,
            int(latest),
            keys.firing(""),
            self.retention_ms,
        )

    def move(self, firing: Firing, lane: Lane, to: Lane) -> None:
        """Pass the firing on to the other lane, due there at once: its trigger's action was edited."""
        names = [self.keys.firing(firing.key), self.keys.due(lane), self.keys.due(to), self.keys.slots]
        self.store.run(MOVE, names, firing.lease, firing.key, to)

    def release(self, hold: str, count: int) -> int:
        """Make up to `count` held firings due again, in the order they were granted; how many."""
        names = [self.keys.held(hold), self.keys.holds]
        prefixes = self.keys.firing(""), self.keys.due("")
        released: int = self.store.run(RELEASE, names, hold, count, *prefixes)
        return released

    def get(self, key: str) -> Firing | None:
        """Read one firing as far as it is readable, None when it is not (or no longer) kept."""
        fields: Any = self.store.client.hgetall(self.keys.firing(key))
        return Firing.as_far_as_readable(key, fields) if fields else None

    def read_fields(self, keys: Sequence[str], *names: str) -> list[list[str | None]]:
        """Some fields of several firings, in one trip; None for each of one that is not kept."""
        with self.store.client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hmget(self.keys.firing(key), list(names))
            found: list[list[str | None]] = pipe.execute() if keys else []
        return found

    def slot_holder(self, slot: str) -> tuple[str, str]:
        """The slot's last holder as written, and its ClearML task id; empty texts when there is none."""
        holder: Any = self.store.client.hget(self.keys.slots, slot) or ""
        return holder, holder.partition(" ")[2]

    def launched_seconds(self, task_ids: Sequence[str]) -> list[float | None]:
        """How long ago each of these ClearML tasks was launched, None where that is not known."""
        if not task_ids:
            return []
        times: Any = self.store.client.zmscore(self.keys.launched_times, list(task_ids))
        now_ms = clock.now_ms(self.store.client, self.keys)
        return [None if ms is None else (now_ms - ms) / 1000 for ms in times]

    def pace_room(self, trigger: str, per_minute: int) -> int:
        """How many more launches of a trigger may begin in this minute."""
        pace: Any = self.store.client.hmget(self.keys.pace(trigger), ["minute", "count"])
        minute = clock.now_ms(self.store.client, self.keys) // 60_000
        begun = forms.number(pace[1]) if forms.number(pace[0]) == minute else 0
        return per_minute - begun

    def holds(self) -> list[str]:
        """The holds that have firings."""
        found: Any = self.store.client.smembers(self.keys.holds)
        return sorted(found)

    def rebuild_slots(self, epoch: int, holders: Mapping[str, str]) -> bool:
        """Bind slots that Redis may have forgotten to running ClearML tasks; False if it was done in this epoch.

        Args:
            epoch: number of the present epoch.
            holders: slot → "<firing key> <ClearML task id>".
        """
        pairs = [part for slot, holder in holders.items() for part in (slot, holder)]
        return bool(self.store.run(REBUILD_SLOTS, [self.keys.slots, self.keys.epoch], epoch, *pairs))

    def launchers(self, task_ids: Sequence[str]) -> dict[str, str]:
        """Which trigger launched each of these ClearML tasks; those not launched by any are absent."""
        if not task_ids:
            return {}
        found: Any = self.store.client.hmget(self.keys.launched, list(task_ids))
        return {task: trigger for task, trigger in zip(task_ids, found, strict=True) if trigger}
