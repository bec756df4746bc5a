"""Workers killed, workers frozen, Redis forgetting: at every point of every scenario, each change is launched once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.everywhere import forget, freeze, kill
from tests.crash.jobs import Job, Jobs
from tests.crash.nursery import Nursery
from tests.crash.processes import Server
from tests.crash.scenarios import SCENARIOS

#: the scenarios whose points are visited all, and in how many worlds; of the others those that bring something new
WHOLE = {"clone": 3, "single instance": 3, "reuse": 2}
#: a firing held by a pause: Redis would forget the end of the pause, a person's decision
NOT_FORGOTTEN = {"pause"}

JOBS = [
    *[Job(kill, one, whole=one.name in WHOLE, worlds=WHOLE.get(one.name, 1)) for one in SCENARIOS],
    *[Job(freeze, one, workers=2, whole=one.name in WHOLE, worlds=WHOLE.get(one.name, 1)) for one in SCENARIOS],
    *[Job(forget, one, worlds=WHOLE.get(one.name, 1)) for one in SCENARIOS if one.name not in NOT_FORGOTTEN],
]


@pytest.fixture(scope="session")
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
