"""What a full collection of garbage has kept, the next one leaves aside, for an hour."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from triggers.console import pauses


@pytest.fixture
def collections() -> Iterator[pauses.Collections]:
    made = pauses.Collections()
    gc.callbacks.append(made)
    yield made
    gc.callbacks.remove(made)
    gc.unfreeze()


class Kept:
    """Something in a cycle, which only a collection frees."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_kept_is_left_aside_for_an_hour(collections: pauses.Collections) -> None:
    kept = Kept()
    seen = weakref.ref(kept)
    gc.collect()
    assert gc.get_freeze_count() > 0
    del kept
    gc.collect()
    assert seen() is not None
    collections._whole_at = 0.0  # the hour is over
    gc.collect()
    assert seen() is None


def test_what_is_new_is_collected(collections: pauses.Collections) -> None:
    gc.collect()
    seen = weakref.ref(Kept())
    gc.collect()
    assert seen() is None
