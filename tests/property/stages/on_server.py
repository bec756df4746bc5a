"""What people, agents and objects do in a world, on the ClearML server and to the scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.property.stages.server import Server
from tests.property.stages.world import SCHEDULER, World
from triggers.ledger.firings.firing import trigger_digest
from triggers.model import Trigger

TRIGGERS = ["once", "single", "turning"]
AGENT_OUTCOMES = ["tasks.completed", "tasks.failed", "tasks.stopped"]


class OnServer:
    """Each method is one action; numbers pick what it is done to."""

    world: World
    server: Server
    objects: list[str]
    #: how often the tag appeared on an object
    rises: dict[str, int]
    #: paused triggers by their digest: how far tokens had gone when the pause was confirmed
    paused: dict[str, int]
    #: what is declared, what of it always is, and what the trigger that people edit may be
    triggers: list[Trigger]
    steady: list[Trigger]
    editable: list[Trigger]
    since_ms: int

    def declare(self, since_ms: Mapping[str, int] | None = None) -> None:
        """Register; `since_ms`: from when on changes count, as the service task keeps it."""
        self.world.ledger.registry.declare(
            self.triggers, origin="script", server_now_ms=self.since_ms, since_ms=since_ms
        )

    def object_fails(self, *_: object) -> None:
        made = self.server.call("tasks.create", {"name": f"object {len(self.objects)}", "type": "training"})["id"]
        self.server.call("tasks.started", {"task": made})
        self.server.call("tasks.failed", {"task": made})
        self.objects.append(made)

    def object_changes(self, which: int, much: int, *_: object) -> None:
        if not self.objects:
            return
        made = self.objects[which % len(self.objects)]
        hot = "hot" in self.server.tasks[made]["tags"]
        if much % 3 == 0:
            change = {"add_tags": [f"other {much}"]}
        elif hot:
            change = {"remove_tags": ["hot"]}
        else:
            change = {"add_tags": ["hot"]}
            self.rises[made] = self.rises.get(made, 0) + 1
        self.server.call("tasks.update_tags", {"ids": [made], **change})

    def agent_works(self, which: int, *_: object) -> None:
        """End what runs, or start the next in the queue."""
        for task in self.server.tasks.values():
            if task["status"] == "in_progress" and task["id"] not in self.objects:
                self.server.call(AGENT_OUTCOMES[which % 3], {"task": task["id"]})
                return
        entry = self.server.call("queues.get_next_task", {"queue": self.server.state.default_queue}).get("entry")
        if entry:
            self.server.call("tasks.started", {"task": entry["task"]})

    def person_copies(self, which: int, *_: object) -> None:
        """A copy of a launched ClearML task inherits its marks."""
        launched = [task for task in self.server.tasks if task in self.server.enqueued]
        if launched:
            original = launched[which % len(launched)]
            self.server.copies.add(self.server.call("tasks.clone", {"task": original})["id"])

    def person_pauses(self, which: int, *_: object) -> None:
        """Pause a trigger, or let it go on."""
        self.world.ledger.adopt_epoch()
        registry = self.world.ledger.registry
        id_ = f"task:{TRIGGERS[which % len(TRIGGERS)]}"
        if registry.snapshot().get(id_):
            registry.edit(lambda known, *_: {id_: replace(known.entries[id_], paused=not known.entries[id_].paused)})
            self.paused.pop(digest := trigger_digest(SCHEDULER, id_), None)
            if registry.snapshot().entries[id_].paused:
                self.paused[digest] = self.world.ledger.counter()

    def person_edits(self, which: int, much: int, *_: object) -> None:
        """Declare the trigger that people edit in another way, or no longer, or delete it, or pause it."""
        if not self.editable:
            return
        self.world.ledger.adopt_epoch()
        registry = self.world.ledger.registry
        kinds = self.editable[:-1]
        wanted: list[Trigger] = [] if which % 4 == 3 else [kinds[which % 4]]
        self.triggers = [*self.steady, *wanted, self.editable[-1]]
        self.world.trace.append(f"a person declares {[one.policy.overlap for one in wanted]}")
        if which % 4 == 3 and much % 2:
            registry.edit(lambda *_: {"task:edited": None})
        self.declare()
        if wanted and much % 3 == 0:
            paused = much % 2 == 0
            registry.edit(lambda known, _: {"task:edited": replace(known.entries["task:edited"], paused=paused)})

    def person_skips(self, which: int, *_: object) -> None:
        """Skip what waits of that trigger, or drop what is held."""
        if not self.editable:
            return
        self.world.ledger.adopt_epoch()
        if which % 2:
            self.world.ledger.by_hand.skip_waiting("task:edited", "a person says so")
            return
        hold = "pause:task:edited"
        held = [one.key for one in self.world.ledger.operations.held(hold)]
        self.world.ledger.operations.drop_held(hold, held, "a person")
