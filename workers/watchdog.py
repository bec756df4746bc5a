"""Each process watches itself get somewhere: takes what it sends itself, or ticks; else it ends.

Celery workers can stay up and consume nothing after Redis was reset (celery issues 8030, 10205, 10302), and
nothing from outside shows it. So every worker has a queue of its own, on the same connection as the others,
and sends itself a message: as soon as the connection brings no more answers of Redis, which come every second even
where nothing waits, and every few minutes in any case. One that is not taken in time ends the process: whatever
supervises it starts it again. `triggers.health` is the look from outside, for a process that is frozen.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any, Protocol

import redis
from celery import Celery
from celery.concurrency import solo
from celery.signals import beat_init, celeryd_after_setup, worker_ready, worker_shutting_down
from celery.worker import state
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError

from triggers.base.broker import ALIVE_QUEUES, broker_prefix
from triggers.base.errors import Usage
from triggers.base.logs import logger
from triggers.base.redis_address import refuse_unsupported
from triggers.base.redis_rights import refuse_lacking
from triggers.base.settings import settings
from triggers.health import Progress
from triggers.ledger import connect
from triggers.ledger.deployment import at_work, exclusions
from workers import failover, refusals
from workers.app import app

log = logger(__name__)

LOOK_SECONDS = 2.0
SEND_SECONDS = 10.0
#: A worker sends itself a message if its queues have brought no answer for so long: they bring one every second.
SILENT_SECONDS = 5.0
#: And so often in any case, since answers do not show that what is taken is carried out.
SURE_SECONDS = 300.0
#: A worker that takes nothing for so long, Redis answering, is ended; with `SEND_SECONDS`, within a minute.
TAKEN_WITHIN_SECONDS = 30.0
#: Messages that a dead worker left for itself are forgotten after so long, seconds.
FORGOTTEN_SECONDS = 300
#: Exit code of a process that gets nowhere (EX_SOFTWARE).
STUCK = 70

ALIVE = "triggers.alive"

#: Tells this process from others of the same name; process ids repeat in containers.
_PROCESS = uuid.uuid4().hex[:8]


@app.task(name=ALIVE)  # type: ignore[untyped-decorator]
def alive() -> None:
    """What a worker sends itself; that it was taken is all it says."""


class BrokerAnswers:
    """When Redis last answered the question of this worker for messages, with one or without."""

    def __init__(self) -> None:
        self._at = -math.inf

    def silent_seconds(self, now: float) -> float:
        """How long ago that was."""
        return now - self._at

    def listen(self, channel: Any) -> None:
        """Note the answers that a channel of kombu reads from now on."""
        read = channel.handlers["BRPOP"]

        def noted(*args: Any, **kwargs: Any) -> Any:
            try:
                found = read(*args, **kwargs)
            except Empty:
                self._at = time.monotonic()
                raise
            self._at = time.monotonic()
            return found

        channel.handlers["BRPOP"] = noted


#: Of this process, when it is a worker; `workers.consumer` lets it listen.
answers = BrokerAnswers()


class Role(Protocol):
    """What has to get somewhere."""

    name: str

    @property
    def note(self) -> str:
        """What people must know although a restart would not fix it, "" for nothing."""

    def stuck(self, now: float) -> str:
        """What is wrong at that time of the monotonic clock, "" when nothing is."""


class WorkerRole:
    """A worker takes its own messages. Not while every thread is busy: then it works, and takes none.

    In local mode the schedule ticks in the same process, and has to get somewhere too.
    """

    def __init__(self, celery: Celery, name: str, threads: int) -> None:
        self.celery, self.name, self.threads = celery, name, threads
        self.queue = own_queue(name)
        self.key = broker_prefix() + self.queue.name
        self.client = connect(settings().redis_url or "")
        self._next_send = self._next_sure = 0.0
        self._asks = False
        self._waiting_since: float | None = None
        self._taken = 0
        self._said = False

    def stuck(self, now: float) -> str:
        """Send another message where one is due, and say whether those sent before were taken."""
        is_silent = answers.silent_seconds(now) >= SILENT_SECONDS
        taken = state.total_count[ALIVE]
        if taken != self._taken or len(state.active_requests) >= self.threads:
            self._taken, self._waiting_since = taken, None
        if now >= self._next_send or (is_silent and not self._asks):
            self._next_send, self._asks = now + SEND_SECONDS, is_silent or now >= self._next_sure
            if self._asks:
                self._next_sure = now + SURE_SECONDS
            if not self._send():
                self._waiting_since = None  # Redis is away: a restart would fix nothing
                beat.excuse(now)
            elif self._asks and self._waiting_since is None:
                self._waiting_since = now
        waits = now - self._waiting_since if self._waiting_since is not None else 0.0
        return f"has taken nothing for {waits:.0f} s" if waits > TAKEN_WITHIN_SECONDS else beat.stuck(now)

    def _send(self) -> bool:
        try:
            if self._asks:
                self.celery.send_task(ALIVE, queue=self.queue, expires=FORGOTTEN_SECONDS, argsrepr="()")
                self.client.expire(self.key, FORGOTTEN_SECONDS)
            self._say_what_is_left_alone()
            at_work.say(self.client, f"{self.name}:{_PROCESS}", self._running())
        except (OperationalError, OSError, redis.RedisError) as failure:
            log.warning("could not send a message to itself: %s", failure)
            failover.look_for_primary(self.celery, failure)
            return False
        return True

    @property
    def note(self) -> str:
        """Which schedulers it leaves alone, and why."""
        return "; ".join(sorted(set(self._reasons().values())))

    def _reasons(self) -> dict[str, str]:
        from workers.runtime import runtime_if_made

        # not made here: a thread that watches must not wait for a lock of one that works
        made = runtime_if_made()
        return made.left_alone if made is not None else {}

    def _running(self) -> at_work.Running:
        of, (refused, why) = settings(), refusals.so_far()
        queues = tuple(name for name in self.celery.amqp.queues.consume_from if not name.startswith(ALIVE_QUEUES))
        return at_work.Running(queues, at_work.policy_of(of), at_work.key_names(of), refused, why)

    def _say_what_is_left_alone(self) -> None:
        reasons = self._reasons()
        if reasons or self._said:
            exclusions.say(self.client, f"{self.name}:{_PROCESS}", reasons)
            self._said = bool(reasons)


class BeatRole:
    """The beat that holds the schedule ticks; the one that waits for it only has to be there."""

    name = f"beat@{socket.gethostname()}"
    note = ""

    def __init__(self) -> None:
        self.ticked_at: float | None = None

    def stuck(self, now: float) -> str:
        """Whether the last tick is long ago."""
        silent = now - self.ticked_at if self.ticked_at is not None else 0.0
        return f"has not ticked for {silent:.0f} s" if silent > TAKEN_WITHIN_SECONDS else ""

    def excuse(self, now: float) -> None:
        """Do not count the time up to now: it could not tick."""
        self.ticked_at = now if self.ticked_at is not None else None


class Watch(threading.Thread):
    """Looks at a role every two seconds, writes it down for the look from outside, ends the process."""

    def __init__(self, role: Role, file: Path | None) -> None:
        super().__init__(name="watch", daemon=True)
        self.role, self.file = role, file
        self._ending = threading.Event()

    def run(self) -> None:
        """Look until the process ends."""
        while not self._ending.wait(LOOK_SECONDS):
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """One look."""
        stuck = self.role.stuck(now)
        if self.file is not None:
            try:
                Progress.of_this_process(self.role.name, stuck, self.role.note).write(self.file)
            except OSError as failure:
                log.error("cannot write progress to %s: %s", self.file, failure)
        if stuck and not self._ending.is_set():
            log.critical("%s %s; exiting, so that its supervisor restarts it", self.role.name, stuck)
            logging.shutdown()
            os._exit(STUCK)

    def rest(self) -> None:
        """The process is ending by itself, which may take as long as its work does."""
        self._ending.set()


def own_queue(name: str) -> Queue:
    """The queue of this process alone, unbound: nothing of it stays in Redis but what lies in it.

    Another worker that was given the same name by mistake has another queue, and takes none of its messages.
    """
    queue = f"{ALIVE_QUEUES}{name}:{_PROCESS}"
    return Queue(queue, exchange="", routing_key=queue)


#: Of this process, when it is a beat; `workers.beat` lets it tick.
beat = BeatRole()
_watches: list[Watch] = []


def refuse_redis(*, subscribes: bool = False) -> None:
    """End a process that cannot work with its Redis; Celery would swallow any other exception.

    `subscribes`: it takes messages from queues.
    """
    url = settings().redis_url or ""
    try:
        with connect(url) as client:
            refuse_unsupported(client, url)
            refuse_lacking(client, url, subscribes=subscribes)
    except Usage as refusal:
        raise SystemExit(str(refusal)) from refusal


def _watch(role: Role) -> None:
    _watches.append(Watch(role, settings().health_file))
    _watches[-1].start()


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def _consume_own_queue(sender: str, instance: Any, **_: Any) -> None:
    refuse_redis(subscribes=True)
    queue = instance.app.amqp.queues.select_add(own_queue(sender))
    queue.exchange = Exchange("")  # Celery has bound it to its default exchange, where it would stay without end


@worker_ready.connect  # type: ignore[untyped-decorator]
def _watch_worker(sender: Any, **_: Any) -> None:
    worker = sender.controller
    # a solo pool works on one at a time, whatever the concurrency says
    _watch(WorkerRole(worker.app, worker.hostname, 1 if isinstance(worker.pool, solo.TaskPool) else worker.concurrency))


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _rest(**_: Any) -> None:
    for watch in _watches:
        watch.rest()


@beat_init.connect  # type: ignore[untyped-decorator]
def _watch_beat(**_: Any) -> None:
    _watch(beat)
