"""Fields of answers beyond what single recordings show."""

import pytest

from triggers.sandbox import CallFailed, Client


def test_fields_of_the_project_come_only_with_get_all_ex(api: Client, unique: str, project: str):
    for kind, extra in (("tasks", {"type": "training"}), ("models", {"uri": "file:///m"})):
        api.call(f"{kind}.create", {"name": "object", "project": project, **extra})
        asked = {"project": [project], "only_fields": ["name", "project.name"]}
        [found] = api.call(f"{kind}.get_all_ex", asked)[kind]
        assert found["project"] == {"id": project, "name": unique}
        with pytest.raises(CallFailed, match="400/14"):
            api.call(f"{kind}.get_all", asked)


def test_both_kinds_are_read_in_the_order_of_their_changes(api: Client, project: str):
    for kind, extra in (("tasks", {"type": "training"}), ("models", {"uri": "file:///m"})):
        made = [api.call(f"{kind}.create", {"name": f"n{i}", "project": project, **extra}) for i in ("aa", "bb", "cc")]
        one = kind[:-1]
        api.call(f"{kind}.update", {one: made[0]["id"], "comment": "changed"})
        asked = {"project": [project], "order_by": ["last_change"], "only_fields": ["name", "last_change"]}
        page = api.call(f"{kind}.get_all_ex", {**asked, "page": 0, "page_size": 2})[kind]
        assert [obj["name"] for obj in page] == ["nbb", "ncc"]
        rest = api.call(f"{kind}.get_all_ex", {**asked, "last_change": [f">{page[-1]['last_change']}"]})[kind]
        assert [obj["name"] for obj in rest] == ["naa"]
