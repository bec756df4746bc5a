"""A script killed while it registers, at every point of that; its next start registers whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash import report
from tests.crash.edges import FOLDER, Control
from tests.crash.nursery import Nursery
from tests.crash.processes import eventually, parent
from tests.crash.script_main import NAME, SERVICE, TRIGGER
from tests.crash.world import World


class Script:
    """Starts the script of one world, each time with another trigger."""

    def __init__(self, world: World, nursery: Nursery, folder: Path) -> None:
        self.world, self.nursery, self.folder = world, nursery, folder
        self.control = Control(folder)
        self.version = 0

    def edit(self) -> None:
        """The script is changed: it declares a trigger of another name, and no longer the one before."""
        self.version += 1

    def run(self) -> bool:
        """Run it to its end; whether it came there."""
        trigger = self.world.trigger(name=f"version {self.version}")
        (self.folder / "registered").unlink(missing_ok=True)
        identity = {SERVICE: self.world.service, NAME: self.world.name, TRIGGER: trigger.to_json()}
        environment = {**self.world.workers.environment, **identity, **parent(), FOLDER: str(self.folder)}
        child = self.nursery.start("script_main", environment, self.folder / "script.log")
        eventually(lambda: child.poll() is not None, "the script ends")
        return (self.folder / "registered").exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_script_killed_while_it_registers(make_world: Callable[..., World], nursery: Nursery, tmp_path: Path) -> None:
    world = make_world()
    world.begin(world.trigger())
    script = Script(world, nursery, tmp_path / "script")
    script.control.trace()
    script.edit()
    assert script.run(), "it registers"
    points = script.control.traced()
    assert "store:registry_write" in {point.edge for point in points}
    changed: list[str] = []
    between: list[str] = []
    for point in points:
        script.edit()
        number = script.control.arm(point, "kill")
        assert not script.run(), f"{point}: it is killed"
        assert script.control.hit(number), f"{point}: and there"
        between.append(world.fail_task())  # whichever trigger is registered now; the next start may retire it
        assert script.run(), f"{point}: it registers at its next start"
        world.wait_for_poll()
        failed = world.fail_task()
        eventually(lambda: world.runs()[failed], f"{point}: it fires\n{world.log()}")  # noqa: B023
        changed.append(failed)
        report.tally("kill while registering").done += 1
    eventually(lambda: not world.ledger.due("dispatch"), "nothing is left to do")
    assert all(world.runs()[id_] == 1 for id_ in changed)
    granted = Counter(entry.object for entry in world.ledger.history.read(count=100_000) if entry.what == "granted")
    assert all(world.runs()[id_] <= granted[id_] for id_ in between)
