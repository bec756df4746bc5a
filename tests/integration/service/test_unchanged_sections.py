"""Sections with the text of before are not read again; any other text is."""

from __future__ import annotations

import pytest

from tests.integration.service.conftest import ServiceWorld
from triggers.sync import configure, sections


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds whose sections were read."""
    kinds: list[str] = []

    def counted(kind: str, *rest: object) -> object:
        kinds.append(kind)
        return sections.read_section(kind, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(configure, "read_section", counted)
    return kinds


def test_what_sync_wrote_is_never_read(service_world: ServiceWorld, read: list[str]) -> None:
    world = service_world
    world.declare(*(world.trigger(name=f"t{n}", trigger_project="P") for n in range(5)))
    assert world.sync().sections == 3
    for _ in range(3):
        assert (world.sync().edits, world.sync().sections) == (0, 0)
    assert read == []


def test_a_change_of_one_kind_reads_that_section_alone(service_world: ServiceWorld, read: list[str]) -> None:
    world = service_world
    world.declare(world.trigger(), world.trigger("model", "models", trigger_project="P"))
    world.sync()
    (item,) = world.section("task")
    world.edit_section("task", [item | {"on_status": ["completed"]}])
    assert world.sync().edits == 1
    assert read == ["task"]
    assert world.registered("task:on failure").trigger_on_status == ("completed",)


def test_a_change_of_the_registry_is_written_without_reading(service_world: ServiceWorld, read: list[str]) -> None:
    world = service_world
    world.declare(world.trigger(), world.trigger(name="other"))
    world.sync()
    world.edit_section("task", list(reversed(world.section("task"))))
    world.sync()
    read.clear()
    world.declare(world.trigger(trigger_on_status=["stopped"]), world.trigger(name="other"))
    done = world.sync()
    assert (done.edits, done.sections) == (0, 1)
    assert read == []
    assert [item["name"] for item in world.section("task")] == ["other", "on failure"], "a person's order stays"
    assert world.section("task")[1]["on_status"] == ["stopped"]


def test_a_section_that_cannot_be_read_is_read_again_after_any_change(
    service_world: ServiceWorld, read: list[str]
) -> None:
    world = service_world
    world.declare(world.trigger())
    world.sync()
    world.edit_section("task", "[nonsense")
    world.sync()
    world.sync()
    assert read == ["task"]
    world.declare(world.trigger(), world.trigger("model", "models", trigger_project="P"))
    world.sync()
    assert read == ["task", "task"]


def test_another_setting_of_sections_reads_them_again(service_world: ServiceWorld, read: list[str]) -> None:
    world = service_world
    world.declare(world.trigger())
    world.sync()
    world.ctx.settings = world.settings.model_copy(update={"sections": "none"})
    world.sync()
    assert "task" in read
