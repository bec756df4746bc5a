"""A process that declares other triggers than the last one: refused beside a living one, let in after a killed one."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.acceptance.conftest import Desk, desk, eventually
from tests.integration.service.test_processes import output_of, program
from triggers.base.errors import Usage
from triggers.base.settings import Settings
from triggers.client.election import Election
from triggers.ledger import Ledger
from triggers.ledger.deployment.leaders import Leader
from triggers.ledger.deployment.schedulers import Scheduler

__all__ = ["desk"]

#: Longer than a living holder takes to renew, so that the two differ; seconds.
LEASE_SECONDS = 3.0
HERE, ELSEWHERE = socket.gethostname(), "another-machine"


def electing(redis_url: str, content: str = "new") -> Election:
    settings = Settings(redis_url=redis_url, lease_seconds=LEASE_SECONDS)
    scheduler = Scheduler("http://clearml", "w", "DevOps", "triggers", 5.0)
    adopt = lambda ledger: ledger.adopt_epoch(nothing_launched_before=True)  # noqa: E731
    return Election(scheduler, settings, Leader(HERE, os.getpid(), "new.py", content), adopt)


def entered(election: Election, host: str, pid: int) -> tuple[Ledger, str]:
    """Its ledger, while a process of that name has the lease and declares other triggers."""
    ledger = election.connect()
    ledger.adopt_epoch(nothing_launched_before=True)
    token, other = ledger.homes.enter(Leader(host, pid, "old.py", "old"), LEASE_SECONDS)
    assert other is None
    return ledger, token


@contextmanager
def renewing(ledger: Ledger, token: str) -> Iterator[None]:
    """A holder that is alive."""
    end = threading.Event()

    def renew() -> None:
        while not end.wait(LEASE_SECONDS / 6):
            ledger.homes.renew(token, LEASE_SECONDS)

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def nobodys_pid() -> int:
    """A process id that no process has: beyond the largest that Linux gives by default."""
    pid = 4_194_305
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    return pid


@pytest.mark.usefixtures("redis_client")  # it is empty
@pytest.mark.parametrize("host", [HERE, ELSEWHERE])
@pytest.mark.parametrize("how", ["enter", "visit"])
def test_one_that_was_killed_is_replaced_when_its_lease_ends(
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    host: str,
    how: str,
) -> None:
    election = electing(redis_url)
    entered(election, host, nobodys_pid())
    ledger = getattr(election, how)()
    election.leave()
    assert ledger.homes.holder() == (election.holder if how == "enter" else None)
    said = capsys.readouterr().out
    assert said.count("waiting to see whether it runs") == 1
    assert f"on {host} (old.py), which declares other triggers, served DevOps/triggers last" in said


@pytest.mark.usefixtures("redis_client")
@pytest.mark.parametrize("how", ["enter", "visit"])
def test_a_living_one_of_another_machine_is_known_by_its_renewals(
    redis_url: str,
    how: str,
) -> None:
    election = electing(redis_url)
    ledger, token = entered(election, ELSEWHERE, 1)
    with renewing(ledger, token), pytest.raises(Usage, match="is served by process 1 on another-machine"):
        getattr(election, how)()
    election.leave()
    holder = ledger.homes.holder()
    assert holder is not None
    assert holder.content == "old"


@pytest.mark.usefixtures("redis_client")
@pytest.mark.parametrize("how", ["enter", "visit"])
def test_a_living_one_of_this_machine_is_known_at_once(
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    how: str,
) -> None:
    election = electing(redis_url)
    entered(election, HERE, os.getppid())
    with pytest.raises(Usage, match="declares other triggers"):
        getattr(election, how)()
    election.leave()
    assert "waiting" not in capsys.readouterr().out


@pytest.mark.slow
def test_a_killed_script_that_was_edited_starts_at_once_on_its_private_redis(desk: Desk) -> None:
    first = desk.run(sys.executable, program(desk, "script.py", "made().start()"))
    eventually(desk._registered, "the first is home", told=desk.output)
    first.kill()
    first.wait(60)
    second = desk.run(sys.executable, program(desk, "script.py", "made(trigger_name='some').start()"))
    eventually(lambda: "polls every" in output_of(desk, second), "it serves", told=desk.output)
    said = output_of(desk, second)
    assert "waiting" not in said
    assert "standing by" not in said
    failed = desk.fail_task()
    eventually(lambda: desk.launched_for() == {failed: 1}, "it launches", told=desk.output)
