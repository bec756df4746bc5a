"""Random sequences of calls keep what must always hold."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from triggers.sandbox.auth import Tokens
from triggers.sandbox.calls import ENDPOINTS, Call, check
from triggers.sandbox.clock import Clock
from triggers.sandbox.errors import ApiError
from triggers.sandbox.state import SandboxState

Json = dict[str, Any]
STEPS = ["started", "completed", "failed", "stop", "stopped", "publish", "reset", "ping", "dequeue"]
EDITS: list[tuple[str, Json]] = [
    ("edit", {"name": "renamed"}),
    ("edit", {"tags": ["x"], "force": True}),
    ("edit", {"script": {"branch": "b"}, "force": True}),
    ("update", {"comment": "c"}),
    ("edit_runtime", {"add_or_update": {"a.b": "c"}}),
    ("set_requirements", {"requirements": {"pip": "p"}}),
    ("edit_hyper_params", {"hyperparams": [{"section": "A", "name": "n", "value": "v"}]}),
    ("add_or_update_artifacts", {"artifacts": [{"key": "k", "type": "t"}]}),
]
MANY: list[tuple[str, Json]] = [
    ("archive_many", {}),
    ("unarchive_many", {}),
    ("update_tags", {"add_tags": ["y"], "remove_tags": ["x"]}),
    ("move", {"project_name": "other/deep"}),
]
NUMBER = st.integers(0, 30)


#: what a refused enqueue writes
STEP_FIELDS = ("status_reason", "status_message", "status_changed", "last_update", "last_change", "last_changed_by")


def _step(task: Json) -> Json:
    return {field: task[field] for field in STEP_FIELDS}


def _without_step(task: Json) -> Json:
    return {field: value for field, value in task.items() if field not in (*STEP_FIELDS, "enqueue_status")}


class Calls(RuleBasedStateMachine):
    """One server, answering call after call, a millisecond between them."""

    @initialize()
    def begin(self) -> None:
        self.state, self.now = SandboxState(Clock(), Tokens("secret")), 0.0
        self.count = 0
        self.queues = [self.call("queues.create", name=f"queue {i}")["id"] for i in range(2)]
        self.before: dict[str, Json] = {}

    def call(self, name: str, /, **body: Any) -> Any:
        """An answer, or None if the call was refused: a refusal changes nothing.

        But for a second enqueue: it changes the fields of the status, and leaves status and queue as they are.
        """
        self.count += 1
        self.now = 1_800_000_000 + self.count * 0.0025
        self.before = {key: copy.deepcopy(task) for key, task in self.state.tasks.objects.items()}
        entries = copy.deepcopy([queue["entries"] for queue in self.state.queues.values()])
        try:
            check(ENDPOINTS[name].fields, body)
            return ENDPOINTS[name].handler(Call(self.state, name, body, self.now))
        except ApiError as refusal:
            if refusal.subcode == 706:
                task = self.state.tasks.objects[body["task"]]
                assert task["status_reason"] == "failed enqueueing"
                self.before[task["id"]] = _without_step(self.before[task["id"]]) | _step(task)
            assert self.state.tasks.objects == self.before
            assert [queue["entries"] for queue in self.state.queues.values()] == entries
            return None

    def some(self, number: int) -> str:
        """The id of a task; sometimes of none."""
        keys = list(self.state.tasks.objects)
        return keys[number % len(keys)] if keys and number < 28 else "0" * 32

    @rule(tags=st.sets(st.sampled_from("ab")))
    def create(self, tags: set[str]) -> None:
        self.call("tasks.create", name="task", type="training", tags=list(tags), system_tags=["s"])

    @rule(number=NUMBER, mark=st.sampled_from(["m1", "m2"]))
    def clone(self, number: int, mark: str) -> None:
        made = self.call("tasks.clone", task=self.some(number), new_task_system_tags=[mark])
        if made:
            assert made["id"] in [t["id"] for t in self.state.tasks.with_value("system_tags", [mark])]

    @rule(number=NUMBER, step=st.sampled_from(STEPS), force=st.booleans())
    def step(self, number: int, step: str, force: bool) -> None:
        self.call(f"tasks.{step}", task=self.some(number), force=force)

    @rule(number=NUMBER, edit=st.sampled_from(EDITS))
    def edit(self, number: int, edit: tuple[str, Json]) -> None:
        self.call(f"tasks.{edit[0]}", task=self.some(number), **copy.deepcopy(edit[1]))

    @rule(numbers=st.lists(NUMBER, max_size=3), many=st.sampled_from(MANY))
    def many(self, numbers: list[int], many: tuple[str, Json]) -> None:
        self.call(f"tasks.{many[0]}", ids=[self.some(number) for number in numbers], **many[1])

    @rule(number=NUMBER, value=st.sampled_from([1, -2.5, float("nan"), float("inf")]))
    def report(self, number: int, value: float) -> None:
        event = {"type": "training_stats_scalar", "metric": "m", "variant": "v", "iter": 1, "value": value}
        self.call("events.add", task=self.some(number), **event)

    @rule(number=NUMBER, queue=st.integers(0, 1))
    def enqueue(self, number: int, queue: int) -> None:
        """Accepted from created, queued, stopped and failed, unless it is in that queue."""
        task = self.state.tasks.get(self.some(number))
        entries = [entry["task"] for entry in self.state.queues[self.queues[queue]]["entries"]]
        may = task and task["status"] in ("created", "queued", "stopped", "failed") and task["id"] not in entries
        answer = self.call("tasks.enqueue", task=self.some(number), queue=self.queues[queue])
        assert bool(answer) == bool(may)

    @rule(queue=st.integers(0, 1))
    def fetch(self, queue: int) -> None:
        """The first entry comes out and the task is as it was."""
        entries = list(self.state.queues[self.queues[queue]]["entries"])
        answer = self.call("queues.get_next_task", queue=self.queues[queue])
        assert answer == ({"entry": entries[0]} if entries else {})
        assert self.state.queues[self.queues[queue]]["entries"] == entries[1:]

    @rule(number=NUMBER, force=st.booleans())
    def delete(self, number: int, force: bool) -> None:
        """Without force only drafts go."""
        task = self.state.tasks.get(self.some(number))
        may = task is not None and (force or task["status"] == "created")
        assert bool(self.call("tasks.delete", task=self.some(number), force=force)) == may

    @invariant()
    def a_change_moves_last_change_forward(self) -> None:
        for key, task in self.state.tasks.objects.items():
            old = self.before.get(key)
            if old is None or repr(old) == repr(task):
                continue
            only_parent = {**old, "parent": None} == {**task, "parent": None}
            assert task["last_change"] > old["last_change"] or only_parent
            assert task["last_update"] >= old["last_update"]
            assert task["last_change"] >= task["last_update"]

    @invariant()
    def nobody_is_in_a_queue_twice(self) -> None:
        for queue in self.state.queues.values():
            tasks = [entry["task"] for entry in queue["entries"]]
            assert len(tasks) == len(set(tasks))
            assert all(task in self.state.tasks.objects for task in tasks)

    @invariant()
    def indexes_say_what_a_look_at_all_objects_says(self) -> None:
        store = self.state.tasks
        for field in ("project", "status", "parent"):
            for value in {task.get(field) for task in store.objects.values()}:
                expected = {key for key, task in store.objects.items() if task.get(field) == value}
                assert {task["id"] for task in store.with_value(field, [value])} == expected
        for tag in ("s", "m1", "m2", "archived"):
            expected = {key for key, task in store.objects.items() if tag in task["system_tags"]}
            assert {task["id"] for task in store.with_value("system_tags", [tag])} == expected

    @invariant()
    def keyset_paging_yields_each_task_once(self) -> None:
        seen: dict[str, str] = {}
        since = "2000-01-01T00:00:00.000000+00:00"
        while True:
            body = {"last_change": [f">={since}"], "order_by": ["last_change"], "page_size": 500}
            page = ENDPOINTS["tasks.get_all"].handler(Call(self.state, "", body, self.now))["tasks"]
            new = [task for task in page if seen.get(task["id"]) != task["last_change"]]
            if not new:
                break
            assert [task["last_change"] for task in page] == sorted(task["last_change"] for task in page)
            seen.update({task["id"]: task["last_change"] for task in new})
            since = page[-1]["last_change"]
        assert seen == {key: task["last_change"] for key, task in self.state.tasks.objects.items()}


Calls.TestCase.settings = settings(max_examples=30, stateful_step_count=30)
TestCalls = Calls.TestCase
