"""`doctor` on tags that are perhaps misspelled."""

from __future__ import annotations

from tests.integration.cli_verbs.conftest import World, run


def test_doctor_warns_of_a_tag_that_is_nearly_one_that_objects_have(world: World) -> None:
    world.call("tasks.create", name="of a person", type="training", tags=["production"])
    world.declare(
        world.trigger(name="typo", trigger_on_status=["failed"], trigger_required_tags=["prodution"]),
        world.trigger(name="right", trigger_on_tags=["production"]),
        world.trigger(name="new", trigger_on_tags=["of next year"]),
    )
    names = [one for one in run("doctor", "--json").json if one["about"] == "names"]
    assert [one["level"] for one in names] == ["warn"], "it may be given to an object later: nothing is broken"
    assert "trigger 'typo': no object has the tag 'prodution' of trigger_required_tags" in names[0]["words"]
    assert names[0]["words"].endswith("did you mean 'production'?")
    world.call("tasks.create", name="of another", type="training", tags=["prodution"])
    (found,) = [one for one in run("doctor", "--json").json if one["about"] == "names"]
    assert found["level"] == "ok"
