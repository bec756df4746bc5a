"""Simulated agents: they take tasks from queues and let them run, fail, be aborted or be deleted."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, get_args

from .errors import ApiError

if TYPE_CHECKING:
    from .app import App

RunEnd = Literal["complete", "fail", "abort", "delete", "run"]
OUTCOMES = get_args(RunEnd)
#: pause between two looks into an empty queue
IDLE_SECONDS = 0.02
_numbers = count(1)


@dataclass
class Agent:
    """One agent and what it does with its tasks."""

    queue: str
    #: what becomes of a task; several are taken in turn; "run": it goes on running
    outcomes: list[str] = field(default_factory=lambda: ["complete"])
    #: pause between fetching a task and starting it
    start_seconds: float = 0.0
    #: how long a task runs
    run_seconds: float = 0.0
    #: how many tasks run at once
    slots: int = 8
    id: int = field(default_factory=lambda: next(_numbers))

    def __post_init__(self) -> None:
        wrong = [outcome for outcome in self.outcomes if outcome not in OUTCOMES]
        if wrong or not self.outcomes:
            raise ValueError(f"no such outcome: {wrong or 'none given'}; there are {', '.join(OUTCOMES)}")

    @property
    def name(self) -> str:
        """The worker name that it calls itself by."""
        return f"sandbox-agent:{self.id}"


class AgentCrew:
    """The agents at work, and a log of every run that one of them started."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.agents: dict[int, Agent] = {}
        self.starts: list[dict[str, Any]] = []
        self._jobs: dict[int, asyncio.Task[None]] = {}

    def hire(self, agent: Agent) -> Agent:
        """Begin to take tasks from the queue, which is given by id or name."""
        state = self.app.state
        queue = state.queues.get(agent.queue) or state.queue_named(agent.queue)
        if queue is None:
            queue = state.add_queue(agent.queue, state.made)
        agent.queue = queue["id"]
        body = {"worker": agent.name, "queues": [agent.queue]}
        self.app.call("workers.register", body, agent.name)
        self.agents[agent.id] = agent
        self._jobs[agent.id] = asyncio.get_running_loop().create_task(self._work(agent))
        return agent

    def dismiss(self, number: int | None = None) -> None:
        """Stop one agent, or all and forget their log; tasks they run stay as they are."""
        for key in [number] if number is not None else list(self._jobs):
            job = self._jobs.pop(key, None)
            self.agents.pop(key, None)
            if job is not None:
                job.cancel()
        if number is None:
            self.starts = []

    def shown(self) -> list[dict[str, Any]]:
        """The agents as JSON."""
        return [asdict(agent) for agent in self.agents.values()]

    async def _work(self, agent: Agent) -> None:
        taken = 0
        async with _Running() as running:
            while True:
                if len(running.jobs) >= agent.slots:
                    await asyncio.sleep(IDLE_SECONDS)
                    continue
                fetched = self._fetch(agent)
                if fetched is None:
                    await asyncio.sleep(IDLE_SECONDS)
                    continue
                outcome = agent.outcomes[taken % len(agent.outcomes)]
                taken += 1
                running.start(self._run(agent, fetched, outcome))

    def _fetch(self, agent: Agent) -> str | None:
        try:
            queue = self.app.state.queues.get(agent.queue)
            if queue is None or not queue["entries"]:
                return None
            answer = self.app.call("queues.get_next_task", {"queue": agent.queue}, agent.name)
        except ApiError:
            return None
        return answer["entry"]["task"] if answer else None

    async def _run(self, agent: Agent, task: str, outcome: str) -> None:
        await asyncio.sleep(agent.start_seconds)
        try:
            self.app.call("tasks.started", {"task": task}, agent.name)
            at = self.app.clock.now(agent.name)
            self.starts.append({"task": task, "agent": agent.id, "at": at, "outcome": outcome})
            await asyncio.sleep(agent.run_seconds)
            if outcome == "complete":
                self.app.call("tasks.completed", {"task": task}, agent.name)
            elif outcome == "fail":
                self.app.call("tasks.failed", {"task": task, "status_reason": "failed"}, agent.name)
            elif outcome == "abort":
                self.app.call("tasks.stopped", {"task": task}, agent.name)
            elif outcome == "delete":
                self.app.call("tasks.delete", {"task": task, "force": True}, agent.name)
        except ApiError:
            return  # someone else was faster: the task is gone, or no longer waiting


class _Running:
    """The tasks that an agent runs; they end with it."""

    def __init__(self) -> None:
        self.jobs: set[asyncio.Task[None]] = set()

    def start(self, coroutine: Any) -> None:
        job = asyncio.get_running_loop().create_task(coroutine)
        self.jobs.add(job)
        job.add_done_callback(self.jobs.discard)

    async def __aenter__(self) -> _Running:
        return self

    async def __aexit__(self, *_: object) -> None:
        for job in self.jobs:
            job.cancel()
