"""The line by which an agent installs this package, whichever way it came here and whatever the SDK wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from triggers.base.errors import Usage
from triggers.client.package_source import Installed, installed, recorded, wanted

ROOT = Path(__file__).parents[2]
HEAD = "# Python 3.11\n\nclearml == 2.1.12\n"
INDEX = Installed("1.2")
GIT = Installed("1.2", "git+https://host/r.git@abc")
EDITABLE = Installed("1.2", folder="/home/me/r")
WHEEL = Installed("1.2", folder="/home/me/clearml_triggers-1.2-py3-none-any.whl")


def requirements(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize(
    ("here", "sdk_wrote", "expected"),
    [
        (INDEX, "", "clearml-triggers == 1.2"),
        (INDEX, "clearml_triggers == 1.2\n", "clearml_triggers == 1.2"),
        (EDITABLE, "", "clearml-triggers == 1.2"),
        (EDITABLE, "-e /home/me/r\n", "clearml-triggers == 1.2"),
        (WHEEL, "clearml_triggers == 1.2\n", "clearml_triggers == 1.2"),
        (WHEEL, f"clearml-triggers @ file://{WHEEL.folder}\n", "clearml-triggers == 1.2"),
        (GIT, "", "clearml-triggers @ git+https://host/r.git@abc"),
        (
            GIT,
            "triggers @ git+https://host/r.git@abc#egg=clearml_triggers\n",
            "clearml-triggers @ git+https://host/r.git@abc",
        ),
        (
            GIT,
            "clearml_triggers @ git+https://host/r.git@abc#egg=clearml_triggers\n",
            "clearml_triggers @ git+https://host/r.git@abc#egg=clearml_triggers",
        ),
        (
            EDITABLE,
            "-e git+https://host/r.git@abc#egg=clearml_triggers\n",
            "-e git+https://host/r.git@abc#egg=clearml_triggers",
        ),
        (
            Installed("1.2", "https://host/clearml_triggers-1.2-py3-none-any.whl#sha256=ab"),
            "https://host/clearml_triggers-1.2-py3-none-any.whl\n",
            "https://host/clearml_triggers-1.2-py3-none-any.whl",
        ),
    ],
)
def test_there_is_one_line_that_means_this_package(here: Installed, sdk_wrote: str, expected: str) -> None:
    once = recorded(HEAD + sdk_wrote, here, None)
    assert requirements(once.text) == ["clearml == 2.1.12", expected]
    assert recorded(once.text, here, None) == once, "the same again"


def test_others_stay_as_they_are() -> None:
    theirs = [
        "clearml-triggers-extra == 1",
        "triggers @ git+https://host/of-another.git",
        "-e git+https://host/x.git#egg=not_clearml_triggers",
        "https://host/my_clearml_triggers-1.whl",
        "workers == 3",
        "-e /home/me/other",
    ]
    found = recorded(HEAD + "\n".join(theirs) + "\n", EDITABLE, None)
    assert requirements(found.text) == ["clearml == 2.1.12", *theirs, "clearml-triggers == 1.2"]


@pytest.mark.parametrize("here", [EDITABLE, WHEEL])
def test_a_place_of_this_machine_alone_is_reported_with_a_fix(here: Installed) -> None:
    found = recorded(HEAD, here, None)
    assert here.folder in found.doubt
    assert "'clearml-triggers == 1.2' in its package index" in found.doubt
    assert "TRIGGERS_PACKAGE" in found.doubt
    assert f"# clearml-triggers is installed here from {here.folder}, which other" in found.text
    assert recorded(found.text, INDEX, None).text.count("is installed here") == 0, "once it is not true, it is gone"


@pytest.mark.parametrize("here", [INDEX, GIT])
def test_what_other_machines_can_install_is_no_doubt(here: Installed) -> None:
    assert not recorded(HEAD, here, None).doubt


def test_what_a_person_wrote_is_no_doubt_and_the_setting_goes_before_it() -> None:
    own = "clearml-triggers @ https://mirror/clearml_triggers-1.3-py3-none-any.whl"
    assert requirements(recorded(HEAD + own, EDITABLE, None).text)[1:] == [own]
    assert not recorded(HEAD + own, EDITABLE, None).doubt
    named = recorded(HEAD + own, EDITABLE, "git+https://host/r.git@v9")
    assert requirements(named.text)[1:] == ["clearml-triggers @ git+https://host/r.git@v9"]
    assert not named.doubt


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n"])
def test_without_requirements_an_agent_goes_on_reading_the_file_of_the_repository(text: str) -> None:
    assert recorded(text, EDITABLE, None).text == text


@pytest.mark.parametrize(
    "setting",
    [
        "clearml-triggers==1.2",
        "clearml_triggers[metrics] >= 1",
        "clearml-triggers @ git+ssh://git@host/r.git@v1#subdirectory=x",
        "https://user:token@host/clearml_triggers-1.2-py3-none-any.whl#sha256=ab",
        " git+https://host/r.git ",
        "clearml-triggers",
    ],
)
def test_setting_is_a_requirement_or_an_address(setting: str) -> None:
    found = Requirement(wanted(setting))
    assert found.name.replace("_", "-") == "clearml-triggers"
    assert (found.url or "") == (setting.strip().partition(" @ ")[2] or (setting.strip() if "://" in setting else ""))


@pytest.mark.parametrize(
    "setting", ["other==1", "other @ https://token@h/x.whl", "1.2", "==1.2", "/home/me/x.whl", "a b", "x\nclearml==1"]
)
def test_setting_of_something_else_is_refused_without_a_token(setting: str) -> None:
    with pytest.raises(Usage, match=r"^TRIGGERS_PACKAGE.*as pip reads it") as refused:
        wanted(setting)
    assert "token" not in str(refused.value)


def distribution(folder: Path, **files: str) -> None:
    info = folder / "clearml_triggers-1.2.dist-info"
    info.mkdir(parents=True)
    for name, text in {"METADATA": "Metadata-Version: 2.1\nName: clearml-triggers\nVersion: 1.2\n", **files}.items():
        (info / name.replace("direct_url", "direct_url.json")).write_text(text)


def found_in(folder: Path) -> str:
    """What a process finds that sees this folder before all others."""
    code = (
        f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]\n"
        "sys.path[:] = [p for p in sys.path if 'site-packages' not in p or p == sys.path[0]] + "
        "[p for p in sys.path if 'site-packages' in p]\n"
        "from triggers.client.package_source import installed; print(installed())"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("direct", "expected"),
    [
        ({"url": "file:///home/my%20r", "dir_info": {"editable": True}}, Installed("1.2", folder="/home/my r")),
        ({"url": "file:///w.whl", "archive_info": {"hashes": {"sha256": "ab"}}}, Installed("1.2", folder="/w.whl")),
        (
            {"url": "https://h/w.whl", "archive_info": {"hashes": {"sha256": "ab"}}},
            Installed("1.2", "https://h/w.whl#sha256=ab"),
        ),
        (
            {"url": "https://h/r.git", "vcs_info": {"vcs": "git", "commit_id": "c"}, "subdirectory": "x"},
            Installed("1.2", "git+https://h/r.git@c#subdirectory=x"),
        ),
    ],
)
def test_pip_wrote_down_where_it_came_from(tmp_path: Path, direct: dict[str, object], expected: Installed) -> None:
    distribution(tmp_path, INSTALLER="pip\n", direct_url=json.dumps(direct))
    assert found_in(tmp_path) == repr(expected)


def test_the_first_on_the_path_counts_and_one_from_an_index_has_no_address(tmp_path: Path) -> None:
    distribution(tmp_path, INSTALLER="pip\n")
    assert found_in(tmp_path) == repr(INDEX)


def test_this_environment_is_of_this_machine() -> None:
    """Installed editable here, and in CI from the checkout."""
    assert installed().folder
