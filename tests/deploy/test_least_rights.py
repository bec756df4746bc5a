"""Each role gets the secrets that it reads and reaches what it calls, and nothing else: Compose and Kubernetes."""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import compose, kustomize

KUBERNETES = compose.ROOT / "deploy" / "kubernetes"
REDIS = {"triggers_redis_password"}
KEYS = {"clearml_api_access_key", "clearml_api_secret_key"}
SIGNING = {"triggers_signing_key"}
NOTICES = {f"triggers_notice_{name}" for name in ("webhook_url", "webhook_secret", "slack_url", "to")}
#: which files docs/deployment.md puts into each secret of Kubernetes
FILES = {
    "clearml-triggers-redis": REDIS,
    "clearml-triggers-clearml": KEYS,
    "clearml-triggers-signing": SIGNING,
    "clearml-triggers-notices": NOTICES,
    "clearml-triggers-flower": {"flower_basic_auth"},
    "clearml-triggers-console": {"triggers_console_users"},
}
SERVICES = compose.read()["services"]


def consumes(command: list[str]) -> set[str]:
    """The queues of a worker; none of what is not a worker."""
    return set(command[command.index("-Q") + 1].split(",")) if "worker" in command else set()


def needs(command: list[str]) -> set[str]:
    """The secrets that the process of a command reads."""
    if "triggers" in " ".join(command) and "sandbox" in command:
        return set()
    found = set(REDIS)
    if consumes(command):
        found |= KEYS  # a worker serves only schedulers of its own workspace: each kind asks ClearML whose keys it has
    if consumes(command) or "beat" in command or command[-1].endswith("example.py"):
        found |= SIGNING  # they write what others verify, or verify it
    if notifies(command):
        found |= NOTICES
    if "console" in command:  # it writes what workers verify, and asks ClearML as the verbs do
        found |= KEYS | SIGNING | {"triggers_console_users"}
    if "flower" in command:
        found.add("flower_basic_auth")
    return found


def notifies(command: list[str]) -> bool:
    """Whether the schedule sends this worker to tell people."""
    return bool(consumes(command) & _queues_of_notices())


@cache
def _queues_of_notices() -> set[str]:
    code = (
        "from workers.app import app; print(*{entry['options']['queue'] for entry in app.conf.beat_schedule.values()"
        " if entry['task'] == 'triggers.notify'})"
    )
    environ = {**os.environ, "TRIGGERS_REDIS_URL": "redis://127.0.0.1:9/0", "PYTHONPATH": str(compose.ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert found, "somebody sends them"
    return found


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_services_of_compose_get_the_secrets_that_they_read(name: str):
    service = SERVICES[name]
    given = set(service.get("secrets", []))
    if name in ("prometheus", "grafana"):
        assert given <= {"grafana_password"}
    else:
        assert given == needs(service["command"])


def test_services_of_compose_reach_what_they_call():
    networks = compose.read()["networks"]
    outgoing = {name for name, says in networks.items() if not _closed(says or {})}
    assert outgoing == {"outer"}
    for name, service in SERVICES.items():
        goes_out = bool(outgoing & set(service["networks"]))
        own = "sandbox" in service.get("profiles", [])
        assert goes_out == (own or name == "console" or bool(consumes(service.get("command", [])))), name
    assert SERVICES["redis"]["networks"] == ["inner"]
    assert networks["inner"]["internal"] is True


def _closed(network: dict[str, Any]) -> bool:
    masquerades = network.get("driver_opts", {}).get("com.docker.network.bridge.enable_ip_masquerade")
    return bool(network.get("internal")) or masquerades == "false"


def _pods() -> dict[str, tuple[dict[str, str], dict[str, Any]]]:
    templates = [m["spec"]["template"] for m in manifests() if kustomize.containers(m)]
    found = {}
    for template in templates:
        labels = template["metadata"]["labels"]
        found[labels["app.kubernetes.io/component"]] = labels, template["spec"]
    return found


def manifests() -> list[dict[str, Any]]:
    return kustomize.build(KUBERNETES / "production")


@pytest.mark.parametrize("name", sorted(_pods()))
def test_pods_get_the_secrets_that_they_read(name: str):
    _, pod = _pods()[name]
    text = str(pod)
    mounted = re.findall(r"'secret(?:Name)?': (?:\{'name': )?'([\w-]+)'", text)
    given = {file for secret in mounted for file in FILES[secret]}
    (container,) = pod["containers"]
    assert given == needs(container["command"])
    assert "secretKeyRef" not in text, "a variable outlives an exchange of the key, and children inherit it"
    assert "secretRef" not in text


def _egress(labels: dict[str, str]) -> list[dict[str, Any]]:
    """All that policies let a pod reach."""
    policies = [m["spec"] for m in manifests() if m["kind"] == "NetworkPolicy"]
    mine = [policy for policy in policies if _selects(policy["podSelector"], labels)]
    assert any("Egress" in policy["policyTypes"] for policy in mine), "a pod that no policy names may go anywhere"
    return [rule for policy in mine for rule in policy.get("egress", [])]


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    fits = {"In": lambda value, values: value in values, "NotIn": lambda value, values: value not in values}
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        fits[one["operator"]](labels.get(one["key"]), one["values"]) for one in selector.get("matchExpressions", [])
    )


@pytest.mark.parametrize("name", sorted(_pods()))
def test_pods_reach_what_they_call(name: str):
    labels, pod = _pods()[name]
    rules = _egress(labels)
    assert all(rule.get("to") and rule.get("ports") for rule in rules), "no rule is open to any place or port"
    ports = {port["port"] for rule in rules for port in rule["ports"]}
    (container,) = pod["containers"]
    expected = (
        set()
        if name == "redis"
        else {53, 6379} | ({443} if consumes(container["command"]) or name == "console" else set())
    )
    assert ports == expected
    for rule in rules:
        for block in (to["ipBlock"] for to in rule["to"] if "ipBlock" in to):
            if block["cidr"] == "0.0.0.0/0":
                assert "169.254.0.0/16" in block["except"], "clouds hand out credentials there"


def test_receivers_are_reached_by_those_who_send_and_stay_reachable_where_clearml_is_narrowed():
    (receivers,) = [
        m["spec"] for m in manifests() if m["kind"] == "NetworkPolicy" and m["metadata"]["name"] == "receivers"
    ]
    senders = {name for name, (labels, _) in _pods().items() if _selects(receivers["podSelector"], labels)}
    assert senders == {name for name, (_, pod) in _pods().items() if "act" in consumes(pod["containers"][0]["command"])}
    (rule,) = receivers["egress"]
    assert rule["ports"] == [{"port": 443, "protocol": "TCP"}]
    closed = [ipaddress.ip_network(net) for to in rule["to"] for net in to["ipBlock"]["except"]]
    for private in (
        "10.1.2.3",
        "172.20.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "::1",
        "fd00::1",
        "fe80::1",
    ):
        address = ipaddress.ip_address(private)
        assert any(address in net for net in closed if net.version == address.version), private


def test_documentation_makes_the_secrets_of_kubernetes_with_their_files():
    text = Path(compose.ROOT / "docs" / "deployment.md").read_text()
    for secret, files in FILES.items():
        made = re.search(rf"create secret generic {secret} ((?:.*\\\n)*.*)\n", text)
        assert made, secret
        assert {path.rpartition("/")[2] for path in re.findall(r"--from-file=(\S+)", made[1])} == files
