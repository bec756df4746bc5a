"""What each call does from each status, as a table: `ok` means no change, a status is the new one, else the error."""

import pytest

from triggers.sandbox import CallFailed, Client

STATUSES = ("created", "queued", "in_progress", "stopped", "failed", "completed", "published")
SCALAR = {"type": "training_stats_scalar", "iter": 0, "metric": "acc", "variant": "val", "value": 1}
TABLE = """
enqueue                        | queued      | 400/706     | 400/110 | queued      | queued    | 400/110     | 400/110
dequeue                        | ok          | created     | created | ok          | ok        | ok          | ok
started                        | in_progress | in_progress | ok      | in_progress | 400/110   | in_progress | 400/110
completed                      | 400/110     | 400/110     | completed | completed | 400/110   | ok          | 400/110
failed                         | 400/110     | 400/110     | failed  | failed      | ok        | 400/110     | 400/110
stop                           | 400/110     | stopped     | stopped | ok          | stopped   | 400/110     | 400/110
stopped                        | 400/110     | stopped     | stopped | ok          | stopped   | 400/110     | 400/110
publish                        | 400/110     | 400/110     | 400/110 | published   | published | published   | 400/110
reset                          | ok          | created     | created | created     | created   | created     | 400/110
edit                           | ok          | 400/110     | 400/110 | 400/110     | 400/110   | 400/110     | 400/110
edit force                     | ok          | ok          | ok      | ok          | ok        | ok          | ok
update                         | ok          | ok          | ok      | ok          | ok        | ok          | ok
edit_hyper_params              | ok          | 400/110     | 400/110 | 400/110     | 400/110   | 400/110     | 400/110
edit_hyper_params force        | ok          | ok          | ok      | 400/110     | 400/110   | 400/110     | 400/110
edit_configuration force       | ok          | ok          | ok      | 400/110     | 400/110   | 400/110     | 400/110
edit_runtime force             | ok          | ok          | ok      | 400/110     | 400/110   | 400/110     | 400/110
add_or_update_artifacts        | ok          | ok          | ok      | 400/110     | 400/110   | 400/110     | 400/110
add_or_update_artifacts force  | ok          | ok          | ok      | 400/110     | 400/110   | 400/110     | 400/110
set_requirements               | ok          | ok          | ok      | ok          | ok        | ok          | ok
add_or_update_model            | ok          | ok          | ok      | 400/110     | 400/110   | 400/110     | 400/110
ping                           | ok          | ok          | ok      | ok          | ok        | ok          | ok
clone                          | ok          | ok          | ok      | ok          | ok        | ok          | ok
delete                         | gone        | 400/123     | 400/123 | 400/123     | 400/123   | 400/123     | 400/123
delete force                   | gone        | gone        | gone    | gone        | gone      | gone        | gone
"""
CELLS = [
    (call.strip(), status, outcome.strip())
    for line in TABLE.strip().splitlines()
    for call, *outcomes in [line.split("|")]
    for status, outcome in zip(STATUSES, outcomes, strict=True)
]
#: what a call needs besides the task
BODIES = {
    "edit": {"tags": ["edited"]},
    "update": {"comment": "updated"},
    "edit_hyper_params": {"hyperparams": [{"section": "Args", "name": "b", "value": "2"}]},
    "edit_configuration": {"configuration": [{"name": "c", "value": "1"}]},
    "edit_runtime": {"add_or_update": {"k": "v"}},
    "add_or_update_artifacts": {"artifacts": [{"key": "k", "type": "json", "uri": "u"}]},
    "set_requirements": {"requirements": {"pip": "a"}},
    "add_or_update_model": {"type": "input", "name": "i", "model": "0" * 31 + "1"},
}
#: how a draft gets into a status
STEPS = {
    "queued": ("enqueue",),
    "in_progress": ("started",),
    "stopped": ("started", "stopped"),
    "failed": ("started", "failed"),
    "completed": ("started", "completed"),
    "published": ("started", "completed", "publish"),
}


def task_in(api: Client, status: str, queue: str) -> str:
    task = api.call("tasks.create", {"name": f"was {status}", "type": "training"})["id"]
    for step in STEPS.get(status, ()):
        api.call(f"tasks.{step}", {"task": task, **({"queue": queue} if step == "enqueue" else {})})
    return task


def outcome_of(api: Client, call: str, task: str, queue: str, status: str) -> str:
    """One cell of the table, as the server answers."""
    name, _, force = call.partition(" ")
    body = {"task": task, **BODIES.get(name, {}), **({"force": True} if force else {})}
    if name == "enqueue":
        body["queue"] = queue
    try:
        api.call(f"tasks.{name}", body)
    except CallFailed as error:
        return f"{error.code}/{error.subcode}"
    found = api.call("tasks.get_all", {"id": [task], "only_fields": ["status"]})["tasks"]
    if not found:
        return "gone"
    return "ok" if found[0]["status"] == status else found[0]["status"]


@pytest.mark.parametrize("call", dict.fromkeys(call for call, _, _ in CELLS))
def test_status_table_holds(api: Client, unique: str, call: str):
    queue = api.call("queues.create", {"name": unique})["id"]
    expected = {status: outcome for name, status, outcome in CELLS if name == call}
    found = {s: outcome_of(api, call, task_in(api, s, queue), queue, s) for s in STATUSES}
    assert found == expected


@pytest.mark.parametrize("status", ["created", "in_progress", "stopped", "completed", "published"])
def test_events_are_taken_until_a_task_is_published(api: Client, unique: str, status: str):
    queue = api.call("queues.create", {"name": unique})["id"]
    event = {**SCALAR, "task": task_in(api, status, queue)}
    if status != "published":
        assert api.call("events.add", event) == {"added": 1, "errors": 0, "errors_info": {}}
        return
    with pytest.raises(CallFailed, match="400/131"):
        api.call("events.add", event)
