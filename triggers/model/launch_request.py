"""What is read of a base task, and the calls that a launch consists of. `actions.launching.request` writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

#: What has to be read of a base task: whatever the clone call would replace, and what decides on the project.
BASE_FIELDS: Final = (
    "id", "name", "status", "tags", "system_tags", "hyperparams", "configuration", "container", "script.tag",
    "project",
)  # fmt: skip


@dataclass(frozen=True)
class LaunchRequest:
    """The body of `tasks.clone`, and if needed that of `tasks.edit` for the draft, without its "task"."""

    clone: dict[str, Any]
    edit: dict[str, Any] | None
