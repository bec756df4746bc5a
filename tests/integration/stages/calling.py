"""Calls of functions, one at a time, as the threads of a serving process make them."""

from __future__ import annotations

from collections.abc import Mapping

from triggers.actions.functions import Function
from triggers.context import Context
from triggers.stages.call import carry, claim


def call_one(ctx: Context, functions: Mapping[str, Function]) -> bool:
    """Take one firing that waits for this process, call its function, report how it ended; False if none is due."""
    claimed = claim(ctx)
    if claimed is not None:
        carry(ctx, claimed, functions)
    return claimed is not None
