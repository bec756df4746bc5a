"""For users' own tests: what would a scheduler do? No server, no Redis; the very functions that decide in production.

`check` asks about one described object, `Simulation` about changes one after the other, `launch` what the
launched ClearML task would be given. What depends on other runs (`single_instance`, pace, pauses) is left out.
"""

from triggers.rules.conditions import Clause
from triggers.testing.launches import launch
from triggers.testing.objects import dataset, model, schedule, task
from triggers.testing.outcome import Outcome, check
from triggers.testing.simulation import Fired, Simulation

__all__ = ["Clause", "Fired", "Outcome", "Simulation", "check", "dataset", "launch", "model", "schedule", "task"]
