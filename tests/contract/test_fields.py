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
        time = ""
        for one in (made[1], made[2], made[0]):
            time = change(api, kind, one["id"], after=time)
        asked = {"project": [project], "order_by": ["last_change"], "only_fields": ["name", "last_change"]}
        page = api.call(f"{kind}.get_all_ex", {**asked, "page": 0, "page_size": 2})[kind]
        assert [obj["name"] for obj in page] == ["nbb", "ncc"]
        rest = api.call(f"{kind}.get_all_ex", {**asked, "last_change": [f">{page[-1]['last_change']}"]})[kind]
        assert [obj["name"] for obj in rest] == ["naa"]


def change(api: Client, kind: str, id_: str, *, after: str) -> str:
    """Change an object at a time of its own: two calls may fall into one millisecond. Gives that time."""
    while True:
        api.call(f"{kind}.update", {kind[:-1]: id_, "comment": "changed"})
        [found] = api.call(f"{kind}.get_all", {"id": [id_], "only_fields": ["last_change"]})[kind]
        if found["last_change"] > after:
            return str(found["last_change"])
