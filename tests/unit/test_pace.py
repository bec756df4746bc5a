"""The pace of polls where the script chose none: fast while something changes, slow after ten quiet minutes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.rules.pace import BUSY_SECONDS, QUIET_SECONDS, pace_seconds


@pytest.mark.parametrize(
    ("quiet_for", "expected"), [(-60, 5), (0, 5), (BUSY_SECONDS, 5), (360, 17.5), (QUIET_SECONDS, 30), (1e9, 30)]
)
def test_polls_slow_down_over_ten_quiet_minutes(quiet_for, expected):
    assert pace_seconds(5.0, 30.0, quiet_for) == expected


@pytest.mark.parametrize("quiet_pace", [0.0, 3.0, 60.0])
def test_a_pace_that_the_script_chose_is_obeyed(quiet_pace):
    assert pace_seconds(60.0, quiet_pace, 1e6) == 60.0


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_longer_quiet_never_polls_faster(one, other):
    shorter, longer = sorted((one, other))
    assert 5 <= pace_seconds(5.0, 30.0, shorter) <= pace_seconds(5.0, 30.0, longer) <= 30
