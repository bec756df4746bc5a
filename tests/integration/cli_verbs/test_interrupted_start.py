"""Ctrl-C while `up` starts, at a moment at which a library swallows it: `up` ends all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.integration.cli_verbs import past
from tests.integration.stages.conftest import World
from triggers.base.settings import settings

#: Ctrl-C comes while the triggers are registered, and nothing comes of it, as in the import of an extension.
SWALLOWING = """
import signal
from triggers.client import serving

def register(self, *given, _real=serving.ServingProcess.register, **named):
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        print("swallowed", flush=True)
    return _real(self, *given, **named)

serving.ServingProcess.register = register
"""


@pytest.mark.slow
def test_a_ctrl_c_that_was_swallowed_ends_up_all_the_same(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "triggers.yaml").write_text(past.FILE.format(base=world.base))
    (tmp_path / "sitecustomize.py").write_text(SWALLOWING)
    monkeypatch.delenv("TRIGGERS_REDIS_URL")
    monkeypatch.setenv("TRIGGERS_STATE_FOLDER", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    settings.cache_clear()
    done = subprocess.run(
        [sys.executable, "-m", "triggers", "up", "-f", "triggers.yaml"],
        cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True,
    )  # fmt: skip
    assert "swallowed" in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])]
