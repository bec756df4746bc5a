"""The transitions of a firing as a picture, drawn without any other program.

`python -m triggers.ledger.pages.diagram > docs/img/states.svg` writes it anew. Where each phase stands is given here;
lines, arrows and words follow from the table of transitions.
"""

from __future__ import annotations

from html import escape
from math import hypot
from typing import Final

from triggers.base.terminal import say_page
from triggers.ledger.transitions import PHASES, Phase, edges

Point = tuple[float, float]

WIDTH, HEIGHT = 980, 450
_BOX: Final = (66.0, 22.0)  # half of a box
_DOT: Final = (9.0, 9.0)  # half of the mark where a firing begins

#: The middle of each phase.
PLACES: Final[dict[Phase, Point]] = {
    "none": (40, 230),
    "waiting": (240, 230),
    "claimed": (560, 230),
    "held": (560, 400),
    "dead": (560, 60),
    "launched": (810, 180),
    "shadow": (810, 280),
    "skipped": (240, 400),
    "dropped": (810, 400),
}
#: Through which point a line goes that would cross others as a straight one.
_BENDS: Final[dict[tuple[Phase, Phase], Point]] = {("dead", "dropped"): (1120, 70)}

_STYLE: Final = """
text { font: 14px system-ui, sans-serif; fill: #1f2937; text-anchor: middle; dominant-baseline: central; }
.verb { font-size: 13px; fill: #1d4ed8; paint-order: stroke; stroke: #fff; stroke-width: 5px; }
.phase { fill: #f3f4f6; stroke: #4b5563; stroke-width: 1.5; }
.end { stroke-width: 3; }
.line { fill: none; stroke: #4b5563; stroke-width: 1.5; marker-end: url(#arrow); }
.tip, .start { fill: #4b5563; }
.ground { fill: #fff; }
"""


def svg() -> str:
    """The picture."""
    known = edges()
    lines = [_edge(start, end, verbs, both=(end, start) in known) for (start, end), verbs in known.items()]
    ends = set(PHASES) - {start for start, _ in known}
    boxes = [_box(phase, final=phase in ends) for phase in PHASES]
    told = "; ".join(f"{', '.join(verbs)}: {start} to {end}" for (start, end), verbs in known.items())
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            f"<title>The states of a firing</title><desc>{escape(told)}</desc>",
            f"<style>{_STYLE}</style>",
            '<marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
            'orient="auto-start-reverse"><path class="tip" d="M0 0L10 5L0 10z"/></marker>',
            f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
            *boxes,
            *(path for path, _ in lines),
            *(words for _, words in lines),
            "</svg>\n",
        ]
    )


def _box(phase: Phase, *, final: bool) -> str:
    x, y = PLACES[phase]
    if phase == "none":
        return f'<circle class="start" cx="{x:g}" cy="{y:g}" r="{_DOT[0]:g}"/>'
    half_width, half_height = _BOX
    corner = f'x="{x - half_width:g}" y="{y - half_height:g}" width="{2 * half_width:g}" height="{2 * half_height:g}"'
    return (
        f'<g id="{phase}"><title>{escape(PHASES[phase])}</title>'
        f'<rect class="phase{" end" if final else ""}" rx="10" {corner}/><text x="{x:g}" y="{y:g}">{phase}</text></g>'
    )


def _edge(start: Phase, end: Phase, verbs: list[str], *, both: bool) -> tuple[str, str]:
    """The line and its words; of two lines between the same phases each keeps to its right."""
    text = ", ".join(verbs)
    if start == end:
        return _loop(start, text)
    a, b = PLACES[start], PLACES[end]
    length = hypot(b[0] - a[0], b[1] - a[1])
    apart = 16.0 if both else 0.0
    dx, dy = -(b[1] - a[1]) / length * apart, (b[0] - a[0]) / length * apart
    a, b = (a[0] + dx, a[1] + dy), (b[0] + dx, b[1] + dy)
    bend = _BENDS.get((start, end))
    if bend is None:
        first, last = _border(a, PLACES[start], b, _size(start)), _border(b, PLACES[end], a, _size(end))
        at = (first[0] + (last[0] - first[0]) * 0.36, first[1] + (last[1] - first[1]) * 0.36)
        path = f"M{_point(first)}L{_point(last)}"
    else:
        first, last = _border(a, a, bend, _size(start)), _border(b, b, (bend[0], b[1]), _size(end))
        at = ((first[0] + 2 * bend[0] + last[0]) / 4, (first[1] + 2 * bend[1] + last[1]) / 4)
        path = f"M{_point(first)}Q{_point(bend)} {_point(last)}"
    return _drawn(start, end, path, text, at)


def _loop(phase: Phase, text: str) -> tuple[str, str]:
    x, y = PLACES[phase]
    top = y - _BOX[1]
    path = f"M{x + 30:g} {top:g}C{x + 36:g} {top - 46:g} {x + 84:g} {top - 40:g} {x + 58:g} {top:g}"
    return _drawn(phase, phase, path, text, (x + 82, top - 26))


def _drawn(start: Phase, end: Phase, path: str, text: str, at: Point) -> tuple[str, str]:
    line = f'<path class="line" data-from="{start}" data-to="{end}" d="{path}"/>'
    return line, f'<text class="verb" x="{at[0]:g}" y="{at[1]:g}">{escape(text)}</text>'


def _border(inside: Point, middle: Point, outside: Point, half: Point) -> Point:
    """Where the line from a point in a box to one outside leaves the box."""
    (x, y), (dx, dy) = inside, (outside[0] - inside[0], outside[1] - inside[1])
    shares = []
    for at, centre, step, size in ((x, middle[0], dx, half[0]), (y, middle[1], dy, half[1])):
        if step:
            shares.append((centre + (size if step > 0 else -size) - at) / step)
    share = min(shares)
    return round(x + dx * share, 1), round(y + dy * share, 1)


def _size(phase: Phase) -> Point:
    return _DOT if phase == "none" else _BOX


def _point(point: Point) -> str:
    return f"{point[0]:g} {point[1]:g}"


if __name__ == "__main__":
    say_page(svg(), end="")
