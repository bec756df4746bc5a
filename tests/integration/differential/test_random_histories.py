"""Random histories on one server: the original and this system fire alike, or a row of the page says why not.

TRIGGERS_DIFFERENTIAL_EXAMPLES=2000 looks longer, at other histories every time.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.integration.differential.excuses import excused
from tests.integration.differential.history import Step, play, rules, steps
from tests.integration.differential.pair import Json, Pair

LONG = os.environ.get("TRIGGERS_DIFFERENTIAL_EXAMPLES")
EXAMPLES = int(LONG or 40)
#: Firings in all that show the histories to be about something.
LEAST_FIRINGS_PER_HISTORY = 2


pytestmark = pytest.mark.timeout(300 + 3 * EXAMPLES)


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    return Counter()


@settings(
    max_examples=EXAMPLES,
    derandomize=not LONG,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    before=st.lists(steps(), max_size=5),
    triggers=st.lists(rules(), min_size=3, max_size=8),
    history=st.lists(st.lists(steps(), min_size=2, max_size=8), min_size=2, max_size=4),
)
def test_the_original_and_this_fire_alike_or_the_page_says_why(
    new_pair: Callable[[], Pair],
    seen: Counter[str],
    before: list[Step],
    triggers: list[tuple[str, Json]],
    history: list[list[Step]],
) -> None:
    pair = new_pair()
    for step in before:
        play(pair, step)
    pair.declare(*triggers)
    for changes in history:
        for step in changes:
            play(pair, step)
        pair.poll()
        assert pair.past.ours == pair.past.right, "every change that satisfied a condition fired, and nothing else"
        for rule, object_id in pair.differences():
            rows = excused(pair.past, rule, object_id)
            note(f"{rule}: {pair.past.theirs[rule.name, object_id]} times by the original, "
                 f"{pair.past.ours[rule.name, object_id]} here; {list(pair.past.of(object_id))}")  # fmt: skip
            assert rows, "a difference that no row of docs/differences.md excuses"
            seen.update(rows)
    seen["histories"] += 1
    seen["original"] += pair.past.theirs.total()
    seen["ours"] += pair.past.ours.total()
    seen["both"] += (pair.past.theirs & pair.past.ours).total()


def test_histories_were_about_something(seen: Counter[str]) -> None:
    print(dict(seen))
    assert seen["both"] >= LEAST_FIRINGS_PER_HISTORY * seen["histories"]
