"""Real scripts with the real SDK: what they ask the server at rest, and how soon one that is aborted ends."""

from __future__ import annotations

import sys
import textwrap
import time
from collections import Counter

import pytest

from tests.acceptance.conftest import Desk, desk, eventually
from tests.integration.service.counting_proxy import CountingProxy
from tests.integration.service.test_processes import program, service_tasks

__all__ = ["desk"]

pytestmark = [pytest.mark.slow, pytest.mark.sandbox_control]

CELERY = (sys.executable, "-m", "celery", "-A", "clearml_triggers")
POLLS = "tasks.get_all_ex"

#: One scheduler for each way to run it: with a model trigger in local mode, without one in a cluster.
RESTING = """
    from triggers import TriggerScheduler

    scheduler = TriggerScheduler(
        pooling_frequency_minutes=1 / 60, force_create_task_project="DevOps", force_create_task_name={name!r}
    )
    queue = {{"schedule_task_id": {base!r}, "schedule_queue": "default", "task_parameters": {parameters!r}}}
    scheduler.add_task_trigger(name="on failure", trigger_on_status=["failed"], **queue)
    if {models}:
        scheduler.add_model_trigger(name="on publish", trigger_on_publish=True, **queue)
    scheduler.{verb}()
"""


def script(desk: Desk, name: str, **filled: object) -> tuple[str, str]:
    text = textwrap.dedent(RESTING).format(name=name, base=desk.base, **{"parameters": None, **filled})
    return sys.executable, str(desk.write(f"{name}.py", text))


def through(proxy: CountingProxy, **more: str) -> dict[str, str]:
    """The environment of a program whose requests the proxy counts."""
    return {f"CLEARML_{kind}_HOST": proxy.url for kind in ("API", "WEB", "FILES")} | more


def polls(proxy: CountingProxy) -> int:
    return proxy.counts()[POLLS]


@pytest.mark.timeout(500)
def test_at_rest_polls_are_all_that_is_asked(desk: Desk, redis_url: str) -> None:
    """Counted by proxies over two minutes: local mode, and a cluster of workers that serves a registered scheduler."""
    cluster_redis = {"TRIGGERS_REDIS_URL": redis_url}
    with CountingProxy(desk.sandbox.url) as local, CountingProxy(desk.sandbox.url) as cluster:
        desk.run(*script(desk, "local", models=True, verb="start"), **through(local))
        environment = through(cluster, **cluster_redis)
        registering = desk.run(*script(desk, "cluster", models=False, verb="register"), **environment)
        assert registering.wait(60) == 0, desk.output()
        for number, queues in enumerate(("poll", "match,dispatch")):
            desk.run(*CELERY, "worker", "-Q", queues, "-n", f"w{number}@%h", "-c", "1", **environment)
        desk.run(*CELERY, "beat", **environment)
        both = (local, cluster)
        eventually(lambda: all(polls(one) >= 30 for one in both), "both poll", seconds=120, told=desk.output)
        before = [one.counts() for one in both]
        began = [polls(one) for one in both]
        eventually(
            lambda: all(polls(one) - at >= 120 for one, at in zip(both, began, strict=True)),
            "two minutes of polls",
            seconds=360,
            told=desk.output,
        )
        made = [one.counts() - at for one, at in zip(both, before, strict=True)]
    for counts, bound in zip(made, (2.05, 1.05), strict=True):
        assert sum(counts.values()) <= bound * counts[POLLS], dict(counts)


def serving(desk: Desk) -> str:
    """Start a script; the id of its service task once it serves."""
    desk.run(
        sys.executable,
        program(desk, "resting.py", "resting = made()\nresting.sync_frequency_minutes = 15\nresting.start()"),
    )
    eventually(lambda: desk._registered(), "it serves", told=desk.output)
    return str(service_tasks(desk)[-1]["id"])


def test_an_aborted_service_task_ends_the_script_by_the_next_poll(desk: Desk) -> None:
    """Counted in polls, of one second each: one that sees it, and what begins while the script looks and asks."""
    task = serving(desk)
    eventually(lambda: desk._registered() >= 30, "it rests", told=desk.output)
    before = desk._registered()
    desk.call("tasks.stopped", task=task, force=True)
    eventually(lambda: "was aborted" in desk.output(), "it is told", told=desk.output)
    assert desk._registered() - before <= 4
    assert desk.started[0].wait(60) == 1, desk.output()
    (found,) = desk.call("tasks.get_all", id=[task])["tasks"]
    assert found["status"] == "stopped"


def test_the_monitor_of_the_sdk_is_silent(desk: Desk) -> None:
    """It asks for the task's status every two seconds otherwise."""
    serving(desk)
    eventually(lambda: desk.sandbox.control.counts().get(POLLS, 0) >= 10, "it polls", told=desk.output)
    before, began = Counter(desk.sandbox.control.counts()), time.monotonic()
    eventually(lambda: time.monotonic() - began > 30, "half a minute at rest")
    made = Counter(desk.sandbox.control.counts()) - before
    assert made["tasks.get_all"] <= 4, made  # the monitor alone makes 15
    assert made["tasks.ping"] <= 2, made
