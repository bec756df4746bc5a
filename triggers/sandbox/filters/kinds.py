"""What can be asked of each kind of object: its fields, and which of them can be filtered how."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ListedKind:
    """One kind of object, as lists of it see it."""

    #: name in answers, plural
    name: str
    #: top-level fields that exist
    fields: frozenset[str]
    #: fields whose members are known; other nested names are refused
    nested: dict[str, frozenset[str]] = field(default_factory=dict)
    #: fields whose members are free, like hyperparams
    free: frozenset[str] = frozenset()
    #: ids of other objects, which get_all_ex returns as objects: field -> kind of the other
    references: dict[str, str] = field(default_factory=dict)
    #: filtered by lists of values
    lists: frozenset[str] = frozenset()
    #: filtered by regular expressions
    patterns: frozenset[str] = frozenset()
    #: filtered by times with operators
    times: frozenset[str] = frozenset()
    #: filtered by [min, max]
    ranges: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()

    def has(self, path: str) -> str:
        """The part of a path that does not exist; empty if all of it does."""
        first, _, rest = path.partition(".")
        if first not in self.fields:
            return first
        if not rest or first in self.free:
            return ""
        second = rest.partition(".")[0]
        known = self.nested.get(first)
        return "" if known is not None and second in known else second


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OBJECT = "id company user name created comment tags system_tags last_update last_change last_changed_by"

TASKS = ListedKind(
    name="tasks",
    fields=_words(
        f"{_OBJECT} type status status_reason status_message status_changed report report_assets started "
        "completed published parent project output execution script last_iteration last_metrics "
        "unique_metrics metric_stats hyperparams configuration runtime models container enqueue_status "
        "last_worker last_worker_report active_duration"
    ),
    nested={
        "execution": _words("queue test_split parameters model_desc model_labels framework artifacts docker_cmd"),
        "script": _words("binary repository tag branch version_num entry_point working_dir requirements diff"),
        "output": _words("view destination model error result"),
        "models": _words("input output"),
        "container": _words("image arguments setup_shell_script"),
    },
    free=_words("last_metrics metric_stats hyperparams configuration runtime container"),
    references={"company": "company", "user": "user", "project": "project", "parent": "task"},
    lists=_words("id user project parent type status tags system_tags execution.queue"),
    patterns=_words("name comment report"),
    times=_words("last_update last_change status_changed"),
    ranges=_words("created started"),
)

MODELS = ListedKind(
    name="models",
    fields=_words(
        f"{_OBJECT} project parent task uri framework design labels ready metadata last_iteration last_metrics"
    ),
    free=_words("metadata last_metrics design labels"),
    references={"company": "company", "user": "user", "project": "project", "parent": "model", "task": "task"},
    lists=_words("id user project parent task uri framework tags system_tags"),
    patterns=_words("name comment"),
    times=_words("last_update last_change"),
    ranges=_words("created"),
    flags=_words("ready"),
)

PROJECTS = ListedKind(
    name="projects",
    fields=_words(
        "id company user name basename description created tags system_tags last_update featured parent path "
        "default_output_destination"
    ),
    references={"company": "company", "user": "user", "parent": "project"},
    lists=_words("id user parent tags system_tags"),
    patterns=_words("name basename description"),
    times=_words("last_update"),
    ranges=_words("created"),
)

QUEUES = ListedKind(
    name="queues",
    fields=_words("id name company user created tags system_tags entries last_update metadata display_name"),
    nested={"entries": _words("task added")},
    free=_words("metadata"),
    references={"company": "company", "user": "user"},
    lists=_words("id tags system_tags"),
    patterns=_words("name"),
    times=_words("last_update"),
    ranges=_words("created"),
)
