"""The steps that pages of deployment write down: they make every secret, and install every unit with what it needs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.deploy import compose

PAGE = (compose.ROOT / "docs" / "deployment.md").read_text()
UNITS = compose.ROOT / "deploy" / "systemd"
PASSWORD = {"triggers_redis_password"}
KEYS = {"clearml_api_access_key", "clearml_api_secret_key"}


def test_commands_of_the_page_of_secrets_make_every_file_that_compose_mounts(tmp_path: Path) -> None:
    page = (compose.ROOT / "deploy" / "secrets" / "README.md").read_text()
    making = re.findall(r"^    ((?:mkdir|openssl|echo|touch) .*)$", page, re.M)
    (tmp_path / "deploy" / "secrets").mkdir(parents=True)
    script = "\n".join(["set -e", "openssl() { echo random; }", *making])
    subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True)
    made = {path.name for path in (tmp_path / "deploy" / "secrets" / "production").iterdir()}
    assert made == set(compose.read()["secrets"])


def test_page_installs_every_file_of_systemd() -> None:
    patterns = [pattern for line in re.findall(r"^    install .*$", PAGE, re.M) for pattern in line.split()]
    installed = {path for pattern in patterns if "systemd/*" in pattern for path in compose.ROOT.glob(pattern)}
    assert installed == set(UNITS.iterdir())


def test_units_need_the_secrets_that_the_page_says_they_require() -> None:
    required = {"clearml-triggers@": PASSWORD | KEYS, "clearml-triggers-beat": PASSWORD}
    required["clearml-triggers-console"] = PASSWORD | KEYS | {"triggers_console_users"}
    required["clearml-triggers-health@"] = set()
    assert {path.stem: _required(path.read_text()) for path in UNITS.glob("*.service")} == required


def _required(unit: str) -> set[str]:
    """Credentials without a value that stands in for a missing file."""
    return set(re.findall(r"^LoadCredential=(\w+):", unit, re.M)) - set(
        re.findall(r"^SetCredential=(\w+):", unit, re.M)
    )
