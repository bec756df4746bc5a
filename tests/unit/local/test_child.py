import json
import os
import subprocess
import sys
from pathlib import Path

from triggers.local import child


def test_child_environment_drops_what_would_make_it_another_process():
    dropped = [
        "CLEARML_TASK_ID",
        "CLEARML_PROC_MASTER_ID",
        "TRAINS_TASK_ID",
        "TRAINS_PROC_MASTER_ID",
        "CELERY_BROKER_URL",
        "CELERY_CONFIG_MODULE",
        "TRIGGERS_LOCAL_PARENT_FD",
    ]
    kept = {"PATH": "/bin", "CLEARML_API_HOST": "http://h", "TRIGGERS_POLL_SECONDS": "1"}
    assert child.child_environment(dict.fromkeys(dropped, "x") | kept) == kept


def test_bootstrap_environment_has_absolute_paths_of_the_user(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", "/some/folder"])
    environment = child.bootstrap_environment()
    assert json.loads(environment["TRIGGERS_LOCAL_USER_PATH"]) == [str(tmp_path), "/some/folder"]
    assert Path(environment["TRIGGERS_LOCAL_OWN_FOLDER"], "triggers", "local", "child.py").exists()


def test_child_command_prefers_our_packages_and_still_finds_the_users(tmp_path):
    """The current folder and sys.path of the parent hold a `workers.py` and a `triggers.py`."""
    own, users = tmp_path / "own", tmp_path / "users"
    repository = Path(__file__).parents[3]
    (own / "workers").mkdir(parents=True)
    (own / "triggers").symlink_to(repository / "triggers")
    (own / "workers" / "__init__.py").touch()
    (own / "workers" / "local.py").write_text(
        "import gc, json, sys, mine\n"
        "def main():\n"
        "    import triggers, workers\n"
        "    collects = gc.isenabled() and gc.get_freeze_count() > 0\n"
        "    print(json.dumps([triggers.__file__, workers.__file__, mine.__file__, '' in sys.path, collects]))\n"
    )
    users.mkdir()
    for name in ("workers", "triggers", "mine", "json"):
        (users / f"{name}.py").write_text("" if name == "mine" else "raise SystemExit('shadowed')\n")
    reading, writing = os.pipe()
    environment = os.environ | {
        "TRIGGERS_LOCAL_OWN_FOLDER": str(own),
        "TRIGGERS_LOCAL_USER_PATH": json.dumps([str(users)]),
        "TRIGGERS_LOCAL_PARENT_FD": str(reading),
    }
    done = subprocess.run(
        child.child_command(), cwd=users, env=environment, pass_fds=[reading], capture_output=True, text=True
    )
    os.close(reading)
    os.close(writing)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        str(own / "triggers" / "__init__.py"),
        str(own / "workers" / "__init__.py"),
        str(users / "mine.py"),
        False,
        True,
    ]
