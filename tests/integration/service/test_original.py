"""The original, run for real beside a shadow and before us: what it fired for does not fire again."""

from __future__ import annotations

import json
import signal
import sys
import textwrap

import pytest

from tests.acceptance.conftest import Desk, desk, eventually
from tests.integration.service.test_processes import output_of

__all__ = ["desk"]

pytestmark = [pytest.mark.slow, pytest.mark.sandbox_control]

#: The same declarations, for whichever class is imported.
DECLARED = """
    import os, sys
    if sys.argv[1] == "original":
        from clearml import Task
        Task._report_subprocess_enabled = False
        from clearml.automation import TriggerScheduler
    else:
        from triggers import TriggerScheduler
    scheduler = TriggerScheduler(
        pooling_frequency_minutes=1 / 60, sync_frequency_minutes=1 / 30,
        force_create_task_project="DevOps", force_create_task_name="Scheduler",
    )
    common = dict(schedule_task_id=os.environ["BASE"], schedule_queue="default", trigger_project="Watched",
        task_parameters={"Args/source": "${task.id}"})
    scheduler.add_task_trigger(trigger_on_status=["failed"], name="on failure", **common)
    scheduler.add_task_trigger(trigger_on_tags=["a", "b"], name="on tags", **common)
    scheduler.start(**({"dry_run": True} if sys.argv[1] == "shadow" else {}))
"""


def test_the_original_beside_a_shadow_and_then_us(desk: Desk) -> None:
    script = str(desk.write("switch.py", textwrap.dedent(DECLARED)))
    project = desk.call("projects.create", name="Watched", description="")["id"]
    shadow = desk.run(sys.executable, script, "shadow")
    original = desk.run(sys.executable, script, "original")
    eventually(lambda: "Sleeping until" in output_of(desk, original), "the original polls", told=desk.output)
    # each state is awaited before the next one is made: the SDK uploads those of one moment all at once, to one address
    eventually(lambda: _saved(desk) == [], "the original's first state", told=desk.output)
    eventually(desk._registered, "the shadow polls", told=desk.output)

    def made(**fields: object) -> str:
        return str(desk.call("tasks.create", name="watched", type="training", project=project, **fields)["id"])

    def failed(id_: str) -> str:
        desk.call("tasks.started", task=id_)
        desk.call("tasks.failed", task=id_)
        return id_

    both = failed(made())
    fired = [("on failure", both)]
    eventually(lambda: _saved(desk) == fired, "the original's state with one", told=desk.output)
    one_tag = made(tags=["a"])
    fired.append(("on tags", one_tag))
    eventually(lambda: _saved(desk) == fired, "the original's state with two", told=desk.output)
    failed(one_tag)
    fired.append(("on failure", one_tag))
    eventually(lambda: _saved(desk) == sorted(fired), "the original's state with three", told=desk.output)
    assert _sources(desk) == sorted([both, one_tag, one_tag])
    for process in (shadow, original):
        process.send_signal(signal.SIGINT)
        process.wait(60)
    said = output_of(desk, shadow)
    assert "triggers: 1 launch differs from the original's" in said, said
    assert f"task:on tags: {one_tag}: only the original (docs/differences.md, tags)" in said
    ours = desk.run(sys.executable, script, "ours")
    while_down = failed(made())
    eventually(lambda: while_down in _sources(desk), "our launch", told=desk.output)
    desk.call("tasks.edit", task=both, tags=["changed"], force=True)  # fired by the original, changes again
    late = failed(made())
    eventually(lambda: late in _sources(desk), "our next launch", told=desk.output)
    assert _sources(desk) == sorted([both, one_tag, one_tag, while_down, late])
    assert ours.poll() is None


def _sources(desk: Desk) -> list[str]:
    """Objects that something was launched for, by whomever."""
    tasks = desk.call("tasks.get_all", parent=[desk.base], search_hidden=True)["tasks"]
    return sorted(task["hyperparams"]["Args"]["source"]["value"] for task in tasks if task["status"] != "created")


def _saved(desk: Desk) -> list[tuple[str, str]] | None:
    """What the original has saved that it fired for, trigger and object; None while there is no such file."""
    saved = {name.rpartition("/")[2]: text for name, text in desk.sandbox.app.files.contents.items()}
    tasks = desk.call("tasks.get_all", only_fields=["execution.artifacts"], search_hidden=True)["tasks"]
    artifacts = [one for task in tasks for one in task.get("execution", {}).get("artifacts", ())]
    named = [one["uri"].rpartition("/")[2] for one in artifacts if one["key"] == "state"]
    states = [json.loads(saved[name])["task_triggers"] for name in named if name in saved]
    if not states:
        return None
    return sorted((one["name"], id_) for one in states[0] for id_ in one["_triggered_instances"] or ())
