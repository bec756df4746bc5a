"""`clearml_triggers` is `triggers`, whatever a user's modules in the current folder are called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("triggers", "workers"):
        (tmp_path / f"{name}.py").write_text(f"print('of the user: {name}')\nHELPER = '{name}'\n")
    return tmp_path


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python as from an installation: the user's folder is found first, ours last."""
    # at the end of sys.path, where site-packages is: PYTHONPATH stands behind the current folder
    environ = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def test_a_script_gets_ours_beside_modules_of_those_names(folder: Path) -> None:
    code = (
        "from clearml_triggers import TriggerScheduler; from clearml_triggers.ledger import keys; import workers\n"
        "import triggers.ledger.keys; assert keys is triggers.ledger.keys; assert workers.HELPER == 'workers'\n"
        "print(TriggerScheduler.__module__, keys.__spec__.name)"
    )
    done = run(folder, "-c", code)
    assert done.stdout.splitlines() == ["of the user: workers", "triggers.client.scheduler triggers.ledger.keys"], (
        done.stderr
    )


def test_a_name_that_is_taken_is_named_with_its_file(folder: Path) -> None:
    done = run(folder, "-c", "import triggers\nfrom clearml_triggers import TriggerScheduler")
    last = done.stderr.splitlines()[-1]
    assert "taken by" in last
    assert str(folder / "triggers.py") in last
    assert "rename it" in last


def test_importing_alone_takes_no_name(folder: Path) -> None:
    done = run(
        folder, "-c", "import clearml_triggers, clearml_triggers.celery_commands, triggers; print(triggers.HELPER)"
    )
    assert done.stdout.splitlines() == ["of the user: triggers", "triggers"], done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-m", "clearml_triggers", "--version"), "0.1.0"),
        (("-m", "clearml_triggers.health", "absent.json"), "no process has written absent.json yet"),
        (("-m", "celery", "-A", "clearml_triggers", "report"), "software -> celery"),
    ],
)
def test_programs_run_ours(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run(folder, *arguments, TRIGGERS_REDIS_URL="redis://127.0.0.1:1/0")
    assert said in done.stdout, done.stderr
    assert "of the user" not in done.stdout


#: A user's test that uses a module of theirs of that name, and one that uses the fixture.
OF_THE_USER = {
    "test_theirs.py": "import triggers\ndef test_it():\n    assert triggers.HELPER == 'triggers'\n",
    "test_fixture.py": "def test_it(clearml_sandbox):\n    assert clearml_sandbox.client().call('queues.get_all')\n",
}
#: By the name that pyproject.toml declares, whatever is declared by what is installed here.
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "clearml_triggers.pytest_plugin")


def test_plugin_is_declared_where_it_is() -> None:
    assert '\nclearml_triggers_sandbox = "clearml_triggers.pytest_plugin"\n' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("name", OF_THE_USER)
def test_pytest_plugin_leaves_the_name_to_a_users_module(folder: Path, name: str) -> None:
    (folder / name).write_text(OF_THE_USER[name])
    done = run(folder, *PYTEST, name, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_fixture_beside_a_users_module_of_that_name_says_what_to_do(folder: Path) -> None:
    both = OF_THE_USER["test_theirs.py"] + OF_THE_USER["test_fixture.py"].replace("test_it", "test_both")
    (folder / "test_both.py").write_text(both)
    done = run(folder, *PYTEST, "test_both.py", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert "1 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert f"taken by {folder / 'triggers.py'}" in done.stdout.replace("\n", "")
