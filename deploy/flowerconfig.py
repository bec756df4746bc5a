"""Flower's own settings: who may see it, and which columns say what happened. Flower reads it as a file of names."""

import hmac
import os
from pathlib import Path
from types import SimpleNamespace

import flower.views

_folder = os.environ.get("TRIGGERS_SECRETS_DIR", "")
_secret = Path(_folder, "flower_basic_auth")
if not _folder or not _secret.is_file():
    raise SystemExit("Flower needs NAME:PASSWORD in the file flower_basic_auth of the folder TRIGGERS_SECRETS_DIR")

basic_auth = [_secret.read_text("utf-8").strip()]
# Flower compares texts in constant time, which Python does for ASCII only: any other password would be a server error
flower.views.hmac = SimpleNamespace(compare_digest=lambda one, two: hmac.compare_digest(one.encode(), two.encode()))
# looking only: whoever may press a button in Flower could end workers and send Celery tasks
read_only = True
tasks_columns = "name,args,result,state,received,runtime,worker"
max_tasks = 10_000
max_workers = 1_000
purge_offline_workers = 600
natural_time = False
