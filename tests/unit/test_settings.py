"""Settings as people give them: variables, files of a secrets folder, and the error of a wrong one."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from triggers.base.errors import Usage
from triggers.base.secrets_folder import SECRETS_FOLDER
from triggers.base.settings import Settings, settings, settings_of
from triggers.base.settings_file import separated_by

SECRET = "hunter2"


def refusal(**environ: str) -> str:
    with pytest.raises(Usage) as refused:
        settings_of(environ)
    return str(refused.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "triggers_redis_url").write_text("redis://of-a-file/0\n")
    return tmp_path


def test_variables_of_either_case_are_read_as_their_types():
    of = settings_of({"TRIGGERS_POLL_SECONDS": "2.5", "triggers_partitions": "4", "Triggers_State_Folder": "/state"})
    assert (of.poll_seconds, of.partitions, of.state_folder) == (2.5, 4, Path("/state"))
    assert of == Settings(poll_seconds=2.5, partitions=4, state_folder=Path("/state"))


def test_names_that_are_no_setting_are_left_alone():
    others = {"TRIGGERS_WHO": "me", "TRIGGERS_LOCAL_PARENT_FD": "3", "POLL_SECONDS": "2", "TRIGGERS_": "x"}
    assert settings_of(others) == Settings()


def test_the_class_itself_reads_no_environment_and_knows_its_fields(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRIGGERS_POLL_SECONDS", "7")
    assert Settings().poll_seconds == 5.0
    with pytest.raises(ValidationError, match="poll_second"):
        Settings(poll_second=7)  # type: ignore[call-arg]


def test_settings_of_the_process_are_read_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRIGGERS_POLL_SECONDS", "7")
    settings.cache_clear()
    try:
        assert settings().poll_seconds == 7
        monkeypatch.setenv("TRIGGERS_POLL_SECONDS", "8")
        assert settings().poll_seconds == 7
    finally:
        settings.cache_clear()


def test_files_are_read_without_the_white_space_around_them_in_either_case(folder: Path):
    (folder / "TRIGGERS_REDIS_PASSWORD").write_text(f"\n{SECRET} \n")
    (folder / "redis_url").write_text("redis://not-ours/0")
    (folder / "triggers_redis_server").mkdir()
    of = settings_of({SECRETS_FOLDER: str(folder)})
    assert (of.redis_url, of.redis_server) == (f"redis://:{SECRET}@of-a-file/0", None)


def test_a_link_of_a_mounted_secret_is_followed(tmp_path: Path):
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "triggers_redis_url").write_text("redis://linked/0")
    (tmp_path / "triggers_redis_url").symlink_to(Path("..data", "triggers_redis_url"))
    assert settings_of({SECRETS_FOLDER: str(tmp_path)}).redis_url == "redis://linked/0"


@pytest.mark.parametrize("value", ["redis://of-a-variable/0", ""])
def test_a_variable_wins_over_a_file_even_if_it_is_empty(folder: Path, value: str):
    assert settings_of({SECRETS_FOLDER: str(folder), "TRIGGERS_REDIS_URL": value}).redis_url == (value or None)


@pytest.mark.parametrize("field", Settings.model_fields)
def test_an_empty_variable_counts_as_not_set(field: str):
    """An empty path would be the current folder."""
    assert settings_of({f"TRIGGERS_{field.upper()}": ""}) == Settings()


def test_a_folder_of_the_home_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert settings_of({SECRETS_FOLDER: f"~/{folder.name}"}).redis_url == "redis://of-a-file/0"


def test_a_missing_folder_is_reported_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, "triggers.base.settings"):
        assert settings_of({SECRETS_FOLDER: str(tmp_path / "none"), "TRIGGERS_PARTITIONS": "3"}).partitions == 3
    assert "TRIGGERS_SECRETS_DIR" in caplog.text
    assert str(tmp_path / "none") in caplog.text
    assert settings_of({SECRETS_FOLDER: ""}) == Settings()


def test_a_file_or_a_folder_without_text_is_refused(folder: Path):
    said = refusal(TRIGGERS_SECRETS_DIR=str(folder / "triggers_redis_url"))
    assert "TRIGGERS_SECRETS_DIR" in said
    assert "name a folder with one file of text per secret" in said
    (folder / "triggers_redis_password").write_bytes(b"\xff" + SECRET.encode())
    assert SECRET not in refusal(TRIGGERS_SECRETS_DIR=str(folder))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("TRIGGERS_POLL_SECONDS", "soon", "a valid number"),
        ("triggers_poll_seconds", "0.1", "greater than or equal to 1"),
        ("TRIGGERS_PARTITIONS", "1000", "less than or equal to 256"),
        ("TRIGGERS_LOG_FORMAT", "xml", "'text' or 'json'"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value_and_a_fix(name: str, value: str, expected: str):
    said = refusal(**{name: value})
    default = Settings.model_fields[name.lower().removeprefix("triggers_")].default
    assert said.startswith(f"{name}={value!r}: ")
    assert expected in said
    assert f"the default is {default!r} " in said


LISTS = [name for name, field in Settings.model_fields.items() if isinstance(field.default, tuple)]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_separated_by_what_the_page_of_settings_names(name: str):
    by = separated_by(Settings.model_fields[name])
    values = tuple(f"{letter}.example-of-a-value" for letter in "ab")
    joined = {"commas": ", ", "spaces": " "}[by].join(values)
    assert getattr(settings_of({f"TRIGGERS_{name.upper()}": joined}), name) == values


NUMBERS = [
    name
    for name, field in Settings.model_fields.items()
    if {float, int} & {field.annotation, *get_args(field.annotation)}
]


@pytest.mark.parametrize("value", ["inf", "nan", "1e300", "9" * 20])
@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_may_be_too_large_to_calculate_with(name: str, value: str):
    said = refusal(**{f"TRIGGERS_{name.upper()}": value})
    assert said.startswith(f"TRIGGERS_{name.upper()}={value!r}: input should be ")


@pytest.mark.parametrize("value", ["http://h", "redis://h/x", "redis+sentinel://h/primary", "redis://:a/b@h"])
def test_a_redis_address_that_nothing_can_read_is_refused_with_the_other_settings(value: str):
    """Before a script has logged in to ClearML and created its service task."""
    said = refusal(TRIGGERS_REDIS_URL=value)
    assert said.startswith("TRIGGERS_REDIS_URL: the Redis address")
    assert "redis://HOST:PORT/DB" in said or "%XX" in said


@pytest.mark.parametrize("name", ["TRIGGERS_NOTICE_WEBHOOK_URL", "TRIGGERS_NOTICE_SLACK_URL"])
@pytest.mark.parametrize("value", ["nonsense", "hooks.example.com/x", "ftp://h/x", "https:///x", "https://h/a b"])
def test_notices_go_to_an_address_of_the_web_only(name: str, value: str):
    said = refusal(**{name: value})
    assert said == f"{name}: it is not an address of the web: write it as https://HOST/PATH"
    assert settings_of({name: "HTTPS://user:word@[::1]:80/a?b=c"})


def test_every_wrong_value_is_named_at_once_wherever_it_was_found(folder: Path):
    (folder / "triggers_max_attempts").write_text("none")
    said = refusal(TRIGGERS_SECRETS_DIR=str(folder), TRIGGERS_POLL_SECONDS="soon")
    assert f"{folder / 'triggers_max_attempts'}='none': " in said
    assert "TRIGGERS_POLL_SECONDS='soon': " in said


def test_no_secret_is_in_an_error_or_in_its_causes():
    urls = [f"redis://:{SECRET}@[::1/0", f"redis://:{SECRET}℀@h/0"]  # no address of IPv6, no name of a host
    for url in urls:
        with pytest.raises(Usage) as refused:
            settings_of({"TRIGGERS_REDIS_URL": url, "TRIGGERS_REDIS_PASSWORD": SECRET, "TRIGGERS_PARTITIONS": "0"})
        cause: BaseException | None = refused.value
        assert "TRIGGERS_REDIS_URL: the Redis address is not a URL: give one Redis" in str(cause)
        while cause:
            assert SECRET not in str(cause)
            cause = cause.__cause__
