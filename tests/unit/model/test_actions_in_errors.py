"""Errors about a list of actions do not show what the actions hold: it may be a secret."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
import yaml

from triggers.base.errors import InvalidTrigger, Usage
from triggers.configuration.document import parse
from triggers.model import make_trigger
from triggers.model.parts import LISTS
from triggers.sync.sections import read_section

CANARY = "c4n4ry"
HOOK = {"type": "webhook", "url": f"https://hooks.example.com/{CANARY}", "secret": CANARY}
WRONG: list[Any] = [
    HOOK, ["junk", HOOK], [{"type": "junk"}, HOOK], [HOOK, "junk"], CANARY, [CANARY], [[HOOK]], {"a": HOOK},
    [{"type": "set_metadata", "metadata": {"a": 1}}, HOOK], [{"type": "task", "url": CANARY}], [HOOK] * 30, 5,
]  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("wrong", WRONG)
def test_no_error_about_actions_shows_what_they_hold(name: str, wrong: Any) -> None:
    task = {"name": "t", "trigger_on_status": ["failed"]}
    launch = {"schedule_task_id": "b", "schedule_queue": "q"}
    with pytest.raises(Usage) as in_file:
        parse(yaml.safe_dump({"triggers": [{"kind": "task", **task, **launch, name: wrong}]}), "f.yaml")
    with pytest.raises(InvalidTrigger) as in_script:
        make_trigger("task", **task, action={"type": "tag", "add": ["a"]}, **{name: wrong})
    item = {"name": "t", "on_status": ["failed"], "base_task_id": "b", "queue": "q", name: wrong}
    (in_section,) = read_section("task", json.dumps([item]), {}, ()).problems
    for said in (*map(str, (in_file.value, in_script.value)), in_section):
        assert CANARY not in said
        assert "give" in said or "at most" in said or "leave it out" in said
    for error in (in_file.value, in_script.value):
        assert CANARY not in "".join(traceback.format_exception(error))


def test_what_is_not_a_list_is_shown_by_what_it_is() -> None:
    with pytest.raises(InvalidTrigger) as caught:
        make_trigger("task", name="t", trigger_name="x", action={"type": "tag", "add": ["a"]}, actions=HOOK)
    assert "actions={'type': 'webhook'}: give a list of actions" in str(caught.value)
