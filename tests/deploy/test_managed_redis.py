"""A Redis as providers run it serves every role and verb; one that would lose firings is refused with the reason."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from tests.acceptance.conftest import SCRIPT, Desk, eventually
from tests.conftest import redis_binaries
from tests.deploy.provider import USER, Provider, provided
from tests.deploy.test_flower import free_port
from triggers.base.errors import Usage
from triggers.base.redis_address import refuse_unsupported
from triggers.ledger import connect
from triggers.sandbox import Sandbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl"),
]

BINARIES = {name: path for name, path in redis_binaries().items() if name != "redis-6.2"}
ROLES = (("worker", "-Q", "poll"), ("worker", "-Q", "match"), ("worker", "-Q", "dispatch,act"), ("beat",))
#: every verb that needs no more than a scheduler with a trigger
VERBS = (
    "list", "show on~failure", "status", "history", "test on~failure", "audit", "fire on~failure OBJECT",
    "explain on~failure OBJECT", "replay on~failure --from 1h --dry-run", "failing list", "dead list", "holds list",
    "slots list", "cursor show", "export",
)  # fmt: skip
CHANGES = ("pause --all", "resume --all", "mute on~failure", "unmute on~failure")
BIG = 256 << 20


@pytest.fixture(params=sorted(BINARIES))
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Provider]:
    for provider in provided(BINARIES[request.param], tmp_path):
        with redis.Redis.from_url(provider.admin_url) as admin:
            admin.execute_command("ACL", "SETUSER", "someone", "reset", *USER)
        yield provider


@pytest.fixture
def desk(tmp_path: Path, provider: Provider) -> Iterator[Desk]:
    with Sandbox() as sandbox:
        desk = Desk(sandbox, tmp_path)
        desk.environment["TRIGGERS_REDIS_URL"] = provider.url
        yield desk
        desk.end()


def program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.timeout(600)  # a whole cluster, and twenty processes of the command line
def test_every_role_and_verb_works_at_a_provider(desk: Desk, provider: Provider) -> None:
    metrics, flower, console = free_port(), free_port(), free_port()
    for role in ROLES:
        desk.run(program("celery"), "-A", "clearml_triggers", *role, "--loglevel=WARNING")
    desk.run(
        sys.executable, "-m", "clearml_triggers.workers.metrics", TRIGGERS_METRICS_ADDRESS=f"127.0.0.1:{metrics}"
    )  # fmt: skip
    desk.run(program("celery"), "-A", "clearml_triggers", "flower", f"--port={flower}", "--address=127.0.0.1")
    desk.run(sys.executable, str(desk.write("my_script.py", SCRIPT)))
    eventually(lambda: desk._registered() > 1, "polls", told=desk.output)
    followed = len(desk.started)
    for follower in ("history --follow", "status --watch --json", f"console --port {console}"):
        desk.run(program("clearml-triggers"), *follower.split(" "))
    read_console = _logged_in(desk)
    first = desk.fail_task()
    eventually(lambda: desk.launched_for() == {first: 1}, "the launch", told=desk.output)
    _nothing_is_wrong_with_redis(desk)
    said = "".join(_verb(desk, verb, first) for verb in CHANGES)
    with ThreadPoolExecutor(2) as pool:
        said += "".join(pool.map(lambda verb: _verb(desk, verb, first), VERBS))
    # each connection that rests was cut by now; what comes then fires as before
    eventually(lambda: provider.front.cut >= 10, "connections were cut")
    second = desk.fail_task()
    eventually(lambda: desk.launched_for()[second] == 1, "a launch after that", told=desk.output)
    assert "clearml_triggers_" in page(f"http://127.0.0.1:{metrics}/metrics")
    seen = eventually(lambda: page(f"http://127.0.0.1:{flower}/metrics"), "Flower answers")
    assert "flower" in seen
    _those_that_follow_went_on(desk, followed, second)
    assert "on failure" in read_console()
    output = said + desk.output()
    assert "NOPERM" not in output
    assert "Traceback" not in output, output
    assert not re.search(r"ERROR|CRITICAL", desk.output()), desk.output()
    assert all(process.poll() is None for process in desk.started), "nothing ended"


def _logged_in(desk: Desk) -> Callable[[], str]:
    """Open the link that the console prints, as a person does; what reads its first page then."""
    link = eventually(lambda: re.search(r"(http://\S+)/enter/\S+", desk.output()), "the console", told=desk.output)
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    browser.open(link[0], timeout=60).close()

    def read() -> str:
        with browser.open(link[1], timeout=60) as answer:
            text: str = answer.read().decode()
            return text

    return read


def _those_that_follow_went_on(desk: Desk, number: int, object_id: str) -> None:
    """They have connections that rest for long, and print on after these were cut."""
    lines, status = desk.folder / f"output {number}.txt", desk.folder / f"output {number + 1}.txt"
    eventually(lambda: object_id[:8] in lines.read_text(), "the history goes on", told=lines.read_text)
    size = status.stat().st_size
    eventually(lambda: status.stat().st_size > size, "the status goes on", told=status.read_text)
    assert json.loads(status.read_text().splitlines()[-2])


def _findings(desk: Desk) -> dict[str, dict[str, str]]:
    """What `doctor` finds, whatever it ends with."""
    command = [program("clearml-triggers"), "doctor", "--json"]
    done = subprocess.run(command, env=desk.environment, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return {one["about"]: one for one in json.loads(done.stdout)}


def _nothing_is_wrong_with_redis(desk: Desk) -> None:
    of_redis = {about: one["level"] for about, one in _findings(desk).items() if about.startswith("Redis ")}
    assert set(of_redis.values()) == {"ok"}, of_redis
    assert len(of_redis) >= 4


def _verb(desk: Desk, verb: str, object_id: str) -> str:
    words = [word.replace("~", " ").replace("OBJECT", object_id) for word in verb.split(" ")]
    command = [program("clearml-triggers"), *words]
    done = subprocess.run(command, env=desk.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (verb, done.stdout + done.stderr)
    return done.stdout + done.stderr


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random"])
def test_a_redis_that_evicts_is_refused_before_anything_is_written(provider: Provider, policy: str) -> None:
    with redis.Redis.from_url(provider.admin_url) as admin:
        admin.config_set("maxmemory-policy", policy)
        with connect(provider.url) as client:
            refuse_unsupported(client, provider.url)  # no limit: nothing is evicted
            admin.config_set("maxmemory", BIG)
            with pytest.raises(Usage, match=rf"evicts keys \(maxmemory-policy is {policy}\).*set maxmemory-policy"):
                refuse_unsupported(client, provider.url)
        assert admin.dbsize() == 0


def test_every_role_ends_with_the_reason_and_what_to_do(desk: Desk, provider: Provider) -> None:
    with redis.Redis.from_url(provider.admin_url) as admin:
        admin.config_set("maxmemory-policy", "volatile-lru")
        admin.config_set("maxmemory", BIG)
    _every_role_ends(desk, "evicts keys (maxmemory-policy is volatile-lru)", "parameter group")


def test_a_user_without_info_is_refused_with_what_it_is_for(desk: Desk, provider: Provider) -> None:
    with redis.Redis.from_url(provider.admin_url) as admin:
        admin.execute_command("ACL", "SETUSER", "someone", "-info")
    _every_role_ends(desk, "ACL SETUSER USER +info")


def _every_role_ends(desk: Desk, *reasons: str) -> None:
    started = [desk.run(program("celery"), "-A", "clearml_triggers", *role) for role in ROLES]
    started.append(desk.run(sys.executable, "-m", "clearml_triggers.workers.metrics"))
    started.append(desk.run(sys.executable, str(desk.write("my_script.py", SCRIPT))))
    for number, process in enumerate(started):
        assert process.wait(60) != 0
        text = (desk.folder / f"output {number}.txt").read_text()
        assert all(reason in text for reason in reasons), text
        assert "sesame" not in text
        assert "Traceback" not in text
