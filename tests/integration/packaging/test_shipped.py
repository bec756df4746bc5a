"""What is shipped runs: from a wheel in an empty environment, with nothing of the environment of these tests."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.acceptance.conftest import SCRIPT, Desk, eventually
from tests.integration.packaging.installation import Installation

Installed = Callable[[str], Installation]

NEEDS_PINS = pytest.mark.skipif(sys.version_info < (3, 11), reason="several pinned versions exist for 3.11 and later")
PINNED = [pytest.param(how, marks=NEEDS_PINS) for how in ("constraints", "dockerfile")]

pytestmark = [
    # the environments are made once, on one process of xdist
    pytest.mark.xdist_group("shipped"),
    # the first test that needs one waits for pip
    pytest.mark.timeout(900),
]

#: With a function of the user's module on a worker nothing else than with a ClearML task is installed.
ROLES = (
    ("worker", "-Q", "poll", "-n", "poll@%h"),
    ("worker", "-Q", "match", "-n", "match@%h"),
    ("worker", "-Q", "dispatch,act", "-n", "dispatch@%h"),
    ("beat",),
)

#: Prints every verb of the installed command line, the verbs of a verb included, one JSON list a line.
VERBS = """
import json, typer
from triggers.cli.app import app
def walk(command, path):
    print(json.dumps(path))
    for name, each in getattr(command, "commands", {}).items():
        walk(each, [*path, name])
walk(typer.main.get_command(app), [])
"""


def polls(desk: Desk) -> int:
    return int(desk.sandbox.control.counts().get("tasks.get_all_ex", 0))


def script_in(desk: Desk, installation: Installation, **variables: str) -> None:
    """Start the user's script with that installation, and nothing else, and wait until it polls."""
    desk.environment = installation.environment(desk.folder, BASE=desk.base, **desk.sandbox.env(), **variables)
    desk.run(str(installation.python), str(desk.write("my_script.py", SCRIPT)))


def fires_once(desk: Desk) -> None:
    """One change is launched, another one later, and some polls after that neither a second time."""
    before = polls(desk)
    eventually(lambda: polls(desk) > before, "polls", told=desk.output)
    first = desk.fail_task()
    eventually(lambda: desk.launched_for() == {first: 1}, "the first launch", told=desk.output)
    second = desk.fail_task()
    eventually(lambda: len(desk.launched_for()) == 2, "the second launch", told=desk.output)
    seen = polls(desk)
    eventually(lambda: polls(desk) >= seen + 4, "more polls", told=desk.output)
    assert desk.launched_for() == {first: 1, second: 1}
    assert "Traceback" not in desk.output(), desk.output()


@pytest.mark.parametrize("how", ["newest", *PINNED])
def test_a_users_script_fires_once_in_local_mode(installed: Installed, how: str, desk: Desk) -> None:
    script_in(desk, installed(how))
    fires_once(desk)


@pytest.mark.parametrize("how", ["newest", *PINNED])
def test_the_roles_of_a_cluster_fire_once(installed: Installed, how: str, desk: Desk, redis_url: str) -> None:
    script_in(desk, installed(how), TRIGGERS_REDIS_URL=redis_url)
    for role in ROLES:
        desk.run(str(installed(how).bin / "celery"), "-A", "clearml_triggers", *role, "--loglevel", "WARNING")
    fires_once(desk)


@pytest.mark.parametrize("how", ["newest", "extras", *PINNED])
def test_what_is_installed_fits_together(installed: Installed, how: str, tmp_path: Path) -> None:
    done = installed(how).run(tmp_path, "python", "-m", "pip", "check")
    assert done.returncode == 0, done.stdout


def test_every_verb_prints_its_help(installed: Installed, tmp_path: Path) -> None:
    installation = installed("newest")
    verbs = installation.run(tmp_path, "python", "-c", VERBS).stdout.splitlines()
    assert len(verbs) > 25
    for verb in map(json.loads, verbs):
        done = installation.run(tmp_path, "clearml-triggers", *verb, "--help")
        assert done.returncode == 0, done.stderr
        assert "Usage: clearml-triggers" in done.stdout
        assert not done.stderr


@pytest.mark.parametrize(
    ("extra", "command"),
    [
        ("sandbox", "clearml-triggers sandbox"),
        ("sandbox", "clearml-triggers sandbox --env --port 0"),
        ("sandbox", "clearml-triggers demo"),
        ("sandbox", "python -m triggers demo"),
        ("metrics", "python -m workers.metrics"),
        ("metrics", "python -m clearml_triggers.workers.metrics"),
        ("flower", "celery -A clearml_triggers flower"),
        ("flower", "celery -A workers flower"),
        ("flower", "celery -A workers flower --port=5555 --conf=deploy/flowerconfig.py"),
        ("flower", "python -m celery -A workers flower"),
    ],
)
@pytest.mark.parametrize("redis", ["redis://127.0.0.1:1/0", ""])
def test_a_missing_extra_is_named_in_one_line(
    installed: Installed, extra: str, command: str, redis: str, tmp_path: Path
) -> None:
    given = {"TRIGGERS_REDIS_URL": redis} if redis else {}
    done = installed("newest").run(tmp_path, *command.split(), **given)
    assert done.returncode == 2
    assert not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("clearml-triggers: ")
    assert line.endswith(f"pip install 'clearml-triggers[{extra}]'")


def test_a_missing_extra_is_named_where_a_script_imports_the_sandbox(installed: Installed, tmp_path: Path) -> None:
    done = installed("newest").run(tmp_path, "python", "-c", "from triggers.sandbox import Sandbox")
    assert done.stderr.splitlines()[-1].endswith("pip install 'clearml-triggers[sandbox]'")


@pytest.mark.parametrize("program", [("celery", "-A", "workers", "worker"), ("celery", "-A", "workers", "beat")])
def test_a_wrong_setting_is_one_line_of_celerys_programs(
    installed: Installed, program: tuple[str, ...], tmp_path: Path
) -> None:
    done = installed("newest").run(tmp_path, *program)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("clearml-triggers: TRIGGERS_REDIS_URL is not set")


@pytest.mark.parametrize("how", ["extras", *PINNED[1:]])
def test_extras_bring_flower_and_the_exporter(installed: Installed, how: str, desk: Desk, redis_url: str) -> None:
    installation = installed(how)
    flower, metrics = free_port(), free_port()
    desk.environment = installation.environment(
        desk.folder, TRIGGERS_REDIS_URL=redis_url, TRIGGERS_METRICS_ADDRESS=f"127.0.0.1:{metrics}"
    )
    desk.run(
        str(installation.bin / "celery"), "-A", "clearml_triggers", "flower", "--address=127.0.0.1", f"--port={flower}"
    )
    desk.run(str(installation.python), "-m", "clearml_triggers.workers.metrics")
    eventually(lambda: answer(f"http://127.0.0.1:{flower}/healthcheck") == "OK", "Flower", told=desk.output)
    eventually(lambda: answer(f"http://127.0.0.1:{metrics}/metrics"), "the exporter", told=desk.output)
    assert "clearml_triggers_redis_up 1.0" in answer(f"http://127.0.0.1:{metrics}/metrics")


@pytest.mark.parametrize("how", ["extras", "sdist", *PINNED[1:]])
def test_the_demo_shows_every_launch_once(installed: Installed, how: str, tmp_path: Path) -> None:
    done = installed(how).run(tmp_path, "clearml-triggers", "demo", "--rounds", "1", "--json")
    result = json.loads(done.stdout)
    assert (done.returncode, result["launched"]) == (0, result["expected"]), done.stderr


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answer(url: str) -> str:
    try:
        with urlopen(url, timeout=60) as response:
            return str(response.read().decode())
    except (URLError, ConnectionError):
        return ""
