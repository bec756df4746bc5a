"""What older releases of the server do otherwise; the sandbox imitates each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.servers import VERIFIED
from triggers.sandbox import CallFailed, Client, Sandbox
from triggers.sandbox.releases import RELEASES

pytestmark = pytest.mark.skipif(VERIFIED, reason="a server that is not ours is of one release")
MISSING = "0" * 31 + "1"
OLD, SUPPORTED = ["1.17", "2.2"], ["1.17", "2.2", "2.3"]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Sandbox]]:
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(Sandbox(server_version=name)) for name in RELEASES}


def client_of(servers: dict[str, Sandbox], release: str) -> Client:
    servers[release].control.reset()
    return servers[release].client()


def refusal(client: Client, endpoint: str, **body: Any) -> str:
    """The codes of a refusal; empty if there is none."""
    try:
        client.call(endpoint, body)
    except CallFailed as failure:
        return f"{failure.code}/{failure.subcode}"
    return ""


@pytest.mark.parametrize(
    ("release", "says"), [("1.17", ("1.17.0", "2.31")), ("2.2", ("2.2.0", "2.33")), ("2.3", ("2.3.0", "2.34"))]
)
def test_a_release_says_which_it_is(servers: dict[str, Sandbox], release: str, says: tuple[str, str]):
    info = client_of(servers, release).call("server.info")
    assert (info["version"], info["api_version"]) == says


def test_a_release_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match=r"no ClearML server '1\.5': choose one of 1\.16, 1\.17, 2\.2, 2\.3"):
        Sandbox(server_version="1.5")


@pytest.mark.parametrize("release", SUPPORTED)
def test_runtime_is_edited_by_a_call_of_its_own_from_2_3_on(servers: dict[str, Sandbox], release: str):
    client = client_of(servers, release)
    task = client.call("tasks.create", {"name": "task", "type": "training"})["id"]
    assert refusal(client, "tasks.edit_runtime", task=task, add_or_update={"a": "1"}) == (
        "404/0" if release in OLD else ""
    )
    client.call("tasks.edit", {"task": task, "runtime": {"b": "2"}})
    assert client.call("tasks.get_by_id", {"task": task})["task"]["runtime"] == {"b": "2"}


@pytest.mark.parametrize("release", SUPPORTED)
def test_what_failed_and_started_say_of_times(servers: dict[str, Sandbox], release: str):
    client = client_of(servers, release)
    task = client.call("tasks.create", {"name": "task", "type": "training"})["id"]
    client.call("tasks.started", {"task": task})
    first = client.call("tasks.get_by_id", {"task": task})["task"]["started"]
    assert "completed" in client.call("tasks.stopped", {"task": task})["fields"]
    assert ("started" in client.call("tasks.started", {"task": task})["fields"]) == (release not in OLD)
    again = client.call("tasks.get_by_id", {"task": task})["task"]
    assert (again["started"] == first) == (release in OLD)
    assert ("completed" in client.call("tasks.failed", {"task": task})["fields"]) == (release not in OLD)


@pytest.mark.parametrize("release", SUPPORTED)
def test_what_may_be_edited_of_a_queued_task_with_force(servers: dict[str, Sandbox], release: str):
    client = client_of(servers, release)
    task = client.call("tasks.create", {"name": "task", "type": "training"})["id"]
    client.call("tasks.enqueue", {"task": task})
    edits = {"configuration": [{"name": "c", "value": "1"}]}, {"hyperparams": [{"section": "A", "name": "a"}]}
    for endpoint, edit in zip(("tasks.edit_configuration", "tasks.edit_hyper_params"), edits, strict=True):
        assert refusal(client, endpoint, task=task, force=True, **edit) == ("400/110" if release in OLD else "")


@pytest.mark.parametrize("release", SUPPORTED)
def test_a_missing_task_and_a_caller_without_keys(servers: dict[str, Sandbox], release: str):
    client = client_of(servers, release)
    assert refusal(client, "tasks.started", task=MISSING) == ("400/101" if release in OLD else "400/10")
    answer = requests.get(f"{servers[release].url}/server.info", timeout=60)
    assert answer.status_code == (200 if release in OLD else 401)


@pytest.mark.parametrize(
    ("name", "in_1_17", "later"),
    [("x/ab", "", "400/12"), ("ab", "400/800", "400/12"), ("//", "400/407", "400/407"), ("abc", "", "")],
)
def test_what_counts_of_a_projects_name(servers: dict[str, Sandbox], name: str, in_1_17: str, later: str):
    for release, expected in [("1.17", in_1_17), ("2.2", later), ("2.3", later)]:
        assert refusal(client_of(servers, release), "projects.create", name=name, description="") == expected


@pytest.mark.parametrize("field", ["last_change", "_or_"])
def test_before_1_17_a_filter_on_changes_is_ignored(servers: dict[str, Sandbox], field: str):
    since = [">=2090-01-01T00:00:00"]
    body = {field: since if field == "last_change" else {"fields": ["last_change"], "datetime": since}}
    for release, found in [("1.16", 1), ("1.17", 0)]:
        client = client_of(servers, release)
        client.call("tasks.create", {"name": "task", "type": "training"})
        assert len(client.call("tasks.get_all", body)["tasks"]) == found
