"""One scheduler's ledger: its parts over one store, each imported and made when it is first used."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from triggers.base import forms
from triggers.base.redis_address import eviction_now
from triggers.base.settings import Settings
from triggers.ledger import clock, epoch, leases
from triggers.ledger.assembly import PARTS, class_of
from triggers.ledger.deployment import schedulers
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.epoch import Epoch
from triggers.ledger.keys import Keys
from triggers.ledger.signing import Signer
from triggers.ledger.store import Store

if TYPE_CHECKING:
    from triggers.ledger.api_budget.api_account import CallBook
    from triggers.ledger.deployment.at_work import Running
    from triggers.ledger.deployment.leaders import Homes
    from triggers.ledger.firings.firings import Firings
    from triggers.ledger.firings.forgetting import Forgetting
    from triggers.ledger.firings.limits import FailuresInARow, Limits
    from triggers.ledger.firings.retrying import Retrying
    from triggers.ledger.firings.strays import Strays
    from triggers.ledger.firings.turns import Turns
    from triggers.ledger.firings.waiting import Line, Waiting
    from triggers.ledger.hinted import Hinted
    from triggers.ledger.history.audit import Audit
    from triggers.ledger.history.history import History
    from triggers.ledger.history.streams import Events, Stream
    from triggers.ledger.looks.notify_look import NotifyLook
    from triggers.ledger.looks.poll_look import PollLook
    from triggers.ledger.looks.sync_look import SyncLook
    from triggers.ledger.looks.syncing import LeasedFields
    from triggers.ledger.looks.upkeep import Upkeep
    from triggers.ledger.matching.armed import Armed
    from triggers.ledger.matching.decisions import Decisions
    from triggers.ledger.matching.edits import Edits
    from triggers.ledger.matching.forgotten_marks import ForgottenMarks
    from triggers.ledger.matching.matchers import Matchers
    from triggers.ledger.matching.matching import Matching
    from triggers.ledger.matching.moments import Moments
    from triggers.ledger.matching.undecided import Undecided
    from triggers.ledger.operating.adopting import Adopting
    from triggers.ledger.operating.manual import ByHand
    from triggers.ledger.operating.mutes import Mutes
    from triggers.ledger.operating.operations import Operations
    from triggers.ledger.operating.quarantine import Quarantine
    from triggers.ledger.operating.refused import Refusals
    from triggers.ledger.polling.reading import Reading
    from triggers.ledger.polling.service_watch import ServiceWatch
    from triggers.ledger.registry.registry import Registry
    from triggers.ledger.registry.unread_triggers import UnreadTriggers

SECONDS_PER_DAY = 86_400


class Ledger:
    """Everything that is remembered of one scheduler. Threads may share it.

    Verbs that only read import what they read. Workers run for long, and import all of it at their start
    (`assembly.import_parts`).
    """

    registry: Registry
    unread_triggers: UnreadTriggers
    reading: Reading
    moments: Moments
    limits: Limits
    failures: FailuresInARow
    matching: Matching
    armed: Armed
    undecided: Undecided
    quarantine: Quarantine
    refused: Refusals
    adopting: Adopting
    firings: Firings
    history: History
    operations: Operations
    homes: Homes
    syncing: LeasedFields
    notified: LeasedFields
    mutes: Mutes
    by_hand: ByHand
    retrying: Retrying
    decided: Decisions
    audit: Audit
    waiting: Waiting
    turns: Turns
    edits: Edits
    hinted: Hinted
    matchers: Matchers
    forgetting: Forgetting
    marks: ForgottenMarks
    strays: Strays

    def __init__(self, store: Store, scheduler: str, settings: Settings) -> None:
        """Prepare; reads and writes nothing."""
        self.scheduler, self.store = scheduler, store
        self.keys, self.signer = Keys(scheduler), Signer.of(settings, scheduler)
        self.history_length = settings.history_length
        self.retention_seconds = settings.retention_days * SECONDS_PER_DAY

    if not TYPE_CHECKING:  # else any name would be a part

        def __getattr__(self, name: str) -> Any:
            """Make a part; of two threads that do, the one that is done first makes that of both."""
            if name not in PARTS:
                raise AttributeError(f"the ledger has no part {name!r}")
            made_with = {each: getattr(self, each) for each in PARTS[name][2:]}
            return self.__dict__.setdefault(name, class_of(name)(self.store, self.keys, **made_with))

    def adopt_epoch(self, *, nothing_launched_before: bool = False, at_least: int = 0) -> Epoch:
        """Learn which epoch this is; call it first, and again after `EpochChanged`, with the number known before."""
        return epoch.adopt(self.store, self.keys, nothing_launched_before=nothing_launched_before, at_least=at_least)

    def recalled(self, number: int) -> None:
        """Pauses were compared with the service task in the epoch of this number."""
        epoch.note_recalled(self.store, self.keys, number)

    def counter(self) -> int:
        """How far the counter inside lease tokens has gone; it goes back only where older data was restored."""
        found: Any = self.store.client.get(self.keys.fence)
        return forms.number(found)

    def now_ms(self) -> int:
        """The ledger's clock: Redis' own, which does not go back."""
        return clock.now_ms(self.store.client, self.keys)

    def ahead_ms(self) -> int:
        """How far that clock is ahead of Redis' wall clock, which was set back."""
        return clock.read(self.store.client, self.keys)[1]

    def wall_ms(self) -> int:
        """Redis' wall clock: schedules go by it, and by no other."""
        return clock.wall_ms(self.store.client, self.keys)

    def lease(self, name: str, seconds: float) -> AbstractContextManager[str | None]:
        """Hold a lease of this scheduler while the body runs; yields None when another has it."""
        return leases.held(self.store, self.keys, name, seconds)

    def due(self, line: Line) -> int:
        """How many things of a line are due by the ledger's clock."""
        return self.waiting.due(line, self.now_ms())

    def events(self) -> Events:
        """The events that polls have stored, as far as they are kept."""
        from triggers.ledger.history.streams import Events

        return Events(self.store, self.keys)

    def happenings(self) -> Stream:
        """The history as a stream of (id, fields)."""
        from triggers.ledger.history.streams import Stream

        return Stream(self.store, self.keys.history)

    def is_new(self) -> bool:
        """Whether this Redis knows nothing of the scheduler's firings."""
        return not self.store.client.exists(self.keys.epoch)

    def eviction(self) -> str:
        """What Redis forgets when it is full, by its settings of now; "" if nothing."""
        return eviction_now(self.store.client)

    def know_run(self) -> None:
        """Learn which run of Redis this is without beginning an epoch: for those who only look."""
        self.store.run_id = epoch.present(self.store.client, self.keys)

    def times_polled_ms(self) -> list[int]:
        """When the sources were last read by the ledger's clock, of those that were, ms."""
        times: Any = self.store.client.hmget(self.keys.epoch, ["polled_ms", "other_polled_ms"])
        return [ms for ms in map(forms.number, times) if ms]

    def enter(self, scheduler: Scheduler) -> None:
        """Let every worker on this Redis serve the scheduler."""
        schedulers.put(self.store.client, scheduler, self.signer)

    def is_entered(self) -> bool:
        """Whether workers on this Redis serve the scheduler."""
        return schedulers.is_entered(self.store.client, self.scheduler)

    def record(self) -> Scheduler | None:
        """How the scheduler is entered; None where it is not, or cannot be read."""
        return schedulers.one_of(self.store.client, self.scheduler, self.signer)

    def leave(self) -> None:
        """Let no worker on this Redis serve the scheduler any more."""
        schedulers.remove(self.store.client, self.scheduler)

    def left_alone_by(self) -> dict[str, str]:
        """Which workers leave the scheduler alone, and why."""
        from triggers.ledger.deployment import exclusions

        return exclusions.of(self.store.client, self.scheduler)

    def workers_at_work(self) -> dict[str, Running]:
        """What the workers on this Redis run with, by their names."""
        from triggers.ledger.deployment import at_work

        return at_work.of(self.store.client)

    @property
    def service_watch(self) -> ServiceWatch:
        """What polls see of the scheduler's service tasks."""
        from triggers.ledger.polling.service_watch import ServiceWatch

        return ServiceWatch(self.store, self.keys)

    @property
    def calls(self) -> CallBook:
        """The account of calls to the ClearML API, of all that share this Redis."""
        from triggers.ledger.api_budget.api_account import CallBook

        return CallBook(self.store.client)

    def api_requests(self) -> dict[str, int]:
        """How many calls to the ClearML API ended how, by `<endpoint> <result>`, of all workers on this Redis."""
        from triggers.ledger.deployment.shared import api_requests

        return api_requests(self.store.client)

    def beat_said(self) -> str:
        """What the active beat reported last, "" if none ticks."""
        from triggers.ledger.deployment.shared import beat_said

        return beat_said(self.store.client)

    def upkeep(self) -> Upkeep:
        """What a round of reconcile has to do."""
        from triggers.ledger.looks import upkeep

        return upkeep.look(self.store, self.keys)

    def look_before_poll(self, sources: Sequence[str]) -> PollLook:
        """What a poll of these sources looks at before it asks the ClearML server."""
        from triggers.ledger.looks import poll_look

        return poll_look.look(self.store, self.keys, sources)

    def look_before_sync(self, sources: Sequence[str], fields: Sequence[str]) -> SyncLook:
        """What a turn of sync looks at first, with these fields of what sync remembers."""
        from triggers.ledger.looks import sync_look

        return sync_look.look(self.store, self.keys, sources, fields)

    def look_before_notify(self, lines: Sequence[Line], fields: Sequence[str]) -> NotifyLook:
        """What a turn of notify looks at, with these fields of what notify remembers."""
        from triggers.ledger.looks import notify_look

        return notify_look.look(self.store, self.keys, lines, fields)

    def close(self) -> None:
        """Close the connections to Redis."""
        self.store.client.close()


def open_ledger(store: Store, scheduler: str, settings: Settings) -> Ledger:
    """The ledger of a scheduler on a store; writes nothing."""
    return Ledger(store, scheduler, settings)
