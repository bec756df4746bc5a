"""The catalog of every Redis key: name, type, content. Nothing else in this project spells a key.

All keys of one scheduler carry its id in braces, so that they share one hash slot and scripts may name
several of them. `<...>` stands for a part that varies. `triggers` is the prefix that the setting `key_prefix` names:
users of one Redis who are to have nothing to do with each other have one each.

What one process writes and another reads carries a version: `v` in the JSON of schedulers, registry entries and the
triggers in them, batches and the events in them, and in the fields of firings. `triggers.base.formats` says which are
known. Everything else is covered by the version of its scheduler's record.

| key | type | content |
|---|---|---|
| `triggers:schedulers` | hash | scheduler id → JSON (`schedulers.Scheduler`) |
| `triggers:instance` | string | name of this Redis' data, by which two Redises are told apart |
| `triggers:api_requests` | hash | `<endpoint> <result>` → how many ClearML API calls ended so |
| `triggers:api_calls:<month>` | hash, expires | `<cause> <endpoint> <result>` → calls of a month; made: all |
| `triggers:api_calls:lent:<month>` | hash, expires | process → calls that it has in hand, where they are limited |
| `triggers:api_calls:counted:<month>` | hash, expires | process → calls that it has counted, where they are limited |
| `triggers:api_calls:restored:<month>` | string, expires | calls restored of late, which processes may count again |
| `triggers:api_calls:hour:<number>` | hash, expires | all, poll, began: calls of an hour (`api_account`) |
| `triggers:api_pause` | string, expires | JSON (`api_account`): the longest pause of all ClearML servers |
| `triggers:api_pauses` | hash, expires | server → JSON (`api_account`): until when its calls are paused, and why |
| `triggers:api_limit` | string, expires | TRIGGERS_API_CALLS_PER_MONTH of the workers |
| `triggers:workers` | hash | worker → JSON: its queues, limits and keys (`at_work`) |
| `triggers:left_alone` | hash | worker → JSON: schedulers that it does not serve, and why (`exclusions`) |
| `triggers:console_ended:<session>` | string, expires | a session of the console that was logged out |
| `triggers:doctor` | string, expires | written by `doctor` to test that it can write |
| `triggers:celery:<...>` | Celery's | bounded queues `poll`, `match`, `dispatch` (`workers.queue_limits`), and more |
| `triggers:celery:alive:<worker>:<process>` | Celery queue, expires | what a worker sends itself (`workers.watchdog`) |
| `triggers:beat` | string, expires | `<name> <count>` of the beat that ticks (`workers.beat`) |
| `triggers:ticking:<queue>` | hash, expires | by: worker that ticks by itself; count: its ticks (`workers.stints`) |
| `triggers:{id}:epoch` | hash | run_id, nonce, ... (`epoch`); clock_ms, ahead_ms (`clock`); stamps_ms, partitions |
| `triggers:{id}:fence` | string | counter inside every lease token |
| `triggers:{id}:lease:<name>` | string, expires | token of its holder: a poll, a matcher, ... |
| `triggers:{id}:leases` | hash | its key → `<token> <ms>`: when it expires by the ledger's clock |
| `triggers:{id}:hinted` | hash | stage → when a hint was sent that no worker has taken yet, ms (`hinted`) |
| `triggers:{id}:registry` | hash | trigger id → JSON entry (specification, since_ms, version, origin, state) |
| `triggers:{id}:registry:version` | string | raised with every change of the registry |
| `triggers:{id}:registry:staged:<nonce>` | hash, expires | entries that are written in parts and not in use yet |
| `triggers:{id}:registry:staged:<nonce>:old` | hash | entries that they replaced, until their memory is freed |
| `triggers:{id}:base_tasks` | set | all base tasks that triggers ever had, which are never deleted |
| `triggers:{id}:aside` | hash | trigger id → `<from ms> <noted ms> <why>`: quarantined triggers (`unread_triggers`) |
| `triggers:{id}:cursor:<source>` | hash | `reading.Cursor`: how far a source was read (`moments`: floor_ms, zones) |
| `triggers:{id}:seen:<source>` | sorted set | object id by last change seen (`reading`), while windows overlap |
| `triggers:{id}:next_poll` | string | time of the next poll by the ledger's clock, ms |
| `triggers:{id}:batches:<partition>` | list | batches of events, oldest first |
| `triggers:{id}:batches:ready` | sorted set | partitions that hold batches, by the time they began to wait |
| `triggers:{id}:undecided` | set | partitions that hold undecided events |
| `triggers:{id}:undecided:<partition>` | hash | object id → JSON: events, perhaps of an own launch (`undecided`) |
| `triggers:{id}:poison` | list, bounded | JSON: data that cannot be read (`quarantine`) |
| `triggers:{id}:refused` | list, bounded | JSON (`refused`): data without a valid signature |
| `triggers:{id}:events` | stream, bounded | copies of the batches, for people |
| `triggers:{id}:marks:<trigger id>` | hash | object id → mark `occurrence:active:changed_ms:fired_ms` |
| `triggers:{id}:forgotten` | hash | trigger id → `<count> <most occurrences> <active>`: forgotten marks |
| `triggers:{id}:forgetting` | hash | progress of the rounds that forget marks (`forgotten_marks.Rounds`) |
| `triggers:{id}:active:<object>` | set | repeating triggers whose mark of this object is active |
| `triggers:{id}:active:indexed` | hash | trigger id → begun, done: whether those sets hold its active marks |
| `triggers:{id}:firing:<key>` | hash | one firing (fields: `firing.Firing`; slot: the one it took) |
| `triggers:{id}:due:<lane>` | sorted set | firing keys by the time when due, or when the lease expires (`lines`) |
| `triggers:{id}:held:<hold>` | sorted set | keys of held firings, in the order of their grants (`lines`) |
| `triggers:{id}:lines:<lane or hold>` | sorted set | firing keys of that list that can be taken, by trigger (`lines`) |
| `triggers:{id}:served:<lane or hold>` | string | prefix of the firing keys of the trigger that had the last turn |
| `triggers:{id}:holds` | set | the holds that have firings |
| `triggers:{id}:slots` | hash | slot → firing key and ClearML task id of its last holder |
| `triggers:{id}:pace:<trigger id>` | hash | minute, count: launches begun in that minute |
| `triggers:{id}:launched` | hash | ClearML task id → trigger id that launched it |
| `triggers:{id}:launched:times` | sorted set | the same ids by launch time |
| `triggers:{id}:edits` | hash | `<object> <trigger id>` → `<from> <till> <firing> <digest>`: own edits (`edits`) |
| `triggers:{id}:edits:times` | sorted set | the same fields by the time when an edit was announced |
| `triggers:{id}:limits` | sorted set | ClearML tasks that run under a limit, by launch time (`limits`) |
| `triggers:{id}:limits:seen` | string | launch time up to which those are complete |
| `triggers:{id}:limits:epoch` | string | run id of the epoch in which they were last compared with running tasks |
| `triggers:{id}:watched` | sorted set | ClearML tasks whose failure may pause a trigger, by launch time |
| `triggers:{id}:watched:seen` | string | launch time up to which those are complete |
| `triggers:{id}:failures` | hash | trigger id → failures in a row; `dead <trigger id>` → firings given up so far |
| `triggers:{id}:strays` | sorted set | firing keys whose void attempts may have left drafts, by the time of the check |
| `triggers:{id}:dead` | sorted set | keys of dead letters by the time when they were given up |
| `triggers:{id}:home` | string | JSON (`leaders.Leader`): the process that has, or last had, the lease `home` |
| `triggers:{id}:service_watch` | hash | the scheduler's service tasks as polls see them, and the pace of polls |
| `triggers:{id}:sync` | hash | what sync last wrote to the service task, and has reported (`sync.memory`) |
| `triggers:{id}:history` | stream, bounded | what happened to firings |
| `triggers:{id}:history:tallies` | hash | `<what> <trigger id>` → count; time, object, ClearML task of the last one |
| `triggers:{id}:history:decided` | sorted set, bounded | `<object> <trigger id>`: dropped, skipped (`decisions`) |
| `triggers:{id}:audit` | stream, bounded | who changed what, and when (`audit`) |
| `triggers:{id}:audit:head` | hash | seq, hash: last line of its chain (`chain`); start: that of an earlier Redis |
| `triggers:{id}:notices` | hash | notices that were sent, and when (`notices.decide`) |
| `triggers:{id}:mutes` | hash | trigger id → end of its mute, ms; 0 for a mute without an end |
| `triggers:{id}:alarms` | hash | alarm → JSON: what is wrong, and since when |
"""

from __future__ import annotations

from triggers.base.settings import settings


def shared(name: str) -> str:
    """A key that all schedulers of one prefix share: `schedulers`, `instance`, ..."""
    return f"{settings().key_prefix}:{name}"


class Keys:
    """Spells the keys of one scheduler."""

    def __init__(self, scheduler: str) -> None:
        self.prefix = shared(f"{{{scheduler}}}:")

    def __getattr__(self, name: str) -> str:
        """Keys without a varying part: `keys.epoch`, `keys.registry_version`, ..."""
        try:
            return self.prefix + _PLAIN[name]
        except KeyError:
            raise AttributeError(name) from None

    def lease(self, name: str) -> str:
        return f"{self.prefix}lease:{name}"

    def cursor(self, source: str) -> str:
        return f"{self.prefix}cursor:{source}"

    def registry_staged(self, nonce: str) -> str:
        return f"{self.prefix}registry:staged:{nonce}"

    def seen(self, source: str) -> str:
        return f"{self.prefix}seen:{source}"

    def batches(self, partition: int) -> str:
        return f"{self.prefix}batches:{partition}"

    def undecided(self, partition: int) -> str:
        return f"{self.prefix}undecided:{partition}"

    def marks(self, trigger: str) -> str:
        return f"{self.prefix}marks:{trigger}"

    def active(self, object_id: str) -> str:
        return f"{self.prefix}active:{object_id}"

    def firing(self, key: str) -> str:
        return f"{self.prefix}firing:{key}"

    def due(self, lane: str) -> str:
        return f"{self.prefix}due:{lane}"

    def held(self, hold: str) -> str:
        return f"{self.prefix}held:{hold}"

    def lines(self, name: str) -> str:
        return f"{self.prefix}lines:{name}"

    def served(self, name: str) -> str:
        return f"{self.prefix}served:{name}"

    def pace(self, trigger: str) -> str:
        return f"{self.prefix}pace:{trigger}"


_PLAIN = {
    "epoch": "epoch",
    "fence": "fence",
    "registry": "registry",
    "registry_version": "registry:version",
    "base_tasks": "base_tasks",
    "next_poll": "next_poll",
    "ready": "batches:ready",
    "indexed": "active:indexed",
    "forgotten": "forgotten",
    "forgetting": "forgetting",
    "undecided_partitions": "undecided",
    "events": "events",
    "holds": "holds",
    "slots": "slots",
    "launched": "launched",
    "launched_times": "launched:times",
    "edits": "edits",
    "edit_times": "edits:times",
    "limits": "limits",
    "limits_seen": "limits:seen",
    "limits_epoch": "limits:epoch",
    "watched": "watched",
    "watched_seen": "watched:seen",
    "failures": "failures",
    "strays": "strays",
    "dead": "dead",
    "home": "home",
    "service_watch": "service_watch",
    "sync": "sync",
    "history": "history",
    "tallies": "history:tallies",
    "decided": "history:decided",
    "audit": "audit",
    "audit_head": "audit:head",
    "notices": "notices",
    "alarms": "alarms",
    "mutes": "mutes",
    "unread_triggers": "aside",
    "quarantine": "poison",
    "refused": "refused",
    "leases": "leases",
    "hinted": "hinted",
}
