"""A server before 1.17 ignores the filter by which changes are read: it is refused, and no read lasts without end."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.base.errors import ServerUnavailable, Usage
from triggers.base.settings import Settings
from triggers.client.serving import ServingProcess
from triggers.ledger import Ledger
from triggers.operate.doctor.clearml_server import look
from triggers.sandbox import Sandbox

pytestmark = pytest.mark.sandbox_control


@pytest.fixture(scope="module")
def old() -> Iterator[Sandbox]:
    with Sandbox(server_version="1.16") as sandbox:
        yield sandbox


def test_a_start_is_refused_with_the_version(old: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in old.env().items():
        monkeypatch.setenv(name, value)
    task: Any = SimpleNamespace(id="t", project="P", name="service", web="")
    with pytest.raises(Usage, match=r"127\.0\.0\.1:\d+: it is version 1\.16\.0, .* use one of version 1\.17 or later"):
        ServingProcess(task, 5.0, settings)


def test_doctor_says_so(old: Sandbox, ledger: Ledger, settings: Settings) -> None:
    world = World(old, ledger, settings)
    scheduler = SimpleNamespace(host=old.url, workspace="", id="s")
    target: Any = SimpleNamespace(api=world.api, scheduler=scheduler, ledger=ledger)
    finding = next(iter(look(target)))
    assert (finding.about, finding.level) == ("ClearML server", "bad")
    assert "1.16.0" in finding.words
    assert finding.to_do == "upgrade it to 1.17 or later"
    world.client.close()


def test_a_poll_ends_and_says_why(old: Sandbox, ledger: Ledger, settings: Settings) -> None:
    world = World(old, ledger, settings)
    world.declare(world.trigger())
    with pytest.raises(ServerUnavailable, match=r"tasks\.get_all_ex: asked for what changed since .*before 1\.17"):
        world.poll()
    assert old.control.counts()["tasks.get_all_ex"] == 1
    world.client.close()
