"""Which notices are due: each case of `notices.decide`, by values alone."""

from __future__ import annotations

import hashlib
import hmac

from triggers.notices import Notice, Situation, Told, decide
from triggers.notices.decide import DEAD_EVERY_MS, LASTING_EVERY_MS, QUIET_MS
from triggers.notices.send import in_words, signature

NOW = 1_800_000_000_000
DEAD = Notice("dead", "trigger 'a' gave up", "a", "@ann")
STALE = Notice("stale poll", "nothing was polled")


def test_a_dead_letter_is_notified_at_once_and_more_of_it_after_a_pause() -> None:
    first, told = decide(Told(), Situation(NOW, {"task:a": DEAD}), 20)
    assert first == [DEAD]
    more = Situation(NOW + 1000, {"task:a": Notice("dead", "x", "a", "@ann", count=5)})
    none, told = decide(told, more, 20)
    assert none == []
    (later,), told = decide(told, Situation(NOW + DEAD_EVERY_MS), 20)
    assert (later.count, later.trigger) == (5, "a")
    assert decide(told, Situation(NOW + 2 * DEAD_EVERY_MS), 20)[0] == []


def test_a_lasting_problem_is_notified_when_it_starts_every_hour_and_when_it_ends() -> None:
    lasting = {"polls have stopped": STALE}
    first, told = decide(Told(), Situation(NOW, lasting=lasting), 20)
    assert first == [STALE]
    assert decide(told, Situation(NOW + 60_000, lasting=lasting), 20)[0] == []
    again, told = decide(told, Situation(NOW + LASTING_EVERY_MS, lasting=lasting), 20)
    assert again == [STALE]
    (over,), told = decide(told, Situation(NOW + LASTING_EVERY_MS + 1), 20)
    assert (over.kind, "polls have stopped" in over.text) == ("over", True)
    assert decide(told, Situation(NOW + LASTING_EVERY_MS + 2), 20)[0] == []


def test_more_than_so_many_an_hour_are_left_out_and_counted() -> None:
    flood = Situation(NOW, {f"task:{n}": DEAD for n in range(10)})
    sent, told = decide(Told(), flood, 4)
    assert len(sent) == 4
    sent, _ = decide(told, Situation(NOW + 3_600_000, {"task:new": DEAD}), 4)
    assert [notice.kind for notice in sent] == ["dead", "left out"]
    assert sent[1].count == 6


def test_sent_notices_survive_as_text() -> None:
    _, told = decide(Told(), Situation(NOW, {"task:a": DEAD}, {"p": STALE}), 20)
    assert Told.from_text(told.to_text()) == told
    assert Told.from_text("") == Told()


def test_the_signature_is_over_time_and_body() -> None:
    headers = signature(b"{}", "secret", 17)
    expected = hmac.new(b"secret", b"17.{}", hashlib.sha256).hexdigest()
    assert headers == {"X-Triggers-Timestamp": "17", "X-Triggers-Signature": f"sha256={expected}"}
    assert signature(b"{}", None, 17) == {}


def test_the_owner_is_in_the_words() -> None:
    assert in_words(DEAD) == "dead (@ann): trigger 'a' gave up"


BURST = Notice(
    "held burst", "trigger 'retry' fires more than 5 times a minute; the rest is held", "retry", "@ann", link="l"
)


def told_over(situations: list[Situation]) -> list[Notice]:
    told, sent = Told(), list[Notice]()
    for situation in situations:
        due, told = decide(Told.from_text(told.to_text()), situation, 1000)
        sent += due
    return sent


def test_a_burst_that_is_held_in_every_minute_is_one_episode() -> None:
    name = f"pace:task:{BURST.trigger}"
    looks = range(0, 30 * 60_000, 15_000)
    every_minute = [Situation(NOW + ms, lasting={name: BURST} if ms % 60_000 < 20_000 else {}) for ms in looks]
    assert told_over(every_minute) == [BURST]
    later = [Situation(NOW + 30 * 60_000 + ms) for ms in looks]
    begun, over = told_over(every_minute + later)
    assert (begun, over.kind, over.owner, over.link) == (BURST, "over", "@ann", "l")
    assert "trigger 'retry'" in over.text


def test_what_begins_again_soon_after_it_was_over_comes_and_goes() -> None:
    looks = range(0, 30 * 60_000, 15_000)
    flapping = [Situation(NOW + ms, lasting={"p": STALE} if ms % 60_000 < 20_000 else {}) for ms in looks]
    assert [notice.kind for notice in told_over(flapping)] == ["stale poll", "over", "stale poll"]


def test_dead_letters_that_had_to_wait_keep_owner_link_and_object() -> None:
    dead = Notice("dead", "trigger 'a' gave up task 'train' (o)", "a", "@ann", link="http://page", object="o")
    looks = [(0, {"task:a": dead}), (1000, {"task:a": dead}), (DEAD_EVERY_MS, {})]
    _, later = told_over([Situation(NOW + ms, found) for ms, found in looks])
    assert (later.owner, later.link, later.object) == ("@ann", "http://page", "o")
    assert "task 'train' (o)" in later.text


def test_notices_of_an_earlier_release_are_read() -> None:
    text = '{"at_ms": {"lasts:p": 5}, "waiting": {"task:a": 2}, "hour": 1, "count": 1, "left_out": 0}'
    (over, dead), _ = decide(Told.from_text(text), Situation(NOW), 20)[0][::-1], None
    assert (over.text, dead.count) == ("it is over: p", 2)


HELD = Notice("held burst", "firings are held", "a")


def test_a_muted_trigger_is_not_reported_and_others_are() -> None:
    muted = Situation(NOW, {"task:a": DEAD, "task:b": DEAD}, {"pace:task:a": HELD, "poll": STALE}, {"task:a"})
    notices, _ = decide(Told(), muted, 20)
    assert notices == [DEAD, STALE]


def test_dead_letters_of_a_mute_are_one_notice_when_it_ends() -> None:
    _, told = decide(Told(), Situation(NOW, {"task:a": DEAD}, muted={"task:a"}), 20)
    _, told = decide(told, Situation(NOW + 1, {"task:a": DEAD}, muted={"task:a"}), 20)
    assert decide(told, Situation(NOW + DEAD_EVERY_MS, muted={"task:a"}), 20)[0] == []
    (notice,), told = decide(told, Situation(NOW + DEAD_EVERY_MS + 1), 20)
    assert (notice.count, notice.trigger, notice.owner) == (2, "a", "@ann")
    assert decide(told, Situation(NOW + 3 * DEAD_EVERY_MS), 20)[0] == []


def test_a_problem_that_began_and_ended_while_muted_is_never_reported() -> None:
    lasting = {"pace:task:a": HELD}
    _, told = decide(Told(), Situation(NOW, lasting=lasting, muted={"task:a"}), 20)
    _, told = decide(told, Situation(NOW + 1, muted={"task:a"}), 20)
    assert decide(told, Situation(NOW + QUIET_MS + 1), 20)[0] == []


def test_a_problem_that_outlasts_a_mute_is_never_called_over_and_reported_after_it() -> None:
    lasting = {"pace:task:a": HELD}
    (began,), told = decide(Told(), Situation(NOW, lasting=lasting), 20)
    assert began == HELD
    later = NOW + LASTING_EVERY_MS
    none, told = decide(told, Situation(later, lasting=lasting, muted={"task:a"}), 20)
    assert none == []
    assert decide(told, Situation(later + 1, lasting=lasting), 20)[0] == [HELD]


def test_the_end_of_a_reported_problem_is_reported_after_the_mute() -> None:
    _, told = decide(Told(), Situation(NOW, lasting={"pace:task:a": HELD}), 20)
    none, told = decide(told, Situation(NOW + 1, muted={"task:a"}), 20)
    assert none == []
    (over,), _ = decide(told, Situation(NOW + 1 + QUIET_MS), 20)
    assert (over.kind, over.trigger) == ("over", "a")


def test_a_budget_that_will_not_do_is_notified_once_and_again_only_after_it_was_to_do() -> None:
    """Projections waver around the limit: what is below it for a few minutes only is not over."""
    lasting = {"API budget": Notice("API budget", "the projection for this month is more")}
    sent, told = decide(Told(), Situation(NOW, lasting=lasting), 20)
    assert [notice.kind for notice in sent] == ["API budget"]
    for hours in range(1, 100):
        sent, told = decide(told, Situation(NOW + hours * LASTING_EVERY_MS, lasting=lasting), 20)
        assert sent == []
    now = NOW + 100 * LASTING_EVERY_MS
    sent, told = decide(told, Situation(now), 20)
    assert sent == []
    sent, told = decide(told, Situation(now + QUIET_MS - 1, lasting=lasting), 20)
    assert sent == []
    _, told = decide(told, Situation(now + QUIET_MS), 20)
    (over,), told = decide(told, Situation(now + 2 * QUIET_MS), 20)
    assert over.kind == "over"
    (again,), _ = decide(told, Situation(now + 2 * QUIET_MS + 1, lasting=lasting), 20)
    assert again.kind == "API budget"
