"""The audit log: what people changed by the command line, who and when."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from triggers.errors import TriggersError
from triggers.ledger.keys import Keys
from triggers.ledger.store import Store

#: Outcomes of a change. A line that stays `begun` is of a process that was killed in the middle.
BEGUN, DONE, FAILED = "begun", "done", "failed"

#: Names of a list that a line keeps; of more it keeps how many, so that a change of many firings stays small.
LISTED = 100


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One change: `what` is the verb, `detail` its arguments and what came of it."""

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
    def change(self, what: str, **detail: Any) -> Iterator[dict[str, Any]]:
        """Note a change around its making: begun before the body, its outcome afterwards.

        Nothing can be changed without a line, whatever is killed when. The body may put what came of it
        into the dictionary that it receives.
        """
        begun = self._write(what, detail, BEGUN)
        came = dict(detail)
        try:
            yield came
        except TriggersError as failure:
            self._write(what, {**came, "begun": begun, "error": str(failure)}, FAILED)
            raise
        self._write(what, {**came, "begun": begun}, DONE)

    def read(self, since_ms: int = 0, count: int = 1000) -> list[AuditLine]:
        """Lines since a time, newest first; a change that has an outcome is one line."""
        found: Any = self.store.client.xrevrange(self.keys.audit, "+", str(since_ms), 2 * count)
        lines, ended = [], set()
        for id_, fields in found:
            detail = json.loads(fields["detail"])
            ended.add(detail.pop("begun", ""))
            if id_ not in ended:
                at_ms = int(id_.partition("-")[0])
                lines.append(AuditLine(id_, at_ms, fields["who"], fields["what"], detail, fields["outcome"]))
        return lines[:count]

    def _write(self, what: str, detail: dict[str, Any], outcome: str) -> str:
        kept = {name: _shortened(value) for name, value in detail.items()}
        line = {"who": who(), "what": what, "detail": json.dumps(kept), "outcome": outcome}
        return str(self.store.client.xadd(self.keys.audit, line, maxlen=self.history_length, approximate=True))  # type: ignore[arg-type]


def _shortened(value: Any) -> Any:
    if isinstance(value, list) and len(value) > LISTED:
        return [*value[:LISTED], f"and {len(value) - LISTED} more"]
    return value


def who() -> str:
    """The person at the keyboard as this machine knows them; TRIGGERS_WHO names one where it knows none."""
    named = os.environ.get("TRIGGERS_WHO")
    if named:
        return named
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = f"user {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
