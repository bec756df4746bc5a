"""Changes of every kind on the ClearML server. What has several rounds waits in each for the one before.

A round is a generator that yields what has to be true before it goes on, so that one thread carries out all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.chaos.facts import Observer
from tests.chaos.plan import KINDS, Change
from tests.chaos.script import PROJECT
from triggers.sandbox.client import Client

Life = Iterator[Callable[[], bool]]
#: statuses in which the reused ClearML task is not free
BUSY = ("queued", "in_progress")
#: so long after Redis forgot its last seconds nobody waits any more for a transition of before
MISSED_SECONDS = 20.0


class Changes:
    """Carries out the changes of a plan.

    Args:
        client: of the ClearML server, as a person.
        observer: tells what has run.
        saw_it_end: whether the system has seen that the condition of (trigger, object id) does not hold any more.
        promoted_at: when Redis was replaced by a copy that lags: a transition may be missed then.
    """

    def __init__(
        self,
        client: Client,
        observer: Observer,
        saw_it_end: Callable[[str, str], bool],
        promoted_at: Sequence[float] = (),
    ) -> None:
        self.client, self.observer, self.saw_it_end, self.promoted_at = client, observer, saw_it_end, promoted_at
        self.project = self._project(PROJECT)

    def call(self, endpoint: str, **body: Any) -> Any:
        return self.client.call(endpoint, body)

    def _project(self, name: str, **fields: Any) -> str:
        return str(self.call("projects.create", name=name, description="", **fields)["id"])

    def task(self, name: str, **fields: Any) -> str:
        body = {"name": name, "type": "training", "project": self.project} | fields
        return str(self.call("tasks.create", **body)["id"])

    def steps(self, task: str, *steps: str) -> None:
        for step in steps:
            self.call(f"tasks.{step}", task=task)

    def begin(self, change: Change) -> Life:
        """Make a change's first step; the rest follows as the generator is asked."""
        life = getattr(self, "_" + change.kind.replace("-", "_"))
        yield from life(*change.objects)

    # ---- once ----
    def _failed(self, name: str) -> Life:
        self.steps(self.task(name), "started", "failed")
        yield from ()

    def _tagged(self, *names: str) -> Life:
        ids = [self.task(name) for name in names]
        self.call("tasks.update_tags", ids=ids, add_tags=["go"])
        yield from ()

    _called = _queued = _skipped = _quiet = _told = _tagged
    _own = _watched = _returning = _failed

    def _published(self, name: str) -> Life:
        self.steps(self.task(name), "started", "stopped", "publish")
        yield from ()

    def _archived(self, name: str) -> Life:
        self.call("tasks.archive", tasks=[self.task(name)])
        yield from ()

    def _threshold(self, name: str) -> Life:
        id_ = self.task(name)
        self.steps(id_, "started")
        for number, value in enumerate((0.2, 0.95, 0.5)):
            event = {"type": "training_stats_scalar", "task": id_, "metric": "accuracy", "variant": "validation"}
            self.client.call("events.add_batch", [event | {"iter": number, "value": value}])  # type: ignore[arg-type]
        yield from ()

    def _model(self, name: str) -> Life:
        id_ = self.call("models.create", uri="s3://b/m", name=name, project=self.project)["id"]
        self.call("models.publish_many", ids=[id_])
        yield from ()

    def _model_of_task(self, name: str) -> Life:
        task = self.task(f"maker of {name}")
        id_ = self.call("models.create", uri="s3://b/m", name=name, project=self.project, task=task)["id"]
        self.call("tasks.add_or_update_model", task=task, name="m", type="output", model=id_)
        self.steps(task, "started", "stopped")
        self.call("tasks.publish", task=task, publish_model=True)
        yield from ()

    def _version(self, name: str) -> str:
        hidden = self._project(f"{PROJECT}/.datasets/{name}", system_tags=["hidden"])
        return self.task(name, type="data_processing", system_tags=["dataset"], project=hidden)

    def _dataset(self, name: str) -> Life:
        self.steps(self._version(name), "started", "completed")
        yield from ()

    def _dataset_published(self, name: str) -> Life:
        self.steps(self._version(name), "started", "completed", "publish")
        yield from ()

    # ---- in rounds ----
    def _rounds(self, kind: str, name: str) -> Iterator[tuple[str, Callable[[], bool]]]:
        """In each round the tags change once more; with it, what tells that its launch has run."""
        id_ = self.task(name)
        for number in range(1, KINDS[kind].rounds + 1):
            before = self.observer.runs()[kind, name]
            self.call("tasks.update_tags", ids=[id_], add_tags=["go", f"round {number}"])
            yield id_, self._or_missed(lambda before=before: self.observer.runs()[kind, name] > before)  # type: ignore[misc]

    def _or_missed(self, has_run: Callable[[], bool]) -> Callable[[], bool]:
        """Whether it has run, or was missed as far as can be seen: Redis has forgotten something since, long ago."""
        began = time.monotonic()

        def is_over() -> bool:
            forgot = any(at > began and time.monotonic() > at + MISSED_SECONDS for at in self.promoted_at)
            return has_run() or forgot

        return is_over

    def _every_change(self, name: str) -> Life:
        for _, has_run in self._rounds("every-change", name):
            yield has_run

    def _transition(self, name: str) -> Life:
        for id_, has_run in self._rounds("transition", name):
            yield has_run
            self.call("tasks.update_tags", ids=[id_], remove_tags=["go"])
            yield lambda id_=id_: self.saw_it_end("task:transition", id_)  # type: ignore[misc]

    def _reused(self, name: str) -> Life:
        before = 0
        for _ in self._rounds("reused", name):
            yield self._or_missed(lambda before=before: self.observer.reused_runs() > before)  # type: ignore[misc]
            before = self.observer.reused_runs()
            yield self._reused_is_free

    def _reused_is_free(self) -> bool:
        body = {"id": [self.observer.reused], "only_fields": ["status"], "search_hidden": True}
        return self.call("tasks.get_all", **body)["tasks"][0]["status"] not in BUSY
