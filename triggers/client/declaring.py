"""The triggers that a script has declared. The `add_*` calls, spelled out for editors, are in files of their own."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # importing this module is cheap: what validates is imported where it is used
    from clearml.automation.trigger import BaseTrigger

    from triggers.client.declaration import Declaration
    from triggers.model import Trigger
    from triggers.model.kinds import Kind


class Declaring:
    """Collects validated triggers."""

    def __init__(self, check: Callable[[Trigger], None] | None) -> None:
        """Begin with none; `check` is called with each new trigger before it is added."""
        self._check = check
        self._declared: dict[Kind, dict[str, Declaration]] = defaultdict(dict)

    def get_triggers(self) -> list[BaseTrigger]:
        """List the declared triggers as objects of the SDK's trigger classes: models, then datasets, then tasks.

        Returns:
            Copies: changing one does not change the scheduler. Their `project` is a name where no id is known.
        """
        from triggers.model.sdk import sdk_trigger

        objects = (each for each in self.declarations if each.trigger.of_objects)
        return [sdk_trigger(each.trigger, each.function) for each in objects]

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        """What has been added so far: models first, then datasets, tasks and schedules, each in order."""
        from triggers.model.kinds import KINDS

        return tuple(each for kind in KINDS for each in self._declared[kind].values())

    def _add(self, kind: Kind, arguments: dict[str, Any]) -> bool:
        from triggers.client.declaration import declare

        del arguments["self"]
        caller = sys._getframe(2)
        place = f"{PurePath(caller.f_code.co_filename).name}:{caller.f_lineno}"
        return self.declare(declare(kind, arguments, self._declared[kind], place))

    def declare(self, declaration: Declaration) -> bool:
        """Add a trigger that was read elsewhere, such as in a file.

        Args:
            declaration: what was read.

        Returns:
            True.
        """
        if self._check is not None:
            self._check(declaration.trigger)
        from triggers.model import check_new

        check_new(declaration.trigger)
        self._declared[declaration.trigger.kind][declaration.trigger.name] = declaration
        return True
