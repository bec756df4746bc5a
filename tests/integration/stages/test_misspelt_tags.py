"""A tag that no object has, spelled much like one that objects have: registration and `doctor` warn of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.base.errors import Refused
from triggers.client.checks import MissingOnServer, lacking, missing, warn_of_missing


@pytest.fixture
def tagged(world: World) -> World:
    world.call("tasks.create", name="of a person", type="training", tags=["gold standard"])
    world.call("models.create", name="of a person", uri="file:///m", tags=["Production", "checked"])
    return world


@pytest.mark.parametrize(
    ("field", "then"),
    [
        ("trigger_on_tags", "nothing matches until an object has it"),
        ("trigger_required_tags", "nothing matches until an object has it"),
        ("trigger_on_any_tags", "it matches nothing until an object has it"),
        ("trigger_exclude_tags", "it excludes nothing until an object has it"),
    ],
)
def test_a_near_tag_is_offered_whichever_field_names_it(tagged: World, field: str, then: str) -> None:
    typo = tagged.trigger(name="typo", trigger_on_status=["failed"], **{field: ["checked", "production"]})
    (found,) = lacking(tagged.api, [typo])
    assert found.text == (
        f"trigger 'typo': no object has the tag 'production' of {field}: {then}; did you mean 'Production'?"
    )
    assert found.may_come, "somebody may give it to an object later"
    with pytest.warns(MissingOnServer, match="did you mean 'Production'"):
        warn_of_missing(tagged.api, [typo])


def test_a_tag_of_any_kind_of_object_is_known_and_a_new_one_is_nobodys_mistake(tagged: World) -> None:
    names = [["gold standard", "checked"], ["Production"], ["something quite new"], []]
    triggers = [tagged.trigger(name=f"t{n}", trigger_on_tags=tags) for n, tags in enumerate(names)]
    assert missing(tagged.api, triggers) == []


def test_tags_are_asked_for_once_and_only_where_one_is_named(tagged: World) -> None:
    def asked(**condition: list[str]) -> int:
        before = tagged.sandbox.control.counts().get("organization.get_tags", 0)
        missing(tagged.api, [tagged.trigger(name=f"t{n}", **condition) for n in range(3)])
        return int(tagged.sandbox.control.counts().get("organization.get_tags", 0)) - before

    assert asked(trigger_on_status=["failed"]) == 0
    assert asked(trigger_on_tags=["gold"]) == 1


def test_a_server_that_does_not_tell_its_tags_is_no_hindrance(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    call = tagged.api.call

    def refusing(endpoint: str, *arguments: Any) -> Any:
        if endpoint == "organization.get_tags":
            raise Refused(endpoint, 404, 0, "unknown endpoint")
        return call(endpoint, *arguments)

    monkeypatch.setattr(tagged.api, "call", refusing)
    assert missing(tagged.api, [tagged.trigger(name="typo", trigger_on_tags=["production"])]) == []
