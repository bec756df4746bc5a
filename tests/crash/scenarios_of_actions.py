"""Changes whose triggers do more than launch: webhooks, notifications and edits, counted where they arrive."""

from __future__ import annotations

from tests.crash.processes import eventually
from tests.crash.scenarios import Scenario
from tests.crash.world import World
from tests.integration.actions.receiver import Reply
from triggers.actions import Abort, Notify, Tag, Webhook
from triggers.model import Trigger


def _hook(world: World, path: str, launched: bool = False) -> Webhook:
    body = {"object": "${object.id}", **({"launched": "${launched.id}"} if launched else {})}
    return Webhook(f"{world.receiver.url}/{path}", body=body)


def ids(world: World, path: str, object_id: str) -> set[str]:
    """Under which ids a path was sent webhooks for an object."""
    received = [one for one in list(world.receiver.received) if one.path == f"/{path}"]
    return {one.id for one in received if one.json["object"] == object_id}


def _sent(world: World, object_id: str, *paths: str) -> int:
    """1 once each path was sent webhooks under one id, and the launch has run once; more if anything came twice."""
    counts = [world.runs()[object_id], *(len(ids(world, path, object_id)) for path in paths)]
    return max(counts) if min(counts) else 0


def _tags(world: World, id_: str) -> list[str]:
    (task,) = world.call("tasks.get_all", id=[id_], only_fields=["tags"], search_hidden=True)["tasks"]
    return list(task.get("tags") or ())


# ---- a launch, two webhooks, a notification ----
def _telling(world: World) -> list[Trigger]:
    notify = Notify(f"json://127.0.0.1:{world.receiver.server_port}/notify", text="${object.id}")
    return [world.trigger(actions=[_hook(world, "now"), notify, _hook(world, "later", launched=True)])]


def _told(world: World, object_id: str) -> int:
    notified = any(object_id in one.body.decode() for one in list(world.receiver.received) if one.path == "/notify")
    return _sent(world, object_id, "now", "later") if notified else 0


# ---- edits of the object and of what was launched; each change of the object would fire again ----
def _editing(world: World) -> list[Trigger]:
    return [world.trigger(policy={"fire": "while_true"}, actions=[Tag(["seen"]), Tag(["ours"], on="launched")])]


def _edited(world: World, object_id: str) -> int:
    """The launches for an object, once both tags are there; an edit that fired its own trigger makes it two."""
    runs = world.runs()[object_id]
    launched = [task["id"] for task in world.launched() if world.source_of(task["id"]) == object_id]
    tagged = [_tags(world, object_id).count("seen"), *(_tags(world, id_).count("ours") for id_ in launched)]
    return runs if launched and set(tagged) == {1} else 0


# ---- a part that is refused, and the alarm of that ----
def _alarming(world: World) -> list[Trigger]:
    world.receiver.of_path["/refused"] = Reply(410)
    return [world.trigger(actions=[_hook(world, "refused")], on_failed=[_hook(world, "alarm")])]


def _alarmed(world: World, object_id: str) -> int:
    return _sent(world, object_id, "refused", "alarm")


# ---- what is closed again ----
def _closing(world: World) -> list[Trigger]:
    policy = {"fire": "on_transition"}
    return [world.trigger(policy=policy, actions=[_hook(world, "open")], on_resolved=[_hook(world, "close")])]


def _failed_and_reset(world: World) -> list[str]:
    id_ = world.fail_task()
    eventually(lambda: world.runs()[id_], f"it is launched\n{world.log()}")
    world.call("tasks.reset", task=id_)
    return [id_]


def _closed(world: World, object_id: str) -> int:
    return _sent(world, object_id, "open", "close")


# ---- the end of a run ----
def _aborting(world: World) -> list[Trigger]:
    return [world.trigger(trigger_on_status=["in_progress"], actions=[Abort("${object.name} diverges")])]


def _running(world: World) -> list[str]:
    id_ = world.create_task()
    world.call("tasks.started", task=id_)
    return [id_]


def _aborted(world: World, object_id: str) -> int:
    (task,) = world.call("tasks.get_all", id=[object_id], only_fields=["status"])["tasks"]
    return world.runs()[object_id] if task["status"] == "stopped" else 0


SCENARIOS_OF_ACTIONS = (
    Scenario("webhooks", _telling, count=_told),
    Scenario("edits of the object", _editing, count=_edited),
    Scenario("alarm", _alarming, count=_alarmed),
    Scenario("resolved", _closing, _failed_and_reset, count=_closed),
    Scenario("abort", _aborting, _running, count=_aborted),
)
