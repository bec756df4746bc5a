"""The child of local mode takes the memory of what it imports for as long as it runs: it imports nothing for others."""

from __future__ import annotations

import os
import subprocess
import sys

_IMPORTED = """
import sys
import workers.local
from workers.app import app
app.loader.import_default_modules()
import celery.worker.consumer, celery.concurrency.thread, kombu.transport.redis, workers.consumer
print(*sys.modules)
"""

#: Of the SDK, the command line, the console, the sandbox, optional parts and tests; and what is imported at first use.
NEEDLESS = {
    "clearml", "numpy", "requests", "typer", "rich", "starlette", "uvicorn", "jinja2", "itsdangerous", "apprise",
    "prometheus_client", "flower", "hypothesis", "pytest", "html.entities", "triggers.cli", "triggers.console",
    "triggers.client", "triggers.configuration", "triggers.operate", "triggers.explain", "triggers.sandbox",
}  # fmt: skip


def test_the_child_imports_nothing_that_it_does_not_use():
    environ = os.environ | {"TRIGGERS_REDIS_URL": "redis://127.0.0.1:1/0"}
    run = subprocess.run([sys.executable, "-c", _IMPORTED], capture_output=True, text=True, env=environ)
    assert run.returncode == 0, run.stderr
    assert "workers.dispatch" in run.stdout.split()
    assert NEEDLESS & set(run.stdout.split()) == set()
