"""What fires: the rows of the meaning table that need a server to show."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.model.launch_tags import service_tag


def create_model(world: World, name: str = "net", **fields: object) -> str:
    return str(world.call("models.create", name=name, uri=f"file:///{name}", ready=False, **fields)["id"])


def project(world: World, name: str) -> str:
    return str(world.call("projects.create", name=name, description="")["id"])


def dataset(world: World, name: str = "digits", project_name: str = "Vision") -> str:
    """A dataset version as the SDK makes it: a ClearML task in a hidden project."""
    hidden = world.call("projects.get_all", name=f"^{project_name}/\\.datasets/{name}$", search_hidden=True)["projects"]
    in_project = (
        hidden[0]["id"]
        if hidden
        else world.call(
            "projects.create", name=f"{project_name}/.datasets/{name}", description="", system_tags=["hidden"]
        )["id"]
    )
    return world.create_task(name, type="data_processing", system_tags=["dataset"], project=in_project)


def finalize(world: World, id_: str) -> None:
    world.call("tasks.started", task=id_)
    world.call("tasks.completed", task=id_)


def test_a_tagged_model_fires_with_its_id(world: World) -> None:
    world.declare(
        world.trigger("model", trigger_on_tags=["good", "new"], action={"overrides": {"Args/model": "${model.id}"}})
    )
    model = create_model(world)
    world.call("models.update_tags", ids=[model], add_tags=["good"])
    world.step()
    assert world.clones() == [], "all tags have to be present"
    world.call("models.update_tags", ids=[model], add_tags=["new"])
    world.step()
    (clone,) = world.clones()
    assert clone["hyperparams"]["Args"]["model"]["value"] == model


def test_a_model_published_through_its_task_fires(world: World) -> None:
    world.declare(world.trigger("model", trigger_on_publish=True))
    task = world.create_task()
    model = create_model(world, task=task)
    world.call("tasks.started", task=task)
    world.call("tasks.add_or_update_model", task=task, type="output", name="net", model=model)
    world.call("tasks.completed", task=task)
    world.step()
    assert world.clones() == []
    world.call("tasks.publish", task=task, publish_model=True)
    world.step()
    assert list(world.runs().values()) == [1]


def test_a_model_that_was_ready_before_does_not_fire_when_its_task_is_published(world: World) -> None:
    task = world.create_task()
    model = create_model(world, task=task)
    world.call("tasks.add_or_update_model", task=task, type="output", name="net", model=model)
    world.call("models.set_ready", model=model, publish_task=False)
    world.declare(world.trigger("model", trigger_on_publish=True))
    world.step()
    for step in ("started", "completed"):
        world.call(f"tasks.{step}", task=task)
    world.call("tasks.publish", task=task, publish_model=False)
    world.step()
    assert world.clones() == []


def test_a_dataset_fires_when_finalized_also_when_published_before_the_next_poll(world: World) -> None:
    world.declare(world.trigger("dataset", action={"parameters": {"Args/dataset": "${dataset.id}"}}))
    first = dataset(world)
    world.step()
    assert world.clones() == []
    finalize(world, first)
    world.step()
    second = dataset(world)
    finalize(world, second)
    world.call("tasks.publish", task=second)
    world.step()
    assert [c["hyperparams"]["Args"]["dataset"]["value"] for c in world.clones()] == [first, second]


def test_a_dataset_in_a_project_that_had_none_fires(world: World) -> None:
    world.declare(world.trigger("dataset", trigger_project="Speech"))
    finalize(world, dataset(world, "other", "Vision"))
    world.step()
    finalize(world, dataset(world, "voices", "Speech"))
    finalize(world, dataset(world, "more voices", "Speech"))
    world.step()
    assert len(world.clones()) == 2


def test_a_project_created_after_the_trigger_counts_and_until_then_nothing_matches(world: World) -> None:
    world.declare(world.trigger(trigger_project="Later", trigger_on_status=["failed"]))
    world.fail_task()
    world.step()
    assert world.clones() == []
    world.fail_task(project=project(world, "Later"))
    world.fail_task(project=project(world, "Later/below"))
    world.step()
    assert len(world.clones()) == 1, "not recursive"


def test_a_renamed_project_is_known_by_its_new_name(world: World) -> None:
    id_ = project(world, "Old")
    world.declare(world.trigger(trigger_project="New", trigger_on_status=["failed"]))
    world.fail_task(project=id_)
    world.step()
    assert world.clones() == []
    world.call("projects.update", project=id_, name="New")
    world.fail_task(project=id_)
    world.step()
    assert len(world.clones()) == 1


def test_an_object_moved_into_the_project_fires(world: World) -> None:
    here, there = project(world, "Here"), project(world, "There")
    world.declare(world.trigger(trigger_project="There", trigger_on_status=["failed"]))
    failed = world.fail_task(project=here)
    world.step()
    assert world.clones() == []
    world.call("tasks.move", ids=[failed], project=there)
    world.step()
    assert len(world.clones()) == 1


def test_archiving_fires_for_what_has_become_archived(world: World) -> None:
    world.declare(world.trigger("model", name="gone", trigger_on_archive=True))
    kept, gone = create_model(world, "kept"), create_model(world, "gone")
    world.call("models.update_tags", ids=[kept], add_tags=["x"])
    world.call("models.archive_many", ids=[gone])
    world.step()
    assert len(world.clones()) == 1


def test_a_metric_below_a_threshold_of_zero_fires_and_a_missing_one_does_not(world: World) -> None:
    world.declare(world.trigger(trigger_on_metric="loss", trigger_on_variant="val", trigger_on_threshold=0))
    low, high, none = (world.create_task(name) for name in ("low", "high", "none"))
    for task, value in ((low, 0.0), (high, 0.1)):
        world.call("tasks.started", task=task)
        world.call(
            "events.add", type="training_stats_scalar", task=task, iter=1, metric="loss", variant="val", value=value
        )
    world.call("tasks.started", task=none)
    world.step()
    assert list(world.runs().values()) == [1]


def test_a_transition_fires_again_after_the_condition_was_false(world: World) -> None:
    world.declare(world.trigger(trigger_on_tags=["hot"], policy={"fire": "on_transition"}))
    task = world.create_task()
    for launches, tags in enumerate(({"add_tags": ["hot"]}, {"remove_tags": ["hot"]}, {"add_tags": ["hot"]}), 1):
        world.call("tasks.update_tags", ids=[task], **tags)
        world.step()
        world.call("tasks.update_tags", ids=[task], add_tags=[f"unrelated {launches}"])
        world.step()
    assert sorted(world.runs().values()) == [1, 1]


@pytest.mark.sandbox_control
def test_while_true_fires_at_changes_that_are_the_cooldown_apart(world: World) -> None:
    world.declare(world.trigger(trigger_on_tags=["hot"], policy={"fire": "while_true", "cooldown_minutes": 5}))
    task = world.create_task(tags=["hot"])
    for minutes in (0, 3, 5, 11):
        world.sandbox.control.clock(offset_seconds=60 * minutes)
        world.call("tasks.update_tags", ids=[task], add_tags=[f"at {minutes}"])
        world.step()
    assert len(world.clones()) == 3, "at 0, 5 and 11 minutes"


def test_more_than_500_objects_changed_at_once_all_fire(world: World) -> None:
    world.declare(world.trigger(trigger_on_tags=["bulk"], policy={"max_per_minute": 0}))
    ids = [world.create_task(f"one of many {i}") for i in range(620)]
    world.call("tasks.update_tags", ids=ids, add_tags=["bulk"])
    times = {t["last_change"] for t in world.call("tasks.get_all", id=ids[:500], only_fields=["last_change"])["tasks"]}
    assert len(times) == 1, "one call stamps them alike"
    world.step()
    assert len({entry.object for entry in world.history("launched")}) == 620
    assert len(world.queue_entries()) == 620


def test_what_a_trigger_launched_never_fires_it_but_a_copy_made_by_a_person_does(world: World) -> None:
    world.declare(world.trigger(trigger_on_status=["failed"]))
    world.fail_task()
    world.step()
    (launched,) = world.clones()
    world.call("tasks.started", task=launched["id"])
    copy = world.call("tasks.clone", task=launched["id"], new_task_name="copied by hand")["id"]
    for id_ in (launched["id"], copy):
        world.call("tasks.started", task=id_)
        world.call("tasks.failed", task=id_)
    world.step()
    ours = [c for c in world.clones() if c["id"] not in (copy, launched["id"])]
    assert len(ours) == 1
    assert ours[0]["hyperparams"].get("Args", {}).keys() >= {"a"}


def test_the_service_task_is_no_event(world: World) -> None:
    world.declare(world.trigger(trigger_on_tags=["x"]))
    world.call("tasks.update_tags", ids=[world.service], add_tags=["x"])
    world.step()
    assert world.clones() == []


def test_the_service_task_of_another_scheduler_is_no_event_and_is_not_stored(world: World) -> None:
    """Each renews its own several times a minute: of N schedulers each would store N - 1 events."""
    world.tick()
    world.declare(world.trigger(trigger_on_tags=["x"]))
    world.poll()
    other = world.create_task("another", "service", tags=["x"], system_tags=[service_tag("f" * 16)])
    changed = world.create_task("some task", tags=["x"])
    world.step()
    stored = str(list(world.ledger.events().backwards()))
    assert changed in stored
    assert other not in stored
    assert [entry.object for entry in world.history("launched")] == [changed]


def test_the_base_task_can_be_a_query_and_is_never_a_launch_of_ours(world: World) -> None:
    home = project(world, "Pipelines")
    query = {"project": "Pipelines", "name": "train", "tags": ["ready"]}
    world.declare(world.trigger(action={"query": query}))
    world.create_task("train", tags=["ready"], project=home)
    world.tick()
    newest = world.create_task("train", tags=["ready"], project=home)
    world.create_task("train", project=home)
    for _ in range(2):
        world.fail_task()
        world.step()
    assert {c["parent"]["id"] for c in world.clones()} == {newest}
    assert len(world.clones()) == 2


def test_a_target_project_is_made_when_it_is_missing(world: World) -> None:
    world.declare(world.trigger(action={"target_project": "Reports/nightly"}))
    world.fail_task()
    world.step()
    (clone,) = world.clones()
    (made,) = world.call("projects.get_all", name="^Reports/nightly$")["projects"]
    assert clone["project"]["id"] == made["id"]
