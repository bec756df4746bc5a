"""Whatever another release or a person wrote into a record: verbs and pages say something, and none fails.

Every key of a scheduler with a past is damaged, as its type allows, and everything that reads is asked.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from tests.integration.cli_verbs.conftest import run
from tests.integration.console.conftest import Browser
from tests.integration.console.scene import Scene

#: What tells one state of all data from another, and orders tokens: nothing holds without it. What is registered has
#: tests of its own (`tests/property/robustness`), and nothing is shown without it.
FOUNDATION = ("epoch", "fence", "registry:version", "registry")
#: What stands in a field, in turn.
GARBAGE = ("garbage", "", "{}", '{"v": 99}', "[1", "-1", "1e400", "\u202e\x1b[31m")
#: What an entry of a stream consists of, in turn.
ENTRIES: tuple[dict[str, str], ...] = (
    {"later": "x"},
    {"what": "launched", "detail": "[", "outcome": "x", "batch": "x", "hash": "h"},
    {"task": "t", "what": "launched", "detail": '["x"]', "seq": "x", "hash": ""},
)


def damage(client: redis.Redis, name: str, number: int) -> None:
    """Damage a key in one of several ways."""
    text = GARBAGE[number % len(GARBAGE)]
    match client.type(name):
        case "hash":
            fields = [*client.hkeys(name), "later"]
            client.hset(name, mapping=dict.fromkeys(fields[number % 2 :: 2] if number % 3 else fields, text))
        case "stream":
            client.xadd(name, ENTRIES[number % len(ENTRIES)])
        case "zset":
            client.zadd(name, {text: number, "0123456789" * 3: -number})
        case "list":
            client.lpush(name, text)
            client.rpush(name, text)
        case "set":
            client.sadd(name, text)
        case "string":
            client.set(name, text)


@pytest.fixture
def asking(scene: Scene, browser: Browser) -> Callable[[], list[str]]:
    """Everything that reads; gives what failed."""
    home, trigger = browser.home, "task:retry failed training"
    browser.session.headers["connection"] = "close"  # verbs take longer than the console keeps a silent connection
    verbs = [
        ["list", "--all"], ["show", "retry failed training"], ["history"], ["status"], ["audit"], ["audit", "--verify"],
        ["dead", "list"], ["failing", "list"], ["holds", "list"], ["slots", "list"], ["cursor", "show"], ["next"],
        ["explain", "retry failed training", scene.failed_task], ["export"], ["unsigned", "list"],
    ]  # fmt: skip
    pages = [
        "/", home, f"{home}/triggers/{trigger}", f"{home}/firings/{scene.launched}", f"{home}/firings/{scene.dead}",
        f"{home}/objects/{scene.failed_task}", f"{home}/history", f"{home}/history?what=launched", f"{home}/workers",
        f"{home}/audit", *(f"{home}/waiting?tab={tab}" for tab in ("held", "failing", "dead", "slots")),
    ]  # fmt: skip

    def ask() -> list[str]:
        failed = []
        for verb in verbs:
            try:
                run(*verb)
            except Exception as error:
                failed.append(f"{verb}: {type(error).__name__}: {error}")
        for page in pages:
            answer = browser.get(page)
            if answer.status_code == 500:
                failed.append(f"{page}: {answer.status_code}")
        return failed

    return ask


@pytest.mark.parametrize("number", range(len(GARBAGE)))
def test_nothing_that_reads_fails_over_damaged_records(
    scene: Scene, asking: Callable[[], list[str]], number: int
) -> None:
    assert "\n".join(asking()) == ""
    client, prefix = scene.world.ledger.store.client, scene.world.ledger.keys.prefix
    names = [name for name in client.scan_iter("*") if name.startswith(prefix)]
    names = [name for name in names if name.removeprefix(prefix) not in FOUNDATION]
    assert len(names) > 30
    for name in sorted(names):
        damage(client, name, number)
    assert "\n".join(asking()) == ""


def test_the_history_is_counted_whatever_its_entries_lack(scene: Scene) -> None:
    history = scene.world.ledger.history
    before = {(one.trigger, one.what): one.count for one in history.recent(0)}
    client, name = scene.world.ledger.store.client, scene.world.ledger.keys.history
    client.xadd(name, {"what": "launched"})
    client.xadd(
        name, {"later": "x", "task": "t", "object": "o", "trigger": "task:new", "what": "launched", "reason": ""}
    )
    client.xadd(name, {"task": "t"})
    after = {(one.trigger, one.what): one for one in history.recent(0)}
    assert (after["task:new", "launched"].object, after["task:new", "launched"].task) == ("o", "t")
    assert after["", "launched"].count == after["", ""].count == 1
    assert {pair: after[pair].count for pair in before} == before
