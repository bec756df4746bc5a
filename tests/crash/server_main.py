"""A sandbox in a process of its own: prints its address, serves until its parent ends."""

from __future__ import annotations

import os

from tests.crash.worker_main import PARENT
from triggers.local.parent import end_with_parent
from triggers.sandbox import Sandbox

if __name__ == "__main__":
    end_with_parent(int(os.environ[PARENT]))
    sandbox = Sandbox(access_key=os.environ["CLEARML_API_ACCESS_KEY"], secret_key=os.environ["CLEARML_API_SECRET_KEY"])
    sandbox.bind()
    print(sandbox.url, flush=True)
    sandbox.serve()
