"""Random triggers and random histories, over a small world so that they meet often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

from tests.integration.differential.pair import Json, Pair

TAGS: Final = ["a", "b", "c"]
PROJECTS: Final = ["P", "Q", "P/sub"]
NAMES: Final = ["run", "digits", "Run one", "two.run"]
VALUES: Final = [-1.0, 0.0, 0.5, 1.0]
#: Also one that does not exist when the triggers are declared; a step of a history may make it.
WATCHED: Final = ["P", "P", "Q", "P/sub", "later"]
STATUSES: Final = ["created", "in_progress", "stopped", "failed", "completed", "published", "queued", "closed"]

Step = tuple[str, Any, Any]


def _some(options: list[str]) -> Any:
    return st.lists(st.sampled_from(options), unique=True, min_size=1, max_size=2)


@st.composite
def rules(draw: Any) -> tuple[str, Json]:
    """The kind of a trigger and the arguments of its condition, few at a time: many are hardly ever met."""
    kind = draw(st.sampled_from(["task", "task", "model", "dataset"]))
    fields: dict[str, Any] = {
        "trigger_project": st.sampled_from(WATCHED),
        "trigger_name": st.sampled_from(["run", "^run$", "(?i)RUN", r"two\.run", "o.*e"]),
        "trigger_on_tags": _some(TAGS),
        "trigger_required_tags": _some(TAGS),
    }
    if kind == "task":
        fields["trigger_on_status"] = _some(STATUSES)
        fields["trigger_exclude_dev_tasks"] = st.just(True)
        fields["metric"] = st.tuples(st.sampled_from(VALUES), st.sampled_from([None, "min", "max", "maximum"]))
    else:
        fields["trigger_on_publish"] = fields["trigger_on_archive"] = st.just(True)
    chosen = draw(st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=3))
    if kind != "task" and draw(st.booleans()):
        chosen = ["trigger_project", *draw(st.sampled_from([[], ["trigger_on_publish"], ["trigger_on_archive"]]))]
    if kind == "task" and draw(st.integers(0, 3)) == 0:
        chosen = ["metric"]
    arguments = {name: draw(fields[name]) for name in chosen}
    if metric := arguments.pop("metric", None):
        threshold, sign = metric
        arguments |= {"trigger_on_metric": "loss", "trigger_on_variant": "val", "trigger_on_threshold": threshold}
        arguments |= {"trigger_on_sign": sign} if sign else {}
    return kind, arguments


_object: Final = st.integers(0, 5)
_tag: Final = st.sampled_from(TAGS)
_project: Final = st.sampled_from(PROJECTS)
_tags: Final = st.lists(_tag, unique=True, max_size=2)
#: Ways from one status to another; what the server refuses changes nothing.
_lives: Final = [
    ["started"], ["completed"], ["failed"], ["stopped"], ["publish"], ["reset"], ["started", "completed"],
    ["started", "failed"], ["started", "completed", "publish"], ["enqueue"], ["closed"],
    ["started", "completed", "publish with models"],
]  # fmt: skip
_steps: Final[dict[str, tuple[Any, Any]]] = {
    "task": (st.tuples(_project, st.sampled_from(NAMES)), st.tuples(_tags, st.booleans())),
    "measured task": (st.tuples(_project, st.sampled_from(NAMES)), st.sampled_from(VALUES)),
    "dataset": (st.tuples(_project, st.sampled_from(NAMES)), _tags),
    "model": (st.tuples(_project, st.sampled_from(NAMES)), st.tuples(_tags, st.none() | _object)),
    "tag": (_object, _tag),
    "untag": (_object, _tag),
    "live": (_object, st.sampled_from(_lives)),
    "archive": (_object, st.booleans()),
    "scalar": (_object, st.sampled_from(VALUES)),
    "rename": (_object, st.sampled_from(NAMES)),
    "move": (_object, st.sampled_from([*PROJECTS, "later"])),
    "delete": (_object, st.none()),
    "rename project": (_project, st.sampled_from(["renamed", "P", "Q", "later"])),
}
#: What happens more often than the rest.
_often: Final = [
    "task",
    "measured task",
    "measured task",
    "dataset",
    "dataset",
    "model",
    "model",
    "tag",
    "live",
    "live",
    "live",
    "scalar",
    "archive",
]


@st.composite
def steps(draw: Any) -> Step:
    """One change of the server."""
    name = draw(st.sampled_from([*_often, *sorted(_steps)]))
    first, second = _steps[name]
    return name, draw(first), draw(second)


def play(pair: Pair, step: Step) -> None:
    """Make one change."""
    name, first, second = step
    _PLAYERS[name](pair, first, second)


def _task(pair: Pair, place: tuple[str, str], more: tuple[list[str], bool]) -> None:
    tags, development = more
    pair.task(place[1], place[0], tags=tags, system_tags=["development"] if development else [])


def _measured_task(pair: Pair, place: tuple[str, str], value: float) -> None:
    task = pair.task(place[1], place[0])
    pair.run(task, "started")
    pair.scalar(task, value)


def _dataset(pair: Pair, place: tuple[str, str], tags: list[str]) -> None:
    pair.dataset(place[1], place[0], tags=tags)


def _model(pair: Pair, place: tuple[str, str], more: tuple[list[str], int | None]) -> None:
    tags, number = more
    maker = pair.objects[number % len(pair.objects)] if number is not None and pair.objects else ("", "")
    alive = maker[0] in ("task", "dataset") and pair.attempt("tasks.get_by_id", task=maker[1])
    pair.model(place[1], place[0], tags=tags, **({"task": maker[1]} if alive else {}))


def _of_object(act: Callable[[Pair, str, str, Any], Any]) -> Callable[[Pair, int, Any], None]:
    """Let a step act on one of the objects there are."""

    def player(pair: Pair, number: int, value: Any) -> None:
        if pair.objects:
            kind, id_ = pair.objects[number % len(pair.objects)]
            act(pair, "models" if kind == "model" else "tasks", id_, value)

    return player


def _live(pair: Pair, family: str, id_: str, life: list[str]) -> None:
    if family == "models":
        pair.attempt("models.set_ready", model=id_, publish_task=False)
        return
    for one in life:
        if one == "closed":
            pair.attempt("tasks.edit", task=id_, status="closed", force=True)
        elif one == "publish with models":
            pair.attempt("tasks.publish", task=id_, publish_model=True)
        else:
            pair.attempt(f"tasks.{one}", task=id_)


def _delete(pair: Pair, family: str, id_: str, _: None) -> None:
    pair.attempt(f"{family}.delete", force=True, **{family[:-1]: id_})


def _rename_project(pair: Pair, project: str, name: str) -> None:
    pair.attempt("projects.update", project=pair.project(project), name=pair.name(name))


_PLAYERS: Final[dict[str, Callable[[Pair, Any, Any], Any]]] = {
    "task": _task,
    "measured task": _measured_task,
    "dataset": _dataset,
    "model": _model,
    "tag": _of_object(lambda pair, family, id_, tag: pair.attempt(f"{family}.update_tags", ids=[id_], add_tags=[tag])),
    "untag": _of_object(
        lambda pair, family, id_, tag: pair.attempt(f"{family}.update_tags", ids=[id_], remove_tags=[tag])
    ),
    "live": _of_object(_live),
    "archive": _of_object(
        lambda pair, family, id_, on: pair.attempt(f"{family}.{'archive' if on else 'unarchive'}_many", ids=[id_])
    ),
    "scalar": _of_object(lambda pair, family, id_, value: family == "tasks" and pair.scalar(id_, value)),
    "rename": _of_object(
        lambda pair, family, id_, name: pair.attempt(f"{family}.update", name=name, **{family[:-1]: id_})
    ),
    "move": _of_object(
        lambda pair, family, id_, name: pair.attempt(f"{family}.move", ids=[id_], project=pair.project(name))
    ),
    "delete": _of_object(_delete),
    "rename project": _rename_project,
}
