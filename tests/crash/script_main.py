"""A user's script that registers its triggers and ends: what `register()` does, with both edges wrapped."""

from __future__ import annotations

import os
from pathlib import Path

from tests.crash.worker_main import prepare
from triggers.base.settings import settings
from triggers.client.service_task import ServiceTask
from triggers.client.serving import ServingProcess
from triggers.model import Trigger

#: environment variables: the service task's id, its project and name, and the trigger as JSON
SERVICE, NAME, TRIGGER = "CRASH_TEST_SERVICE", "CRASH_TEST_NAME", "CRASH_TEST_TRIGGER"


def main() -> int:
    """Register, and say so by a file."""
    prepare()
    name = os.environ[NAME]
    home = ServingProcess(ServiceTask(os.environ[SERVICE], name, name, None), 1.0, settings())
    home.register(home.connect(), [Trigger.from_json(os.environ[TRIGGER])])
    Path(os.environ["CRASH_TEST_FOLDER"], "registered").touch()
    return 0
