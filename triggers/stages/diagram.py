"""The architecture as a picture, drawn from the table of stages without any other program.

`python -m triggers.stages.diagram > docs/img/architecture.svg` writes it anew. Roles, queues, stages, ticks and hints
come from the table; what a role exchanges with the ClearML server is named here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from textwrap import wrap
from typing import Final

from triggers.base.terminal import say_page
from triggers.stages import table
from triggers.stages.table import STAGES, Stage

#: What crosses the line between the workers of a queue and the ClearML server.
EXCHANGED: Final[Mapping[str, str]] = {"poll": "changes", "dispatch": "launches"}

_WIDTH: Final = 1100
_TOP: Final = 20
#: Left edges and widths of the columns: beat and script, queues, workers, server.
_LEFT, _QUEUES, _WORKERS, _SERVER = (20, 150), (270, 110), (430, 430), (980, 100)
_LINE: Final = 16
_CHARACTERS: Final = 62

_STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #1f2937; dominant-baseline: central; }
.title { font-weight: 600; }
.middle { text-anchor: middle; }
.quiet { fill: #4b5563; font-size: 12px; }
.flow { fill: #1d4ed8; font-size: 12px; text-anchor: middle; paint-order: stroke; stroke: #fff; stroke-width: 5px; }
.box { fill: #f3f4f6; stroke: #4b5563; stroke-width: 1.5; }
.queue { fill: #eff6ff; stroke: #1d4ed8; stroke-width: 1.5; }
.store { fill: #fef3c7; stroke: #92400e; stroke-width: 1.5; }
.line { fill: none; stroke: #4b5563; stroke-width: 1.5; marker-end: url(#arrow); }
.both { marker-start: url(#arrow); }
.tip { fill: #4b5563; }
.ground { fill: #fff; }
"""


def svg() -> str:
    """The picture."""
    tops, bottom = _tops()
    ledger, height = bottom + 30, bottom + 100
    parts = [
        *_left(tops, ledger),
        *(part for queue, top in tops.items() for part in _role(queue, top)),
        *_server(tops, bottom),
        *_ledger(ledger),
    ]
    told = "; ".join(f"{row.name}: {row.does}" for row in STAGES)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
            f"<title>The stages and the processes that run them</title><desc>{escape(told)}</desc>",
            f"<style>{_STYLE}</style>",
            '<marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
            'orient="auto-start-reverse"><path class="tip" d="M0 0L10 5L0 10z"/></marker>',
            f'<rect class="ground" width="{_WIDTH}" height="{height}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def roles() -> dict[str, list[Stage]]:
    """The stages that the workers of each queue run."""
    return {queue: [row for row in STAGES if queue in row.queues] for queue in table.queues()}


def _tops() -> tuple[dict[str, int], int]:
    """Where the box of each role begins, and where the last one ends."""
    tops, top = {}, _TOP
    for queue in roles():
        tops[queue] = top
        top += _height(queue) + 20
    return tops, top - 20


def _height(queue: str) -> int:
    return 36 + sum(_LINE * len(_words(row)) + 8 for row in roles()[queue])


def _words(row: Stage) -> list[str]:
    return wrap(f"{row.name}: {row.does}", _CHARACTERS)


def _role(queue: str, top: int) -> Iterator[str]:
    """A queue, its workers and what goes to them."""
    x, width = _WORKERS
    height = _height(queue)
    yield _box("box", x, top, width, height)
    yield _text(x + 14, top + 18, f"{queue} workers", "title")
    y = top + 40
    for row in roles()[queue]:
        for line in _words(row):
            yield _text(x + 14, y, line, "quiet")
            y += _LINE
        y += 8
    middle = top + height // 2
    yield _box("queue", _QUEUES[0], middle - 16, _QUEUES[1], 32, round_=16)
    yield _text(_QUEUES[0] + _QUEUES[1] // 2, middle, f"queue {queue}", "middle")
    yield _text(_QUEUES[0] + _QUEUES[1] // 2, middle + 28, _carries(queue), "quiet middle")
    yield _line((_QUEUES[0] + _QUEUES[1], middle), (x, middle))


def _carries(queue: str) -> str:
    """What lies in a queue: a hint goes to the first queue of its stage, a tick to all."""
    ticks = any(row.every is not None for row in roles()[queue])
    hints = any(row.hint is not None and row.queues[0] == queue for row in roles()[queue])
    return " and ".join(["ticks"] * ticks + ["hints"] * hints)


def _left(tops: Mapping[str, int], ledger: int) -> Iterator[str]:
    """The processes that give hints: beat, and the script of the user."""
    x, width = _LEFT
    yield _box("box", x, _TOP, width, 64)
    yield _text(x + 14, _TOP + 20, "beat", "title")
    yield _text(x + 14, _TOP + 42, "sends ticks", "quiet")
    bar = x + width + 50
    for queue, top in tops.items():
        if any(row.every is not None for row in roles()[queue]):
            middle = top + _height(queue) // 2
            yield f'<path class="line" d="M{x + width} {_TOP + 32}H{bar}V{middle}H{_QUEUES[0]}"/>'
    served = [row for row in STAGES if not row.queues]
    height = 36 + sum(_LINE * len(wrap(f"{row.name}: {row.does}", 24)) + 8 for row in served)
    top = ledger - 30 - height
    yield _box("box", x, top, width + 20, height)
    yield _text(x + 14, top + 18, "your script", "title")
    y = top + 40
    for row in served:
        for line in wrap(f"{row.name}: {row.does}", 24):
            yield _text(x + 14, y, line, "quiet")
            y += _LINE
        y += 8
    yield _line((x + width // 2, top + height), (x + width // 2, ledger), both=True)


def _server(tops: Mapping[str, int], bottom: int) -> Iterator[str]:
    x, width = _SERVER
    yield _box("box", x, _TOP, width, bottom - _TOP)
    yield _text(x + width // 2, (bottom + _TOP) // 2 - 10, "ClearML", "title middle")
    yield _text(x + width // 2, (bottom + _TOP) // 2 + 10, "server", "title middle")
    edge = _WORKERS[0] + _WORKERS[1]
    for queue, words in EXCHANGED.items():
        middle = tops[queue] + _height(queue) // 2
        yield _line((edge, middle), (x, middle), both=True)
        yield _text((edge + x) // 2, middle - 14, words, "flow")


def _ledger(top: int) -> Iterator[str]:
    """Redis below all of them."""
    x, width = _LEFT[0], _SERVER[0] + _SERVER[1] - _LEFT[0]
    yield _box("store", x, top, width, 50)
    said = "the ledger in Redis: registry, cursors, batches of events, firings, leases, history"
    yield _text(x + width // 2, top + 25, said, "middle")
    middle = _WORKERS[0] + _WORKERS[1] // 2
    yield _line((middle, top - 30), (middle, top), both=True)


def _box(kind: str, x: int, y: int, width: int, height: int, *, round_: int = 8) -> str:
    return f'<rect class="{kind}" rx="{round_}" x="{x}" y="{y}" width="{width}" height="{height}"/>'


def _text(x: int, y: int, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(words)}</text>'


def _line(start: tuple[int, int], end: tuple[int, int], *, both: bool = False) -> str:
    return f'<path class="line{" both" if both else ""}" d="M{start[0]} {start[1]}L{end[0]} {end[1]}"/>'


if __name__ == "__main__":
    say_page(svg(), end="")
