"""Compose file, image, Kubernetes manifests and systemd units against schemas, and what is wanted of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy import compose, kustomize

DEPLOY = compose.ROOT / "deploy"
TOOLS = Path(sys.executable).parent
OWN = ("beat", "poll", "match", "dispatch", "flower", "console", "metrics", "sandbox", "example")
WORKERS = ("poll", "match", "dispatch")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = compose.read()["services"]
    return found


def test_compose_file_fits_the_compose_specification():
    command = [TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", compose.FILE]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dockerfile_passes_the_linter():
    done = subprocess.run([TOOLS / "hadolint", DEPLOY / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_dockerfile_copies_what_is_there_and_lets_through():
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    copied = [
        name for line in lines if line.startswith("COPY ") and "--from" not in line for name in line.split()[1:-1]
    ]
    let_through = (compose.ROOT / ".dockerignore").read_text()
    for name in copied:
        assert (compose.ROOT / name).exists(), name
        assert f"!{name}\n" in let_through
    assert "USER 10001:10001" in lines


def test_compose_services_are_hardened_and_listen_on_loopback_only(services: dict[str, Any]):
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["restart"] == "unless-stopped", name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert "healthcheck" in service, name


def test_compose_workers_are_checked_by_progress_and_given_time_to_stop(services: dict[str, Any]):
    assert services["beat"]["deploy"]["replicas"] == 2
    for name in (*WORKERS, "beat"):
        assert services[name]["healthcheck"]["test"] == ["CMD", "python", "-m", "clearml_triggers.health", "--end"]
        assert services[name]["init"], "process 1 cannot be killed from inside"
    for name in WORKERS:
        command = services[name]["command"]
        assert command[:4] == ["celery", "-A", "clearml_triggers", "worker"]
        assert "-E" in command
        assert name in command[command.index("-Q") + 1].split(",")
        assert int(services[name]["stop_grace_period"].rstrip("s")) >= 60


def test_no_secret_stands_in_an_environment_or_a_command_of_compose(services: dict[str, Any]):
    values = [path.read_text().strip() for path in (DEPLOY / "secrets" / "sandbox").iterdir()]
    for name, service in services.items():
        if "sandbox" in service.get("profiles", []):
            continue  # their key pair protects nothing
        text = str([service.get("environment"), service.get("command")])
        assert not [value for value in values if len(value) > 7 and value in text], name


def test_compose_secrets_are_files_of_the_folder_for_sandboxes():
    for secret in compose.read()["secrets"].values():
        assert (compose.ROOT / secret["file"]).is_file()


@pytest.mark.parametrize("left_out", ["TRIGGERS_SECRETS", "CLEARML_API_HOST"])
def test_compose_refuses_to_start_without_passwords_and_a_server(left_out: str):
    given = {name: value for name, value in compose.sandbox().items() if name != left_out}
    for environ in (given, {**given, left_out: ""}, {}):
        with pytest.raises(compose.Missing, match=f"{left_out} is" if environ else "is"):
            compose.read(environ)


def test_passwords_of_the_sandbox_are_named_by_its_environment_file_alone():
    """Nothing falls back to them: they come with the profile that brings the local server."""
    assert "secrets/sandbox" not in compose.FILE.read_text()
    assert compose.sandbox()["COMPOSE_PROFILES"] == "sandbox"
    secrets = compose.read({**compose.sandbox(), "TRIGGERS_SECRETS": "/of/production"})["secrets"]
    assert {Path(secret["file"]).parent for secret in secrets.values()} == {Path("/of/production")}


@pytest.mark.parametrize("overlay", ["base", "production", "keda"])
@pytest.mark.parametrize("version", ["1.30", "1.33"])
def test_kubernetes_manifests_are_valid(overlay: str, version: str):
    manifests = kustomize.build(DEPLOY / "kubernetes" / overlay)
    assert len(manifests) >= 20
    for manifest in manifests:
        if manifest["apiVersion"].startswith("keda.sh/"):
            continue  # of no schema of Kubernetes: test_keda.py
        kubernetes_validate.validate(manifest, version, strict=True)


def _pods() -> dict[str, dict[str, Any]]:
    manifests = kustomize.build(DEPLOY / "kubernetes" / "production")
    return {m["metadata"]["name"]: m["spec"]["template"]["spec"] for m in manifests if kustomize.containers(m)}


def test_kubernetes_pods_are_restricted():
    for name, pod in _pods().items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"requests", "limits"} <= set(container["resources"])
            assert "livenessProbe" in container


def test_kubernetes_runs_the_commands_of_compose(services: dict[str, Any]):
    pods = _pods()
    for name in (*WORKERS, "beat", "flower", "console", "metrics"):
        (container,) = pods[name]["containers"]
        assert container["command"] == services[name]["command"]
        if name in (*WORKERS, "beat"):
            assert container["livenessProbe"]["exec"]["command"] == ["python", "-m", "clearml_triggers.health"]


def test_kubernetes_names_refer_to_what_is_there():
    manifests = kustomize.build(DEPLOY / "kubernetes" / "production")
    by_kind: dict[str, dict[str, Any]] = {}
    for manifest in manifests:
        by_kind.setdefault(manifest["kind"], {})[manifest["metadata"]["name"]] = manifest
    labels = [m["spec"]["template"]["metadata"]["labels"] for m in manifests if kustomize.containers(m)]
    for service in by_kind["Service"].values():
        assert any(service["spec"]["selector"].items() <= pod.items() for pod in labels)
    for budget in by_kind["PodDisruptionBudget"].values():
        assert any(budget["spec"]["selector"]["matchLabels"].items() <= pod.items() for pod in labels)
    for scaler in by_kind["HorizontalPodAutoscaler"].values():
        target = scaler["spec"]["scaleTargetRef"]["name"]
        assert "replicas" not in by_kind["Deployment"][target]["spec"], "the autoscaler decides"
    for name in WORKERS:
        for container in _pods()[name]["containers"]:
            assert container["envFrom"] == [{"configMapRef": {"name": "clearml-triggers"}}]
    assert "clearml-triggers" in by_kind["ConfigMap"]
    secrets = {
        s for pod in _pods().values() for s in re.findall(r"'secret(?:Name)?': (?:\{'name': )?'([\w-]+)'", str(pod))
    }
    assert secrets == {
        f"clearml-triggers-{whose}" for whose in ("redis", "clearml", "signing", "notices", "flower", "console")
    }
    assert "Secret" not in by_kind, "secrets are made by people, not committed"


def systemd_analyze() -> str:
    if found := shutil.which("systemd-analyze"):
        return found
    assert not os.environ.get("CI"), "CI installs systemd-analyze (.ci/run)"
    pytest.skip("systemd-analyze is not installed")


def test_systemd_units_are_valid(tmp_path: Path):
    """Copies whose binaries and user are there: the checks look for both."""
    analyze = systemd_analyze()
    for unit in (DEPLOY / "systemd").iterdir():
        text = unit.read_text().replace("/opt/clearml-triggers/bin", str(TOOLS))
        text = re.sub("(?m)^(User|Group)=.*", r"\1=root", text)
        (tmp_path / unit.name.replace("@", "@poll")).write_text(text)
    units = [str(path) for path in tmp_path.iterdir() if path.suffix != ".env"]
    done = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "clearml" in line]
    assert done.returncode == 0, done.stderr
    assert not complaints


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda unit: unit.stem)
def test_systemd_units_are_hardened(unit: Path, tmp_path: Path):
    """At most 3.0, as everything that a unit may do beyond its work is rated."""
    copy = tmp_path / unit.name.replace("@", "@poll")
    copy.write_text(unit.read_text())
    command = [systemd_analyze(), "security", "--offline=true", "--no-pager", "--threshold=30", copy]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Overall exposure level for {copy.name}" in done.stdout
    allows = [line for line in unit.read_text().splitlines() if line.startswith("SystemCallFilter=")]
    assert allows[0] == "SystemCallFilter=@system-service"


def test_systemd_units_get_the_secrets_that_they_read():
    from tests.deploy.test_least_rights import needs

    for unit in (DEPLOY / "systemd").glob("*.service"):
        text = unit.read_text()
        given = re.findall("(?m)^LoadCredential=([^:]+):", text)
        command = re.search("(?m)^ExecStart=(.*)", text)[1].split()  # type: ignore[index]
        # one unit serves every queue
        commands = [[word.replace("${QUEUE}", queue) for word in command] for queue in WORKERS]
        wanted = set().union(*map(needs, commands))
        assert set(given) == (set() if "clearml_triggers.health" in command else wanted), unit.name


def test_systemd_and_compose_start_workers_alike(services: dict[str, Any]):
    unit = (DEPLOY / "systemd" / "clearml-triggers@.service").read_text()
    for name in WORKERS:
        values = dict(line.split("=", 1) for line in (DEPLOY / "systemd" / f"{name}.env").read_text().splitlines()[1:])
        command = re.search(r"ExecStart=\S+/(.*)", unit)[1]  # type: ignore[index]
        for old, new in [
            ("${QUEUE}", values["QUEUE"]),
            ("${CONCURRENCY}", values["CONCURRENCY"]),
            ("%i@%H", f"{name}@%h"),
        ]:
            command = command.replace(old, new)
        assert command.split() == services[name]["command"]


def test_prometheus_rules_are_valid():
    if not (promtool := shutil.which("promtool")):
        pytest.skip("promtool is not installed")
    done = subprocess.run([promtool, "check", "rules", DEPLOY / "prometheus" / "alerts.yml"], capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_monitoring_files_are_mounted_where_they_are_looked_for(services: dict[str, Any]):
    assert yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["rule_files"] == [
        "/etc/prometheus/alerts.yml"
    ]
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in services["grafana"]["volumes"]}
    (provider,) = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/dashboards.yml").read_text())["providers"]
    assert mounted[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    assert os.listdir(compose.ROOT / "deploy/grafana/dashboards")


def redis_conf(command: list[str], folder: Path, password: str) -> str:
    """What the command of a container gives redis-server to read."""
    secret = folder / "triggers_redis_password"
    secret.write_text(password + "\n")
    program = folder / "redis-server"
    program.write_text("#!/bin/sh\nexec cat\n")
    program.chmod(0o755)
    script = command[-1].replace("$$", "$").replace("/run/secrets/triggers/triggers_redis_password", str(secret))
    environ = {"PATH": f"{folder}:{os.environ['PATH']}", "REDIS_PASSWORD_FILE": str(secret)}
    done = subprocess.run([*command[:-1], script], env=environ, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("password", ["plain", 'a"b', "a\\b\\\"c'd$(e)`f`", "\\", "ünï$HOME", "two words # no comment"])
def test_redis_is_given_any_password_by_compose_and_kubernetes(services: dict[str, Any], tmp_path: Path, password: str):
    from tests.conftest import redis_binaries
    from tests.deploy.hosts import Service, eventually
    from triggers.base.redis_address import with_password
    from triggers.ledger import connect

    (container,) = _pods()["redis"]["containers"]
    confs = {
        redis_conf(command, tmp_path, password) for command in (services["redis"]["command"], container["command"])
    }
    (conf,) = confs
    (tmp_path / "redis.conf").write_text(conf)
    socket = tmp_path / "redis.sock"
    binary = next(iter(redis_binaries().values()))
    server = Service([binary, "redis.conf", "--port", "0", "--unixsocket", str(socket)], {}, tmp_path, tmp_path / "log")
    try:
        eventually(socket.exists, "Redis is up")
        client = connect(with_password(f"unix://{socket}", password))
        assert client.ping()
        client.close()
    finally:
        server.down()


def test_kubernetes_pods_get_no_variables_of_services():
    for name, pod in _pods().items():
        assert pod["enableServiceLinks"] is False, name


def test_redis_is_of_a_patch_level_without_known_faults_of_its_scripts(services: dict[str, Any]):
    """7.4.6 fixed what a script could do to the server (CVE-2025-49844); both deployments run the same."""
    images = yaml.safe_load((DEPLOY / "kubernetes/base/kustomization.yaml").read_text())["images"]
    tag = next(image["newTag"] for image in images if image["name"] == "redis")
    assert services["redis"]["image"] == f"redis:{tag}"
    assert tuple(map(int, tag.partition("-")[0].split("."))) >= (7, 4, 6)
