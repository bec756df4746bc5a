"""What an attempt does about what earlier ones left behind: every numbered case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.ledger.profile import profile
from triggers.base.settings import Settings
from triggers.rules.recovery import (
    DRAFT,
    Hit,
    Judged,
    judge_found,
    judge_holder,
    judge_recorded,
    judge_strays,
    retry_seconds,
)

STATUSES = ["created", "queued", "in_progress", "stopped", "failed", "completed", "closed", "published", "unknown"]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("withdrawing", [False, True])
def test_a_recorded_task_is_withdrawn_as_a_draft_and_launched_as_anything_else(status: str, withdrawing: bool) -> None:
    assert judge_recorded(status, withdrawing=withdrawing) == ("withdraw" if status == DRAFT else "launched")


def test_a_recorded_task_that_is_gone_was_ours_to_delete_or_was_launched() -> None:
    assert judge_recorded(None, withdrawing=True) == "void"
    assert judge_recorded(None, withdrawing=False) == "launched_and_deleted"


def draft(attempt: str) -> Hit:
    return Hit(f"draft of {attempt}", DRAFT, attempt)


LAUNCH = Hit("launch", "queued", "a1")


@pytest.mark.parametrize(
    ("hits", "late", "judged"),
    [
        ([], True, Judged()),
        ([LAUNCH], True, Judged(launched="launch")),
        ([draft("a1"), LAUNCH], True, Judged(launched="launch")),
        ([draft("a1")], True, Judged(void=("draft of a1",))),
        ([draft("a1"), draft("a2")], False, Judged(void=("draft of a1", "draft of a2"))),
        ([draft("unknown")], True, Judged(wait=True)),
        ([draft("unknown")], False, Judged()),
        ([draft("a1"), draft("unknown")], True, Judged(void=("draft of a1",), wait=True)),
    ],
)
def test_found_tasks(hits: list[Hit], late: bool, judged: Judged) -> None:
    assert judge_found(hits, ["a1", "a2"], late_enqueue_possible=late) == judged


@pytest.mark.parametrize("status", [s for s in STATUSES if s != DRAFT])
def test_any_status_but_draft_proves_a_launch(status: str) -> None:
    assert judge_found([Hit("one", status, "unknown")], [], late_enqueue_possible=True).launched == "one"


@pytest.mark.parametrize(
    ("hits", "recorded", "strays"),
    [
        ([LAUNCH, draft("a2")], "launch", ("draft of a2",)),
        ([LAUNCH, draft("a1")], "launch", ()),  # a copy that a person made
        ([LAUNCH, draft("unknown")], "launch", ()),
        ([draft("a2")], "launch", ()),  # the launch is gone, and its nonce with it
        ([draft("a2")], None, ("draft of a2",)),  # skipped, or a dead letter without a record
        ([draft("a1")], "draft of a1", ()),  # a dead letter keeps what it recorded
        ([LAUNCH, draft("a1"), draft("a2")], None, ("draft of a2",)),
    ],
)
def test_strays(hits: list[Hit], recorded: str | None, strays: tuple[str, ...]) -> None:
    assert judge_strays(hits, recorded, ["a1", "a2"]) == strays


hits = st.lists(
    st.builds(Hit, st.uuids().map(str), st.sampled_from(STATUSES), st.sampled_from(["a1", "a2", "x", "y"])), max_size=5
)


@profile(200)
@given(hits, st.sets(st.sampled_from(["a1", "a2"])), st.booleans())
def test_nothing_is_deleted_but_drafts_of_void_attempts(found: list[Hit], void: set[str], late: bool) -> None:
    judged = judge_found(found, void, late_enqueue_possible=late)
    by_id = {hit.id: hit for hit in found}
    deleted = set(judged.void)
    for recorded in [None, *by_id]:
        deleted |= set(judge_strays(found, recorded, void))
    assert all(by_id[id_].status == DRAFT and by_id[id_].attempt in void for id_ in deleted)
    assert not (judged.launched and (judged.void or judged.wait))


@profile(200)
@given(hits, st.sets(st.sampled_from(["a1", "a2"])))
def test_a_copy_of_what_was_launched_is_never_deleted(found: list[Hit], void: set[str]) -> None:
    launched = next((hit for hit in found if hit.status != DRAFT), None)
    if launched:
        kept = {hit.id for hit in found if hit.attempt == launched.attempt}
        assert not kept & set(judge_strays(found, launched.id, void))
        assert not kept & set(judge_found(found, void, late_enqueue_possible=True).void)


@profile(200)
@given(st.integers(1, 10_000), st.floats(0.1, 10), st.floats(10, 1_000), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_to_the_cap_with_a_quarter_of_jitter(failures: int, base: float, cap: float, dice: float) -> None:
    pause = retry_seconds(failures, base, cap, dice)
    plain = min(cap, base * 2 ** min(failures - 1, 100))
    assert 0.75 * plain <= pause <= 1.25 * plain
    assert pause <= retry_seconds(failures + 1, base, cap, dice)


def test_the_attempts_of_the_defaults_take_about_an_hour() -> None:
    of = Settings()
    pauses = [retry_seconds(n, of.retry_base_seconds, of.retry_cap_seconds, 0.5) for n in range(1, of.max_attempts)]
    assert 2_400 < sum(pauses) < 4_800


@pytest.mark.parametrize(
    ("status", "launched_seconds", "holder"),
    [
        ("queued", 1, "running"),
        ("in_progress", None, "running"),
        ("completed", 1, "ended"),
        ("stopped", 1, "ended"),
        (None, 31, "ended"),  # deleted
        (None, None, "ended"),
        (None, 1, "unclear"),  # deleted, or not visible yet
        ("created", 1, "unclear"),  # reset, or its enqueue is not visible yet
        ("created", 31, "ended"),
    ],
)
def test_holder_of_a_slot(status: str | None, launched_seconds: float | None, holder: str) -> None:
    assert judge_holder(status, launched_seconds, late_seconds=30) == holder
