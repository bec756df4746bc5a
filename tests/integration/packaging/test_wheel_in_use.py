"""From the wheel, without the development environment: a seeded sandbox, and a script that goes to an agent."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk, eventually
from tests.integration.packaging.installation import Installation, checked
from tests.integration.packaging.test_shipped import free_port
from tests.integration.service.test_agent_package import SCRIPT, requirements, service

Installed = Callable[[str], Installation]

pytestmark = [pytest.mark.xdist_group("shipped"), pytest.mark.timeout(900)]


def test_what_a_seeded_sandbox_prints_fires_when_it_is_typed(installed: Installed, desk: Desk) -> None:
    """`desk` ends what runs; the server is the one of the wheel with its extra `sandbox`, nothing else."""
    installation = installed("extras")
    (desk.folder / "empty").mkdir()
    runtime = {"XDG_RUNTIME_DIR": str(desk.folder), "NO_PROXY": "127.0.0.1"}
    desk.environment = installation.environment(desk.folder, **runtime)
    desk.run(str(installation.bin / "clearml-triggers"), "sandbox", "--seed", "--port", str(free_port()))
    eventually(lambda: "Look at" in desk.output(), "it says what to type", told=desk.output)
    typed = re.search(r"^(\. |eval ).*?^python first\.py$", desk.output(), re.S | re.M)
    assert typed, desk.output()
    desk.run("bash", "-c", f"cd empty\n{typed[0]}")
    launch = re.compile(r"launched: task .* -> ClearML task \w{32}")
    eventually(lambda: launch.search(desk.output()), "a first firing", told=desk.output, seconds=60)
    assert "Traceback" not in desk.output(), desk.output()


@pytest.fixture
def shop(wheel: Path) -> Iterator[str]:
    """The address of the wheel, where other machines can install it from."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(wheel.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{wheel.name}"
        server.shutdown()


def test_an_agent_installs_what_is_recorded_and_serves(
    installed: Installed, desk: Desk, shop: str, wheel: Path, tmp_path: Path
) -> None:
    """Sent from an environment with the wheel, which warns; with the setting an empty environment can be made of it."""
    desk.call("queues.create", name="services")
    home, server = {"BASE": desk.base, "NO_PROXY": "127.0.0.1"}, desk.sandbox.env()
    desk.environment = installed("newest").environment(desk.folder, **home, **server)
    python = str(installed("newest").python)
    script = str(desk.write("mine.py", SCRIPT.format(package="triggers", start="start_remotely()")))
    assert desk.run(python, script).wait(60) == 0, desk.output()
    assert f"clearml-triggers is installed here from {wheel}, which other machines do not have" in desk.output()
    assert "clearml_triggers == 0.1.0" in requirements(desk)
    desk.call("tasks.delete", task=service(desk)["id"], force=True)

    assert desk.run(python, script, "--project", "Sent", TRIGGERS_PACKAGE=shop).wait(60) == 0, desk.output()
    assert f"clearml-triggers @ {shop}" in requirements(desk)
    agent = Installation(tmp_path / "agent")
    (tmp_path / "requirements.txt").write_text(service(desk)["script"]["requirements"]["pip"])
    checked(installed("newest").python, "-m", "venv", agent.folder)
    checked(agent.python, "-m", "pip", "install", "-q", "-r", tmp_path / "requirements.txt", NO_PROXY="127.0.0.1")

    id_ = service(desk)["id"]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.py").write_text(service(desk)["script"]["diff"])
    desk.call("queues.get_next_task", queue=desk.call("queues.get_all", name="^services$")["queues"][0]["id"])
    desk.call("tasks.started", task=id_)
    desk.environment = agent.environment(tmp_path / "run", **home, **server, CLEARML_TASK_ID=id_, TRAINS_TASK_ID=id_)
    run = desk.run(str(agent.python), str(tmp_path / "run" / "mine.py"))
    eventually(desk._registered, "it polls on the agent", told=desk.output, seconds=90)
    failed = desk.fail_task()
    eventually(lambda: desk.launched_for() == {failed: 1}, "a launch", told=desk.output)
    assert desk.output().count("PROJECT Sent") == 2, "here, and on the agent"
    run.send_signal(signal.SIGTERM)
    try:
        run.wait(60)
    except subprocess.TimeoutExpired:
        pytest.fail(desk.output())
