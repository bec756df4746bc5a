"""The query plan against conditions and the sandbox's filters: what satisfies a trigger is asked for."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.property.ledger.profile import profile
from triggers.actions.clearml_task import TaskAction
from triggers.clearml_api.narrowing import filters, project_filter
from triggers.model import Trigger, make_trigger
from triggers.model.clauses import PROJECT_NAME
from triggers.model.events import Event
from triggers.rules.conditions import matches
from triggers.rules.query_plan import Query, queries
from triggers.sandbox.filters import Query as ServerQuery
from triggers.sandbox.filters.kinds import MODELS, PROJECTS, TASKS

#: Full names of projects with their ids: characters that mean something in expressions, one name within another.
NAMES = {"P": "1" * 32, "P/Q": "2" * 32, "a.b (c)|d$": "3" * 32, "axb (c)": "4" * 32, "": ""}
TAGS = ("x", "y", "z")
STATUSES = ("in_progress", "failed", "completed", "published")

models = st.booleans()


def some(options: Any, **limits: Any) -> Any:
    return st.lists(st.sampled_from(options), unique=True, max_size=2, **limits)


def maybe(values: Any) -> Any:
    return st.just(None) | values


@st.composite
def triggers(draw: Any, models: bool, modes: tuple[str, ...] = ("once", "while_true")) -> Trigger:
    """A trigger that leaves something out, unless it fires on transitions."""
    kind = "model" if models else draw(st.sampled_from(["dataset", "task"]))
    fields: dict[str, Any] = {
        "trigger_project": draw(maybe(st.sampled_from([name for name in NAMES if name]))),
        "project_id": draw(maybe(maybe(st.sampled_from(["1" * 32, "3" * 32, "__$not"])))),
        "trigger_on_tags": draw(some(TAGS)),
        "trigger_on_any_tags": draw(some(TAGS)),
        "trigger_on_publish": draw(st.booleans()),
        "trigger_on_archive": draw(st.booleans()),
    }
    if kind == "task":
        fields["trigger_on_status"] = draw(some(STATUSES))
    action = TaskAction(base_task_id="b", queue="q")
    trigger = make_trigger(kind, name="t", action=action, policy={"fire": draw(st.sampled_from(modes))}, **fields)
    assume(trigger.policy.fire == "on_transition" or queries([trigger]))
    return trigger


@st.composite
def events(draw: Any, trigger: Trigger) -> Event:
    """An event that mostly satisfies the trigger."""
    kind = "dataset" if trigger.kind == "task" and draw(st.booleans()) else trigger.kind
    project = trigger.trigger_project or next((n for n, id_ in NAMES.items() if id_ == trigger.project_id), None)
    project = draw(st.sampled_from(list(NAMES))) if project is None else project
    hidden = trigger.kind == "dataset" and bool(project) and draw(st.booleans())
    any_tag = [draw(st.sampled_from(trigger.trigger_on_any_tags))] if trigger.trigger_on_any_tags else []
    status = draw(st.sampled_from(getattr(trigger, "trigger_on_status", ()) or STATUSES))
    return Event(
        kind=kind,
        id="o",
        changed_ms=1,
        project=f"{project}/.datasets/d" if hidden else project,
        project_id="5" * 32 if hidden else NAMES[project],
        tags=tuple({*trigger.trigger_on_tags, *any_tag, *draw(some(TAGS))}),
        system_tags=("archived",) if trigger.trigger_on_archive or draw(st.booleans()) else (),
        status="" if kind == "model" else "published" if trigger.trigger_on_publish else status,
        ready=kind == "model" and (trigger.trigger_on_publish or draw(st.booleans())),
    )


def admitted(plan: tuple[Query, ...], event: Event) -> bool:
    """Whether one of the queries, written for the server, returns the object."""
    system_tags = [*event.system_tags, *(["dataset"] if event.kind == "dataset" else [])]
    item = {"status": event.status, "tags": sorted(event.tags), "system_tags": system_tags, "ready": event.ready}
    if event.project:
        item["project"] = event.project_id
    kind = MODELS if event.kind == "model" else TASKS
    return any(ServerQuery(kind, dict(filters(query, ids_of(query, event)))).passes(item) for query in plan)


def ids_of(query: Query, event: Event) -> frozenset[str] | None:
    if PROJECT_NAME not in query:
        return None
    passes = ServerQuery(PROJECTS, dict(project_filter(query))).passes
    return frozenset(id_ for name, id_ in [*NAMES.items(), (event.project, event.project_id)] if passes({"name": name}))


@profile(300)
@given(st.data(), models)
def test_queries_admit_every_event_that_satisfies_a_trigger(data: Any, models: bool) -> None:
    trigger, others = data.draw(triggers(models)), data.draw(st.lists(triggers(models), max_size=3))
    event = data.draw(events(trigger))
    assume(matches(trigger, event))
    plan = queries([*others, trigger])
    assert plan
    assert admitted(plan, event)


@profile(50)
@given(st.data(), models)
def test_a_trigger_on_transitions_sees_everything(data: Any, models: bool) -> None:
    """Its condition becomes false wherever that takes the object."""
    others = data.draw(st.lists(triggers(models), max_size=3))
    on_transition = data.draw(triggers(models, ("on_transition",)))
    assert queries([*others, on_transition]) == ()
