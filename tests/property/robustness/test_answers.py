"""Answers of the ClearML server that somebody has damaged, in every call of every stage.

Damage is recognizable: other types, missing parts of what the server always sends, cut text, pages of a proxy.
A wrong value of the right type, or a part left out that a server may leave out, is a lie that nobody can see through.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.service.conftest import ServiceWorld, service_world
from tests.property.ledger.profile import profile
from tests.property.robustness.mutations import DAMAGE, Damage, Path, part
from triggers.base.errors import TriggersError
from triggers.clearml_api import Api
from triggers.clearml_api.transport import Reply
from triggers.stages.dispatch import dispatch
from triggers.stages.match import match
from triggers.stages.poll import poll
from triggers.stages.reconcile import reconcile
from triggers.stages.sync import sync

__all__ = ["service_world"]

#: what the server always sends; anything else it may leave out
ALWAYS = frozenset({
    "meta", "data", "result_code", "id", "last_change", "created", "tasks", "models", "queues", "projects", "succeeded",
    "failed", "error", "codes", "deleted",
})  # fmt: skip
#: what the stages call
CALLS = [
    "auth.login", "tasks.get_all_ex", "models.get_all_ex", "tasks.get_all", "queues.get_all", "tasks.clone",
    "tasks.edit", "tasks.enqueue_many", "tasks.delete", "tasks.ping", "tasks.edit_runtime", "tasks.edit_configuration",
    "events.add_batch",
]  # fmt: skip
PAGES = {
    "html": lambda reply: Reply(200, reply.headers, b"<html><body>Please log in</body></html>", reply.seconds),
    "gateway": lambda reply: Reply(502, reply.headers, b"<html>502 Bad Gateway</html>", reply.seconds),
    "forbidden": lambda reply: Reply(403, reply.headers, b"<html>403 Forbidden</html>", reply.seconds),
    "empty": lambda reply: Reply(200, reply.headers, b"", reply.seconds),
    "binary": lambda reply: Reply(200, reply.headers, b"\xff\xfe\x00", reply.seconds),
    "no date": lambda reply: Reply(200, {}, reply.content, reply.seconds),
    "odd date": lambda reply: Reply(200, {"Date": "Wed, 99 Foo 0000"}, reply.content, reply.seconds),
}
Fault = Damage | str | None


class DamagedApi(Api):
    """Damages answers on their way: each call of an endpoint takes the next of its faults."""

    def __init__(self, *args: Any, faults: Mapping[str, list[Fault]], met: Counter[str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.faults = {endpoint: iter(some) for endpoint, some in faults.items()}
        self.met = met

    def _post(self, where: str, endpoint: str, body: Any, authorization: str) -> Reply:
        reply = super()._post(where, endpoint, body, authorization)
        fault = next(self.faults.get(endpoint, iter(())), None)
        self.met[endpoint] += fault is not None
        if isinstance(fault, str):
            return PAGES[fault](reply)
        if fault is None:
            return reply
        whole = json.loads(reply.content)
        return Reply(reply.status, reply.headers, _bytes(fault.of(whole, visible(whole))), reply.seconds)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def visible(whole: Any) -> Callable[[Path, bool, Any], bool]:
    """Whether a damaged answer differs from every answer that the server could have given."""

    def check(path: Path, removed: bool, junk: Any) -> bool:
        needed = path[-1] in ALWAYS
        if removed:
            return needed
        try:
            same = type(part(whole, path)) is type(junk)
        except (KeyError, IndexError, TypeError):
            return False
        return not same and (needed or bool(junk)) and not isinstance(path[-1], int)

    return check


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def work(world: ServiceWorld) -> None:
    """One round of every stage, as workers run them: each ends with an error of the tree at worst."""
    ctx, settings = world.ctx, world.settings
    rounds: list[Callable[[], Any]] = [lambda: poll(ctx, pace_seconds=1, force=True)]
    rounds += [lambda number=number: match(ctx, number) for number in range(settings.partitions)]
    rounds += [lambda: dispatch(ctx), lambda: reconcile(ctx), lambda: sync(ctx, world.scheduler, force=True)]
    for stage in rounds:
        try:
            stage()
        except TriggersError:
            continue


def catch_up(world: ServiceWorld) -> None:
    """What a sweep reads, and the retries that are due some time."""
    client, keys = world.ledger.store.client, world.ledger.keys
    for _ in range(3):
        world.ctx.reads.next_at = 0.0
        for source in ("tasks", "models"):
            if client.exists(keys.cursor(source)):
                client.hset(keys.cursor(source), "swept_ms", 0)
        world.expire_leases()
        for name in ("poll", "reconcile", "sync"):
            client.delete(keys.lease(name))
        work(world)


def live_through(world: ServiceWorld, faults: Mapping[str, list[Fault]], met: Counter[str]) -> None:
    """Three changes; every stage works while answers are damaged, and again when they are whole."""
    world.ctx.api = world.api
    world.ctx.names.clear()
    number = len(world.history())
    model = world.trigger("model", name=f"model {number}", trigger_on_publish=True)
    world.declare(world.trigger(name=f"task {number}", action={"overrides": {"script.branch": "x"}}), model)
    poll(world.ctx, pace_seconds=1, force=True)
    changed = [world.fail_task(), world.fail_task()]
    changed.append(world.call("models.create", name="net", uri="file:///m", public=False, ready=True)["id"])
    world.ctx.api = api = DamagedApi(world.api.credentials, timeout_seconds=60, faults=faults, met=met)
    for _ in range(4):
        work(world)
        world.expire_leases()
    api.faults.clear()
    catch_up(world)
    launched = [entry.object for entry in world.history("launched")]
    assert [launched.count(id_) for id_ in changed] == [1, 1, 1], world.history()[-10:]
    assert set(world.runs().values()) == {1}
    assert not world.history("dead")
    api.close()


def test_damaged_answers_break_no_stage_and_every_change_is_launched_once_afterwards(
    service_world: ServiceWorld,
) -> None:
    met: Counter[str] = Counter()
    fault = DAMAGE | st.sampled_from(sorted(PAGES)) | st.none()

    @given(
        faults=st.dictionaries(st.sampled_from(CALLS), st.lists(fault, min_size=1, max_size=5), min_size=1, max_size=6)
    )
    @profile(80)
    def example(faults: Mapping[str, list[Fault]]) -> None:
        live_through(service_world, faults, met)

    for name in CALLS:  # chance alone leaves one out at times
        live_through(service_world, {name: ["html"]}, met)
    example()
    assert set(CALLS) <= set(+met), "each call had its share"
