"""What launches may be made of, and who signs what: by the settings that the workers say they run with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from triggers.actions.launching.permissions import LISTS, imports
from triggers.base.plural import plural
from triggers.base.settings import Settings
from triggers.ledger.deployment import at_work
from triggers.ledger.deployment.at_work import Running
from triggers.model import Trigger
from triggers.operate.doctor.findings import Finding
from triggers.operate.target import Target

_WHOLE: Final = "TRIGGERS_SECTIONS, TRIGGERS_ALLOW_BASE_PROJECTS, ... limit it (SECURITY.md)"
_SAME: Final = "give all workers the same settings, and restart those that have others"
_WHO: Final = {
    "all": "anyone who may edit the service task can change triggers and what they launch",
    "conditions": "anyone who may edit the service task can change the conditions of triggers",
    "none": "edits of the service task change nothing",
}


def look(target: Target) -> Iterator[Finding]:
    """Say what is open and what is limited, and where workers differ from each other or from this process."""
    workers = target.ledger.workers_at_work()
    snapshot = target.ledger.registry.snapshot()
    yield from judge(target.settings, workers, sealed=snapshot.sealed)
    policy = next((one.policy for one in workers.values()), at_work.policy_of(target.settings))
    yield from functions([entry.trigger for entry in snapshot.active], policy["function_modules"] or ())


def judge(of: Settings, workers: Mapping[str, Running], *, sealed: bool) -> Iterator[Finding]:
    """Judge what workers run with; without any, what this process would. Pure.

    Args:
        of: the settings of this process.
        workers: those at work, by name.
        sealed: whether triggers in Redis are signed.
    """
    mine = at_work.policy_of(of)
    policies = {worker: running.policy for worker, running in workers.items()}
    policy = next(iter(policies.values()), mine)
    yield from _limits(policy, whose="" if workers else " (of this process: no worker reports its settings)")
    yield from _differences(policies)
    if workers and any(policy[name] != mine[name] for name in at_work.POLICY):
        names = ", ".join(f"TRIGGERS_{name.upper()}" for name in at_work.POLICY if policy[name] != mine[name])
        yield Finding("settings here", "warn", f"this process has another {names} than the workers, whose own count")
    yield from _signatures(of, workers, sealed=sealed)
    for worker, running in workers.items():
        if running.refused:
            words = f"it refused {plural(running.refused, 'message')}: {running.refused_why}"
            yield Finding(
                f"worker {_short(worker)}", "bad", words, "find out who else writes to this Redis; see SECURITY.md"
            )


def functions(triggers: Iterable[Trigger], allowed: Collection[str]) -> Iterator[Finding]:
    """Judge which functions dispatch workers are to call, and may. Pure."""
    for trigger in triggers:
        reference = trigger.action.imported
        module = (reference or "").partition(":")[0]
        if reference and not imports(module, allowed):
            words = f"it calls {reference}, and workers may not import {module}"
            to_do = "add the module to the workers' TRIGGERS_FUNCTION_MODULES"
            yield Finding(f"{trigger.called}", "bad", words, to_do)


def _limits(policy: Mapping[str, Any], whose: str) -> Iterator[Finding]:
    sections = str(policy["sections"])
    to_do = "" if sections == "none" else _WHOLE
    yield Finding("sections", "ok", _WHO.get(sections, sections) + whose, to_do)
    limits = [f"{about}: {', '.join(map(str, policy[name]))}" for name, about in LISTS.items() if policy[name]]
    matters = [about for name, about in LISTS.items() if not policy[name]]
    said = [f"open to anyone who declares triggers: {', '.join(matters)}"] if matters else []
    yield Finding("launches", "ok", "; ".join([*said, *limits]) + whose, _WHOLE if matters else "")


def _differences(policies: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    for name in at_work.POLICY:
        groups: dict[str, list[str]] = {}
        for worker, policy in policies.items():
            value = policy[name]
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            groups.setdefault(shown or "nothing", []).append(_short(worker))
        if len(groups) > 1:
            words = "; ".join(f"{', '.join(names)}: {value}" for value, names in groups.items())
            yield Finding(f"TRIGGERS_{name.upper()}", "bad", f"workers differ ({words})", _SAME)


def _signatures(of: Settings, workers: Mapping[str, Running], *, sealed: bool) -> Iterator[Finding]:
    mine = at_work.key_names(of)
    without = [_short(worker) for worker, running in workers.items() if not running.keys]
    signing = {running.keys[0] for running in workers.values() if running.keys} | set(mine[:1])
    strange = [_short(w) for w, running in workers.items() if running.keys and signing - set(running.keys)]
    if (signing or sealed) and without:
        words = f"{', '.join(without)} have no signing key: others refuse what they write, and they accept everything"
        yield Finding("signatures", "bad", words, "give all workers TRIGGERS_SIGNING_KEY, and restart them")
    elif strange or (mine and signing - set(mine)):
        who = ", ".join(strange) or "this process"
        words = f"{who} does not accept the key with which another signs"
        yield Finding("signatures", "bad", words, "set both keys in TRIGGERS_SIGNING_KEY everywhere, the new one first")
    elif (signing or sealed) and not mine:
        words = "the workers have a signing key and this process has none: what it changes would be refused"
        yield Finding("signatures", "warn", words, "set TRIGGERS_SIGNING_KEY here too")
    elif signing:
        yield Finding("signatures", "ok", "data in Redis must be signed")
    else:
        words = "anyone who can write to Redis can declare triggers and forge firings"
        yield Finding("signatures", "ok", words, "TRIGGERS_SIGNING_KEY limits it (SECURITY.md)")


def _short(worker: str) -> str:
    return worker.rpartition(":")[0] or worker
