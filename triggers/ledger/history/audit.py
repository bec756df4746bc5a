"""The audit log: what people changed, by command line, script, file or an edit in ClearML; who and when."""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from typing import Any

from triggers.base import forms
from triggers.base.errors import TriggersError
from triggers.ledger.history.chain import Link, faults, hash_of
from triggers.ledger.history.paging import entry_order
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store

APPEND = Script("audit_append")

#: Outcomes of a change. A line that stays `begun` is of a process that was killed in the middle.
BEGUN, DONE, FAILED = "begun", "done", "failed"

#: Names of a list that a line keeps; of more it keeps how many, so that a change of many firings stays small.
LISTED = 100

#: Lines behind a page in which the outcomes of what begins on it are looked for.
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One change: `what` is the verb, `register` or `section edit`, `detail` its arguments and what came of it."""

    id: str
    at_ms: int
    who: str
    what: str
    detail: dict[str, Any]
    outcome: str


class Audit:
    """The audit log of one scheduler; the oldest lines go first when it is full."""

    def __init__(self, store: Store, keys: Keys, *, history_length: int) -> None:
        self.store, self.keys, self.history_length = store, keys, history_length

    @contextmanager
    def change(self, what: str, by: str = "", **detail: Any) -> Iterator[dict[str, Any]]:
        """Note a change around its making: begun before the body, its outcome afterwards.

        Nothing can be changed without a line, whatever is killed when. The body may put what came of it
        into the dictionary that it receives. `by`: who makes it, where it is not the person at the keyboard.
        """
        by = by or who()
        begun = self._write(by, what, detail, BEGUN)
        came = dict(detail)
        try:
            yield came
        except TriggersError as failure:
            self._write(by, what, {**came, "begun": begun, "error": str(failure)}, FAILED)
            raise
        self._write(by, what, {**came, "begun": begun}, DONE)

    def read(self, since_ms: int = 0, count: int = 1000, before: str = "") -> list[AuditLine]:
        """Lines since a time, newest first; a change that has an outcome is one line.

        `before`: the id of a line, of which older ones are meant.

        Raises:
            Usage: it is not such an id.
        """
        if before:
            entry_order(before)
        return list(islice(self._lines(since_ms, 2 * count, before), count))

    def _lines(self, since_ms: int, page: int, before: str) -> Iterator[AuditLine]:
        ended = self._ended_behind(before) if before else set()
        while True:
            end = f"({before}" if before else "+"
            found: Any = self.store.client.xrevrange(self.keys.audit, end, str(since_ms), page)
            for id_, fields in found:
                detail = _detail(fields)
                ended.add(str(detail.pop("begun", "")))
                if id_ not in ended:
                    who_, what, outcome = (fields.get(name, "") for name in ("who", "what", "outcome"))
                    yield AuditLine(id_, int(id_.partition("-")[0]), who_, what, detail, outcome)
            if len(found) < page:
                return
            before = found[-1][0]

    def _ended_behind(self, id_: str) -> set[str]:
        """The beginnings of changes whose outcomes are the lines from an id on: they are not lines of their own."""
        later: Any = self.store.client.xrange(self.keys.audit, id_, "+", _LOOKED_AT)
        return {str(_detail(fields).get("begun", "")) for _, fields in later}

    def _write(self, by: str, what: str, detail: dict[str, Any], outcome: str) -> str:
        """Add a line behind the last one, whichever that is by then; the id of its entry."""
        kept, last = {name: _shortened(value) for name, value in detail.items()}, self.head()
        said = {"who": by, "what": what, "detail": json.dumps(kept), "outcome": outcome}
        said |= {"limit": str(self.history_length), "at_ms": str(int(time.time() * 1000))}
        while True:
            line = said | {"seq": str(last.seq + 1), "prev": last.hash}
            hash_ = hash_of(last.hash, line)
            fields = [part for pair in (line | {"hash": hash_}).items() for part in pair]
            names = [self.keys.audit, self.keys.audit_head]
            answer = self.store.run(APPEND, names, last.seq, last.hash, hash_, self.history_length, *fields)
            if not isinstance(answer, list):
                return str(answer)
            last = Link(int(answer[0]), answer[1])

    def head(self) -> Link:
        """The last line of the chain."""
        seq, hash_ = self.store.client.hmget(self.keys.audit_head, ["seq", "hash"])
        return Link(forms.number(seq), str(hash_ or ""))

    def go_on_from(self, last: Link) -> None:
        """Chain the first line of this Redis to the last of an earlier one. Idempotent; too late once there is one."""
        if last.seq and self.store.client.hsetnx(self.keys.audit_head, "start", last.to_text()):
            self.store.client.hsetnx(self.keys.audit_head, "seq", str(last.seq))
            self.store.client.hsetnx(self.keys.audit_head, "hash", last.hash)

    def verify(self, shown: Link) -> tuple[int, list[str]]:
        """How many lines of the chain are kept, and what is wrong with it; `shown`: one that the service task shows."""
        start: Any = self.store.client.hget(self.keys.audit_head, "start")
        lines: Any = self.store.client.xrange(self.keys.audit)
        found = faults(lines, self.head(), Link.from_text(start or ""), shown)
        return sum("hash" in fields for _, fields in lines), found


def _detail(fields: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of a line; of one that cannot be read, its text."""
    text = fields.get("detail", "{}")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"unreadable": text}


def _shortened(value: Any) -> Any:
    if isinstance(value, list) and len(value) > LISTED:
        return [*value[:LISTED], f"and {len(value) - LISTED} more"]
    return value


#: Who makes the changes of this context, where that is not the person at the keyboard.
_ACTING: ContextVar[str] = ContextVar("acting", default="")


@contextmanager
def acting(person: str) -> Iterator[None]:
    """Let what the body changes be noted as a change of that person."""
    before = _ACTING.set(person)
    try:
        yield
    finally:
        _ACTING.reset(before)


def who() -> str:
    """The person at the keyboard as this machine knows them; TRIGGERS_WHO names one where it knows none."""
    named = _ACTING.get() or os.environ.get("TRIGGERS_WHO")
    if named:
        return named
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = f"user {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
