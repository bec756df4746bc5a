"""What a claim costs Redis does not grow with what is due, and no script moves more than a part of it."""

from __future__ import annotations

from typing import Any

import redis

from triggers.ledger import Ledger

TRIGGERS = 1_000
#: Makes a firing that is due of each trigger, the nth of it: by Redis itself, since there are many.
FILL = """
for trigger = 1, ARGV[2] do
  local key = string.format('%08x%024x', trigger, ARGV[1])
  redis.call('HSET', KEYS[2] .. key, 'v', 1, 'state', 'waiting', 'lane', 'dispatch', 'sequence', ARGV[1])
  redis.call('ZADD', KEYS[1], ARGV[1], key)
end
"""


def fill(ledger: Ledger, of_each: int) -> None:
    for number in range(1, of_each + 1):
        ledger.store.client.eval(FILL, 2, ledger.keys.due("dispatch"), ledger.keys.firing(""), number, TRIGGERS)


def commands(client: redis.Redis) -> int:
    """How many commands Redis has run, those of scripts included."""
    found: Any = client.info("commandstats")
    return sum(one["calls"] for one in found.values())


def cost(ledger: Ledger) -> int:
    """Commands of one claim of ten firings, where all that is due stands in lines."""
    client = ledger.store.client
    assert len(ledger.firings.claim("dispatch", 10, 60).unreadable) == 10
    before = commands(client)
    claim = ledger.firings.claim("dispatch", 10, 60)
    used = commands(client) - before
    assert len({one.key[:8] for one in claim.unreadable}) == 10, "one of each of ten triggers"
    return used


def test_a_claim_runs_as_many_commands_with_a_hundred_thousand_due(ledger: Ledger) -> None:
    fill(ledger, 1)
    few = cost(ledger)
    fill(ledger, 100)
    assert ledger.store.client.zcard(ledger.keys.due("dispatch")) == 100 * TRIGGERS
    assert cost(ledger) <= few + 5
    assert few < 200


def test_no_script_moves_more_than_a_part(ledger: Ledger) -> None:
    fill(ledger, 5)
    client: Any = ledger.store.client
    before, calls = commands(client), client.info("commandstats")
    ledger.firings.claim("dispatch", 1, 60)
    made = client.info("commandstats")
    scripts = sum(made[name]["calls"] - calls.get(name, {"calls": 0})["calls"] for name in made if "eval" in name)
    assert scripts >= 5 * TRIGGERS / 250
    assert commands(client) - before < scripts * 300
