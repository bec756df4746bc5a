"""Configure: the configuration sections of the service task and the registry, made the same."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from triggers.base.errors import Refused
from triggers.base.logs import logger
from triggers.base.plural import plural
from triggers.clearml_api import server_now_ms, service
from triggers.clearml_api.names import find_projects
from triggers.clearml_api.service import ConsoleLine
from triggers.context import Context
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.model import Trigger
from triggers.model.kinds import Kind, phrase_of
from triggers.model.original import SECTIONS
from triggers.sync import seen
from triggers.sync.compare import compare
from triggers.sync.memory import Memory
from triggers.sync.permitted_edits import Mode, permitted
from triggers.sync.registering import audited, in_clearml
from triggers.sync.sections import (
    DESCRIPTIONS,
    ONLY_WITH_TRIGGERS,
    Section,
    as_written,
    digest_as_written,
    read_section,
    write_section,
)

log = logger(__name__)

ORIGIN = "configuration"

#: Problems of sections that are reported at once; of more, only their number.
_TOLD: Final = 100


def configure(
    ctx: Context, scheduler: Scheduler, memory: Memory, *, force: bool = False, fresh: bool = False
) -> tuple[int, int]:
    """Read the sections if that is due or the registry has changed: (edits, sections written).

    It is not due while polls see that nobody has changed the service task since.

    Args:
        ctx: the scheduler.
        scheduler: its record.
        memory: of this turn.
        force: it is due now.
        fresh: nothing was written to this service task yet, so that the registry goes before what it says.
    """
    registry, look = ctx.ledger.registry, memory.look
    now_ms, watch = look.now_ms, look.service
    is_read = watch.is_covered and watch.changed_ms == memory.number("read_change")
    due = force or (now_ms - memory.number("read_ms") >= scheduler.sync_seconds * 1000 and not is_read)
    if not due and look.registry_version == memory.number("version"):
        return 0, 0
    memory.put("read_change", str(watch.changed_ms))
    found = service.read(ctx.api, scheduler.service_task)
    if found is None:
        raise Refused("tasks.get_all", 400, 101, "the service task was deleted")
    version, mode = registry.version(), ctx.settings.sections
    if not force and memory.text("seen") == seen.all_of(version, mode, found.sections):
        _done(memory, now_ms, version)
        return 0, 0
    snapshot = registry.snapshot(version)
    known = set() if force else seen.unchanged(memory, mode, found.sections)
    sections = _read(snapshot, found.sections, memory, known)
    edits, overruled = ({}, []) if fresh else _compare(snapshot, sections, memory, known)
    edits, refused = permitted(mode, edits, _as_written(snapshot, edits))
    if edits:
        by = in_clearml(ctx.api, memory.text("changed_by") or found.changed_by)
        snapshot = _edit(ctx, edits, by, scheduler.service_task)
    written = _write(ctx, memory, sections, snapshot, known)
    if written:
        service.write_sections(ctx.api, scheduler.service_task, written, DESCRIPTIONS)
    _complain(ctx, scheduler, memory, sections, edits, overruled, refused)
    remarked = {kind for kind, one in sections.items() if one and one.has_remarks} | _half_known(snapshot)
    seen.remember(memory, mode, {**found.sections, **written}, snapshot.version, remarked)
    _done(memory, now_ms, snapshot.version)
    return len(edits), len(written)


def _done(memory: Memory, now_ms: int, version: int) -> None:
    """Note that the sections and the registry of that version are the same."""
    memory.put("changed_by", "")
    memory.put("read_ms", str(now_ms))
    memory.put("version", str(version))


def _read(
    snapshot: Snapshot, texts: Mapping[str, str], memory: Memory, known: Collection[Kind]
) -> dict[Kind, Section | None]:
    """What each section says; None for one that is not there, and nothing for one that is known."""
    registered = [entry.trigger for entry in snapshot.entries.values()]
    standing = {entry.trigger.id: entry.trigger for entry in snapshot.active}
    found: dict[Kind, Section | None] = {}
    for kind, name in SECTIONS.items():
        if kind in known:
            found[kind] = Section()
        elif name not in texts:
            found[kind] = None
        else:
            found[kind] = read_section(kind, texts[name], memory.value("projects"), registered, standing)
    return found


def _as_written(snapshot: Snapshot, ids: Iterable[str]) -> dict[str, Trigger]:
    return {id_: as_written(entry.trigger) for id_ in ids if (entry := snapshot.get(id_))}


def _compare(
    snapshot: Snapshot, sections: Mapping[Kind, Section | None], memory: Memory, known: Collection[Kind]
) -> tuple[dict[str, Trigger | None], list[str]]:
    edits: dict[str, Trigger | None] = {}
    overruled: list[str] = []
    for kind, section in sections.items():
        if kind in known or section is None or section.problems or kind in _half_known(snapshot):
            continue
        there = {id_: trigger for id_, trigger in section.triggers.items() if id_ not in section.same}
        here = [e.trigger for e in snapshot.active if e.trigger.kind == kind and e.trigger.id not in section.same]
        written = memory.value(f"written:{kind}")
        compared = compare(
            {id_: digest for id_, digest in written.items() if id_ not in section.same},
            there,
            {trigger.id: digest_as_written(trigger) for trigger in here},
        )
        edits |= compared.edits
        overruled += compared.overruled
    return edits, overruled


def _half_known(snapshot: Snapshot) -> set[str]:
    """Kinds with a trigger that this release cannot read: their sections are left to those who can."""
    return {id_.partition(":")[0] for id_ in snapshot.unreadable}


def _edit(ctx: Context, edits: Mapping[str, Trigger | None], by: str, task: str) -> Snapshot:
    """Make the registry what a person made of it in ClearML."""
    server_ms = server_now_ms(ctx.api, task)

    def decide(known: Snapshot, version: int) -> dict[str, Entry | None]:
        changes: dict[str, Entry | None] = {}
        for id_, trigger in edits.items():
            old = known.entries.get(id_)
            if trigger is None:
                if old is not None:
                    changes[id_] = replace(old, retired=True, origin=ORIGIN, source="")
            elif old is None or old.retired:
                names = ("paused", "declared", "declared_in")
                kept = {name: getattr(old, name) for name in names} if old else {}
                changes[id_] = Entry(
                    trigger, ctx.ledger.registry.start_ms(trigger.kind, server_ms), version, ORIGIN, **kept
                )
            else:
                changes[id_] = replace(old, trigger=trigger, origin=ORIGIN, source="")
        return changes

    return audited(ctx.ledger, decide, "section edit", by, service_task=task)


def _write(
    ctx: Context,
    memory: Memory,
    sections: Mapping[Kind, Section | None],
    snapshot: Snapshot,
    known: Collection[Kind],
) -> dict[str, str]:
    """Texts of the sections that do not say what is registered; one that cannot be read is left to its author."""
    to_write: dict[str, str] = {}
    for kind, name in SECTIONS.items():
        section = sections[kind]
        if (section is not None and section.problems) or kind in _half_known(snapshot):
            continue
        here = {e.trigger.id: e.trigger for e in snapshot.active if e.trigger.kind == kind}
        digests = {id_: digest_as_written(trigger) for id_, trigger in here.items()}
        if kind in known:
            there = memory.value(f"written:{kind}")
        else:
            there = {} if section is None else section.digests()
        order = {id_: place for place, id_ in enumerate(there)}
        ordered = sorted(here.values(), key=lambda trigger: (order.get(trigger.id, len(order)), trigger.name))
        missing = section is None and (bool(here) or kind not in ONLY_WITH_TRIGGERS)
        if missing or digests != there:
            to_write[name] = write_section(ordered, _project_ids(ctx, memory, ordered))
        memory.put(f"written:{kind}", {trigger.id: digests[trigger.id] for trigger in ordered})
    return to_write


def _project_ids(ctx: Context, memory: Memory, triggers: list[Trigger]) -> dict[str, str]:
    """Ids of the projects that the triggers name, as far as there are any; one request for many new names."""
    known: dict[str, str] = memory.value("projects")
    names = {trigger.trigger_project for trigger in triggers if trigger.trigger_project} - set(known)
    known |= find_projects(ctx.api, sorted(names))
    memory.put("projects", known)
    return known


def _complain(
    ctx: Context,
    scheduler: Scheduler,
    memory: Memory,
    sections: Mapping[Kind, Section | None],
    edits: Mapping[str, Trigger | None],
    overruled: list[str],
    refused: list[str],
) -> None:
    """Say in the service task's console what came of the sections; the same problems only once."""
    now_ms = ctx.ledger.now_ms()
    found = [section for section in sections.values() if section is not None]
    problems = [text for section in found for text in section.problems]
    warnings = [text for section in found for text in section.warnings]
    lines = [ConsoleLine(now_ms, "info", _told(id_, trigger, id_ in overruled)) for id_, trigger in edits.items()]
    lines += [ConsoleLine(now_ms, "error", text) for text in refused]
    said = hashlib.sha1("\n".join(problems + warnings).encode(), usedforsecurity=False).hexdigest()
    if said != memory.text("problems"):
        unused = "(the section has no effect until this is fixed)"
        lines += [ConsoleLine(now_ms, "error", f"{text} {unused}") for text in problems[:_TOLD]]
        lines += [ConsoleLine(now_ms, "warning", text) for text in warnings[:_TOLD]]
        if more := max(0, len(problems) - _TOLD) + max(0, len(warnings) - _TOLD):
            text = f"... and {plural(more, 'more problem')} of the configuration sections"
            lines.append(ConsoleLine(now_ms, "error", text))
        if not problems and memory.text("problems:open"):
            lines.append(ConsoleLine(now_ms, "info", "the configuration sections are valid again and in use"))
    for line in lines:
        log.log(logging.ERROR if line.level == "error" else logging.INFO, "%s", line.text)
    service.report(ctx.api, scheduler.service_task, lines, [])
    memory.put("problems", said)
    memory.put("problems:open", "1" if problems else "")


def _told(id_: str, trigger: Trigger | None, overruled: bool) -> str:
    kind, _, name = id_.partition(":")
    what = "removed" if trigger is None else "changed or added"
    also = "; changes by script or command line since then are discarded" if overruled else ""
    return f"{phrase_of(kind)} {name!r} was {what} in the configuration of this task{also}"


def allowed_stored(
    mode: Mode, texts: Mapping[str, str], declared: list[Trigger]
) -> tuple[list[Trigger], list[str], bool]:
    """The same as far as the setting of sections allows: (triggers, problems, whether the sections count at all)."""
    if mode == "none":
        return declared, [], False
    triggers, problems = read_stored(texts, declared)
    if mode == "all":
        return triggers, problems, True
    known = {trigger.id: as_written(trigger) for trigger in declared}
    stored = {trigger.id: trigger for trigger in triggers}
    edits = {id_: stored.get(id_) for id_ in {*known, *stored} if stored.get(id_) not in (known.get(id_), *declared)}
    good, told = permitted(mode, edits, known)
    return [good.get(trigger.id) or trigger for trigger in declared], problems + told, True


def read_stored(texts: Mapping[str, str], declared: list[Trigger]) -> tuple[list[Trigger], list[str]]:
    """What a service task's own sections declare, for a start by an agent: (triggers, problems).

    A section that is missing or wrong leaves the script's triggers of that kind as they are.
    """
    triggers: list[Trigger] = []
    problems: list[str] = []
    for kind, name in SECTIONS.items():
        section = read_section(kind, texts[name], {}, declared) if name in texts else None
        if section is None or section.problems:
            problems += section.problems if section else ()
            triggers += [trigger for trigger in declared if trigger.kind == kind]
        else:
            triggers += section.triggers.values()
    return triggers, problems


def shown_in(texts: Mapping[str, str], declared: Sequence[Trigger]) -> set[str]:
    """Ids of the triggers that sections show, whether or not all of what they say can be used."""
    sections = [read_section(kind, texts[name], {}, declared) for kind, name in SECTIONS.items() if name in texts]
    return {id_ for section in sections for id_ in section.triggers}
