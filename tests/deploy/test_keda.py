"""The overlay for KEDA: its objects against what KEDA accepts, and in place of the other autoscalers."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from tests.deploy import compose, kustomize

KUBERNETES = compose.ROOT / "deploy" / "kubernetes"
NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"}
COUNT = {"type": "integer", "minimum": 1}


def closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with these fields and no others."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


#: What KEDA reads of a trigger for Prometheus. All values are texts: a number or `true` is refused by the API server.
TEXT = {"type": "string", "minLength": 1}
NUMBER = {"type": "string", "pattern": r"^\d+(\.\d+)?$"}
SWITCH = {"enum": ["true", "false"]}
PROMETHEUS = closed(
    {"serverAddress": {"type": "string", "pattern": "^https?://"}, "query": TEXT, "threshold": NUMBER},
    {"activationThreshold": NUMBER, "ignoreNullValues": SWITCH, "unsafeSsl": SWITCH, "namespace": TEXT},
)
TRIGGER = closed(
    {"type": {"const": "prometheus"}, "metadata": PROMETHEUS},
    {"metricType": {"enum": ["AverageValue", "Value"]}, "name": TEXT, "useCachedMetrics": {"type": "boolean"}},
)
SPEC = closed(
    {"scaleTargetRef": closed({"name": NAME}), "triggers": {"type": "array", "items": TRIGGER, "minItems": 1}},
    {
        "minReplicaCount": COUNT,
        "maxReplicaCount": COUNT,
        "pollingInterval": COUNT,
        "cooldownPeriod": COUNT,
        # what is in it is Kubernetes' own
        "advanced": closed({"horizontalPodAutoscalerConfig": closed({"behavior": {"type": "object"}})}),
    },
)
OBJECT = closed(
    {
        "apiVersion": {"const": "keda.sh/v1alpha1"},
        "kind": {"const": "ScaledObject"},
        "metadata": closed({"name": NAME, "namespace": NAME}, {"labels": {"type": "object"}}),
        "spec": SPEC,
    }
)
MANIFESTS = kustomize.build(KUBERNETES / "keda")
SCALED = {m["metadata"]["name"]: m for m in MANIFESTS if m["kind"] == "ScaledObject"}


def validate(manifest: dict[str, Any]) -> None:
    """An object of KEDA, and the autoscaler that KEDA makes of it."""
    jsonschema.validate(manifest, OBJECT)
    spec = manifest["spec"]
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": f"keda-hpa-{manifest['metadata']['name']}"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", **spec["scaleTargetRef"]},
            "minReplicas": spec["minReplicaCount"],
            "maxReplicas": spec["maxReplicaCount"],
            "behavior": spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"],
        },
    }
    kubernetes_validate.validate(autoscaler, "1.33", strict=True)


@pytest.mark.parametrize("name", sorted(SCALED))
def test_objects_are_what_keda_and_kubernetes_accept(name: str):
    validate(SCALED[name])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("triggers", 0, "metadata", "threshold"), 5),
        (("triggers", 0, "metadata", "ignoreNullValues"), False),
        (("triggers", 0, "metricType"), "Average"),
        (("minReplicas",), 2),
        (("advanced", "horizontalPodAutoscalerConfig", "behavior", "scaleUp", "policies", 0, "value"), "all"),
    ],
)
def test_a_wrong_field_is_found(path: tuple[Any, ...], value: Any):
    manifest = copy.deepcopy(SCALED["match"])
    place = manifest["spec"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(Exception, match=str(value)):
        validate(manifest)


def test_each_deployment_has_one_autoscaler_with_the_bounds_of_the_other_overlay():
    assert not [m for m in MANIFESTS if m["kind"] == "HorizontalPodAutoscaler"]
    production = kustomize.build(KUBERNETES / "production")
    autoscalers = {m["spec"]["scaleTargetRef"]["name"]: m for m in production if m["kind"] == "HorizontalPodAutoscaler"}
    bounds = {name: (one["spec"]["minReplicas"], one["spec"]["maxReplicas"]) for name, one in autoscalers.items()}
    scaled = {one["spec"]["scaleTargetRef"]["name"]: one["spec"] for one in SCALED.values()}
    assert {name: (s["minReplicaCount"], s["maxReplicaCount"]) for name, s in scaled.items()} == bounds
    deployments = {m["metadata"]["name"]: m for m in MANIFESTS if m["kind"] == "Deployment"}
    assert all("replicas" not in deployments[name]["spec"] for name in scaled), "the autoscaler decides"


def test_every_stage_with_workers_of_its_own_is_followed_by_its_age():
    from triggers.stages import table

    asked = {t["metadata"]["query"] for one in SCALED.values() for t in one["spec"]["triggers"]}
    stages = [stage.name for stage in table.STAGES if stage.backlog and stage.queues]
    assert asked == {f'max(clearml_triggers_stage_oldest_waiting_seconds{{stage="{name}"}})' for name in stages}
    for one in SCALED.values():
        assert all(trigger["metricType"] == "Value" for trigger in one["spec"]["triggers"]), "an age is not shared out"
