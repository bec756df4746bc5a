"""Is somebody at work in every role, and does each get somewhere?"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from triggers.base.plural import plural
from triggers.ledger.history.alarms import EVICTION
from triggers.operate.doctor.findings import Finding
from triggers.operate.status import read_status
from triggers.operate.target import Target
from triggers.stages import table
from triggers.stages.quarantine import ALARM

#: How long workers have to answer, seconds.
_ANSWER_SECONDS: Final = 1.0

#: A beat counts its ticks, of which there is one a second. Looks at the count, and the pause between two.
_BEAT_LOOKS: Final = 6
_BEAT_LOOK_SECONDS: Final = 0.5

_START = "`clearml-triggers up`, or `celery -A clearml_triggers worker -Q {role}` with this TRIGGERS_REDIS_URL"


def look(target: Target) -> Iterator[Finding]:
    """Workers by role, the beat leader, progress of each stage, alarms."""
    if not target.running:
        words = "its private Redis does not run, so nothing runs; the next start catches up on changes"
        yield Finding("workers", "bad", words, "start its script, or `clearml-triggers up`")
        return
    yield from _workers(target)
    yield from _beat(target)
    status = read_status(target)
    for stage in status.stages:
        level: Any = "bad" if stage.state == "late" else "ok"
        to_do = f"look at the log of the {stage.name} workers, or restart them" if stage.state == "late" else ""
        yield Finding(f"{stage.name} progress", level, stage.words, to_do)
    for name, words in status.alarms.items():
        # what cannot be read and a Redis that evicts say themselves what to do
        to_do = "" if name.startswith((ALARM, EVICTION.name)) else "see `clearml-triggers holds list` and `history`"
        yield Finding("alarm", "bad", words, to_do)
    for worker, reason in status.left_alone.items():
        to_do = "give it a key pair of this workspace, stop it, or set a TRIGGERS_KEY_PREFIX of its own"
        yield Finding(f"worker {worker}", "bad", reason, to_do)
    if status.dead:
        yield Finding("dead letters", "warn", plural(status.dead, "dead letter"), "`clearml-triggers dead list`")
    if status.paused:
        yield Finding("pauses", "warn", plural(status.paused, "paused trigger"), "`clearml-triggers resume`")
    if status.muted:
        words = f"nobody is notified of {plural(status.muted, 'trigger')}"
        yield Finding("mutes", "warn", words, "`clearml-triggers unmute`")


def _workers(target: Target) -> Iterator[Finding]:
    counts = Counter(role for roles in _answering(target).values() for role in roles)
    for role in table.queues():
        if counts[role]:
            yield Finding(f"{role} workers", "ok", plural(counts[role], "answers", "answer"))
        else:
            yield Finding(f"{role} workers", "bad", "none answers", _START.format(role=role))


def _answering(target: Target) -> dict[str, list[str]]:
    """The workers that answer, with the roles of each."""
    from celery import Celery

    from triggers.base.broker import configuration, ignore_others
    from triggers.base.redis_address import RedisAddress

    ignore_others(os.environ)
    client = Celery("doctor", set_as_current=False)
    client.conf.update(configuration(RedisAddress.parse(_url(target))), broker_connection_retry_on_startup=False)
    answers: Any = client.control.inspect(timeout=_ANSWER_SECONDS).active_queues() or {}
    roles = table.queues()
    return {name: [queue["name"] for queue in queues if queue["name"] in roles] for name, queues in answers.items()}


def _url(target: Target) -> str:
    from pathlib import Path

    from triggers.local.redis_server import running_url

    return target.settings.redis_url or running_url(Path(target.where)) or ""


def _beat(target: Target) -> Iterator[Finding]:
    if _ticks(target):
        yield Finding("beat leader", "ok", "one ticks")
    elif target.settings.redis_url and _is_polled(target):
        yield Finding("beat leader", "ok", "no beat ticks, but polls happen: a worker of `up` ticks by itself")
    elif target.settings.redis_url:
        yield Finding(
            "beat leader", "bad", "nobody ticks", "`clearml-triggers up`, or `celery -A clearml_triggers beat`"
        )
    else:
        yield Finding("beat leader", "ok", "the worker of local mode ticks by itself")


def _ticks(target: Target) -> bool:
    """Whether a beat goes on counting."""
    said = target.ledger.beat_said()
    for _ in range(_BEAT_LOOKS if said else 0):
        time.sleep(_BEAT_LOOK_SECONDS)
        if target.ledger.beat_said() not in (said, ""):
            return True
    return False


def _is_polled(target: Target) -> bool:
    return read_status(target, last=0).stages[0].state != "late"
