"""Rows of docs/differences.md that show in what is launched, held against the original on the same server."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.integration.differential.pair import Json, Pair
from tests.integration.stages.calling import call_one

FAILED = {"trigger_on_status": ["failed"], "trigger_name": "^watched"}


class Launching(Pair):
    """A pair whose triggers launch ClearML tasks, told apart by who launched them."""

    def arguments(self, **arguments: Any) -> Json:
        action = {"schedule_task_id": self.world.base, "schedule_queue": "default"}
        return {**action, "task_parameters": {"Args/of": "${task.id}"}, **FAILED, **arguments}

    def fail(self, name: str = "watched", **fields: Any) -> str:
        task = self.task(name, **fields)
        self.run(task, "started", "failed")
        return task

    def launched(self) -> tuple[list[Json], list[Json]]:
        """The clones of the original and ours, oldest first."""
        query = {"parent": [self.world.base], "order_by": ["created"], "search_hidden": True}
        clones = self.call("tasks.get_all", **query)["tasks"]
        marked = [any(tag.startswith("clearml-triggers:") for tag in clone["system_tags"]) for clone in clones]
        theirs = [clone for clone, mark in zip(clones, marked, strict=True) if not mark]
        return theirs, [clone for clone, mark in zip(clones, marked, strict=True) if mark]

    def counts(self) -> tuple[int, int]:
        theirs, ours = self.launched()
        return len(theirs), len(ours)

    def of(self) -> tuple[list[str], list[str]]:
        """The objects that each launched for."""
        theirs, ours = self.launched()
        return [_argument(clone, "of") for clone in theirs], [_argument(clone, "of") for clone in ours]


def _argument(clone: Json, name: str) -> str:
    return str(clone["hyperparams"]["Args"][name]["value"])


@pytest.fixture
def pair(pair: Pair) -> Launching:
    pair.__class__ = Launching
    assert isinstance(pair, Launching)
    return pair


def test_both_launch_the_same_for_the_same(pair: Launching) -> None:
    pair.declare(("task", pair.arguments(add_tag="mine", target_project=pair.name("Target"))))
    failed = pair.fail()
    pair.poll()
    assert pair.of() == ([failed], [failed])
    (theirs,), (ours,) = pair.launched()
    same = ("status", "tags", "project", "parent", "type", "name")
    assert {name: theirs[name] for name in same} == {name: ours[name] for name in same}
    assert [_argument(theirs, name) for name in ("a", "of")] == [_argument(ours, name) for name in ("a", "of")]


def test_placeholders_are_filled_inside_values_here_and_only_as_whole_values_there(pair: Launching) -> None:
    pair.declare(("task", pair.arguments(task_parameters={"Args/whole": "${task.id}", "Args/part": "of ${task.id}"})))
    failed = pair.fail()
    pair.poll()
    (theirs,), (ours,) = pair.launched()
    assert _argument(theirs, "whole") == _argument(ours, "whole") == failed
    assert (_argument(theirs, "part"), _argument(ours, "part")) == ("of ${task.id}", f"of {failed}")


def test_the_texts_own_example_of_overrides_works_here_and_loses_the_event_there(pair: Launching) -> None:
    pair.declare(("task", pair.arguments(task_overrides={"Args/task_id": "${task.id}"})))
    failed = pair.fail()
    with pytest.raises(RuntimeError, match="Unsupported keyword arguments: Args/task_id"):
        pair.original("step")
    pair.call("tasks.update_tags", ids=[failed], add_tags=["again"])
    pair.poll()
    theirs, (ours,) = pair.launched()
    assert [clone["status"] for clone in theirs] == ["created"], "a draft is left behind"
    assert _argument(ours, "task_id") == failed


def test_a_missing_queue_loses_the_event_there_and_delays_it_here(pair: Launching) -> None:
    queue = "later" + pair.suffix
    pair.declare(("task", pair.arguments(schedule_queue=queue)))
    failed = pair.fail()
    pair.poll()
    assert pair.counts() == (0, 0)
    pair.call("queues.create", name=queue)
    pair.world.expire_leases()
    pair.world.reconcile()
    pair.call("tasks.update_tags", ids=[failed], add_tags=["again"])
    pair.poll()
    assert pair.of() == ([], [failed])


def test_single_instance_skips_in_both_and_considers_the_next_change_here(pair: Launching) -> None:
    pair.declare(("task", pair.arguments(single_instance=True)))
    first = pair.fail()
    pair.poll()
    second = pair.fail()
    pair.poll()
    assert pair.of() == ([first], [first])
    for clone in (*pair.launched()[0], *pair.launched()[1]):
        pair.run(clone["id"], "started", "completed")
    pair.call("tasks.update_tags", ids=[second], add_tags=["changed again"])
    pair.poll()
    assert pair.of() == ([first], [first, second])


def test_single_instance_holds_for_functions_here_and_has_no_effect_there(pair: Pair) -> None:
    pair.declare(("task", {**FAILED, "single_instance": True}))
    for _ in range(2):
        pair.run(pair.task("watched"), "started", "failed")
    running, go_on = threading.Event(), threading.Event()

    def function(object_id: str) -> None:
        running.set()
        assert go_on.wait(60)
        pair.calls.append(("t0", object_id))

    assert len(pair.original("step")) == 2
    pair.world.step()
    functions = {"task:t0": function}
    first = threading.Thread(target=call_one, args=(pair.world.ctx, functions))
    first.start()
    assert running.wait(60)
    assert call_one(pair.world.ctx, functions), "the second is taken, and skipped while the first runs"
    go_on.set()
    first.join()
    assert len(pair.calls) == 1
    assert len(pair.world.history("skipped")) == 1


def test_reuse_runs_the_same_task_here_and_a_clone_there_once_it_has_run(pair: Launching) -> None:
    reused = {"reuse_task": True, "task_parameters": None}
    other = pair.world.create_task("base of the original")
    pair.declare(("task", pair.arguments(**reused)))
    pair.original("begin", triggers=[("task", pair.arguments(**reused, name="t0", schedule_task_id=other))])
    pair.original("step")
    for run in range(2):
        pair.fail()
        pair.poll()
        for base in (other, pair.world.base):
            if pair.call("tasks.get_by_id", task=base)["task"]["status"] == "queued":
                pair.run(base, "started", "completed")
        clones = pair.call("tasks.get_all", parent=[other, pair.world.base])["tasks"]
        assert [clone["parent"] for clone in clones] == [other] * run
    assert len(pair.world.history("launched")) == 2


def test_what_a_trigger_launched_fires_it_again_and_again_there_and_never_here(pair: Launching) -> None:
    pair.declare(
        (
            "task",
            pair.arguments(trigger_name=None, trigger_on_status=["queued"], trigger_on_tags=["loop"], add_tag="loop"),
        )
    )
    ours = pair.world.base
    pair.call("tasks.update_tags", ids=[ours], add_tags=["loop"])
    pair.call("tasks.enqueue", task=pair.task("seed", tags=["loop"]))
    counts = []
    for _ in range(3):
        pair.poll()
        counts.append(pair.counts())
    assert counts == [(1, 2), (4, 5), (10, 11)], "there all launches so far; here the seed and what the other launched"


def test_its_own_service_task_fires_the_original_and_never_this(pair: Pair) -> None:
    pair.declare(("task", {"trigger_on_tags": ["service"]}))
    original = pair.original("service_task")
    pair.call("tasks.update_tags", ids=[original, pair.world.service], add_tags=["service"])
    assert [object_id for _, object_id in pair.original("step")] == [original, pair.world.service]
    pair.world.step()
    while call_one(pair.world.ctx, pair.functions):
        pass
    assert [object_id for _, object_id in pair.calls] == [original]
    pair.call("tasks.update_tags", ids=[original, pair.world.service], remove_tags=["service"])


def test_a_restart_loses_changes_and_memory_there_and_neither_here(pair: Pair) -> None:
    rule = ("task", {"trigger_on_tags": ["x"]})
    pair.declare(rule)
    before = pair.task(tags=["x"])
    pair.poll()
    meanwhile = pair.task(tags=["x"])
    pair.declare(rule)  # a restarted script
    pair.call("tasks.update_tags", ids=[before], add_tags=["changed again"])
    pair.poll()
    assert dict(pair.past.theirs) == {("t0", before): 2}
    assert dict(pair.past.ours) == {("t0", before): 1, ("t0", meanwhile): 1}


def test_more_than_500_at_once_all_fire_here_and_500_there(pair: Pair) -> None:
    pair.declare(("task", {"trigger_on_tags": ["bulk" + pair.suffix]}))
    ids = [pair.task(f"one of many {n}") for n in range(510)]
    pair.call("tasks.update_tags", ids=ids, add_tags=["bulk" + pair.suffix])
    pair.objects.clear()
    assert len(pair.original("step")) == 500
    assert pair.original("step") == [], "the rest is lost"
    pair.world.step()
    while call_one(pair.world.ctx, pair.functions):
        pass
    assert {object_id for _, object_id in pair.calls} == set(ids)
    assert len(pair.calls) == 510
