"""What a registration warns of, and that it goes on all the same."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.client.checks import MissingOnServer, WithoutCondition, lacking, missing, warn_of_missing


def test_what_the_server_has_is_not_warned_of(world: World) -> None:
    world.call("projects.create", name="Here", description="")
    assert missing(world.api, [world.trigger(trigger_project="Here", trigger_on_status=["failed"])]) == []


def test_each_missing_name_is_one_warning_that_says_what_will_happen(world: World) -> None:
    nowhere = "0" * 31 + "1"
    lost = world.trigger(
        name="lost",
        trigger_project="Not yet",
        trigger_on_status=["failed"],
        action={"base_task_id": nowhere, "queue": "no queue"},
    )
    project, base, queue = missing(world.api, [lost, world.trigger(name="fine")])
    assert "trigger 'lost': trigger_project='Not yet' is not on the server" in project
    assert "nothing matches until" in project
    assert f"schedule_task_id='{nowhere}'" in base
    assert "dead letter" in base
    assert "schedule_queue='no queue'" in queue
    assert "retried until it is created" in queue
    with pytest.warns(MissingOnServer, match="trigger 'lost'"):
        warn_of_missing(world.api, [lost])


def test_a_project_that_may_come_is_told_apart_from_what_fails(world: World) -> None:
    later = world.trigger(name="later", trigger_project="Not yet", trigger_on_status=["failed"])
    no_queue = world.trigger(name="no queue", trigger_on_status=["failed"], action={"queue": "no queue"})
    assert [one.may_come for one in lacking(world.api, [later, no_queue])] == [True, False]


def test_a_name_that_is_nearly_right_is_offered(world: World) -> None:
    world.call("projects.create", name="Team/Training", description="")
    world.call("queues.create", name="services")
    typo = world.trigger(
        name="typo", trigger_project="team/trainning", trigger_on_status=["failed"], action={"queue": "servces"}
    )
    project, queue = missing(world.api, [typo])
    assert project.endswith("did you mean 'Team/Training'?")
    assert queue.endswith("did you mean 'services'?")
    (far,) = missing(world.api, [world.trigger(name="far", trigger_project="Elsewhere", trigger_on_status=["failed"])])
    assert "did you mean" not in far


def test_names_are_asked_for_only_where_one_is_unknown(world: World) -> None:
    world.call("projects.create", name="Here", description="")

    def asked(project: str) -> int:
        before = world.sandbox.control.counts().get("projects.get_all", 0)
        many = [world.trigger(name=f"t{n}", trigger_project=project, trigger_on_status=["failed"]) for n in range(3)]
        missing(world.api, many)
        return int(world.sandbox.control.counts()["projects.get_all"]) - before

    assert [asked("Here"), asked("Nowhere")] == [1, 2]


def test_many_projects_are_asked_for_at_once(world: World) -> None:
    """A thousand triggers, each with a project of its own, cost ten requests."""
    for name in ("Here 7", "Here 123"):
        world.call("projects.create", name=name, description="")
    many = [world.trigger(name=f"t{n}", trigger_project=f"Here {n}", trigger_on_status=["failed"]) for n in range(150)]
    before = world.sandbox.control.counts().get("projects.get_all", 0)
    lacks = {text.partition("'")[2].partition("'")[0] for text in missing(world.api, many)}
    assert lacks == {one.name for one in many} - {"t7", "t123"}
    assert int(world.sandbox.control.counts()["projects.get_all"]) - before == 2 + 1


def test_names_that_the_server_refuses_are_reported_as_never_coming(world: World) -> None:
    short = world.trigger(
        name="short",
        trigger_project="Team/ab",
        trigger_on_status=["failed"],
        action={"queue": "q", "target_project": "x/Launched"},
    )
    project, queue, target = lacking(world.api, [short])
    assert "none with a part that is shorter than 3, and 'ab' is" in project.text
    assert "none whose name is shorter than 3" in queue.text
    assert "target_project='x/Launched' cannot be made" in target.text
    assert not any(one.may_come for one in (project, queue, target))


def test_a_trigger_without_a_condition_is_warned_of(world: World) -> None:
    with pytest.warns(WithoutCondition, match="'all' has no condition: it fires for every task that changes"):
        warn_of_missing(world.api, [world.trigger(name="all", trigger_on_status=[])])
