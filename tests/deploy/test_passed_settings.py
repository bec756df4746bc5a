"""Every setting that there is reaches the workers by every manifest; the settings are found, not listed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import compose, kustomize
from tests.deploy.test_least_rights import FILES, consumes
from triggers.base.settings import Settings, settings_of
from triggers.base.settings_file import page, public, secrets

DEPLOY = compose.ROOT / "deploy"
UNITS = [path for path in (DEPLOY / "systemd").glob("*.service") if "health" not in path.name]
#: What manifests set for a role by themselves, whatever the file of settings says: where it keeps or finds things.
OWN = {"redis_url", "health_file", "log_format", "metrics_address", "state_folder"}

#: Secret settings of the script that sends itself to an agent, and of the console, which is not a worker.
OF_SCRIPTS = {"package", "console_users"}


def roles() -> dict[str, Any]:
    return {
        name: service
        for name, service in compose.read()["services"].items()
        if "celery" in service.get("command", ()) or name == "metrics"
    }


def test_the_file_of_settings_has_every_setting_that_is_no_secret():
    text = (DEPLOY / "settings.env").read_text()
    assert text == page(), "run: python -m triggers.base.settings_file > deploy/settings.env"
    assert re.findall(r"(?m)^#TRIGGERS_(\w+)=", text) == [name.upper() for name in public()]
    assert set(public()) | set(secrets()) | {"redis_url"} == set(Settings.model_fields)


def test_every_line_of_it_is_read_as_it_stands():
    lines = re.findall(r"(?m)^#(TRIGGERS_\w+)=(.+)", (DEPLOY / "settings.env").read_text())
    given = settings_of({**dict(lines), "TRIGGERS_REDIS_URL": "redis://h"})
    assert given == Settings(redis_url="redis://h")


@pytest.mark.parametrize("name", sorted(roles()))
def test_compose_gives_the_file_to_every_role(name: str):
    service = roles()[name]
    (file,) = service["env_file"]
    assert (compose.ROOT / file).resolve() == DEPLOY / "settings.env"
    overruled = {variable.removeprefix("TRIGGERS_").lower() for variable in service["environment"]}
    assert overruled & set(public()) <= OWN


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_gives_the_file_to_every_role(unit: Path):
    text = unit.read_text()
    assert "EnvironmentFile=/etc/clearml-triggers/common.env" in text
    overruled = {name.lower() for name in re.findall(r"(?m)^Environment=TRIGGERS_(\w+)=", text)}
    assert overruled & set(public()) <= OWN


def test_kubernetes_gives_the_map_to_every_role():
    pods = [
        m["spec"]["template"]["spec"]
        for m in kustomize.build(DEPLOY / "kubernetes/production")
        if kustomize.containers(m)
    ]
    ours = [container for pod in pods for container in pod["containers"] if container["name"] != "redis"]
    assert len(ours) >= 6
    for container in ours:
        assert container["envFrom"] == [{"configMapRef": {"name": "clearml-triggers"}}], container["name"]
        overruled = {one["name"].removeprefix("TRIGGERS_").lower() for one in container.get("env", ())}
        assert overruled & set(public()) <= OWN


def given_to(manifest: str) -> dict[str, set[str]]:
    """Which secret files each worker is given."""
    if manifest == "compose":
        return {name: set(one["secrets"]) for name, one in roles().items() if consumes(one["command"])}
    if manifest == "systemd":
        text = (DEPLOY / "systemd/clearml-triggers@.service").read_text()
        return {"worker": set(re.findall("(?m)^LoadCredential=([^:]+):", text))}
    found = {}
    for one in kustomize.build(DEPLOY / "kubernetes/production"):
        for container in kustomize.containers(one):
            if consumes(container["command"]):
                mounted = re.findall(r"'secret(?:Name)?': (?:\{'name': )?'([\w-]+)'", str(one))
                found[container["name"]] = {file for secret in mounted for file in FILES[secret]}
    return found


@pytest.mark.parametrize("manifest", ["compose", "systemd", "kubernetes"])
def test_every_secret_setting_reaches_some_worker(manifest: str):
    given = given_to(manifest)
    assert given
    assert {f"triggers_{name}" for name in secrets() if name not in OF_SCRIPTS} <= set.union(*given.values())


def test_what_only_scripts_read_is_read_by_no_worker():
    folders = [compose.ROOT / "workers", *(compose.ROOT / "triggers" / name for name in ("stages", "sync", "notices"))]
    sources = [path.read_text("utf-8") for folder in folders for path in folder.rglob("*.py")]
    assert len(sources) > 40
    for name in OF_SCRIPTS:
        assert name in Settings.model_fields
        assert not [text for text in sources if re.search(rf"(settings|settings\(\)|\bof)\.{name}\b", text)]


def test_an_empty_file_is_not_set(tmp_path: Path):
    """Compose cannot leave out the file of a secret, and systemd's default is an empty one."""
    for name in secrets():
        (tmp_path / f"triggers_{name}").write_text("\n")
    assert settings_of({"TRIGGERS_SECRETS_DIR": str(tmp_path)}) == Settings()
