"""Workers killed, workers frozen, Redis forgetting: at every point of every scenario, each change is launched once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.crash.edges import Point
from tests.crash.everywhere import Run, forget, freeze, kill
from tests.crash.jobs import EVERYTHING, Job, Jobs
from tests.crash.nursery import Nursery
from tests.crash.processes import Server
from tests.crash.scenarios import SCENARIOS
from tests.crash.scenarios_of_actions import SCENARIOS_OF_ACTIONS

#: a firing held by a pause: Redis would forget the end of the pause, a person's decision; an own edit that Redis has
#: forgotten is anybody's; what was reversed before Redis came back as it was before the change never happened
NOT_FORGOTTEN = {"pause", "edits of the object", "resolved"}
#: workers are killed in all scenarios; what is frozen and forgotten in every run are these, with CRASH_TESTS=all all
CORE = {"clone", "edit", "three at once", "single instance", "reuse", "enqueue not sent", "schedule"}
CORE |= {"webhooks", "resolved"}


def _jobs(deed: Callable[[Run, Point], bool], *, workers: int = 1, only: set[str] | None = None) -> list[Job]:
    chosen = [one for one in (*SCENARIOS, *SCENARIOS_OF_ACTIONS) if EVERYTHING or only is None or one.name in only]
    passages = 2 if EVERYTHING or only is None else 1
    return [Job(deed, one, workers, passages=passages) for one in chosen]


JOBS = [
    *_jobs(kill),
    *_jobs(freeze, workers=2, only=CORE),
    *[job for job in _jobs(forget, only=CORE) if job.scenario.name not in NOT_FORGOTTEN],
]


@pytest.fixture(scope="module")
def jobs(
    server: Server, nursery: Nursery, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Jobs]:
    """The jobs whose tests were chosen, all under way at once."""
    chosen = [spec.params.get("job") for item in request.session.items if (spec := getattr(item, "callspec", None))]
    jobs = Jobs(server, nursery, tmp_path_factory.mktemp("worlds"), [job for job in chosen if job])
    yield jobs
    jobs.stop()


@pytest.mark.slow
@pytest.mark.xdist_group("crash")  # one process runs all jobs side by side
@pytest.mark.timeout(600)
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_every_change_is_launched_once(jobs: Jobs, job: Job) -> None:
    jobs.outcomes[job.name].result()
