"""Registering: what a script declares becomes all that its scheduler has; what was before is taken over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from triggers.base.logs import logger
from triggers.base.settings import Settings
from triggers.clearml_api import Api, server_now_ms, service
from triggers.client import inheritance, service_task
from triggers.client.checks import warn_of_missing
from triggers.client.declarer import script
from triggers.client.service_task import KEPT, ServiceTask
from triggers.ledger import Ledger
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.epoch import Epoch
from triggers.ledger.registry.registry import Snapshot
from triggers.model import Trigger
from triggers.sync import trust
from triggers.sync.configure import ORIGIN, allowed_stored
from triggers.sync.registering import at_keyboard, audited

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Registration:
    """The registrations of one process.

    Attributes:
        task: The service task.
        sources: Trigger id → file that declares it.
        adopt: Learns the run of Redis.
    """

    task: ServiceTask
    scheduler: Scheduler
    api: Api
    settings: Settings
    sources: Mapping[str, str]
    adopt: Callable[[Ledger], Epoch]

    def register(self, ledger: Ledger, declared: Sequence[Trigger]) -> Snapshot:
        """Make the declared triggers all that there are; an agent's run goes by what ClearML shows. Idempotent."""
        triggers, origin = self._stored(declared) if self.task.remote else (list(declared), "script")
        warn_of_missing(self.api, triggers)
        known = ledger.registry.version() > 0
        original = None if known else service_task.original_state(self.api, self.task, self._makers())
        self.adopt(ledger)
        before = inheritance.Inheritance()
        if not known:
            before = inheritance.look(self.api, self.scheduler, triggers, self.settings, original)
        ledger.enter(self.scheduler)
        inheritance.take_over(ledger, before, triggers)
        now_ms = server_now_ms(self.api, self.task.id)
        sources = self.sources if origin == "script" else None
        edit = ledger.registry.declaration(triggers, origin, now_ms, before.since_ms, sources, before.entries)
        audited(ledger, edit, "register", at_keyboard(self.api), script=script(self.sources))
        inheritance.pause(ledger, before)
        ledger.reading.start_anew()
        self._end_earlier()
        return ledger.registry.snapshot()

    def _stored(self, declared: Sequence[Trigger]) -> tuple[list[Trigger], str]:
        """What the configuration of the service task declares."""
        found = service.read(self.api, self.task.id)
        texts = found.sections if found else {}
        triggers, problems, counts = allowed_stored(self.settings.sections, texts, list(declared))
        for problem in problems:
            log.error("%s (the script's triggers are used)", problem)
        return triggers, ORIGIN if counts and texts else "script"

    def _makers(self) -> set[str]:
        return trust.makers_of(self.api, self.task.id, self.settings.service_users)

    def _end_earlier(self) -> None:
        """Let service tasks end that a registration left running before this one."""
        users = self.settings.service_users
        for earlier in trust.believed(self.api, self.scheduler.id, self.task.id, users):
            if earlier.id != self.task.id and KEPT in earlier.runtime and earlier.status == "in_progress":
                service.end(self.api, earlier.id, f"replaced by {self.task.id}")
