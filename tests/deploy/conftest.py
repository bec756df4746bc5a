"""The topology of docker-compose.yml on hosts of network namespaces."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.hosts import namespaces_permitted
from tests.deploy.topology import Topology


@pytest.fixture
def topology(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Topology]:
    if not namespaces_permitted():
        if os.environ.get("CI"):
            pytest.fail("hosts need root and network namespaces (iproute2)")
        pytest.skip("hosts need root and network namespaces (iproute2)")
    topology = Topology(tmp_path)
    for name, value in topology.credentials.items():
        monkeypatch.setenv(name, value)
    try:
        topology.start()
        yield topology
    finally:
        topology.close()
