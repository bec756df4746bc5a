"""The verdict of the soak: what stays is flat, what grows is not."""

from __future__ import annotations

import pytest

from tests.chaos.samples import judge

WARM_UP = [20.0, 35.0, 45.0, 50.0, 52.0]


@pytest.mark.parametrize(
    ("name", "values", "flat"),
    [
        ("poll MB", [*WARM_UP, *[60.0] * 15], True),
        ("poll MB", [*WARM_UP, *[60.0 + n / 10 for n in range(15)]], True),  # within what measuring allows
        ("poll MB", [50.0 + n for n in range(20)], False),
        ("poll files", [30.0] * 19 + [32.0], True),
        ("poll files", [30.0 + n // 2 for n in range(20)], False),
        ("poll threads", [4.0] * 10 + [7.0] * 10, False),
        ("redis keys", [5_000.0, 12_000.0, *[13_000.0, 12_900.0] * 9], True),
        ("redis keys", [1_000.0 * n for n in range(20)], False),
    ],
)
def test_growth_from_the_second_quarter_to_the_last_is_reported(name: str, values: list[float], flat: bool) -> None:
    assert judge(name, values).flat is flat
