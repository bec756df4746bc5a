"""The service task: the ClearML task that stands for a scheduler. The one place that needs the SDK's `Task`."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from triggers.base.errors import Usage
from triggers.base.logs import logger
from triggers.base.terminal import say
from triggers.clearml_api import Api, Credentials, console_lines, service
from triggers.clearml_api.names import find_project
from triggers.client import package_source
from triggers.model import Trigger
from triggers.model.server_names import problem_of_project
from triggers.sync.originals import ARTIFACT
from triggers.sync.sections import DESCRIPTIONS, write_sections

#: Where the original puts its service task.
DEFAULT_PROJECT, DEFAULT_NAME = "DevOps", "Scheduler"

#: The largest state of the original that is read, bytes: it has one line for each object and launch.
_LARGEST_STATE: Final = 256 * 2**20

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class OriginalState:
    """What the original left on its service task: the state that it saved, and the newest lines of its console."""

    text: str
    console: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True, slots=True)
class ServiceTask:
    """Id and identity of the service task; `handle` is the SDK's object.

    `made`: for this scheduler, so that it is ours to close. `remote`: an agent runs this process.
    """

    id: str
    project: str
    name: str
    handle: Any
    made: bool = True
    remote: bool = False

    @property
    def web(self) -> str:
        """Address of ClearML's web pages."""
        return "" if self.handle is None else str(self.handle.get_output_log_web_page()).partition("/projects/")[0]

    def send_away(self, queue: str, triggers: Sequence[Trigger], package: str | None = None) -> None:
        """Write the configuration and put the task into a queue; this process ends.

        Args:
            queue: its name.
            triggers: what is declared.
            package: where the agent gets this package from; where it is installed from here if not given.
        """
        if doubt := self.require_package(package):
            say(f"triggers: {doubt}", error=True)
        texts = write_sections(triggers)
        service.write_sections(Api(Credentials.resolve(), timeout_seconds=20), self.id, texts, DESCRIPTIONS)
        self.handle.execute_remotely(queue_name=queue, exit_process=True)

    def require_package(self, package: str | None = None) -> str:
        """Have this package in the requirements by which an agent runs the task; waits until the SDK has written them.

        Returns:
            Why an agent may not find it there, "" if nothing speaks against it.

        Raises:
            Usage: `package` is not a requirement of it.
        """
        if self.remote:  # the agent has installed what is recorded
            return ""
        known = dict(self.handle.get_requirements())
        before = known.get("pip") or ""
        text = before if isinstance(before, str) else "\n".join(before)
        found = package_source.recorded(text, package_source.installed(), package)
        if found.text != text:
            api = Api(Credentials.resolve(), timeout_seconds=20)
            service.write_requirements(api, self.id, {**known, "pip": found.text})
        return found.doubt

    def require_package_meanwhile(self, package: str | None) -> None:
        """The same beside what this process does: for who runs a copy of the task on an agent later."""

        def write() -> None:
            try:
                self.require_package(package)
            except Exception as failure:  # whatever the SDK raises; nothing that is served depends on it
                log.warning("cannot write the requirements of the service task: %s", failure)

        threading.Thread(target=write, name="requirements", daemon=True).start()

    def leave_running(self, api: Api, package: str | None = None) -> None:
        """Close the SDK's side and let the task run on: workers keep it, until a later one takes its place."""
        if self.made and not self.remote:
            self.require_package(package)
            service.write_runtime(api, self.id, {KEPT: "1"})
            self.handle.close()
            service.restart(api, self.id)


#: Runtime property of a service task that runs on without a process of its own.
KEPT = "triggers-kept"


def obtain(name: str | None, project: str | None) -> ServiceTask:
    """The current ClearML task of this process, or a service task made as the original makes it.

    It is a new one at each start, as it is with the original: resetting an earlier one would lose its state.

    Args:
        name: force a service task of this name even if there is a current task.
        project: its project.
    """
    from clearml import Task  # a second to import: only where a scheduler is started

    task = None if name else Task.current_task()
    made = task is None
    if task is None:
        task = _made(project or DEFAULT_PROJECT, name or DEFAULT_NAME)
    remote = not Task.running_locally()
    return ServiceTask(task.id, task.get_project_name() or "", task.name, task, made, remote)


def _made(project: str, name: str) -> Any:
    """A new service task, the main task of this process."""
    from clearml import Task

    # The SDK would fork a process for reporting, which outlives a killed parent by up to 30 s and doubles
    # its memory; a scheduler reports little, so that threads do. Only for a task of our own making.
    Task._report_subprocess_enabled = False
    try:
        return Task.init(
            project_name=project,
            task_name=name,
            task_type=Task.TaskTypes.service,
            reuse_last_task_id=False,
            auto_resource_monitoring=False,
        )
    except Exception as error:  # the SDK has no common class of errors
        reason = problem_of_project(project) or " ".join(str(error).split()) or type(error).__name__
        raise Usage(
            f"the service task {project}/{name} cannot be made: {reason[:300]}. Its name and project are "
            "force_create_task_name and force_create_task_project; a current ClearML task takes precedence over them"
        ) from error


def original_state(api: Api, task: ServiceTask, makers: Collection[str]) -> OriginalState | None:
    """What the original left on this task, or else on the latest of its project and name; None if it saved no state.

    Tasks of users other than `makers` do not count: anyone may give a task of their own that name.
    """
    project = find_project(api, task.project) if task.project else None
    query = {
        "order_by": ["-last_update"],
        "only_fields": ["id", "name", "user", "execution.artifacts"],
        "search_hidden": True,
    }
    scope = {"project": [project]} if project else {"id": [task.id]}
    found = api.call("tasks.get_all", query | scope | {"page": 0, "page_size": 500}).data["tasks"]
    alike = [
        one for one in found if one["id"] == task.id or (one.get("name") == task.name and one.get("user") in makers)
    ]
    for one in sorted(alike, key=lambda one: one["id"] != task.id):
        artifacts = (one.get("execution") or {}).get("artifacts") or ()
        if any(artifact.get("key") == ARTIFACT for artifact in artifacts):
            text = _artifact(one["id"])
            return None if text is None else OriginalState(text, console_lines.read(api, one["id"]))
    return None


def _artifact(task_id: str) -> str | None:
    from clearml import Task

    try:
        # as a file: the SDK's `get` unpickles what says that it is a pickle, and runs what is in it
        file = Path(Task.get_task(task_id=task_id).artifacts[ARTIFACT].get_local_copy(extract_archive=False))
        if file.stat().st_size <= _LARGEST_STATE:
            return file.read_text("utf-8")
        error: Exception = ValueError(f"it is larger than {_LARGEST_STATE:,} bytes")
    except Exception as failure:  # the SDK raises whatever the storage does
        error = failure
    log.error("cannot read the state that the original saved on %s: %s", task_id, error)
    return None
