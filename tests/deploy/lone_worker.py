"""One real Celery worker against a Redis of its own, started again when it ends; its watch is less patient."""

from __future__ import annotations

import base64
import json
import math
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from tests.deploy.hosts import Service, eventually
from triggers import health
from triggers.base.broker import broker_prefix
from triggers.health import Progress
from triggers.ledger import connect

QUEUE = "match"
PROGRAM = """
import sys
from celery.__main__ import main
from workers import watchdog
watchdog.LOOK_SECONDS, watchdog.SEND_SECONDS, watchdog.TAKEN_WITHIN_SECONDS = 0.2, 1.0, 10.0
sys.argv[1:] = ["-A", "workers", "worker", "-Q", "match", "-n", "lone@here", "--concurrency=2", "-l", "INFO"]
main()
"""


class LoneWorker:
    """The worker at `url` (perhaps of a proxy), and the Redis at `direct` in which its messages lie."""

    def __init__(self, url: str, direct: str, folder: Path, **variables: str) -> None:
        self.client, self.file, self.log = connect(direct), folder / "health.json", folder / "worker.log"
        script = folder / "lone.py"
        script.write_text(PROGRAM)
        environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environ |= {f"CLEARML_API_{name}": "http://127.0.0.1:9" for name in ("HOST", "ACCESS_KEY", "SECRET_KEY")}
        environ |= {"TRIGGERS_REDIS_URL": url, "TRIGGERS_HEALTH_FILE": str(self.file)}
        environ |= variables
        environ["PYTHONPATH"] = str(Path(health.__file__).parents[1])
        self.service = Service([sys.executable, str(script)], environ, folder, self.log)
        eventually(lambda: Progress.read(self.file) is not None, "the worker is up")

    @property
    def starts(self) -> int:
        return self.service.starts

    def put(self, raw: str | bytes) -> None:
        """Put anything into its queue."""
        self.client.lpush(broker_prefix() + QUEUE, raw)

    def takes(self, what: str, *, seconds: float = 60.0, again_seconds: float = 1000.0) -> None:
        """Wait until it carries out a hint that is given now, and again every so often: one may be lost on its way."""
        probes: list[str] = []
        given_at = -math.inf

        def look() -> bool:
            nonlocal given_at
            if time.monotonic() - given_at > again_seconds:
                given_at = time.monotonic()
                probes.append(uuid.uuid4().hex)
                self.put(message([[probes[-1]], {}, {}], id=probes[-1]))
            log = self.log.read_text(errors="replace")
            return any(f"Task triggers.match[{probe}] succeeded" in log for probe in probes)

        eventually(look, what, seconds=seconds)

    def down(self) -> None:
        self.service.down()
        self.client.close()


def message(body: Any, *, encoding: str = "base64", content: str = "application/json", **headers: Any) -> str:
    """A Celery message as it lies in Redis; `body` as bytes, or what becomes JSON."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    known = {"lang": "py", "task": "triggers.match", "id": "i", "root_id": "i", "parent_id": None, "group": None}
    properties = {"correlation_id": "i", "delivery_mode": 2, "priority": 0, "delivery_tag": uuid.uuid4().hex}
    properties |= {"delivery_info": {"exchange": "triggers", "routing_key": QUEUE}, "body_encoding": encoding}
    return json.dumps(
        {
            "body": base64.b64encode(text).decode(),
            "content-encoding": "utf-8",
            "content-type": content,
            "headers": {**known, "argsrepr": "", "kwargsrepr": "", **headers},
            "properties": properties,
        }
    )
