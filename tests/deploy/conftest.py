"""The topology of docker-compose.yml on hosts of network namespaces, or of loopback addresses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.hosts import Network, namespaces_permitted
from tests.deploy.loopback import LoopbackNetwork
from tests.deploy.topology import Topology

#: set to anything: loopback addresses even where namespaces are permitted
LOOPBACK = "TRIGGERS_TEST_LOOPBACK"


@pytest.fixture
def topology(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Topology]:
    if namespaces_permitted() and not os.environ.get(LOOPBACK):
        network: Network | LoopbackNetwork = Network(tmp_path)
    else:
        try:
            network = LoopbackNetwork(tmp_path)
        except OSError as taken:
            pytest.skip(f"no namespaces permitted, and a port of the compose file is taken: {taken}")
    try:
        topology = Topology(tmp_path, network)
    except BaseException:
        network.close()
        raise
    for name, value in topology.credentials.items():
        monkeypatch.setenv(name, value)
    try:
        topology.start()
        yield topology
    finally:
        topology.close()
