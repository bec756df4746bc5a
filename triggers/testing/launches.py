"""What a firing would launch: the calls that it would make, without a server to make them to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triggers.actions.launching.request import launch_request
from triggers.base.errors import Usage
from triggers.model.events import Event
from triggers.model.launch_request import BASE_FIELDS, LaunchRequest
from triggers.model.launch_tags import LaunchTags
from triggers.testing.outcome import Declares, named


def launch(scheduler: Declares, trigger: str, changed: Event, base: Mapping[str, Any] | None = None) -> LaunchRequest:
    """Write the calls that a firing of this trigger for this object would make: bodies of tasks.clone and tasks.edit.

    Args:
        scheduler: holds the trigger.
        trigger: its name.
        changed: the object that fires it.
        base: the base task as `tasks.get_all` returns it, or the parts that matter ("hyperparams", "tags", ...).

    Raises:
        LaunchImpossible: the trigger calls a function.
        Usage: there is no such trigger for objects of this kind, or `base` has what is never read.
    """
    found = named(scheduler).get(trigger)
    if found is None or not changed.concerns(found.kind):
        raise Usage(f"no trigger {trigger!r} that looks at a {changed.kind}")
    body = {"id": "base", "name": "base task", "status": "completed", **(base or {})}
    unread = ", ".join(sorted(set(body) - {name.partition(".")[0] for name in BASE_FIELDS}))
    if unread:
        raise Usage(f"base: {unread} of the base task is never read")
    return launch_request(found, changed, body, LaunchTags.of("scheduler", "firing", "attempt"), None)
