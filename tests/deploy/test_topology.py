"""The commands of docker-compose.yml on several hosts: cut off, killed, healed; nothing lost, nothing doubled."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.deploy.hosts import eventually
from tests.deploy.topology import Topology


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_hosts_cut_off_and_killed_lose_nothing_and_double_nothing(topology: Topology) -> None:
    node_1, node_2 = topology.nodes
    topology.change(15)
    eventually(topology.all_fired, "the first launches")

    # node 1 loses Redis, node 2 the ClearML server: neither can launch, both hold what they took
    topology.change(15)
    node_1.cut_off(topology.redis_host)
    node_2.cut_off(topology.clearml)
    topology.change(15)
    time.sleep(3)
    node_1.heal(topology.redis_host)
    node_2.heal(topology.clearml)
    eventually(topology.all_fired, "all launches after a partition")

    # the host of the schedule and a whole node lose power; Redis dies too and comes back with its file
    leader = topology.leader()
    standby = [host for host in topology.beats if host is not leader]
    topology.change(15)
    leader.power_off()
    node_1.power_off()
    takeovers = [topology.takeover_seconds(standby)]
    topology.redis_host.power_off()
    topology.change(5)
    topology.redis_host.power_on()
    eventually(topology._redis_answers, "Redis is back")
    topology.ledger.adopt_epoch()
    node_1.power_on()
    leader.power_on()
    eventually(topology.all_fired, "all launches after the loss of hosts", seconds=60)

    # the schedule's host is cut off: the other takes over, and there are not two afterwards
    leader = topology.leader()
    standby = [host for host in topology.beats if host is not leader]
    leader.pull_cable()
    takeovers.append(topology.takeover_seconds(standby))
    leader.plug_in()
    topology.change(10)
    eventually(topology.all_fired, "all launches after the second takeover")

    print(f"{len(topology.changed)} changes; the schedule was taken over after {takeovers} s")
    assert max(takeovers) < 60
    assert set(topology.runs().values()) == {1}
    assert topology.client.zcard(topology.ledger.keys.dead) == 0
    eventually(lambda: not topology.drafts(), "no drafts are left")
    for host, service in [(h, name) for h in topology.nodes + topology.beats for name in h.services]:
        command = [sys.executable, *topology.services[service]["healthcheck"]["test"][2:]]
        file = {"TRIGGERS_HEALTH_FILE": str(topology.health_file(host, service))}
        eventually(
            lambda command=command, file=file: subprocess.run(command, env=file, capture_output=True).returncode == 0,
            f"{service} on {host.name} is healthy",
        )
