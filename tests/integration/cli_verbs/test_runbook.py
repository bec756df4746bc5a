"""The troubles of docs/runbook.md that no other test of the verbs brings about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

import triggers
from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from triggers.cli.app import app

DOCS = Path(triggers.__file__).parents[1] / "docs"


def test_a_redis_that_forgets_is_found(world: World) -> None:
    client = world.ledger.store.client
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("appendonly", "no")
    try:
        found = {one["about"]: one for one in run("doctor", "--json").json}
    finally:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("appendonly", "yes")
    assert found["Redis eviction"]["to_do"].startswith("set maxmemory-policy to noeviction")
    assert found["Redis persistence"]["level"] == "bad"


def test_keys_that_are_refused_are_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARML_API_SECRET_KEY", "of yesterday")
    found = {one["about"]: one for one in run("doctor", "--json").json}
    assert found["ClearML credentials"]["level"] == "bad"
    assert "clearml-init" in found["ClearML credentials"]["to_do"]


def test_keys_of_another_server_are_refused_by_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.declare(world.trigger(name="retry"))
    monkeypatch.setenv("CLEARML_API_HOST", "http://127.0.0.1:9")
    refused = run("explain", "retry", "f" * 32)
    assert refused.code == 2
    assert "http://127.0.0.1:9" in refused.out
    assert run("list").code == 0, "what only reads Redis works on"


def test_a_redis_that_is_away_is_reported_in_one_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from triggers.base.settings import settings

    monkeypatch.setenv("TRIGGERS_REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    gone = run("list")
    assert gone.code == 1
    assert "Redis did not answer" in gone.out


@pytest.mark.parametrize("page", ["operating.md", "runbook.md"])
def test_every_command_of_the_page_exists(page: str) -> None:
    root = typer.main.get_command(app)
    named = re.findall(r"clearml-triggers ([a-z]+)(?: ([a-z]+))?", (DOCS / page).read_text())
    assert len(named) > 10
    for verb, child in named:
        command = root.commands[verb]  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            assert child in command.commands, f"{verb} {child}"
