"""The table of transitions is what the scripts do: every change of a firing is observed, whatever is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
import redis

from tests.integration.ledger.helpers import grant, task_event, task_trigger
from tests.one_by_one import run_together
from tests.property.ledger.test_script_rules import SCENARIOS, fresh_ledger
from triggers.base.errors import Fenced
from triggers.base.settings import Settings
from triggers.ledger import Ledger, Store
from triggers.ledger.firings.firing import Beginning, Firing
from triggers.ledger.matching.changes import Grant, MarkChange
from triggers.ledger.store import Script
from triggers.ledger.transitions import PHASES, TRANSITIONS, Phase, edges
from triggers.rules.policies import Mark

LANE, HOLD, TRIGGER, EVENT = "act", "receiver:r", task_trigger(), task_event()

#: script, phase before, phase afterwards
Seen = set[tuple[str, Phase, Phase]]
ALLOWED: Seen = {(script, start, one.ends) for one in TRANSITIONS for script in one.scripts for start in one.starts}


@dataclass
class Case:
    """One firing, and the last attempt at it: that may be over."""

    ledger: Ledger
    key: str = ""
    attempts: list[Firing] = field(default_factory=list)

    def grant(self) -> None:
        self.key = grant(self.ledger, TRIGGER, EVENT, lane=LANE, parts=True)

    def grant_by_hand(self) -> None:
        before = self.ledger.matching.marks([(TRIGGER.id, EVENT.id)])[TRIGGER.id, EVENT.id]
        self.key = self.key or "f" * 32
        made = Grant(self.key, TRIGGER.id, "task", EVENT.id, 1, EVENT.changed_ms, 1, EVENT.to_json(), LANE)  # type: ignore[arg-type]
        expected = before.to_text() if before.occurrence else ""
        change = MarkChange(TRIGGER.id, EVENT.id, expected, Mark(1, True, 1, 1).to_text(), made)
        self.ledger.by_hand.fire(change, "by hand")

    def try_out(self) -> None:
        made = Grant("f" * 32 + "-1-t0", TRIGGER.id, "task", EVENT.id, 0, 1, 1, EVENT.to_json(), LANE)  # type: ignore[arg-type]
        self.ledger.by_hand.try_out(made, "by hand")

    def claim(self) -> None:
        self.ledger.store.client.zadd(self.ledger.keys.due(LANE), {self.key: 0}, xx=True)  # its lease has expired
        self.attempts += self.ledger.firings.claim(LANE, 10, 30).firings

    def claim_in_turn(self) -> None:
        self.attempts += self.ledger.turns.claim("r", 10, 30).firings

    def hold_a_newer_one(self) -> None:
        newer = grant(self.ledger, TRIGGER, task_event("2" * 32), lane=LANE)
        for firing in self.ledger.firings.claim(LANE, 10, 30).firings:
            if firing.key == newer:
                self.ledger.firings.hold(firing, LANE, HOLD, "why", latest=True)

    def end(self, how: Callable[[Ledger, Firing], Any]) -> None:
        """Let the last attempt do it, which may have lost the firing."""
        with suppress(Fenced):
            how(self.ledger, self.attempts[-1])


def by_attempt(how: Callable[[Ledger, Firing], Any]) -> Callable[[Case], None]:
    return lambda case: case.end(how) if case.attempts else None


ASKED: dict[str, Callable[[Case], Any]] = {
    "grant": Case.grant,
    "grant by hand": Case.grant_by_hand,
    "try out": Case.try_out,
    "claim": Case.claim,
    "claim in turn": Case.claim_in_turn,
    "launch": by_attempt(lambda of, firing: of.firings.launched(firing, LANE, task_id="t")),
    "shadow": by_attempt(lambda of, firing: of.firings.shadow(firing, LANE, "why")),
    "skip": by_attempt(lambda of, firing: of.firings.skip(firing, LANE, "why")),
    "give up": by_attempt(lambda of, firing: of.firings.give_up(firing, LANE, "why")),
    "hold": by_attempt(lambda of, firing: of.firings.hold(firing, LANE, HOLD, "why")),
    "line up": by_attempt(lambda of, firing: of.turns.line_up("r", [firing])),
    "fail": by_attempt(lambda of, firing: of.firings.fail(firing, LANE, 0, "why")),
    "snooze": by_attempt(lambda of, firing: of.firings.snooze(firing, LANE, 0, "why")),
    "move": by_attempt(lambda of, firing: of.firings.move(firing, LANE, "dispatch")),
    "begin": by_attempt(lambda of, firing: of.firings.begin([Beginning(firing, "slot", "", 0)])),
    "record": by_attempt(lambda of, firing: of.firings.record(firing, "t")),
    "renew": by_attempt(lambda of, firing: of.firings.renew(LANE, [firing], 30)),
    "hold a newer one": Case.hold_a_newer_one,
    "release": lambda case: case.ledger.firings.release(HOLD, 9),
    "release now": lambda case: case.ledger.by_hand.release_now(HOLD, [case.key], "who"),
    "skip what waits": lambda case: case.ledger.by_hand.skip_waiting(TRIGGER.id, "why"),
    "retry": lambda case: case.ledger.operations.retry_dead(case.key),
    "retry now": lambda case: case.ledger.retrying.retry_now([case.key]),
    "drop": lambda case: case.ledger.operations.drop_dead([case.key], "who"),
    "drop held": lambda case: case.ledger.operations.drop_held(HOLD, [case.key], "who"),
}

#: How a firing comes into each phase.
WAYS: dict[Phase, list[str]] = {
    "none": [],
    "waiting": ["grant"],
    "claimed": ["grant", "claim"],
    "held": ["grant", "claim", "hold"],
    **{phase: ["grant", "claim", verb] for phase, verb in (("launched", "launch"), ("shadow", "shadow"))},  # type: ignore[dict-item]
    "skipped": ["grant", "claim", "skip"],
    "dead": ["grant", "claim", "give up"],
    "dropped": ["grant", "claim", "hold", "drop held"],
}


def phase_of(fields: dict[str, str]) -> Phase:
    """The phase of a firing as Redis keeps it."""
    if not fields:
        return "none"
    state: Any = fields["state"]
    return "claimed" if state == "waiting" and fields.get("lease") else state


def firings(client: redis.Redis) -> dict[str, dict[str, str]]:
    """All firings there are."""
    names = [name for name in client.scan_iter("triggers:*:firing:*") if client.type(name) == "hash"]
    return {name: client.hgetall(name) for name in names}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What scripts have made of firings since the test began."""
    found: Seen = set()

    def observed(real: Callable[..., Any]) -> Callable[..., Any]:
        def run(store: Store, script: Script, *args: Any) -> Any:
            before = firings(store.client)
            try:
                return real(store, script, *args)
            finally:
                for name, fields in firings(store.client).items():
                    old = before.get(name, {})
                    start, end = phase_of(old), phase_of(fields)
                    if start != end or old.get("lease") != fields.get("lease"):
                        found.add((script.name, start, end))

        return run

    monkeypatch.setattr(Store, "run", observed(Store.run))
    monkeypatch.setattr(Store, "run_together", run_together)
    return found


def test_whatever_is_asked_in_each_phase_makes_the_transitions_of_the_table_and_no_other(
    redis_client: redis.Redis, settings: Settings, seen: Seen
) -> None:
    for phase, asked in product(PHASES, ASKED):
        case = Case(fresh_ledger(redis_client, settings))
        for step in WAYS[phase]:
            ASKED[step](case)
        if case.key:
            assert phase_of(redis_client.hgetall(case.ledger.keys.firing(case.key))) == phase
        ASKED[asked](case)
        assert seen <= ALLOWED, f"{asked} of a firing that is {phase}"
    assert {(start, end) for _, start, end in seen} == set(edges())
    made = {(one.verb, script) for one in TRANSITIONS for script in one.scripts}
    observed = {(verb, script) for script, start, end in seen for verb in edges()[start, end]}
    assert made - observed == set(), "no script is named that does not make the transition"


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_no_scenario_makes_another_transition(
    scenario: Callable[[Ledger], None], redis_client: redis.Redis, settings: Settings, seen: Seen
) -> None:
    scenario(fresh_ledger(redis_client, settings))
    assert seen <= ALLOWED


def test_claimed_and_none_are_the_only_phases_that_are_not_stored_as_they_are_called() -> None:
    from typing import get_args

    from triggers.ledger.firings.firing import State

    assert set(PHASES) - {"claimed", "none"} == set(get_args(State))
