"""Flower's password is read again at each request, so that it is exchanged without a restart."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from tornado.options import OptionParser

from tests.deploy import compose

CONFIG = compose.ROOT / "deploy" / "flowerconfig.py"


def test_the_password_is_that_of_the_file_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRIGGERS_SECRETS_DIR", str(tmp_path))
    file = tmp_path / "flower_basic_auth"
    file.write_text("me:first\n")
    options = OptionParser()
    options.define("basic_auth", type=str, default=None, multiple=True)
    found = runpy.run_path(str(CONFIG))
    options.basic_auth = found["basic_auth"]  # as Flower takes it over from its file
    assert options.basic_auth, "Flower asks for a password where there is a list"
    assert list(options.basic_auth) == ["me:first"]
    file.write_text("me:second\n")
    assert [one for one in options.basic_auth if one == "me:second"]
    assert "me:first" not in list(options.basic_auth)


@pytest.mark.parametrize("text", ["", "\n", "nonsense"])
def test_a_file_that_is_being_written_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("TRIGGERS_SECRETS_DIR", str(tmp_path))
    file = tmp_path / "flower_basic_auth"
    file.write_text("me:first\n")
    auth = runpy.run_path(str(CONFIG))["basic_auth"]
    file.write_text(text)
    assert list(auth) == ["me:first"]
    file.unlink()
    assert list(auth) == ["me:first"]
