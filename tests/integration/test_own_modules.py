"""A user's own `workers.py` and `triggers.py` beside everything that a cluster consists of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import SCRIPT, Desk, eventually
from triggers.sandbox import Sandbox

pytestmark = pytest.mark.slow

ROLES = (("worker", "-Q", "poll"), ("worker", "-Q", "match"), ("worker", "-Q", "dispatch,act"), ("beat",))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Sandbox() as sandbox:
        desk = Desk(sandbox, tmp_path)
        for name in ("workers", "triggers"):
            desk.write(f"{name}.py", f"print('of the user: {name}', flush=True)\nHELPER = '{name}'\n")
        yield desk
        desk.end()


def test_a_cluster_beside_a_users_workers_and_triggers_fires_once(desk: Desk, redis_url: str) -> None:
    """Both ways of starting Celery's program put the current folder first on the path of modules."""
    desk.environment["TRIGGERS_REDIS_URL"] = redis_url
    celery = str(Path(sys.executable).with_name("celery"))
    for number, role in enumerate(ROLES):
        program = [celery] if number % 2 else [sys.executable, "-m", "celery"]
        desk.run(*program, "-A", "clearml_triggers", *role, "--loglevel=WARNING")
    script = SCRIPT.replace("from triggers import", "from clearml_triggers import")
    helper = "import workers; assert workers.HELPER == 'workers'\n"
    desk.run(sys.executable, str(desk.write("my_script.py", f"    {helper}{script}")))
    eventually(desk._registered, "polls", told=desk.output)
    first = desk.fail_task()
    eventually(lambda: desk.launched_for() == {first: 1}, "the first launch", told=desk.output)
    seen = desk._registered()
    eventually(lambda: desk._registered() >= seen + 4, "more polls", told=desk.output)
    assert desk.launched_for() == {first: 1}
    said = desk.output()
    assert said.count("of the user: workers") == 1, "by the script, which imports it"
    assert "of the user: triggers" not in said
    assert "Traceback" not in said


def test_name_workers_goes_on_being_the_application(desk: Desk, redis_url: str) -> None:
    """`-A workers`, where nothing of the user has that name."""
    (desk.folder / "workers.py").unlink()
    desk.environment["TRIGGERS_REDIS_URL"] = redis_url
    run = desk.run(sys.executable, "-m", "celery", "-A", "workers", "report")
    assert run.wait(60) == 0, desk.output()
    assert "workers.beat:LeadingSchedule" in desk.output()
