"""Tables and plots of the service task as plotly data, and console lines, in the original's words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from triggers.base.escaping import html_text, json_text
from triggers.ledger.history.history import HistoryEntry
from triggers.model import Trigger
from triggers.model.action import unknown_console_line
from triggers.model.kinds import KINDS, Kind
from triggers.model.original import own_conditions, to_original
from triggers.model.parts import LISTS, action_of, is_part, is_trial, label_of_key, part_of

EXECUTED: Final = "Triggers Executed"
TABLES: Final[dict[Kind, str]] = {kind: f"{kind.title()} Triggers" for kind in KINDS}
FIRINGS: Final = "Firings over time"
DELAYS: Final = "Seconds from change to launch"
#: Launches that the table shows.
ROWS: Final = 100

_COMMON: Final = [
    "name", "base_task_id", "base_function", "queue", "target_project", "single_instance", "task_parameters",
    "task_overrides", "clone_task", "project", "match_name", "tags", "required_tags", "add_tag", "last_update",
]  # fmt: skip
#: The original's columns of a kind, where they are not those of the others.
_OWN: Final[dict[str, list[str]]] = {
    "task": ["metrics", "variant", "threshold", "value_sign", "exclude_dev", "on_status"],
}
_OWN_OF_OTHERS: Final = ["on_publish", "on_archive"]
#: Behind the original's columns: what it does not have, after the conditions that it does not know.
_FURTHER: Final = [*LISTS, "fire", "overlap", "max_per_minute", "state", "dead", "held", "owner"]
_FONT: Final = "Heebo, verdana, arial, sans-serif"
_HOUR_MS: Final = 3_600_000


class Html(str):
    """A cell that is HTML made here; every other cell is text, escaped when it is put into its table."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class LaunchRow:
    """One row of what was executed. `task`: "" where none was launched, `shown` then; `finished`: "None" while it runs.

    `object`: id of the object that it was launched for; `named`: its name, "" if unknown.
    """

    trigger: str
    task: str
    started_ms: int
    finished: str
    object: str = ""
    named: str = ""
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a trigger stands: its state, and how many of its firings are dead or held."""

    state: str = ""
    dead: int = 0
    held: int = 0


#: How most triggers stand.
ACTIVE: Final = Standing("active")


def trigger_table(
    kind: Kind, triggers: Iterable[Trigger], web: str, standings: Mapping[str, Standing] | None = None
) -> list[list[str]]:
    """The table of the triggers of one kind, header first: the original's columns, then those of ours.

    `standings`: of those that are not just active; None where nothing is known of any.
    """
    columns = [*_COMMON, *_OWN.get(kind, _OWN_OF_OTHERS), "query", *map(_column, own_conditions(kind)), *_FURTHER]
    rows = [columns]
    for trigger in triggers:
        item: dict[str, Any] = to_original(trigger)
        item |= trigger.action.columns()
        item |= _further(trigger, (standings or {}).get(trigger.id, ACTIVE if standings is not None else Standing()))
        row = [str(item.get(column) or "") for column in columns]
        task = columns.index("base_task_id")
        row[task] = link(web, row[task]) if row[task] else ""
        rows.append(row)
    return rows


def _further(trigger: Trigger, standing: Standing) -> dict[str, Any]:
    policy = trigger.policy
    return {
        **{_column(name): _text_of(getattr(trigger, name)) for name in own_conditions(trigger.kind)},
        **{name: "; ".join(each.words() for each in getattr(trigger, name)) for name in LISTS},
        "fire": policy.fire,
        "overlap": policy.overlap if policy.single_instance else "",
        "max_per_minute": policy.max_per_minute,
        "state": standing.state,
        "dead": str(standing.dead),
        "held": str(standing.held),
        "owner": trigger.owner,
    }


def _column(condition: str) -> str:
    """A condition as the head of a column, in the manner of the original's."""
    return condition.removeprefix("trigger_").removeprefix("on_")


def _text_of(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, tuple) else value


def executed_table(launches: Iterable[LaunchRow], web: str) -> list[list[str]]:
    """The table of what was launched, header first, the newest on top: the original's columns, then the object."""
    rows = [["trigger", "name", "task id", "started", "finished", "object"]]
    for launch in launches:
        kind, _, name = launch.trigger.partition(":")
        shown = link(web, launch.task) if launch.task else launch.shown
        object_ = link(web, launch.object, launch.named, kind) if launch.object else ""
        rows.append([f"{kind.title()}Trigger", name, shown, moment(launch.started_ms), launch.finished, object_])
    return rows


def link(web: str, id_: str, named: str = "", kind: str = "task") -> str:
    """An object as a link to its page, a ClearML task's log as the original writes it; no link without web pages."""
    shown = f"{named} ({id_})" if named else id_
    if not web.startswith(("http://", "https://")):
        return shown
    path = KINDS[kind].page_of_original.format(id=quote(id_)) if kind in KINDS else ""
    if not path:
        return shown
    return Html(f'<a href="{html_text(f"{web}/projects/*/{path}")}">{html_text(shown)}</a>')


def moment(ms: int) -> str:
    """A time as the original writes it: UTC, whole seconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def table_plot(title: str, rows: Sequence[Sequence[str]]) -> str:
    """A table as plotly data, looking as the SDK's."""
    header, *body = rows
    cells = [[*map(_cell, column)] for column in zip(*body, strict=True)] if body else []
    table = {
        "type": "table",
        "header": {
            "values": [*map(_cell, header)],
            "align": "left",
            "line": {"width": 0.5, "color": "#d4d6e0"},
            "fill": {"color": "#fff"},
            "font": {"family": _FONT, "size": 12, "color": "#333"},
        },
        "cells": {
            "height": 30,
            "values": cells,
            "align": "left",
            "line": {"color": "white", "width": 1},
            "font": {"family": _FONT, "size": 14, "color": "#384161"},
        },
    }
    return json_text({"data": [table], "layout": {"title.text": title, "title": " "}})


def _cell(text: str) -> str:
    return text if isinstance(text, Html) else html_text(text)


def firings_plot(launches: Sequence[tuple[str, int]]) -> str:
    """Launches (trigger id, ms) stacked by trigger: by the minute, or by the hour if they span more than three."""
    times = [ms for _, ms in launches]
    step = 60_000 if not times or max(times) - min(times) <= 3 * _HOUR_MS else _HOUR_MS
    counts = Counter((trigger, ms // step * step) for trigger, ms in launches)
    data = []
    for trigger in sorted({trigger for trigger, _ in counts}):
        slots = sorted(slot for name, slot in counts if name == trigger)
        bars = [counts[trigger, slot] for slot in slots]
        data.append({"type": "bar", "name": html_text(trigger), "x": [moment(slot) for slot in slots], "y": bars})
    return _plot(data, FIRINGS, "launches a minute" if step == 60_000 else "launches an hour", barmode="stack")


def delays_plot(launches: Sequence[tuple[str, int, int]]) -> str:
    """Seconds between change and launch (trigger id, changed ms, launched ms); both clocks are as they are."""
    data = []
    for trigger in sorted({trigger for trigger, _, _ in launches}):
        points = sorted((ended, changed) for name, changed, ended in launches if name == trigger)
        seconds = [max(0.0, (ended - changed) / 1000) for ended, changed in points]
        times = [moment(ended) for ended, _ in points]
        data.append({"type": "scatter", "mode": "markers", "name": html_text(trigger), "x": times, "y": seconds})
    return _plot(data, DELAYS, "seconds")


def _plot(data: list[dict[str, Any]], title: str, unit: str, **layout: Any) -> str:
    return json_text({"data": data, "layout": {"title": title, "yaxis": {"title": unit}, **layout}})


def _line_of_part(entry: HistoryEntry, trigger: Trigger | None, reason: str) -> tuple[str, str] | None:
    """What the console says of one action of a firing or of its trial, which the original does not have."""
    name, label = entry.trigger.partition(":")[2], label_of_key(trigger, entry.firing)
    action = action_of(trigger, part_of(entry.firing)) if trigger else None
    match entry.what:
        case "acted":
            return "info", f"Trigger {name}, {label}: {action.done if action else 'it was carried out'}"
        case "shadow":
            return "info", f"Shadow: Trigger {name}, {label}: {reason}"
        case "skipped" | "held":
            return "info", f"Trigger {name}, {label}, was {entry.what}: {reason}"
        case "failed" if is_trial(entry.firing):
            return "warning", f"Trigger {name}, {label}, failed: {reason}"
        case "failed":
            return "warning", f"Trigger {name}, {label}, failed and is tried again: {reason}"
        case "dead":
            return "warning", f"Trigger {name}, {label}, is a dead letter for {entry.object}: {reason}"
        case _:
            return None


def console_line(entry: HistoryEntry, trigger: Trigger | None) -> tuple[str, str] | None:
    """What the original's console says of one thing that happened: (level, text); None for what it leaves out."""
    name, action = entry.trigger.partition(":")[2], trigger.action if trigger else None
    reason = entry.reason.splitlines()[0] if entry.reason else ""
    if is_part(entry.firing):
        return _line_of_part(entry, trigger, reason)
    match entry.what:
        case "launched" if not entry.is_launch:
            return None
        case "launched":
            told = action.console_line(name, entry.task) if action else unknown_console_line(name, entry.task)
            return "info", told
        case "shadow":
            return "info", f"Shadow: would schedule Job {name} for {entry.object}: {reason}"
        case "skipped" if entry.task:
            return "info", f"Skipping Task {name} scheduling, previous Task instance {entry.task} still running"
        case "skipped":
            return "info", f"Skipping Task {name} scheduling, {reason}"
        case "held":
            return "info", f"Holding Task {name} scheduling, {reason}"
        case "failed":
            return "warning", f"Skipping Task {name} scheduling for now, it is tried again: {reason}"
        case "dead":
            return "warning", f"Skipping Task {name} scheduling for good, {entry.object} is a dead letter: {reason}"
        case _:
            return None
