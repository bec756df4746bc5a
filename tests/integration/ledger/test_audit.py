"""The audit log stays small however much a person changes at once."""

from __future__ import annotations

from triggers.ledger import Ledger
from triggers.ledger.history.audit import LISTED


def test_a_line_about_many_firings_names_the_first_and_counts_the_rest(ledger: Ledger) -> None:
    names = [f"firing {number}" for number in range(50_000)]
    with ledger.audit.change("holds drop", firings=names) as came:
        came["dropped"] = len(names)
    (line,) = ledger.audit.read()
    assert line.detail["dropped"] == 50_000
    assert line.detail["firings"] == [*names[:LISTED], f"and {50_000 - LISTED} more"]
