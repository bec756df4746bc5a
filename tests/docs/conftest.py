"""What tests of several pages use."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.steps import ROOT

#: nothing listens there: what asks the network fails
NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")


@pytest.fixture(scope="session")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly and without a network."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | NO_NETWORK, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr.replace("NO_MKDOCS_2_WARNING", "")
    return folder


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Give a port that nothing listens on."""

    def find() -> int:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            return int(taken.getsockname()[1])

    return find
