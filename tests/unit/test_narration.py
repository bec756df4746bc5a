"""What a script says: one line per happening, named, harmless, and at the start what it watches."""

from __future__ import annotations

from pathlib import Path

from triggers.base.settings import Settings
from triggers.client.narration import MOST_NAMED, opening, told
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.history.history import HistoryEntry
from triggers.model import Trigger, make_trigger

SCHEDULER = Scheduler(
    host="http://h", workspace="w", project="DevOps", name="S", poll_seconds=2.0, service_task="s" * 32
)


def trigger(name: str) -> Trigger:
    return make_trigger("task", name=name, action={"type": "function"}, trigger_on_status=["failed"])


def entry(what: str, **fields: str) -> HistoryEntry:
    known = {"trigger": "task:mine", "object": "a" * 32, "firing": "f", "reason": "", "task": ""} | fields
    return HistoryEntry.of("5-0", {"what": what, **known})


def test_the_start_says_what_where_at_which_pace_and_how_to_ask() -> None:
    lines = opening(SCHEDULER, Settings(), [trigger("mine")], Path("/state/x"))
    assert lines == [
        "triggers: DevOps/S polls every 2 s",
        "triggers: task triggers: 'mine'",
        "triggers: state in the folder /state/x; ask with `clearml-triggers list`",
    ]


def test_many_triggers_are_counted() -> None:
    lines = opening(SCHEDULER, Settings(), [trigger(f"t{n:02}") for n in range(MOST_NAMED + 30)], Path("/x"))
    assert len(lines) == 3
    assert lines[1].endswith("'t07' and 30 more")


def test_no_password_of_redis_is_shown() -> None:
    text = "\n".join(opening(SCHEDULER, Settings(redis_url="redis://me:sesame@h:6380/2"), [], Path("/x")))
    assert "state in Redis at redis://me:***@h:6380/2;" in text
    assert "sesame" not in text
    assert "celery -A clearml_triggers worker" in text
    assert "no trigger is declared" in text


def test_a_launch_names_object_task_and_page() -> None:
    line = told(entry("launched", task="b" * 32), "failed run", "http://web/x")
    assert line == (
        f"triggers: 'mine' launched: task 'failed run' ({'a' * 32}) -> ClearML task {'b' * 32} http://web/x"
    )


def test_a_first_action_that_launches_nothing_acted() -> None:
    assert told(entry("launched"), "x", "").startswith("triggers: 'mine' acted: task 'x'")


def test_what_was_not_launched_says_why_in_one_line() -> None:
    assert told(entry("skipped", reason="the slot is taken"), "", "").endswith(": the slot is taken")
    assert "'mine' failed: task 'x'" in told(entry("failed", reason="no queue\nTraceback"), "x", "")
    assert told(entry("failed", reason="no queue\nTraceback"), "x", "").endswith(": no queue")
    for what in ("held", "dead", "dropped", "shadow"):
        assert told(entry(what), "", "")


def test_the_decision_alone_is_not_logged() -> None:
    assert told(entry("granted"), "x", "") == ""


def test_an_action_of_a_firing_is_named() -> None:
    assert told(entry("acted", firing="f-2"), "x", "").startswith("triggers: 'mine' action 2 acted: task 'x'")
    assert told(entry("failed", firing="f-f0"), "x", "").startswith("triggers: 'mine' on_failed 0 failed: task 'x'")
    assert "'mine' action 2 (webhook) acted: " in told(entry("acted", firing="f-2"), "x", "", "webhook:0a1b2c3d")


def test_a_trial_is_named_as_one() -> None:
    assert "'mine' trial of action 0 tried: task 'x'" in told(entry("tried", firing="f-tab"), "x", "")
    assert "'mine' trial of action 2 acted: task 'x'" in told(entry("acted", firing="f-2-tab"), "x", "")
    failed = told(entry("skipped", firing="f-f0-tab", reason="it answered 500"), "x", "")
    assert "'mine' trial of on_failed 0 failed: task 'x'" in failed
