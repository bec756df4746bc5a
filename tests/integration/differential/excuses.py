"""Excuses: why the two may differ on one object, each a predicate on its history and a row of docs/differences.md.

An excuse speaks for one direction: the original has fired more often (`more`), or less often (`fewer`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tests.integration.differential.pair import Json, Past, Rule
from triggers.model.events import dataset_project, metric_key

Excuse = Callable[[Past, Rule, str], bool]


def excused(past: Past, rule: Rule, object_id: str) -> set[str]:
    """The rows that excuse a difference; empty: nothing does."""
    more = past.theirs[rule.name, object_id] > past.ours[rule.name, object_id]
    return {row for row, excuse in (MORE if more else FEWER).items() if excuse(past, rule, object_id)}


# ---- the original fires more often ----------------------------------------------------------------------
def _some_tags(past: Past, rule: Rule, object_id: str) -> bool:
    """Some of the tags were there and some were missing: its list is read as any-of."""
    wanted = {*(rule["trigger_on_tags"] or ()), *(rule["trigger_required_tags"] or ())}
    return any(wanted & set(seen["tags"]) and wanted - set(seen["tags"]) for seen in past.of(object_id))


def _threshold_of_zero(past: Past, rule: Rule, object_id: str) -> bool:
    """It drops the filter."""
    return rule["trigger_on_threshold"] == 0


def _metric_missing(past: Past, rule: Rule, object_id: str) -> bool:
    """A filter with an open minimum lets objects without the field pass."""
    if rule["trigger_on_threshold"] is None or (rule["trigger_on_sign"] or "").startswith("max"):
        return False
    title, _, variant = metric_key("loss", "val").partition(".")
    return any(variant not in seen.get("last_metrics", {}).get(title, {}) for seen in past.of(object_id))


def _project_missing(past: Past, rule: Rule, object_id: str) -> bool:
    """The project did not exist at registration: it watches all."""
    return rule.kind != "dataset" and rule["trigger_project"] not in (None, *past.projects)


def _project_renamed(past: Past, rule: Rule, object_id: str) -> bool:
    """The project it remembers by id has another name now."""
    watched = past.projects.get(rule["trigger_project"])
    return rule.kind != "dataset" and any(
        _project(seen)[0] == watched and _project(seen)[1] != rule["trigger_project"] for seen in past.of(object_id)
    )


def _dataset_projects_kept(past: Past, rule: Rule, object_id: str) -> bool:
    """It remembers the projects of the datasets by id: renamed or moved to, they count, each by itself."""
    return rule.kind == "dataset" and any(
        _project(seen)[0] in _dataset_projects(past, rule)
        and (past.theirs[rule.name, object_id] > 1 or dataset_project(_project(seen)[1]) != rule["trigger_project"])
        for seen in past.of(object_id)
    )


def _not_archived(past: Past, rule: Rule, object_id: str) -> bool:
    """Its query takes archived or dataset: live datasets, archived plain tasks."""
    archive = rule.kind == "dataset" and rule["trigger_on_archive"]
    return bool(archive) and any(not {"archived", "dataset"} <= set(seen["system_tags"]) for seen in past.of(object_id))


# ---- the original fires less often ----------------------------------------------------------------------
def _archived_in_another_status(past: Past, rule: Rule, object_id: str) -> bool:
    """It wants archived datasets to be completed."""
    archive = rule.kind == "dataset" and rule["trigger_on_archive"] and not rule["trigger_on_publish"]
    return bool(archive) and any(
        "archived" in seen["system_tags"] and seen["status"] != "completed" for seen in past.of(object_id)
    )


def _published_before_the_poll(past: Past, rule: Rule, object_id: str) -> bool:
    """A dataset was published when the poll came: it asks for completed."""
    finalized = rule.kind == "dataset" and not (rule["trigger_on_publish"] or rule["trigger_on_archive"])
    return finalized and any(seen["status"] == "published" for seen in past.of(object_id))


def _project_of_the_name(past: Past, rule: Rule, object_id: str) -> bool:
    """Another project than the one at registration has the name now."""
    return rule.kind != "dataset" and any(
        _project(seen)[1] == rule["trigger_project"] != None  # noqa: E711
        and _project(seen)[0] != past.projects.get(rule["trigger_project"])
        for seen in past.of(object_id)
    )


def _dataset_projects_later(past: Past, rule: Rule, object_id: str) -> bool:
    """The dataset came after registration."""
    return rule.kind == "dataset" and any(
        dataset_project(_project(seen)[1]) == rule["trigger_project"]
        and _project(seen)[0] not in _dataset_projects(past, rule)
        for seen in past.of(object_id)
    )


def _project(seen: Json) -> tuple[str, str]:
    project = seen.get("project") or {}
    return project.get("id", ""), project.get("name", "")


def _dataset_projects(past: Past, rule: Rule) -> set[str]:
    """What it froze at registration."""
    owner = rule["trigger_project"]
    return {id_ for name, id_ in past.projects.items() if owner and name.startswith(f"{owner}/.datasets/")}


def rows() -> Iterator[str]:
    """The rows that excuses belong to."""
    yield from {**MORE, **FEWER}


MORE: Final[dict[str, Excuse]] = {
    "tags": _some_tags,
    "threshold-zero": _threshold_of_zero,
    "metric-missing": _metric_missing,
    "project-missing": _project_missing,
    "project-renamed": _project_renamed,
    "dataset-project": _dataset_projects_kept,
    "archive": _not_archived,
}
FEWER: Final[dict[str, Excuse]] = {
    "archive": _archived_in_another_status,
    "dataset-finalized": _published_before_the_poll,
    "project-renamed": _project_of_the_name,
    "dataset-project": _dataset_projects_later,
}
