"""Which scheduler a verb is about: found on the Redis of the settings, else on those in the state folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import redis

from triggers.base import redis_refusals
from triggers.base.errors import StoreUnavailable, Usage
from triggers.base.plural import plural
from triggers.base.settings import Settings, settings
from triggers.ledger import Ledger, Store, connect, open_ledger
from triggers.ledger.deployment import schedulers
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.registry.registry import Entry
from triggers.model.kinds import noun_of_id

if TYPE_CHECKING:
    from triggers.clearml_api import Api

_REGISTER = "register one with TriggerScheduler(...).start(), or `clearml-triggers up -f triggers.yaml`"


@dataclass(frozen=True)
class Target:
    """One scheduler and its ledger. `running` is False where its private Redis was started for this verb only."""

    scheduler: Scheduler
    ledger: Ledger
    settings: Settings
    running: bool
    where: str

    @cached_property
    def api(self) -> Api:
        """The scheduler's ClearML server.

        Raises:
            Usage: there are no credentials, or they are for another server.
        """
        from triggers.clearml_api import Api, Credentials  # not needed where only Redis is read

        credentials = Credentials.resolve()
        if credentials.host != self.scheduler.host:
            raise Usage(
                f"scheduler {title(self.scheduler)} watches {self.scheduler.host}, and the ClearML credentials here "
                f"are for {credentials.host}: set CLEARML_API_HOST, CLEARML_API_ACCESS_KEY and CLEARML_API_SECRET_KEY"
            )
        return Api(credentials, timeout_seconds=self.settings.request_timeout_seconds, cause="verb")

    def hand_in_calls(self) -> None:
        """Count what was asked of the ClearML server; without Redis, it is not counted."""
        if "triggers.clearml_api.connection" not in sys.modules:  # nothing was
            return
        from triggers.context.api_account import hand_in

        with suppress(redis.RedisError):
            hand_in(self.ledger.calls)

    def renew(self) -> None:
        """Learn the present run of Redis, after a restart; begins no epoch."""
        self.ledger.know_run()

    def server_now_ms(self) -> int:
        """The ClearML server's time."""
        from triggers.clearml_api import server_now_ms

        return server_now_ms(self.api, self.scheduler.service_task or None)

    def entry(self, name: str, *, retired: bool = False) -> Entry:
        """The registered trigger of that name, or "kind:name" where two kinds share it.

        Raises:
            Usage: there is none, or more than one; the message lists what there is.
        """
        entries = {id_: e for id_, e in self.ledger.registry.snapshot().entries.items() if retired or not e.retired}
        if name in entries:
            return entries[name]
        found = [entry for entry in entries.values() if entry.trigger.name == name]
        if len(found) == 1:
            return found[0]
        if found:
            ids = " or ".join(repr(entry.trigger.id) for entry in found)
            raise Usage(f"{plural(len(found), 'trigger')} are named {name!r}: say {ids}")
        for id_, unread in self.ledger.registry.snapshot().unreadable.items():
            if name in (id_, id_.partition(":")[2]):
                raise Usage(f"{noun_of_id(id_)} {name!r} is quarantined: {unread.why}")
        known = ", ".join(sorted(entry.trigger.name for entry in entries.values())) or "none"
        raise Usage(f"scheduler {title(self.scheduler)} has no trigger {name!r}; it has: {_short(known)}")


def title(scheduler: Scheduler) -> str:
    """A scheduler as people name it: PROJECT/NAME of its service task."""
    return f"{scheduler.project}/{scheduler.name}" + (" (shadow)" if scheduler.shadow else "")


@contextmanager
def open_target(choice: str | None = None, of: Settings | None = None, *, start: bool = True) -> Iterator[Target]:
    """Open the scheduler that `choice` names (PROJECT/NAME or id), or the only one there is.

    A private Redis that does not run is started for as long as the body runs, unless `start` is False.

    Raises:
        Usage: there is none, or several and no choice.
        StoreUnavailable: Redis gives no answer.
    """
    of = of or settings()
    with ExitStack() as stack:
        try:
            target = _on_redis(of, choice, stack) if of.redis_url else _in_folder(of, choice, stack, start=start)
            try:
                yield target
            finally:
                target.hand_in_calls()
        except redis.RedisError as failure:
            if not redis_refusals.code_of(failure):
                raise
            raise StoreUnavailable(redis_refusals.said(failure)) from failure


def running(of: Settings) -> Iterator[tuple[str, str]]:
    """Address and place of each Redis that runs."""
    from triggers.local.private_files import folders_in, state_folder
    from triggers.local.redis_server import running_url

    if of.redis_url:
        yield of.redis_url, "the Redis of TRIGGERS_REDIS_URL"
        return
    for folder in folders_in(state_folder(of.state_folder)):
        if url := running_url(folder):
            yield url, str(folder)


def titles() -> list[str]:
    """PROJECT/NAME of every scheduler that can be reached without starting anything."""
    found: list[str] = []
    for url, _ in running(settings()):
        with connect(url) as client:
            found += [title(one) for one in schedulers.all_of(client).values()]
    return found


def _on_redis(of: Settings, choice: str | None, stack: ExitStack) -> Target:
    client = stack.enter_context(connect(str(of.redis_url)))
    where = "the Redis of TRIGGERS_REDIS_URL"
    found, unreadable = schedulers.read_all(client)
    if unreadable and not found:
        raise Usage("; ".join(map(str, unreadable.values())))
    scheduler = choose(found, choice, where)
    return _target(client, scheduler, of, running=True, where=where)


def _in_folder(of: Settings, choice: str | None, stack: ExitStack, *, start: bool) -> Target:
    """One private Redis for each scheduler; those that run go first, the others are only started if needed."""
    from triggers.local.private_files import folders_in, state_folder
    from triggers.local.redis_server import PrivateRedis, running_url

    state = state_folder(of.state_folder)
    folders = folders_in(state)
    found: dict[str, tuple[Scheduler, redis.Redis, bool]] = {}

    def look(url: str, *, running: bool) -> None:
        client = stack.enter_context(connect(url))
        for id_, scheduler in schedulers.all_of(client).items():
            found[id_] = scheduler, client, running

    def is_enough() -> bool:
        return any(choice is None or is_meant(scheduler, choice) for scheduler, _, _ in found.values())

    urls = {folder: running_url(folder) for folder in folders}
    for url in filter(None, urls.values()):
        look(url, running=True)
    stopped = [folder for folder, url in urls.items() if not url]
    for folder in (
        [] if is_enough() or not start else [folder for folder in stopped if folder.name == choice] or stopped
    ):
        private = PrivateRedis(folder, server=of.redis_server)
        stack.callback(private.stop)
        look(private.start(), running=False)
        if choice and is_enough():
            break
    chosen = choose(
        {id_: scheduler for id_, (scheduler, _, _) in found.items()}, choice, f"{state} (TRIGGERS_STATE_FOLDER)"
    )
    scheduler, client, running = found[chosen.id]
    return _target(client, scheduler, of, running=running, where=str(state / scheduler.id))


def _target(client: redis.Redis, scheduler: Scheduler, of: Settings, *, running: bool, where: str) -> Target:
    return Target(scheduler, open_known(client, scheduler, of), of, running, where)


def open_known(client: redis.Redis, scheduler: Scheduler, of: Settings) -> Ledger:
    """The ledger of a scheduler that this Redis is known to have."""
    ledger = open_ledger(Store(client), scheduler.id, of)
    ledger.know_run()  # not `adopt_epoch`: a verb sees what this run of Redis holds and begins nothing
    return ledger


def is_meant(scheduler: Scheduler, choice: str) -> bool:
    """Whether a person who writes `choice` means this scheduler."""
    return choice in (scheduler.id, title(scheduler), scheduler.name)


def choose(found: Mapping[str, Scheduler], choice: str | None, where: str) -> Scheduler:
    """The scheduler that is meant: the one chosen, else the only one.

    Raises:
        Usage: none or several; the message lists them.
    """
    fitting = [one for one in found.values() if choice is None or is_meant(one, choice)]
    if len(fitting) == 1:
        return fitting[0]
    if not found:
        raise Usage(f"no scheduler found in {where}: {_REGISTER}")
    listed = ", ".join(f"{title(one)} ({one.id})" for one in (fitting or found.values()))
    if fitting:
        raise Usage(f"{plural(len(fitting), 'scheduler')} found in {where}; choose one with --scheduler: {listed}")
    raise Usage(f"--scheduler {choice!r} not found in {where}; there are: {listed}")


def _short(text: str) -> str:
    return text if len(text) <= 400 else text[:400] + " ..."
