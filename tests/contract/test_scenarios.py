"""Every recorded exchange, replayed: no difference from the genuine server is expected anywhere."""

from pathlib import Path

import pytest

from . import replay
from .conftest import Target

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.jsonl"))


def test_scenarios_are_all_there():
    assert len(SCENARIOS) == 68


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_is_answered_as_recorded(target: Target, path: Path):
    server = replay.Server(target.url, target.access_key, target.secret_key)
    try:
        replay.replay(server, replay.Scenario(path))
    finally:
        server.session.close()
