"""Secrets of actions: given by reference, never shown, and never the workers' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from triggers.actions.sending.secrets import HIDDEN, Secrets, is_reference, problem_of_reference
from triggers.base.errors import LaunchImpossible
from triggers.base.settings import Settings


def test_a_secret_is_read_from_the_environment_or_a_file_at_the_moment_of_asking(tmp_path: Path) -> None:
    environ = {"HOOK": "one", "TRIGGERS_SECRETS_DIR": str(tmp_path)}
    secrets = Secrets(environ)
    (tmp_path / "slack-url").write_text("two\n")
    assert secrets.of("env:HOOK") == "one"
    assert secrets.whole("file:slack-url") == "two"
    assert secrets.whole("no reference") == "no reference"
    (tmp_path / "slack-url").write_text("three")
    environ["HOOK"] = "four"
    assert (secrets.of("env:HOOK"), secrets.of("file:slack-url")) == ("four", "three")


@pytest.mark.parametrize("reference", ["env:NOT_SET", "file:none", "env:EMPTY"])
def test_a_secret_that_is_not_there_is_named_with_what_to_do(tmp_path: Path, reference: str) -> None:
    with pytest.raises(LaunchImpossible, match="retry the dead letter") as caught:
        Secrets({"TRIGGERS_SECRETS_DIR": str(tmp_path), "EMPTY": ""}).of(reference)
    assert reference in str(caught.value)


def test_no_file_outside_the_folder_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (tmp_path / "outside").write_text("canary")
    for reference in ("file:../outside", "file:/etc/passwd", "file:a/../../outside", "file:..", "file:"):
        assert not is_reference(reference)
        with pytest.raises(LaunchImpossible):
            Secrets({"TRIGGERS_SECRETS_DIR": str(folder)}).of(reference)


@pytest.mark.parametrize(
    "name", [f"TRIGGERS_{name.upper()}" for name, field in Settings.model_fields.items() if not field.repr]
)
def test_the_workers_own_secrets_cannot_be_sent(name: str) -> None:
    for reference in (f"env:{name}", f"env:{name.lower()}", f"file:{name.lower()}"):
        assert "credentials of the workers" in problem_of_reference(reference)
        with pytest.raises(LaunchImpossible):
            Secrets({name: "canary", name.lower(): "canary"}).of(reference)


@pytest.mark.parametrize("name", ["CLEARML_API_SECRET_KEY", "TRAINS_API_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"])
def test_credentials_of_the_server_and_the_cloud_cannot_be_sent(name: str) -> None:
    assert "credentials of the workers" in problem_of_reference(f"env:{name}")


def test_a_list_of_allowed_secrets_leaves_out_all_others() -> None:
    secrets = Secrets({"A": "1", "B": "2"}, allowed=("env:A",))
    assert secrets.of("env:A") == "1"
    with pytest.raises(LaunchImpossible, match="TRIGGERS_ALLOW_SECRETS has env:A"):
        secrets.of("env:B")


def test_what_was_resolved_is_hidden_in_texts() -> None:
    secrets = Secrets({"LONG": "canary-and-more", "SHORT": "canary"})
    secrets.of("env:SHORT")
    secrets.of("env:LONG")
    assert secrets.hidden("no canary-and-more, no canary") == f"no {HIDDEN}, no {HIDDEN}"
