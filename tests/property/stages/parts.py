"""A world in which firings have several actions: what they send arrives call by call, like all else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import redis

from tests.property.stages.actors import Outcome, current
from tests.property.stages.interleaving import POINTS, STAGES, Interleaving
from tests.property.stages.world import SCHEDULER
from triggers.actions.action import Action
from triggers.actions.attempt import Attempt
from triggers.actions.table import ACTIONS
from triggers.base.errors import LaunchImpossible, ServerUnavailable
from triggers.ledger.firings.firing import firing_key
from triggers.model import make_trigger
from triggers.model.action import Lane


@dataclass
class Arrivals:
    """What receivers have taken. `keys`: how often by key; `launched`: the ClearML task that it named, by key."""

    keys: Counter[str] = field(default_factory=Counter)
    launched: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    postpone: Callable[[str, Callable[[], Any]], None] | None = None


class SteppedPost(Action):
    """Send a text. A receiver refuses "broken" for good, and "shaky" the first two times."""

    type: Literal["stepped_post"] = "stepped_post"
    host: str = ""
    text: str = ""
    on: Literal["object", "launched"] = "object"

    arrivals: ClassVar[Arrivals] = Arrivals()

    @property
    def lane(self) -> Lane:
        return "act"

    @property
    def receiver(self) -> str:
        return self.host

    @property
    def after_launch(self) -> bool:
        return self.on == "launched"

    def words(self) -> str:
        return f"send {self.text!r}"

    def carry_out(self, attempt: Attempt) -> None:
        key, launched, arrivals = attempt.firing.key, attempt.launched_id, self.arrivals

        def effect() -> None:
            arrivals.keys[key] += 1
            arrivals.texts[key] = self.text
            arrivals.launched[key] = launched
            if self.text == "shaky" and arrivals.keys[key] <= 2:
                raise ServerUnavailable("the receiver answers 500")
            if self.text == "broken":
                raise LaunchImpossible("the receiver answers 410")

        actor = current()
        if actor is None:
            effect()
        else:
            assert arrivals.postpone is not None
            actor.call("post", effect, ServerUnavailable, arrivals.postpone)
        attempt.launched("")


@contextmanager
def stepped_posts() -> Iterator[None]:
    """While it is entered, triggers can have the action."""
    ACTIONS["stepped_post"] = SteppedPost
    try:
        yield
    finally:
        del ACTIONS["stepped_post"]


def post(text: str, host: str, **fields: Any) -> dict[str, Any]:
    return {"type": "stepped_post", "text": text, "host": host, **fields}


#: The parts of a firing of the trigger `told`, by the end of their keys: the text, and what becomes of it.
PARTS = {"-1": "now", "-2": "later", "-3": "broken", "-4": "shaky", "-f0": "alarm"}
#: One receiver takes several, so that they line up for their turn; others go along with the ClearML server.
ACTIONS_OF_TOLD = [post("now", "r1"), post("later", "", on="launched"), post("broken", "r1"), post("shaky", "r1")]


#: Calls at which carrying out parts is cut off.
OF_ACT = ("post", "post", "post", "begin", "finish", "put_back", "line_up", "claim_held", "lease_release")


class InterleavedParts(Interleaving):
    """As ever, and with a trigger whose firings have parts, and one whose condition tells when it is over."""

    stages = (*STAGES, "act", "act", "act", "act")
    points = (*POINTS, "post", "post", "line_up", "claim_held", "begin", "finish")

    def __init__(self, servers: list[redis.Redis], clock: SimpleNamespace) -> None:
        super().__init__(servers, clock)
        self.arrivals = SteppedPost.arrivals = Arrivals(postpone=self._arrives_late)
        #: how often Redis has forgotten what it knew
        self.losses = 0
        base = {"type": "task", "base_task_id": self.world.base, "queue": "default"}
        told = make_trigger(
            "task", name="told", action=base, trigger_name="^object", trigger_on_status=["failed"],
            actions=ACTIONS_OF_TOLD, on_failed=[post("alarm", "r2")],
        )  # fmt: skip
        turning = make_trigger(
            "task", name="turning", action=base, trigger_name="^object", trigger_on_tags=["hot"],
            policy={"fire": "on_transition"}, actions=[post("open", "r2")], on_resolved=[post("close", "r2")],
        )  # fmt: skip
        self.triggers = [told, *(one for one in self.triggers if one.name != "turning"), turning]
        self.steady = list(self.triggers)
        self.declare()

    def _arrives_late(self, point: str, effect: Callable[[], Any]) -> None:
        """Nobody hears what the receiver says."""

        def unheard() -> None:
            with suppress(LaunchImpossible):
                effect()

        self.world.postpone_call(point, unheard)

    def restart(self, which: int, *rest: object) -> None:
        before = self.world.restarts
        super().restart(which, *rest)
        self.losses += self.world.restarts - before

    def restore(self, *rest: object) -> None:
        super().restore(*rest)
        self.losses += bool(self.world.snapshot)

    def acts(self, which: int, much: int, outcome: Outcome) -> None:
        """A worker carries out parts up to a call of one sort, which ends as given."""
        process = self.world.processes[which % 3]
        actor = next((one for one in process.actors if one.name.endswith(":act")), None)
        if actor is None:
            if len(process.actors) >= 2:
                return
            self.world.expire()
            actor = process.begin("act")
        for _ in range(60):
            if actor.ended or OF_ACT[much % len(OF_ACT)] in actor.point:
                break
            self.world.resume(actor)
        if not actor.ended and outcome != "ok":
            self.world.resume(actor, outcome)

    def launches(self, *_: object) -> None:
        """Everything granted is launched, so that there are parts."""
        self.world.expire()
        self.world.serve("dispatch")

    def person_retries(self, *_: object) -> None:
        """Retry every dead letter."""
        self.world.trace.append("a person retries dead letters")
        for dead in self.world.ledger.operations.dead():
            self.world.ledger.operations.retry_dead(dead.key)

    def person_drops(self, which: int, *_: object) -> None:
        """Drop a dead letter."""
        found = self.world.ledger.operations.dead()
        if found:
            dropped = found[which % len(found)]
            self.world.trace.append(f"a person drops {dropped.key}")
            self.world.ledger.operations.drop_dead([dropped.key], "a person")

    def round(self) -> None:
        super().round()
        for _ in range(2):
            self.world.expire()
            self.world.serve("act")


def key_of_told(made: str) -> str:
    return firing_key(SCHEDULER, "task:told", made, 1)


def parts_are_as_granted(run: InterleavedParts) -> None:
    """What arrives has the key of a part of a firing, always the same text; a launch is named by its own id."""
    expected = {f"{key_of_told(made)}{part}": text for made in run.objects for part, text in PARTS.items()}
    for made in run.objects:
        for number in range(1, run.rises.get(made, 0) + 1):
            key = firing_key(SCHEDULER, "task:turning", made, number)
            expected |= {f"{key}-1": "open", f"{key}-r0": "close"}
    assert run.arrivals.texts.items() <= expected.items(), str(run.arrivals.texts.items() - expected.items())
    for key, launched in run.arrivals.launched.items():
        # what need not wait for the launch knows of it where the firing was found launched
        told = launched or run.arrivals.texts[key] == "later"
        assert not told or run.server.enqueued[launched] == 1, f"{key} tells of {launched}, which was not launched"


def no_part_is_done_twice(run: InterleavedParts) -> None:
    """A part is done once under its key, however often it was tried; again only where Redis forgot that."""
    done = Counter(entry.firing for entry in run.world.ledger.history.read() if entry.what == "acted")
    again = {key: count for key, count in done.items() if count > 1 + run.losses}
    assert not again, f"done again: {again}"


def missing_parts(run: InterleavedParts) -> list[str]:
    """Parts that have not arrived, or not come to their end: one that fails stops no other."""
    left = []
    for made in run.objects:
        for part, text in PARTS.items():
            key = f"{key_of_told(made)}{part}"
            firing = run.world.ledger.firings.get(key)
            ends = ("dead", "dropped") if text == "broken" else ("launched",)
            if not run.arrivals.keys[key] or firing is None or firing.state not in ends:
                left.append(f"{text} {key}: {firing.state if firing else 'no record'}")
    return left
