"""What triggers mean, how launches are made and what the service task keeps: the same on older servers."""

from __future__ import annotations

from tests.integration.service.conftest import ServiceWorld
from tests.integration.service.test_keeping import *  # noqa: F403
from tests.integration.service.test_keeping import _eager  # noqa: F401 - its settings for every test here
from tests.integration.stages.test_launching import *  # noqa: F403
from tests.integration.stages.test_meanings import *  # noqa: F403
from triggers.clearml_api import require_supported, service


def test_they_are_served(service_world: ServiceWorld) -> None:
    require_supported(service_world.api)


def test_runtime_is_written_for_want_of_its_call(service_world: ServiceWorld) -> None:
    world = service_world
    service.write_runtime(world.api, world.service, {"one": "1", "two": "2"})
    service.write_runtime(world.api, world.service, {"three": "3"}, remove=["one"])
    runtime = world.task()["runtime"]
    assert {name: runtime.get(name) for name in ("one", "two", "three")} == {"one": None, "two": "2", "three": "3"}
    assert world.sandbox.control.counts()["tasks.edit_runtime"] == 1, "it is not tried again"


def test_runtime_that_another_writer_replaced_meanwhile_is_written_again(service_world: ServiceWorld) -> None:
    """Two writers that read before either wrote: what the first wrote is gone, and both see that."""
    world, edit = service_world, service_world.api.call
    others = {"other": "o"}

    def call(endpoint: str, body: dict[str, object]) -> object:
        answer = edit(endpoint, body)
        if endpoint == "tasks.edit" and others:
            edit("tasks.edit", {"task": world.service, "runtime": dict(others), "force": True})
            others.clear()
        return answer

    world.api.call = call  # type: ignore[method-assign,assignment]
    service.write_runtime(world.api, world.service, {"mine": "m"})
    runtime = world.task()["runtime"]
    assert (runtime.get("mine"), runtime.get("other")) == ("m", "o")
