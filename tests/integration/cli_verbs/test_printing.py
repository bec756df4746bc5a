"""What a person sees: on a terminal of any width, in a pipe, and where the encoding has no Unicode."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World

LONG = "a trigger with quite a long name that goes on and on"
TABLES = [
    ["list"], ["show", LONG], ["history"], ["status"], ["holds", "list"], ["slots", "list"], ["failing", "list"],
    ["dead", "list"], ["cursor", "show"], ["audit"], ["explain", "some task"],
]  # fmt: skip


def piped(*arguments: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run a verb as a user does, its output into a pipe."""
    inherited = {
        k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LC_ALL", "LC_CTYPE", "LANG", "PYTHONUTF8")
    }
    line = [sys.executable, "-m", "triggers", *arguments]
    return subprocess.run(line, capture_output=True, env={**inherited, **environ}, check=False)


@pytest.fixture
def busy(world: World) -> World:
    """A scheduler with something in every table."""
    world.declare(
        world.trigger(name=LONG, policy={"single_instance": True, "overlap": "queue"}),
        world.trigger(name="Übermut → ✓", action={"queue": "nowhere"}),
    )
    world.fail_task()
    world.step()
    world.fail_task(name="some other task")
    world.step()
    run("pause", "--all")
    return world


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("verb", TABLES, ids=" ".join)
def test_nothing_is_wider_than_the_terminal_and_no_word_is_cut_to_pieces(
    busy: World, verb: list[str], width: int
) -> None:
    lines = run(*verb, width=width).out.splitlines()
    assert lines
    assert [line for line in lines if len(line) > width and "clearml-triggers" not in line and "http" not in line] == []
    thin = "".join("t" if len(line.split()) == 1 and len(line.strip()) < 5 else "." for line in lines)
    assert "ttt" not in thin, "a column of a few characters cannot be read"


def test_a_pipe_gets_whole_lines_with_tabs(busy: World) -> None:
    lines = piped("list").stdout.decode().splitlines()
    assert lines[0].split("\t")[:2] == ["trigger", "state"]
    assert [line.split("\t")[0] for line in lines[1:]] == [LONG, "Übermut → ✓"]
    (failing,) = [line for line in piped("failing", "list").stdout.decode().splitlines() if "nowhere" in line][:1]
    assert failing.endswith("create it or change the trigger")
    ids = {one["object"] for one in json.loads(piped("history", "--json").stdout)}
    assert ids <= set(piped("history").stdout.decode().replace("\n", "\t").split("\t")), "ids are whole"


@pytest.mark.parametrize("environ", [{"LANG": "C"}, {"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}], ids=str)
def test_no_unicode_where_the_encoding_has_none(busy: World, environ: dict[str, str]) -> None:
    for verb in (["list"], ["doctor"], ["explain", "some task"], ["list", "-h"], ["list", "no such argument"]):
        ended = piped(*verb, **environ)
        assert (ended.stdout + ended.stderr).isascii(), verb
        assert b"Traceback" not in ended.stderr
    assert b"\\xdcbermut -> +" in piped("list", **environ).stdout
    names = {one["name"] for one in json.loads(piped("list", "--json", **environ).stdout)}
    assert names == {LONG, "Übermut → ✓"}, "JSON loses nothing"


def test_what_is_exported_into_an_ascii_pipe_can_be_applied(busy: World) -> None:
    text = piped("export", LANG="C").stdout
    assert text.isascii()
    assert run("diff", "-f", "-", stdin=text.decode()).code == 0


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (["list"], "no triggers are registered"),
        (["dead", "list"], "no dead letters"),
        (["failing", "list"], "no firing is failing"),
        (["holds", "list"], "no firing is held"),
        (["slots", "list"], "no slot is held"),
        (["cursor", "show"], "nothing read yet"),
        (["audit"], "no changes recorded"),
        (["history"], "no matching history entries"),
    ],
    ids=str,
)
def test_an_empty_result_says_so(world: World, verb: list[str], words: str) -> None:
    assert words in run(*verb).out
    ended = piped(*verb)
    assert ended.stdout == b""
    assert words in ended.stderr.decode()


@pytest.mark.parametrize("verb", [[], ["list"], ["dead"], ["dead", "list"]], ids=str)
def test_h_is_help(verb: list[str]) -> None:
    shown = run(*verb, "-h")
    assert shown.code == 0
    assert "Usage" in shown.out


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("show Ü", "Übermut → ✓"),
        ("pause a", LONG),
        ("explain Ü", "Übermut → ✓"),
        ("slots release t", f"task:{LONG}"),
        ("holds list s", f"slot:task:{LONG}"),
        ("history --what lau", "launched"),
        ("list -s Dev", "DevOps/Scheduler"),
    ],
)
def test_names_are_completed(busy: World, words: str, wanted: str) -> None:
    line = ["clearml-triggers", *words.split()]
    environ = {"COMP_WORDS": " ".join(line), "COMP_CWORD": str(len(line) - 1)}
    code = "import sys; sys.argv = ['clearml-triggers']; from triggers.cli import main; main()"
    run_ = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={**os.environ, **environ, "_CLEARML_TRIGGERS_COMPLETE": "complete_bash"},
        check=False,
    )
    assert wanted in run_.stdout.decode().splitlines()


def test_firings_are_completed(busy: World) -> None:
    from typer import Context

    from triggers.cli import completion

    (failing,) = run("failing", "list", "--json").json[:1]
    context = Context.__new__(Context)
    context.params = {"hold": f"slot:task:{LONG}"}
    assert failing["firing"][-10:] in completion.failing_firings(context, "")
    (held,) = run("holds", "list", f"slot:task:{LONG}", "--json").json
    assert completion.held_firings(context, held["firing"][-10:-6]) == [held["firing"][-10:]]
    assert completion.dead_firings(context, "") == []


def test_completion_is_silent_where_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from triggers.base.settings import settings
    from triggers.cli import completion

    monkeypatch.setenv("TRIGGERS_REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    assert completion.schedulers("") == []
    settings.cache_clear()
