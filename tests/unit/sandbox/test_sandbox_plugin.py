"""The pytest fixture: an empty server per test, named by the environment."""

import os

import requests


def test_environment_names_the_server(clearml_sandbox):
    assert {name: os.environ[name] for name in clearml_sandbox.env()} == clearml_sandbox.env()
    keys = (os.environ["CLEARML_API_ACCESS_KEY"], os.environ["CLEARML_API_SECRET_KEY"])
    answer = requests.post(os.environ["CLEARML_API_HOST"] + "/auth.login", auth=keys, timeout=60)
    assert answer.json()["data"]["token"]


def test_first_of_two_tests_leaves_a_task(clearml_sandbox):
    clearml_sandbox.client().call("tasks.create", {"name": "left", "type": "training"})
    clearml_sandbox.control.fault("error")


def test_second_of_two_tests_finds_nothing(clearml_sandbox):
    assert clearml_sandbox.client().call("tasks.get_all") == {"tasks": []}
