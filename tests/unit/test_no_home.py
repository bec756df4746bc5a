"""A user without a home folder, as containers have them: no HOME, and no entry among the users."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from triggers.base.errors import NoCredentials, Usage
from triggers.base.secrets_folder import SECRETS_FOLDER, secrets_folder
from triggers.base.settings import of_file, settings_of
from triggers.clearml_api import Credentials
from triggers.ledger.history.audit import who
from triggers.local.server_binary import find_server
from triggers.sandbox import keyring

ROOT = Path(__file__).parents[2]


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: object) -> None:
        raise KeyError

    for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME", "XDG_RUNTIME_DIR", "TRIGGERS_WHO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(pwd, "getpwnam", unknown)


@pytest.mark.parametrize("named", ["~/secrets", "~", "~nobody-of-that-name/secrets"])
def test_a_secrets_folder_below_no_home_is_named_with_a_fix(no_home: None, named: str) -> None:
    environ = {SECRETS_FOLDER: named}
    for read in (settings_of, secrets_folder, lambda given: of_file("redis_password", given), Credentials.resolve):
        with pytest.raises(Usage) as refused:
            read(environ)
        assert (
            str(refused.value)
            == f"{SECRETS_FOLDER}={named!r}: there is no such home folder; name the folder by its path"
        )


def test_keys_in_a_folder_of_the_home_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same rule as the settings."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "secrets").mkdir()
    for name in ("access", "secret"):
        (tmp_path / "secrets" / f"clearml_api_{name}_key").write_text(f"{name}\n")
    found = Credentials.resolve({SECRETS_FOLDER: "~/secrets", "CLEARML_API_HOST": "http://h"})
    assert (found.access_key, found.secret_key) == ("access", "secret")


def test_a_key_that_cannot_be_read_is_named_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "clearml_api_access_key").write_bytes(b"\xffhunter2")
    with pytest.raises(Usage) as refused:
        Credentials.resolve({SECRETS_FOLDER: str(tmp_path), "CLEARML_API_HOST": "http://h"})
    assert f"{SECRETS_FOLDER}={str(tmp_path)!r}: " in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_what_else_asks_for_the_home_or_the_user_does_without(no_home: None, tmp_path: Path) -> None:
    assert who().startswith(f"user {os.getuid()}@")
    with pytest.raises(NoCredentials):
        Credentials.resolve({})
    keyring.keep(1, "an instance", {})
    keyring.forget(1, "an instance")
    assert keyring.known(1, "an instance") is None
    with pytest.raises(Usage, match="TRIGGERS_REDIS_SERVER"):
        find_server("~/redis-server")


#: The command line, and every worker, as that user.
PROGRAM = """
import os, pwd, runpy, sys
def unknown(_): raise KeyError
pwd.getpwuid = unknown
sys.argv = {arguments!r}
runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("clearml_triggers", ["status"]),
        ("clearml_triggers", ["doctor"]),
        ("celery", ["-A", "clearml_triggers", "worker", "-Q", "match"]),
        ("celery", ["-A", "clearml_triggers", "beat"]),
        ("clearml_triggers.workers.metrics", []),
    ],
)
def test_programs_name_the_folder_in_one_line(module: str, arguments: list[str], tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), SECRETS_FOLDER: "~/secrets"}
    program = PROGRAM.format(module=module, arguments=[module, *arguments])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"clearml-triggers: {SECRETS_FOLDER}='~/secrets': there is no such home folder")
