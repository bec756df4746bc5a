"""The table of stages and what is made from it: queues, routes, the beat schedule, Celery tasks, the page."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest

import triggers
from triggers.base.settings import Settings, settings
from triggers.stages.table import STAGES, page, queues, stage

ROOT = Path(triggers.__file__).parents[1]


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", "redis://localhost:1/0")
    settings.cache_clear()
    from workers.app import configuration

    yield configuration(Settings(redis_url="redis://localhost:1/0", reconcile_seconds=7.0))
    settings.cache_clear()


def test_queues_and_routes_are_those_that_workers_of_deployments_consume(configuration: dict[str, Any]) -> None:
    assert queues() == ("poll", "match", "dispatch", "act")
    assert [queue.name for queue in configuration["task_queues"]] == ["poll", "match", "dispatch", "act"]
    assert configuration["task_default_queue"] == "poll"
    assert configuration["task_routes"] == {
        "triggers.poll": {"queue": "poll"},
        "triggers.reconcile": {"queue": "poll"},
        "triggers.sync": {"queue": "poll"},
        "triggers.clock": {"queue": "poll"},
        "triggers.match": {"queue": "match"},
        "triggers.dispatch": {"queue": "dispatch"},
        "triggers.act": {"queue": "act"},
        "triggers.notify": {"queue": "dispatch"},
    }


def test_the_schedule_ticks_each_stage_at_its_pace(configuration: dict[str, Any]) -> None:
    found = {
        (name, entry["task"], entry["schedule"], entry["options"]["queue"])
        for name, entry in configuration["beat_schedule"].items()
    }
    assert found == {
        ("poll", "triggers.poll", 1.0, "poll"),
        ("clock", "triggers.clock", 1.0, "poll"),
        ("reconcile", "triggers.reconcile", 7.0, "poll"),
        ("sync", "triggers.sync", 5.0, "poll"),
        ("notify by dispatch", "triggers.notify", 15.0, "dispatch"),
        ("notify by poll", "triggers.notify", 15.0, "poll"),
    }


@pytest.mark.parametrize("row", STAGES, ids=lambda row: row.name)
def test_every_row_has_its_module_and_its_celery_task(row: Any, configuration: dict[str, Any]) -> None:
    importlib.import_module(f"triggers.stages.{row.name}")
    module = f"workers.{row.name}"
    assert (module in configuration["imports"]) == bool(row.queues)
    if row.queues:
        importlib.import_module(module)
        from workers.app import app

        assert row.task in app.tasks


def test_every_celery_task_of_a_stage_has_a_row(configuration: dict[str, Any]) -> None:
    import workers
    from workers.app import app

    for module in pkgutil.iter_modules(workers.__path__):
        if f"workers.{module.name}" in configuration["imports"]:
            importlib.import_module(f"workers.{module.name}")
    ours = {name for name in app.tasks if name.startswith("triggers.")}
    assert ours - {"triggers.alive"} == {row.task for row in STAGES if row.queues}


def test_an_unknown_stage_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"no stage 'macth': one of poll, clock, match"):
        stage("macth")


def test_every_setting_that_a_row_names_exists() -> None:
    for row in STAGES:
        if isinstance(row.every, str):
            assert isinstance(row.seconds(Settings()), float)


def test_the_page_is_the_table() -> None:
    text = (ROOT / "docs" / "stages.md").read_text()
    assert text == page(), "run: python -m triggers.stages.table > docs/stages.md"
