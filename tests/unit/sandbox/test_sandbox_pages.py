"""The links that the SDK and the verbs print lead to pages of the sandbox, which are harmless and read only."""

from __future__ import annotations

import pytest
import requests

from triggers.clearml_api import links
from triggers.ledger.deployment.schedulers import Scheduler

HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m\"'&"


@pytest.fixture
def made(client):
    project = client.call("projects.create", {"name": "Examples", "description": ""})["id"]
    arguments = {"Args": {"source": {"section": "Args", "name": "source", "value": HOSTILE}}}
    body = {"name": HOSTILE, "type": "training", "project": project, "tags": [HOSTILE], "hyperparams": arguments}
    task = client.call("tasks.create", body)["id"]
    model = client.call("models.create", {"name": HOSTILE, "uri": "file:///m", "project": project, "task": task})["id"]
    return {"project": project, "task": task, "model": model}


def pages(made):
    project, task, model = made["project"], made["task"], made["model"]
    return [
        "/",
        "/projects",
        f"/projects/{project}",
        f"/projects/{project}/experiments",
        f"/projects/{project}/experiments/{task}/output/log",
        f"/projects/{project}/tasks/{task}/output/log",
        f"/projects/*/experiments/{task}/execution",
        f"/projects/*/tasks/{task}/output/log",
        f"/projects/*/models/{model}/general",
        f"/datasets/simple/{project}/experiments/{task}",
    ]


def test_every_form_of_link_leads_to_a_page_without_markup_of_others_and_without_keys(sandbox, made):
    for path in pages(made):
        answer = requests.get(sandbox.url + path, timeout=60)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "&lt;script&gt;" in answer.text or path == "/projects", path
        assert "<script" not in answer.text
        assert "\x1b" not in answer.text
        assert "\u202e" not in answer.text
        assert sandbox.secret_key not in answer.text
        assert sandbox.access_key not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("kind", ["task", "dataset", "model"])
def test_the_links_that_verbs_print_lead_to_the_object(sandbox, made, kind):
    scheduler = Scheduler(sandbox.url, "", "DevOps", "triggers", 1.0, web=sandbox.url)
    id_ = made["model" if kind == "model" else "task"]
    answer = requests.get(links.link(scheduler, kind, id_), timeout=60)
    assert answer.status_code == 200
    assert id_ in answer.text


def test_an_object_that_does_not_exist_is_404_and_a_page_takes_no_writes(sandbox, made):
    assert requests.get(f"{sandbox.url}/projects/*/experiments/none/output/log", timeout=60).status_code == 404
    assert requests.get(f"{sandbox.url}/projects/none", timeout=60).status_code == 404
    assert requests.delete(f"{sandbox.url}/projects/{made['project']}", timeout=60).status_code == 404
    assert requests.get(f"{sandbox.url}/projects/{made['project']}", timeout=60).status_code == 200


def test_no_page_under_a_name_of_elsewhere_reads_them(sandbox, made):
    for path in pages(made):
        answer = requests.get(sandbox.url + path, headers={"Host": "evil.example"}, timeout=60)
        assert answer.status_code == 403
        assert made["project"] not in answer.text


def test_an_uploaded_file_goes_before_a_page(sandbox):
    requests.post(sandbox.url, files={"/projects/report": b"mine"}, timeout=60)
    assert requests.get(f"{sandbox.url}/projects/report", timeout=60).content == b"mine"
