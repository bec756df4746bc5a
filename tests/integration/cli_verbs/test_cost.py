"""Verbs that only read Redis are quick: no ClearML SDK, no Celery, and within a second."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.integration.stages.conftest import World
from triggers.cli.verbs import PANELS

_RUN = """
import json, resource, sys
sys.argv = ["clearml-triggers", *sys.argv[1:]]
from triggers.cli import main
try:
    main()
except SystemExit as end:
    code = end.code or 0
used = resource.getrusage(resource.RUSAGE_SELF)
heavy = sorted({"clearml", "celery", "kombu", "requests", "starlette", "hypothesis"} & set(sys.modules))
needless = sorted({"urllib3", "http.client", "yaml", "rich", "html.entities"} & set(sys.modules))
found = {"code": code, "heavy": heavy, "needless": needless, "seconds": used.ru_utime + used.ru_stime}
print(json.dumps(found), file=sys.stderr)
"""

ONLY_REDIS = [
    ["list"], ["show", "retry"], ["history"], ["status"], ["pause", "retry"], ["resume", "retry"], ["audit"],
    ["dead", "list"], ["holds", "list"], ["cursor", "show"], ["export"],
]  # fmt: skip
#: Of what such verbs do not need, what one of them does.
NEEDED = {"export": ["yaml"]}
ONLY_HTTP = [["explain", "retry", "f" * 32], ["test", "retry"], ["slots", "list"], ["fire", "retry", "f" * 32]]


def cost(arguments: list[str]) -> dict[str, object]:
    piped = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    run = subprocess.run([sys.executable, "-c", _RUN, *arguments], capture_output=True, text=True, env=piped)
    return dict(json.loads(run.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", ONLY_REDIS, ids=" ".join)
def test_a_verb_that_reads_redis_is_light_and_quick(world: World, arguments: list[str]) -> None:
    world.declare(world.trigger(name="retry"))
    world.step()
    found = cost(arguments)
    assert (found["code"], found["heavy"], found["needless"]) == (0, [], NEEDED.get(arguments[0], []))
    # of processor time, which other work on the machine does not change
    assert float(str(found["seconds"])) < 1.0


@pytest.mark.parametrize("arguments", ONLY_HTTP, ids=" ".join)
def test_a_verb_that_asks_the_server_needs_no_sdk_either(world: World, arguments: list[str]) -> None:
    world.declare(world.trigger(name="retry"))
    world.step()
    found = cost(arguments)
    assert found["heavy"] == []
    assert float(str(found["seconds"])) < 1.0


@pytest.mark.parametrize("flags", [[], ["--json"], ["--json", "--all"]], ids=" ".join)
def test_a_list_needs_no_parser_and_no_more_of_the_ledger_than_it_reads(world: World, flags: list[str]) -> None:
    world.declare(world.trigger(name="retry"))
    world.step()
    more = ["history.audit", "matching.matchers", "operating.operations", "operating.adopting"]
    others = [
        "typer",
        "triggers.clearml_api",
        "triggers.actions.webhook",
        *(f"triggers.ledger.{name}" for name in more),
    ]
    assert all(map(find_spec, others)), "all of them can be imported"
    code = _RUN.replace('"html.entities"}', ", ".join(map(json.dumps, ["html.entities", *others])) + "}")
    piped = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    run = subprocess.run([sys.executable, "-c", code, "list", *flags], capture_output=True, text=True, env=piped)
    found = json.loads(run.stderr.splitlines()[-1])
    # what has a link to ClearML's pages brings the address of the server
    allowed = ["triggers.clearml_api"] if flags else []
    assert (found["code"], found["heavy"]) == (0, [])
    assert [name for name in found["needless"] if name not in allowed] == []


@pytest.mark.parametrize("flags", [[], ["--json"], ["--all", "--json"]], ids=" ".join)
def test_a_list_says_the_same_without_the_parser(world: World, flags: list[str]) -> None:
    world.declare(world.trigger(name="retry"), world.trigger(name="other"))
    world.step()
    world.declare(world.trigger(name="retry"))
    with_parser = "import sys; from triggers.cli.verbs import app_of; app_of(['list'])(sys.argv[1:])"
    answers = [
        subprocess.run([sys.executable, *how, "list", *flags], capture_output=True, text=True)
        for how in (["-m", "clearml_triggers"], ["-c", with_parser])
    ]
    assert [one.returncode for one in answers] == [0, 0]
    assert answers[0].stdout
    names = [[line.split("\t")[0] for line in one.stdout.splitlines()[:-1]] for one in answers]
    assert names[0] == names[1] or flags
    if flags:
        told = [[(each["name"], each["state"], each["counts"]) for each in json.loads(one.stdout)] for one in answers]
        assert told[0] == told[1]


def test_a_reader_that_ends_early_is_no_fault(world: World) -> None:
    world.declare(*(world.trigger(name=f"trigger {n}") for n in range(300)))
    verb = f"{sys.executable} -m clearml_triggers list"
    run = subprocess.run(["bash", "-c", f"{verb} | head -1"], capture_output=True, text=True)
    assert run.stderr == ""
    assert run.stdout.startswith("trigger")


def test_a_list_of_no_scheduler_is_one_line(world: World) -> None:
    world.ledger.leave()
    run = subprocess.run([sys.executable, "-m", "clearml_triggers", "list"], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("clearml-triggers: no scheduler found")


def test_a_verb_brings_no_other_verb() -> None:
    code = (
        "import sys; from triggers.cli.verbs import app_of; import typer; typer.main.get_command(app_of(['list']));"
        "print(*(name for name in sys.modules if name.startswith('triggers.cli.')))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    verbs = {place.partition(":")[0] for panel in PANELS.values() for place in panel.values()}
    assert {name.removeprefix("triggers.cli.") for name in run.stdout.split()} & verbs == {"list_"}


def test_listing_stays_quick_with_a_full_history_and_many_triggers(world: World) -> None:
    world.declare(*(world.trigger(name=f"trigger {n}") for n in range(500)))
    client, name = world.ledger.store.client, world.ledger.keys.history
    with client.pipeline() as pipe:
        for n in range(10_000):
            entry = {"what": "launched", "trigger": f"task:trigger {n % 500}", "object": "o", "firing": "f"}
            pipe.xadd(name, {**entry, "reason": "", "task": "t"})
        pipe.execute()
    assert float(str(cost(["list"])["seconds"])) < 1.5
