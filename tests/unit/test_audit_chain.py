"""The chain of the audit log: each way of tampering is seen, and what is not a tampering is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from triggers.ledger.history.chain import Link, faults, hash_of

Line = dict[str, str]
NOWHERE = Link()


def chain(count: int, limit: int = 100, before: Link = NOWHERE) -> list[Line]:
    lines: list[Line] = []
    for number in range(before.seq + 1, before.seq + count + 1):
        line = {"seq": str(number), "at_ms": str(number), "limit": str(limit), "who": "ann", "what": "pause"}
        line |= {"detail": "{}", "outcome": "done", "prev": lines[-1]["hash"] if lines else before.hash}
        lines.append(line | {"hash": hash_of(line["prev"], line)})
    return lines


def checked(lines: list[Line], head: Line | None = None, start: Link = NOWHERE, shown: Link = NOWHERE) -> list[str]:
    last = head or (lines[-1] if lines else None)
    link = Link(int(last["seq"]), last["hash"]) if last else start
    return faults([(f"{n}-0", fields) for n, fields in enumerate(lines)], link, start, shown)


def link(line: Line) -> Link:
    return Link(int(line["seq"]), line["hash"])


def test_a_whole_chain_has_no_fault() -> None:
    lines = chain(9)
    assert checked([]) == []
    assert checked(lines) == []
    assert checked(lines, shown=link(lines[4])) == []
    old = {"who": "of an earlier release", "what": "pause", "detail": "{}", "outcome": "done"}
    assert checked([old, *lines]) == []
    assert checked(chain(9, limit=5)[3:]) == [], "a full log loses its oldest lines"
    assert checked(chain(3, before=Link(7, "abc")), start=Link(7, "abc")) == [], "goes on from an earlier Redis"
    assert checked([], start=Link(7, "abc")) == []


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda lines: lines[:4] + lines[5:], "lines 5 to 5 are missing"),
        (lambda lines: lines[2:], "lines 1 to 2 are missing"),
        (lambda lines: lines[:-2], "lines 8 to 9 are missing at the end"),
        (lambda lines: [], "lines 1 to 9 are missing at the end"),
        (lambda lines: [*lines[:3], lines[3] | {"who": "bob"}, *lines[4:]], "line 4 was changed"),
        (lambda lines: [*lines[:3], lines[3] | {"detail": "[]"}, *lines[4:]], "line 4 was changed"),
        (lambda lines: [*lines[:3], {"who": "bob"}, *lines[3:]], "entry 3-0 is not part of the chain"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "lines"),
    ],
)
def test_each_way_of_tampering_is_seen(tamper: Callable[[list[Line]], list[Line]], said: str) -> None:
    lines = chain(9)
    found = checked(tamper(lines), head=lines[-1])
    assert any(said in one for one in found), found


def test_a_chain_that_was_written_anew_is_seen_on_the_service_task() -> None:
    lines = chain(9)
    anew: list[Line] = []
    for line in lines:
        fields = line | {"who": "nobody", "prev": anew[-1]["hash"] if anew else ""}
        anew.append(fields | {"hash": hash_of(fields["prev"], fields)})
    assert checked(anew) == []
    assert "another than the one" in checked(anew, shown=link(lines[4]))[0]
    assert "ends with line 4" in checked(anew[:4], shown=link(lines[4]))[0]


def test_a_place_in_the_chain_survives_as_text() -> None:
    for one in (Link(), Link(3, "abc")):
        assert Link.from_text(one.to_text()) == one
    nonsense: list[Any] = ["", "x y", "3", "-1 abc"]
    assert {Link.from_text(text) for text in nonsense} == {Link()}
