"""The frozen forms of everything that one process writes and another reads, stored or sent.

`python -m tests.frozen` writes what has changed into `unit/model/forms.json`, unless a reader of the release before
would misread it: then the version of that kind has to be raised first, in `triggers.base.formats`.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from triggers.actions.clearml_task import TaskAction
from triggers.actions.python_function import FunctionAction
from triggers.actions.task_query import BaseTaskQuery
from triggers.base.formats import KNOWN
from triggers.ledger.deployment.leaders import Leader
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.firings.firing import Firing
from triggers.ledger.history.chain import Link
from triggers.ledger.matching.changes import Grant
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry
from triggers.ledger.signing import Signer
from triggers.model import Policy
from triggers.model.events import Event, Metric
from triggers.model.launch_tags import ATTEMPT, FIRING, REUSED, SCHEDULER, SERVICE
from triggers.model.original import keys_of, own_keys
from triggers.model.trigger import CLASSES
from triggers.model.values import Since
from triggers.notices.decide import Notice, Told
from triggers.rules.policies import Mark
from triggers.sync.redis_lease import RedisLease
from triggers.sync.saved_state import Saved

FILE = Path(__file__).parent / "unit" / "model" / "forms.json"

#: Kinds whose readers pass over fields that they do not know: one more needs no new version.
TOLERANT = frozenset({"cursor", "scheduler", "state", "leader", "lease of Redis", "told"})
#: The kind whose version covers that of another one: what it lies in, or the record of the whole layout.
COVERED = {
    "policy": "trigger", "action task": "trigger", "action function": "trigger", "task query": "trigger",
    "metric": "event", "granted firing": "firing",
}  # fmt: skip


def forms() -> dict[str, dict[str, Any]]:
    """Kind → its version and its form."""
    found: dict[str, Any] = {f"trigger {kind}": _of_model(of) for kind, of in CLASSES.items()}
    found |= {f"section {kind}": _section(kind) for kind in CLASSES}
    found |= {
        "policy": _of_model(Policy),
        "action task": _of_model(TaskAction),
        "action function": _of_model(FunctionAction),
        "task query": _of_model(BaseTaskQuery),
        "event": _of_dataclass(Event),
        "metric": _of_dataclass(Metric),
        "entry": _of_dataclass(Entry),
        "scheduler": _of_dataclass(Scheduler),
        "state": _of_dataclass(Saved),
        "cursor": _of_dataclass(Cursor),
        "firing": _of_dataclass(Firing),
        "granted firing": Grant("k", "t", "task", "o", 1, 2, 3, "e", "dispatch").fields(Signer(["k" * 40]))[::2],
        "mark": Mark(1, True, 2, 3).to_text(),
        "audit link": Link(1, "h").to_text(),
        "leader": _of_dataclass(Leader),
        "lease of Redis": _of_dataclass(RedisLease),
        "told": _of_dataclass(Told),
        "notice": _of_dataclass(Notice),
        "launch tags": [SCHEDULER, FIRING, ATTEMPT, SERVICE, REUSED],
        "keys of Redis": _keys(),
    }
    return {kind: {"version": version_of(kind), "form": form} for kind, form in found.items()}


def version_of(kind: str) -> int:
    """The version that readers of a kind look at; what has none of its own has that of the scheduler's record."""
    first = kind.partition(" ")[0]
    return KNOWN[COVERED.get(kind, kind if kind in KNOWN else first if first in KNOWN else "scheduler")]


def _of_dataclass(of: Any) -> dict[str, str]:
    since = {one.name: one.metadata.get("since", 1) for one in dataclasses.fields(of)}
    return {one.name: f"{one.type}{_later(since[one.name])}" for one in dataclasses.fields(of)}


def _of_model(of: type[BaseModel]) -> dict[str, str]:
    found = {}
    for name, field in of.model_fields.items():
        if name in ("action", "policy"):  # these have forms of their own
            continue
        since = max([1, *(mark.version for mark in field.metadata if isinstance(mark, Since))])
        default = "" if field.is_required() else f" = {field.get_default(call_default_factory=True)!r}"
        found[name] = f"{_named(field.annotation)}{default}{_later(since)}"
    return found


def _named(annotation: Any) -> str:
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    return re.sub(r"\b(?:\w+\.)+", "", str(annotation))


def _later(since: int) -> str:
    return f" since {since}" if since > 1 else ""


def _section(kind: Any) -> dict[str, Any]:
    return {"original": keys_of(kind), "own": sorted(own_keys(kind))}


def _keys() -> list[str]:
    """The catalog of keys as the ledger's module has it."""
    from triggers.ledger import keys

    found = re.findall(r"^\| `(.+?)` \| (.+?) \|", keys.__doc__ or "", flags=re.MULTILINE)
    return [f"{name}: {type_}" for name, type_ in found]


def faults(frozen: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What would be misread: a form that is another under the same version."""
    found = []
    for kind, before in frozen.items():
        if kind not in now:
            found.append(f"{kind} is gone from tests/frozen.py")
        elif before["version"] == now[kind]["version"] and not _reads(kind, before["form"], now[kind]["form"]):
            found.append(f"the form of {kind} changed, and its version is still {before['version']}")
    return found


def _reads(kind: str, before: Any, after: Any) -> bool:
    """Whether a reader of the form before reads the one after as it is meant."""
    if before == after:
        return True
    if kind.partition(" ")[0] == "section":  # people write them too: what is unknown there is reported and passed over
        return all(after["original"].get(name) == key for name, key in before["original"].items()) and (
            set(before["own"]) <= set(after["own"])
        )
    if kind == "keys of Redis":
        return set(before) <= set(after)
    if kind not in TOLERANT:
        return False
    return all(after.get(name) == form for name, form in before.items())


def main() -> int:
    """Freeze the forms of now."""
    now = forms()
    if wrong := faults(json.loads(FILE.read_text()) if FILE.exists() else {}, now):
        print(
            *wrong, "raise the version in triggers.base.formats, or declare new fields as Since that version", sep="\n"
        )
        return 1
    FILE.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
