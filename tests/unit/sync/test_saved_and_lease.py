from __future__ import annotations

import json
from dataclasses import replace

import pytest

from triggers.base.errors import Newer, Unreadable
from triggers.sync.originals import read_state
from triggers.sync.redis_lease import LIFE_MS, RedisLease, address_of, leases_in, other_holder
from triggers.sync.saved_state import Saved, newest

MINE = RedisLease("mine", "redis://a", "process 1 on a", since_ms=1000, until_ms=1000 + LIFE_MS)
OTHER = RedisLease("other", "redis://b", "process 2 on b", since_ms=500, until_ms=500 + LIFE_MS)


def test_state_survives_its_text_and_other_versions_are_left_alone() -> None:
    saved = Saved(5, 4, waiting_ms=3, epoch=2, registry=7, paused=("task:a",))
    assert Saved.from_json(saved.to_json()) == saved
    assert saved.since_ms == 3
    for text in (
        "nonsense",
        "[]",
        '{"v": 1}',
        '{"v": 0}',
        json.dumps(json.loads(saved.to_json()) | {"read_to_ms": "5"}),
    ):
        with pytest.raises(Unreadable):
            Saved.from_json(text)
    later = replace(saved, saved_ms=9)
    assert newest([None, "", "nonsense", saved.to_json(), later.to_json()]) == (later.to_json(), later)
    assert newest([None, "nonsense"]) == ("", None)


def test_state_of_a_later_release_is_refused_and_fields_that_it_adds_are_ignored() -> None:
    body = json.loads(Saved(5, 4).to_json())
    with pytest.raises(Newer):
        newest([Saved(9, 9).to_json(), json.dumps(body | {"v": 2})])
    assert Saved.from_json(json.dumps(body | {"more": 1})) == Saved(5, 4)


def test_lease_of_a_later_release_counts_and_garbage_does_not() -> None:
    more = json.dumps(json.loads(OTHER.to_json()) | {"more": 1})
    garbage = dict.fromkeys(("triggers-redis-x", "triggers-redis-y"), '{"instance": 5}') | {"triggers-redis-z": "[]"}
    assert leases_in([{OTHER.property: more, **garbage}]) == [OTHER]


def test_state_is_small() -> None:
    paused = tuple(f"task:a trigger with a rather long name {number}" for number in range(5000))
    assert len(Saved(5, 4, paused=paused).to_json()) < 12_000


def test_an_earlier_lease_keeps_a_later_one_out_until_it_runs_out() -> None:
    assert other_holder([OTHER, MINE], MINE, now_ms=2000) == OTHER
    assert other_holder([OTHER, MINE], OTHER, now_ms=2000) is None
    assert other_holder([OTHER, MINE], MINE, now_ms=500 + LIFE_MS) is None


def test_of_two_leases_taken_at_once_exactly_one_is_good() -> None:
    twin = replace(MINE, instance="twin")
    assert [other_holder([MINE, twin], one, now_ms=2000) is None for one in (MINE, twin)].count(True) == 1


def test_leases_are_read_from_all_service_tasks() -> None:
    later = replace(MINE, until_ms=MINE.until_ms + 5)
    runtimes = [{MINE.property: MINE.to_json()}, {later.property: later.to_json(), "progress": "0"}, {}]
    assert leases_in(runtimes) == [later]
    assert leases_in([{"triggers-redis-x": "nonsense"}]) == []


def test_an_address_carries_no_password_and_says_which_machine_localhost_is() -> None:
    assert address_of("redis://:secret@redis:6379/0") == "redis://:***@redis:6379/0"
    assert " on " in address_of("redis://localhost:6379/0")
    assert " on " in address_of("unix:///tmp/redis.sock")


def test_the_originals_state_is_read() -> None:
    time = "2026-01-01T00:00:00+00:00"
    item = {"name": "one", "last_update": time, "_triggered_instances": {"x": time}, "_executed_instances": ["t1"]}
    like = {"name": "one", "last_update": None, "_triggered_instances": {"y": time}, "_executed_instances": [140123]}
    left = read_state(json.dumps({"dataset_triggers": [item, like], "model_triggers": [], "task_triggers": [{}]}))
    assert set(left) == {"dataset:one"}
    assert set(left["dataset:one"].fired) == {"x", "y"}
    assert left["dataset:one"].tasks == ("t1",)
    assert left["dataset:one"].since_ms == 0
