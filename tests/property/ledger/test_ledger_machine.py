"""Several clients over the real scripts, compared with a model: stale leases, lost replies, lossy restarts."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.integration.ledger.helpers import begin, task_event, task_trigger
from tests.property.ledger.model import Model
from tests.property.ledger.profile import profile
from tests.property.stages.redis_copies import copy_of, put_copy
from triggers.base.errors import EpochChanged, Fenced
from triggers.base.settings import Settings
from triggers.ledger import Ledger, Store, leases, open_ledger
from triggers.ledger.firings.firing import Firing, firing_key
from triggers.ledger.matching.changes import Grant, MarkChange
from triggers.ledger.polling.batches import decode_batch, encode_batches, partition_of
from triggers.ledger.polling.reading import Cursor
from triggers.rules.policies import decide

SCHEDULER, LONG = "machine", 600.0
TRIGGERS = {name: task_trigger(name) for name in ("plain", "single")}
HOLDS = ["pause:x", "slot:y"]

clients = st.integers(0, 2)
names = st.sampled_from(sorted(TRIGGERS))
again = st.sampled_from([False, False, True])
OPERATIONS = ["begin", "record", "withdraw", "clear", "launched", "skip", "give_up", "fail", "snooze", "hold", "renew"]
#: as often as each is drawn in a busy while: what ends an owner's life is rarer
LIKELY = OPERATIONS + ["begin"] * 4 + ["record"] * 2 + ["hold"] * 2 + ["clear", "fail", "snooze"]


class Machine(RuleBasedStateMachine):
    """Three clients with a store each; what each has claimed is kept also when it has become stale."""

    servers: list[redis.Redis]

    def __init__(self) -> None:
        super().__init__()
        self.model, self.runs, self.tasks, self.now_ms = Model(), 0, 0, 1_000
        for server in self.servers:
            server.flushall()
        self.ledgers = [open_ledger(Store(self.servers[0]), SCHEDULER, Settings()) for _ in range(3)]
        self.claims: list[list[Firing]] = [[], [], []]
        self.current = [True] * 3
        self.disk = (copy_of(self.servers[0]), copy.deepcopy(self.model))

    @initialize()
    def a_new_scheduler(self) -> None:
        for ledger in self.ledgers:
            ledger.adopt_epoch(nothing_launched_before=True)
        self.ledgers[0].registry.declare(TRIGGERS.values(), origin="script", server_now_ms=1)
        self.model.paused = dict.fromkeys((trigger.id for trigger in TRIGGERS.values()), False)
        self.redis_writes_to_disk()

    def run(self, client: int, call: Callable[[Ledger], Any], repeat: bool = False) -> Any:
        """Make a call, once more if its reply was lost; what it raises, or None if the run is not the client's."""
        if not self.current[client]:
            with pytest.raises(EpochChanged):
                call(self.ledgers[client])
            return EpochChanged
        try:
            answer = call(self.ledgers[client])
        except Fenced as loss:
            answer = type(loss)
        if repeat:
            with contextlib.suppress(Fenced):
                call(self.ledgers[client])
        return answer

    # ---- grants ----
    @rule(client=clients, name=names, number=st.integers(0, 3), stale=again, repeat=again)
    def an_event_is_matched(self, client: int, name: str, number: int, stale: bool, repeat: bool) -> None:
        """Through poll commit and match commit, with the real decision."""
        trigger, self.now_ms = TRIGGERS[name], self.now_ms + 1
        event = task_event(f"{number:032}", self.now_ms)
        partition = partition_of(event.id, 16)
        if not self.current[client]:
            return
        ledger = self.ledgers[client]
        with ledger.reading.poll(pace_seconds=0, lease_seconds=LONG, force=True) as token:
            assert token
            batches = encode_batches([event], plan=1, polled_ms=1, partitions=16, size=10)
            ledger.reading.commit("tasks", token, Cursor(1, 1), [event], batches, forget_before_ms=0, server_ms=1)
        lease = leases.acquire(ledger.store, ledger.keys, f"match:{partition}", LONG)
        assert lease
        mark = ledger.matching.marks([(trigger.id, event.id)])[trigger.id, event.id]
        decision = decide("once", 0, mark, matched=True, changed_ms=event.changed_ms)
        changes = []
        key = firing_key(SCHEDULER, trigger.id, event.id, 1)
        if decision.occurrence:
            grant = Grant(key, trigger.id, "task", event.id, 1, event.changed_ms, 1, event.to_json(), "dispatch")
            expected = mark.stored
            changes = [MarkChange(trigger.id, event.id, expected, decision.mark.to_text(), grant)]
        text = ledger.reading.first_batch(partition)
        assert text
        head = decode_batch(text).head
        if stale:  # frozen: the lease expires, another takes it and does the work
            ledger.store.client.delete(ledger.keys.lease(f"match:{partition}"))
            fresh = leases.acquire(ledger.store, ledger.keys, f"match:{partition}", LONG)
            assert fresh
            with pytest.raises(Fenced):
                ledger.matching.commit(partition, lease, head, changes)
            lease = fresh
        granted = self.run(client, lambda of: of.matching.commit(partition, lease, head, changes), repeat)
        assert granted == (self.model.grant(key, number, name) if decision.occurrence else 0)
        assert ledger.reading.first_batch(partition) is None
        leases.release(ledger.store, ledger.keys, f"match:{partition}", lease)

    # ---- firings ----
    @rule(client=clients, limit=st.integers(1, 8), repeat=again)
    def firings_are_claimed(self, client: int, limit: int, repeat: bool) -> None:
        answers = []

        def claim(ledger: Ledger) -> None:
            answers.append(ledger.firings.claim("dispatch", limit, LONG).firings)

        if self.run(client, claim, repeat) is EpochChanged:
            return
        for firings in answers:
            due = sum(firing.due for firing in self.model.firings.values())
            assert len(firings) == min(limit, due)
            for firing in firings:
                self.model.claim(firing.key, firing.lease)
                assert list(firing.attempts) == self.model.firings[firing.key].attempts
            self.model.takes_turns(firing.key for firing in firings)
        self.claims[client] += answers[-1]  # an answer that was lost is known to nobody

    @rule(
        client=clients,
        which=st.integers(0, 30),
        operation=st.sampled_from(OPERATIONS),
        hold=st.sampled_from(HOLDS),
        flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
        repeat=again,
    )
    def an_owner_goes_on(
        self, client: int, which: int, operation: str, hold: str, flags: tuple[bool, bool, bool], repeat: bool
    ) -> None:
        """One step on anything that the client has ever claimed, its own still or not."""
        claims = self.claims[client][-5:]
        if not claims:
            return
        firing = claims[which % len(claims)]
        known, slot = self.model.firings.get(firing.key), "slot" if firing.trigger == "task:single" else ""
        ours = known is not None and known.token == firing.lease
        self.tasks += 1
        call, effect = self.step(operation, firing, slot, hold, flags, f"t{self.tasks}")
        answer = self.run(client, call, repeat)
        if answer is EpochChanged:
            return
        if operation == "renew":
            assert answer == ([] if ours else [firing.key])
            if ours and known:
                known.due = False
        elif not ours:
            assert answer is Fenced, f"{operation} of an owner that was overtaken"
        else:
            effect(answer)

    def step(
        self, operation: str, firing: Firing, slot: str, hold: str, flags: tuple[bool, bool, bool], task: str
    ) -> tuple[Callable[[Ledger], Any], Callable[[Any], None]]:
        """The call, and what it does to the model when the lease is good."""
        model, key = self.model, firing.key
        known = model.firings.get(key)
        long, untouched, wrong = flags
        recorded = (known.task if known else None) or "none"
        named = "another" if wrong else recorded

        def begun(answer: Any) -> None:
            assert answer[0] == model.begin(key, slot, ended)

        def record(answer: Any) -> None:
            model.firings[key].task = model.firings[key].task or task
            assert answer == model.firings[key].task

        def withdraw(answer: Any) -> None:
            assert (answer is Fenced) == (model.firings[key].task != named)
            if answer is not Fenced:
                model.firings[key].withdrawing = named

        def clear(answer: Any) -> None:
            assert (answer is Fenced) == (model.firings[key].task != named)
            if answer is not Fenced:
                model.firings[key].task = model.firings[key].withdrawing = None

        ended = model.slots.get("slot", "") if wrong and slot else ""
        pause = 100.0 if long else 30.0
        return {
            "begin": (lambda of: begin(of.firings, firing, slot, ended, 0), begun),
            "record": (lambda of: of.firings.record(firing, task), record),
            "withdraw": (lambda of: of.firings.withdraw(firing, named), withdraw),
            "clear": (lambda of: of.firings.clear(firing, named), clear),
            "launched": (
                lambda of: of.firings.launched(firing, "dispatch", task_id=task, slot=slot),
                lambda _: model.end(key, "launched", task, slot),
            ),
            "skip": (
                lambda of: of.firings.skip(firing, "dispatch", "why"),
                lambda _: model.end(key, "skipped", "", ""),
            ),
            "give_up": (
                lambda of: of.firings.give_up(firing, "dispatch", "why", slot=slot),
                lambda _: model.end(key, "dead", "", slot),
            ),
            "fail": (
                lambda of: of.firings.fail(firing, "dispatch", pause, "why", untouched=untouched),
                lambda _: model.put_back(key, failed=True, untouched=untouched, long=pause > 60),
            ),
            "snooze": (
                lambda of: of.firings.snooze(firing, "dispatch", pause, "why", untouched=untouched),
                lambda _: model.put_back(key, failed=False, untouched=untouched, long=pause > 60),
            ),
            "hold": (lambda of: of.firings.hold(firing, "dispatch", hold, "why"), lambda _: model.hold(key, hold)),
            "renew": (lambda of: of.firings.renew("dispatch", [firing], LONG), lambda _: None),
        }[operation]

    @rule(client=clients, hold=st.sampled_from(HOLDS), count=st.integers(0, 3))
    def holds_are_released(self, client: int, hold: str, count: int) -> None:
        released = self.run(client, lambda of: of.firings.release(hold, count))
        if released is not EpochChanged:
            assert released == len(self.model.release(hold, count))

    @rule()
    def leases_and_pauses_run_out(self) -> None:
        client, due = self.ledgers[0].store.client, self.ledgers[0].keys.due("dispatch")
        for key in client.zrange(due, 0, -1):
            client.zadd(due, {key: 0})
        self.model.expire()

    @rule(seed=st.integers(0, 1_000_000))
    def a_busy_while(self, seed: int) -> None:
        """Eighty of the above by chance: Hypothesis alone seldom gets an owner through its whole life."""
        dice = random.Random(seed)
        client = dice.randrange(3)
        if not self.current[client]:
            self.a_client_learns_of_the_run(client)
        for _ in range(80):
            if dice.randrange(4) == 0:
                client = dice.randrange(3)
            flip, number = dice.random() < 0.2, dice.randrange(31)
            match dice.randrange(12):
                case 0 | 1:
                    self.an_event_is_matched(client, dice.choice(sorted(TRIGGERS)), number % 4, number > 25, flip)
                case 2 | 3:
                    self.firings_are_claimed(client, 1 + number % 5, flip)
                case 4:
                    self.leases_and_pauses_run_out()
                case 5:
                    self.holds_are_released(client, dice.choice(HOLDS), number % 4)
                case _:
                    flags = (dice.random() < 0.5, dice.random() < 0.5, dice.random() < 0.4)
                    self.an_owner_goes_on(client, number, dice.choice(LIKELY), dice.choice(HOLDS), flags, flip)
            self.the_ledger_is_what_the_model_says()

    # ---- registry ----
    @rule(writers=st.tuples(clients, clients), ids=st.tuples(names, names), first=st.booleans())
    def writers_pause_at_once(self, writers: tuple[int, int], ids: tuple[str, str], first: bool) -> None:
        """The second reads, the first writes, the second writes: neither is undone."""
        one, two = (TRIGGERS[name].id for name in ids)
        if not all(self.current[writer] for writer in writers):
            return
        interrupted = []

        def pause(id_: str) -> Callable[..., dict[str, Any]]:
            return lambda known, *_: {id_: replace(known.entries[id_], paused=not known.entries[id_].paused)}

        def second(known: Any, *more: Any) -> dict[str, Any]:
            if first and not interrupted:
                interrupted.append(True)
                self.ledgers[writers[0]].registry.edit(pause(one))
                self.model.paused[one] = not self.model.paused[one]
            return pause(two)(known)

        self.ledgers[writers[1]].registry.edit(second)
        self.model.paused[two] = not self.model.paused[two]

    # ---- Redis ----
    @rule()
    def redis_writes_to_disk(self) -> None:
        self.disk = (copy_of(self.ledgers[0].store.client), copy.deepcopy(self.model))

    @rule(empty=st.sampled_from([False, False, False, True]))
    def redis_restarts(self, empty: bool) -> None:
        """Without what came after it wrote to disk, as another run; old tokens are good for nothing any more."""
        if self.runs + 1 >= len(self.servers):
            return
        self.runs += 1
        server = self.servers[self.runs]
        put_copy(server, {} if empty else self.disk[0])
        self.model = Model() if empty else copy.deepcopy(self.disk[1])
        for firing in self.model.firings.values():
            firing.token = ""
        for ledger in self.ledgers:
            ledger.store.client = server
            ledger.store._scripts.clear()
        self.current = [False] * 3
        if empty:
            self.a_client_learns_of_the_run(0)
            self.ledgers[0].registry.declare(TRIGGERS.values(), origin="script", server_now_ms=1)
            self.model.paused = dict.fromkeys((trigger.id for trigger in TRIGGERS.values()), False)

    @rule(client=clients)
    def a_client_learns_of_the_run(self, client: int) -> None:
        before = self.ledgers[client].store.run_id
        epoch = self.ledgers[client].adopt_epoch()
        assert (epoch.run_id != before) == (not self.current[client])
        self.current[client] = True

    # ---- the ledger is what the model says ----
    @invariant()
    def the_ledger_is_what_the_model_says(self) -> None:
        ledger = self.ledgers[0]
        client, keys = ledger.store.client, ledger.keys
        due, dead = set(client.zrange(keys.due("dispatch"), 0, -1)), set(client.zrange(keys.dead, 0, -1))
        held = {hold: client.zrange(keys.held(hold), 0, -1) for hold in HOLDS}
        in_order = sorted(self.model.firings.items(), key=lambda item: item[1].sequence)
        assert due == {key for key, firing in in_order if firing.state == "waiting"}
        assert dead == {key for key, firing in in_order if firing.state == "dead"}
        for hold in HOLDS:
            assert held[hold] == [key for key, f in in_order if f.state == "held" and f.hold == hold]
        assert set(ledger.firings.holds()) == {hold for hold in HOLDS if held[hold]}
        assert client.hgetall(keys.slots) == self.model.slots
        for key, firing in in_order:
            kept = ledger.firings.get(key)
            assert kept
            assert (kept.state, kept.task, kept.withdrawing) == (firing.state, firing.task, firing.withdrawing)
            assert (kept.failures, list(kept.attempts)) == (firing.failures, firing.attempts)
        found = {id_: entry.paused for id_, entry in ledger.registry._read().entries.items()}
        assert found == self.model.paused


@pytest.mark.slow
@pytest.mark.timeout(36_000)
def test_the_scripts_do_what_the_model_does(redis_servers: list[redis.Redis]) -> None:
    Machine.servers = redis_servers
    run_state_machine_as_test(Machine, settings=profile(25, steps=12))
