"""Which options a worker is refused with, and what it is called when it is given no name."""

from __future__ import annotations

import pytest

from triggers.base.roles import name_of, refused, written

QUEUES = ("poll", "match", "dispatch")


@pytest.mark.parametrize(
    ("options", "pool", "said"),
    [
        ({}, None, ""),
        ({"queues": ["match"], "exclude_queues": []}, "threads", ""),
        ({"queues": "poll,dispatch"}, "solo", ""),
        ({"queues": ["dispatchh"]}, None, "dispatchh: the queues are poll, match, dispatch"),
        ({"queues": ["match", "celery"]}, None, "--queues=celery"),
        ({"exclude_queues": ["pol"]}, None, "--exclude-queues=pol"),
        ({"autoscale": (8, 2)}, None, "--autoscale: a pool of threads has one size"),
        ({"beat": True}, None, "run `celery -A clearml_triggers beat`"),
        ({}, "prefork", "--pool=prefork: workers support only threads and solo"),
        ({}, "gevent", "--pool=gevent"),
    ],
)
def test_options_that_cannot_be_served_are_refused(options: dict[str, object], pool: str | None, said: str):
    reason = refused(options, pool, QUEUES)
    assert said in reason if said else not reason


def test_worker_without_a_name_is_named_by_its_queues():
    assert name_of("celery@host", ["match"], "host") == "match@host"
    assert name_of("celery@host", ["poll", "match"], "host") == "poll-match@host"
    assert name_of("celery@host", None, "host") == "all@host"
    assert name_of("celery", "dispatch", "here") == "dispatch@here"


@pytest.mark.parametrize(
    ("line", "pool"),
    [
        ("worker -Q match", None),
        ("worker -P prefork -Q match", "prefork"),
        ("worker -Psolo", "solo"),
        ("worker --pool threads", "threads"),
        ("worker --pool=prefork", "prefork"),
        ("worker --pidfile=x -P", ""),
    ],
)
def test_pool_is_read_as_it_was_written(line: str, pool: str | None):
    assert written(line.split(), "-P", "--pool") == pool
