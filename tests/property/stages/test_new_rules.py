"""The rules that the interleavings look after: with each, its history holds; without it, a promise is seen broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
import redis

from tests.property.stages import promises
from tests.property.stages.interleaving import Interleaving
from tests.property.stages.test_known_histories import begin, come_to_rest, only
from triggers.context import Context, Plan
from triggers.ledger import Ledger

History = Callable[[Interleaving], None]


def an_older_state_is_put_back(run: Interleaving) -> None:
    """After its firing was launched the data says that it waits, in the same run and epoch."""
    run.look()
    run.time_passes()
    run.object_fails()
    run.look()
    run.fsync()
    run.undisturbed(0)
    run.undisturbed(5)
    run.restore()
    come_to_rest(run)


def a_trigger_is_paused_before_its_firing_is_taken(run: Interleaving) -> None:
    run.object_fails()
    run.look()
    run.person_pauses(0)
    run.undisturbed(0)
    promises.check(run)


def a_trigger_is_paused_while_its_draft_is_recorded(run: Interleaving) -> None:
    """Whoever died had recorded the draft; the next may not launch in its place."""
    run.object_fails()
    run.look()
    begin(run, until="tasks.enqueue").kill()
    run.person_pauses(0)
    for _ in range(3):
        run.fsync()
        run.world.expire()
        run.undisturbed(0)
        promises.check(run)


def without_looking_at_the_counter(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "counter", lambda _: 0)


def without_pauses(patch: pytest.MonkeyPatch) -> None:
    real = Context.plan

    def plan(ctx: Context, version: int | None = None) -> Plan:
        found = real(ctx, version)
        entries = {id_: replace(entry, paused=False) for id_, entry in found.snapshot.entries.items()}
        return replace(found, snapshot=replace(found.snapshot, entries=entries))

    patch.setattr(Context, "plan", plan)


RULES = [
    (an_older_state_is_put_back, without_looking_at_the_counter),
    (a_trigger_is_paused_before_its_firing_is_taken, without_pauses),
    (a_trigger_is_paused_while_its_draft_is_recorded, without_pauses),
]


@pytest.fixture
def run(redis_servers: list[redis.Redis], clock: SimpleNamespace) -> Interleaving:
    run = Interleaving(redis_servers, clock)
    only(run, "once")
    return run


@pytest.mark.parametrize("history", [history for history, _ in RULES])
def test_with_the_rule_it_holds(run: Interleaving, history: History) -> None:
    history(run)


@pytest.mark.parametrize(("history", "old_rule"), RULES)
def test_without_the_rule_it_is_seen(
    run: Interleaving, history: History, old_rule: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    old_rule(monkeypatch)
    with pytest.raises(AssertionError):
        history(run)
