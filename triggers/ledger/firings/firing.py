"""What a firing is: its key, its fields as Redis keeps them, and what goes with it into and out of the scripts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from triggers.base import forms
from triggers.base.errors import Unreadable
from triggers.base.formats import check_version, reading
from triggers.ledger.signing import NO_KEY, WAY_OUT, Signer, Unsigned
from triggers.model.action import LANES
from triggers.model.kinds import KINDS, is_subject, is_trigger
from triggers.model.parts import is_trial, part_of

State = Literal["waiting", "held", "launched", "skipped", "dropped", "dead", "shadow"]

#: Fields of the signatures of what was granted, and of the ClearML task recorded for it.
SIGNATURE, TASK_SIGNATURE = "signature", "task_signature"

#: What a grant signs. Who carries it out and how far it has come changes later, and makes nothing new.
SIGNED = ("v", "key", "trigger", "kind", "object", "occurrence", "changed_ms", "polled_ms", "event")

#: Hexadecimal digits that every firing key of a trigger begins with.
DIGEST_LENGTH = 8


def trigger_digest(scheduler: str, trigger: str) -> str:
    """What every firing key of a trigger begins with."""
    return hashlib.sha256(f"{scheduler}\0{trigger}".encode()).hexdigest()[:DIGEST_LENGTH]


def firing_key(scheduler: str, trigger: str, subject: str, occurrence: int) -> str:
    """The idempotency key: derived, never random, so that every observer of one occurrence makes the same.

    Args:
        scheduler: Its id.
        trigger: The trigger's id, which begins with its kind and so says of which source the subject is.
        subject: What it fires for, as its source names it (`Event.id`): a ClearML id, or any other text.
        occurrence: Counts what was granted for that subject, from 1.
    """
    text = "\0".join((scheduler, trigger, subject, str(occurrence)))
    return trigger_digest(scheduler, trigger) + hashlib.sha256(text.encode()).hexdigest()[:24]


def signed_parts(fields: Mapping[str, str]) -> list[str]:
    """What the signature of a firing with these fields is of."""
    return [fields.get(name, "") for name in SIGNED]


def verify(key: str, fields: Mapping[str, str], signer: Signer) -> None:
    """Let a firing pass that was granted, and its ClearML task recorded, by who has a key.

    Raises:
        Unsigned: it was not.
    """
    fault = signer.fault_of(fields.get(SIGNATURE, ""), "firing", *signed_parts(fields))
    task = fields.get("task")
    if task and not fault:
        fault = signer.fault_of(fields.get(TASK_SIGNATURE, ""), "task", key, task)
        fault = fault and f"of its ClearML task {task}: {fault}"
    if fault:
        raise Unsigned(f"the firing {key} is refused: {fault}; {WAY_OUT}")


@dataclass(frozen=True, slots=True)
class Firing:
    """One firing as claimed: `lease` is the token of this attempt, the last of `attempts`.

    `unread`: why it could not be read, "" when it could; what is missing or garbled is empty then. `unsigned`: it
    could, and its signature does not hold. `action`: of a part, which it is; `launched`: the ClearML task that it
    waited for; `has_parts`: parts of it are still to be granted. `editing`:
    an edit of its object is announced, and nobody has recorded what came of it.
    """

    key: str
    trigger: str
    kind: str
    object: str
    occurrence: int
    changed_ms: int
    granted_ms: int
    polled_ms: int
    event: str
    state: str
    lease: str
    attempts: tuple[str, ...]
    failures: int
    task: str | None
    withdrawing: str | None
    reason: str
    ended_ms: int | None
    recorded_ms: int | None = None
    recorded_by: str = ""
    slot: str = ""
    action: str = ""
    launched: str = ""
    has_parts: bool = False
    editing: bool = False
    unread: str = ""
    unsigned: bool = False

    @property
    def part(self) -> str:
        """Which part of a firing it is (`model.parts`); "" for the firing itself."""
        return part_of(self.key)

    @property
    def is_trial(self) -> bool:
        """Whether it only tries an action."""
        return is_trial(self.key)

    @classmethod
    def from_fields(cls, key: str, fields: Mapping[str, str]) -> Firing:
        """Decode the hash of the firing with that key.

        Raises:
            Newer, Unreadable: a later release wrote it; nobody did.
        """
        with reading("firing", key):
            check_version("firing", int(fields.get("v", 1)), key)
            for name in ("trigger", "object", "event"):
                if not fields[name]:
                    raise ValueError(f"its {name} is empty")
            for fits, name in (
                (forms.is_firing, "key"),
                (is_trigger, "trigger"),
                (partial(is_subject, fields["kind"]), "object"),
            ):
                if not fits(fields[name]):
                    raise ValueError(f"its {name} has another form than is made: {fields[name]!r:.100}")
            if fields["key"] != key or fields["kind"] not in KINDS or fields["lane"] not in LANES:
                raise ValueError(f"key {fields['key']!r}, kind {fields['kind']!r}, lane {fields['lane']!r}")
            int(fields["sequence"])
            int(fields.get("withdrawn_ms", 0))
            json.loads(fields.get("parts", "[]"))
            numbers = ("occurrence", "changed_ms", "granted_ms", "polled_ms", "failures", "ended_ms", "recorded_ms")
            given = {name: int(fields[name]) for name in numbers if name in fields}
            return cls(**_decoded(key, fields, {"failures": 0, "ended_ms": None, **given}))

    @classmethod
    def as_far_as_readable(cls, key: str, fields: Mapping[str, str], signer: Signer = NO_KEY) -> Firing:
        """Decode what can be: for people, and to give it up. What `signer` refuses counts as what cannot be read."""
        try:
            firing = cls.from_fields(key, fields)
            verify(key, fields, signer)
            return firing
        except Unsigned as fault:
            return replace(firing, unread=str(fault), unsigned=True)
        except Unreadable as fault:
            texts = {name: fields.get(name, "") for name in ("trigger", "kind", "object", "event", "state")}
            texts["reason"] = fields.get("reason") or str(fault)
            names = ("occurrence", "changed_ms", "granted_ms", "polled_ms", "failures")
            numbers: dict[str, int | None] = {name: _number(fields.get(name)) for name in names}
            numbers["ended_ms"] = _number(fields["ended_ms"]) if "ended_ms" in fields else None
            return cls(**_decoded(key, {**fields, **texts}, numbers), unread=str(fault))


def _decoded(key: str, fields: Mapping[str, str], numbers: Mapping[str, int | None]) -> dict[str, Any]:
    return {
        "key": key,
        **{name: fields[name] for name in ("trigger", "kind", "object", "event", "state")},
        **numbers,
        "lease": fields.get("lease", ""),
        "attempts": tuple(fields.get("attempts", "").split()),
        "task": fields.get("task") or None,
        "withdrawing": fields.get("withdrawing") or None,
        "recorded_by": fields.get("recorded_by", ""),
        "slot": fields.get("slot", ""),
        "action": fields.get("action", ""),
        "launched": fields.get("launched", ""),
        "has_parts": "parts" in fields,
        "editing": "editing" in fields,
        "reason": fields.get("reason", ""),
    }


def _number(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim brought: the firings and the registry version they have to be judged by.

    `unreadable`: those that make no sense, as far as they can be read. `before`: what the scripts that ran before it in
    the same trip have answered. `begun`: keys of those that were counted against their pace with it, and may go on.
    """

    registry_version: int
    firings: tuple[Firing, ...]
    unreadable: tuple[Firing, ...] = ()
    before: tuple[Any, ...] = ()
    begun: frozenset[str] = frozenset()

    @classmethod
    def from_answer(cls, registry_version: str, found: Iterable[Sequence[str]], signer: Signer = NO_KEY) -> Claim:
        """Decode what the script returns: of each firing its key, then its fields, flat."""
        fields = {key: dict(zip(flat[::2], flat[1::2], strict=True)) for key, *flat in found}
        claimed = [Firing.as_far_as_readable(key, known, signer) for key, known in fields.items()]
        whole, unreadable = [f for f in claimed if not f.unread], [f for f in claimed if f.unread]
        begun = frozenset(key for key, known in fields.items() if "begun" in known)
        return cls(int(registry_version), tuple(whole), tuple(unreadable), begun=begun)


@dataclass(frozen=True, slots=True)
class Beginning:
    """A firing that wants to be launched now.

    `slot`: the one it needs, or "". `ended_holder`: of that slot, as written, known to have ended. `per_minute`:
    launches of its trigger at most, 0 for any number.
    """

    firing: Firing
    slot: str
    ended_holder: str
    per_minute: int


@dataclass(frozen=True, slots=True)
class PlainTriggers:
    """Triggers that ask for nothing but their pace before they launch: no slot, no pause, as the registry has them.

    `version`: the registry's. `limits`: launches a minute of each, 0 for any number.
    """

    version: int
    limits: Mapping[str, int]

    def to_json(self) -> str:
        """As the script reads it."""
        return json.dumps({"version": str(self.version), "limits": self.limits})
