"""The fields of a condition that triggers on ClearML tasks alone have, each with its clause beside it."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import Field, model_validator

from triggers.model.clauses import PartOf, Rule, short, status_of
from triggers.model.events import DEVELOPMENT, Event, Metric, metric_key
from triggers.model.fields import Conditions
from triggers.model.values import STATUSES, Direction, Flag, Sign, Statuses, Text, Threshold, wrong


class Limit(NamedTuple):
    """A bound of a metric. `sign`: the summary that is compared; `direction`: where it has to lie."""

    key: str
    shown: str
    sign: str
    direction: str
    bound: float


def _limit(trigger: Any) -> Limit | None:
    if trigger.metric is None:
        return None
    shown = f"{trigger.trigger_on_metric}/{trigger.trigger_on_variant}"
    return Limit(trigger.metric, shown, trigger.sign, trigger.direction, trigger.trigger_on_threshold)


def _measured(limit: Limit, event: Event) -> float | None:
    metric: Metric | None = event.metrics.get(limit.key)
    if metric is None:
        return None
    return {"max": metric.max_value, "min": metric.min_value, "last": metric.value}[limit.sign]


def _beyond(limit: Limit, event: Event) -> bool:
    # Bounds are inclusive. A metric that does not exist satisfies nothing, and no comparison with NaN holds.
    value = _measured(limit, event)
    if value is None:
        return False
    return value >= limit.bound if limit.direction == "above" else value <= limit.bound


def _limit_wanted(limit: Limit) -> str:
    word = {"max": "maximum", "min": "minimum", "last": "latest value"}[limit.sign]
    return f"{word} of {short(limit.shown)} {'>=' if limit.direction == 'above' else '<='} {limit.bound:g}"


def _limit_found(limit: Limit, event: Event) -> str:
    if limit.key not in event.metrics:
        return "no such metric"
    value = _measured(limit, event)
    return "no value" if value is None else f"{value:g}"


class TaskConditions(Conditions):
    """What triggers on ClearML tasks may ask for."""

    trigger_on_status: Annotated[
        Statuses,
        Field(description=f"Fire only if the ClearML task has one of these statuses: {', '.join(STATUSES)}."),
        Rule(
            holds=lambda statuses, event: event.status in statuses,
            wanted=lambda statuses: "status " + " or ".join(statuses),
            found=status_of,
            needs=lambda statuses: [("status", statuses)],
            key="on_status",
        ),
    ] = ()
    trigger_exclude_dev_tasks: Annotated[
        Flag,
        Field(description="Fire only for ClearML tasks that an agent runs, not for those run by hand."),
        Rule(
            holds=lambda _, event: DEVELOPMENT not in event.system_tags,
            wanted=lambda _: "run by an agent",
            found=lambda _, event: "run by hand" if DEVELOPMENT in event.system_tags else "run by an agent",
            key="exclude_dev",
        ),
    ] = False
    trigger_on_metric: Annotated[
        Text,
        Field(description="Title of the metric to compare. Requires `trigger_on_variant` and `trigger_on_threshold`."),
        PartOf("trigger_on_threshold", "metrics"),
    ] = None
    trigger_on_variant: Annotated[
        Text,
        Field(description="Series of the metric. Requires `trigger_on_metric` and `trigger_on_threshold`."),
        PartOf("trigger_on_threshold", "variant"),
    ] = None
    trigger_on_threshold: Annotated[
        Threshold,
        Field(
            description="Bound of the metric, inclusive, in the metric's own unit. Requires `trigger_on_metric` and "
            "`trigger_on_variant`."
        ),
        Rule(
            value=_limit,
            holds=_beyond,
            wanted=_limit_wanted,
            found=_limit_found,
            needs=lambda limit: [("metric", (limit.key,))],
            key="threshold",
        ),
    ] = None
    trigger_on_sign: Annotated[
        Sign,
        Field(
            description="Which value of the metric to compare: 'max' fires if the maximum is at or above the "
            "threshold, 'min' if the minimum is at or below it, 'last' if the latest value is on the side that "
            "`trigger_on_direction` names. None means 'min'."
        ),
        PartOf("trigger_on_threshold", "value_sign"),
    ] = None
    trigger_on_direction: Annotated[
        Direction,
        Field(
            description="Side of the threshold on which the latest value fires. Required with trigger_on_sign='last', "
            "refused without it."
        ),
        PartOf("trigger_on_threshold"),
    ] = None

    @property
    def metric(self) -> str | None:
        """Key of the metric that the condition reads, if it reads one."""
        if self.trigger_on_metric is None or self.trigger_on_variant is None:
            return None
        return metric_key(self.trigger_on_metric, self.trigger_on_variant)

    @property
    def sign(self) -> str:
        """Which summary of the metric is compared: "max", "min" or "last"."""
        return self.trigger_on_sign or "min"

    @property
    def direction(self) -> str:
        """Whether the threshold is to be met from "above" or "below"."""
        return {"max": "above", "min": "below"}.get(self.sign) or self.trigger_on_direction or "below"

    def watched_metrics(self) -> set[str]:
        """Give the keys of the metrics that the condition reads."""
        return {self.metric} if self.metric else set()

    @model_validator(mode="after")
    def _metric_is_complete(self) -> TaskConditions:
        parts = {
            "trigger_on_metric": self.trigger_on_metric,
            "trigger_on_variant": self.trigger_on_variant,
            "trigger_on_threshold": self.trigger_on_threshold,
        }
        missing = [name for name, value in parts.items() if value is None]
        if len(missing) not in (0, 3):
            raise wrong(f"give all three of {', '.join(parts)}, or none of them", missing[0])
        if missing and self.trigger_on_sign:
            raise wrong(f"requires {', '.join(parts)}", "trigger_on_sign", self.trigger_on_sign)
        last = self.trigger_on_sign == "last"
        if last and not self.trigger_on_direction:
            raise wrong("trigger_on_sign='last' needs 'above' or 'below'", "trigger_on_direction")
        if self.trigger_on_direction and not last:
            way_out = "requires trigger_on_sign='last'; 'max' means above, 'min' below"
            raise wrong(way_out, "trigger_on_direction", self.trigger_on_direction)
        return self
