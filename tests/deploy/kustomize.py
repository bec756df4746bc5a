"""What `kustomize build` does with the few features that deploy/kubernetes uses; any other is an error."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
_KNOWN = {"apiVersion", "kind", "namespace", "labels", "images", "resources", "patches"}
_CLUSTER_WIDE = {"Namespace"}
#: lists whose items are merged by a key (strategic merge)
_MERGE_KEYS = {"containers": "name", "env": "name", "volumes": "name", "volumeMounts": "mountPath", "ports": "name"}


def build(folder: Path) -> list[Manifest]:
    """The manifests of a kustomization."""
    says = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := set(says) - _KNOWN:
        raise ValueError(f"{folder}: this renderer knows nothing of {unknown}")
    manifests: list[Manifest] = []
    for resource in says["resources"]:
        path = (folder / resource).resolve()
        manifests += build(path) if path.is_dir() else load(path)
    for patch in says.get("patches", []):
        for part in load(folder / patch["path"]):
            target = _one(manifests, part)
            if part.get("$patch") == "delete":
                manifests.remove(target)
                continue
            merged = _merge(target, part)
            target.clear()
            target.update(merged)
    for manifest in manifests:
        if "namespace" in says and manifest["kind"] not in _CLUSTER_WIDE:
            manifest["metadata"]["namespace"] = says["namespace"]
        for labels in says.get("labels", []):
            manifest["metadata"].setdefault("labels", {}).update(labels["pairs"])
        for container in containers(manifest):
            _set_image(container, says.get("images", []))
    return manifests


def load(path: Path) -> list[Manifest]:
    """The documents of one file."""
    return [copy.deepcopy(document) for document in yaml.safe_load_all(path.read_text()) if document]


def containers(manifest: Manifest) -> list[dict[str, Any]]:
    """The containers of a Deployment or StatefulSet; none for other kinds."""
    pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
    return list(pod.get("containers", []))


def _one(manifests: list[Manifest], wanted: Manifest) -> Manifest:
    name = wanted["kind"], wanted["metadata"]["name"]
    found = [m for m in manifests if (m["kind"], m["metadata"]["name"]) == name]
    if len(found) != 1:
        raise ValueError(f"a patch of {name} fits {len(found)} manifests")
    return found[0]


def _set_image(container: dict[str, Any], images: list[dict[str, str]]) -> None:
    for image in images:
        if container["image"].partition(":")[0] == image["name"]:
            container["image"] = f"{image['newName']}:{image['newTag']}"
            return


def _merge(into: Any, patch: Any, key: str = "") -> Any:
    if isinstance(into, dict) and isinstance(patch, dict):
        merged = dict(into)
        for name, value in patch.items():
            if value is None:
                merged.pop(name, None)
            else:
                merged[name] = _merge(merged[name], value, name) if name in merged else value
        return merged
    if isinstance(into, list) and isinstance(patch, list) and key in _MERGE_KEYS:
        by = _MERGE_KEYS[key]
        items = {item[by]: item for item in into}
        for item in patch:
            items[item[by]] = _merge(items.get(item[by], {}), item)
        return list(items.values())
    return patch
