"""The base task as a question: which ClearML task a launch clones, decided at each firing."""

from __future__ import annotations

from pydantic import model_validator

from triggers.model.frozen import Frozen
from triggers.model.values import Names, Project, Text, wrong


class BaseTaskQuery(Frozen):
    """The base task as a question, answered anew at each firing: the newest ClearML task that fits.

    `project` and `name` are exact, the project is not recursive, all `tags` must be present.
    """

    project: Project = None
    name: Text = None
    tags: Names = ()

    @model_validator(mode="after")
    def _asks_something(self) -> BaseTaskQuery:
        if not (self.project or self.name or self.tags):
            raise wrong("give at least one of 'project', 'name' and 'tags'", "schedule_task_query", {})
        return self

    def words(self) -> str:
        """Which ClearML task it means."""
        parts = [f"project {self.project}" if self.project else "", f"name {self.name}" if self.name else ""]
        parts.append(f"tags {', '.join(self.tags)}" if self.tags else "")
        return f"the newest ClearML task of {', '.join(filter(None, parts))}"

    def cell(self) -> str:
        """The same as a cell of a table."""
        given = {"project": self.project, "name": self.name, "tags": ", ".join(self.tags)}
        return "; ".join(f"{name}: {value}" for name, value in given.items() if value)
