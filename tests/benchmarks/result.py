"""What a measure gives: figures of the original and of this system, the bound, and whether it is met."""

from __future__ import annotations

import os
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Bound:
    """What a row may be: at `most`, or at `least`, the figure here or its ratio to the other side."""

    most: float | None = None
    least: float | None = None
    of: Literal["here", "ratio"] = "here"

    def __str__(self) -> str:
        sign, number = ("≤", self.most) if self.most is not None else ("≥", self.least)
        return f"{'ratio ' if self.of == 'ratio' else ''}{sign} {number:,g}"

    def met(self, figure: float) -> bool:
        """Whether a figure keeps to it."""
        return figure <= self.most if self.most is not None else figure >= (self.least or 0.0)


@dataclass(frozen=True)
class Result:
    """One row. Figures of several runs, in turn: the n-th of `original` was measured beside the n-th of `here`.

    `beside`: what the other side is where it is not the original.
    `seen`: which figure of the runs counts, their median or (where a quantile is bounded) the only one.
    """

    measure: str
    unit: str
    here: tuple[float, ...]
    original: tuple[float, ...] = ()
    bound: Bound | None = None
    beside: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """This system's figure divided by the other's: the median over pairs of runs."""
        if not self.original:
            return None
        pairs = zip(self.here, self.original, strict=True)
        return median(ours / theirs for ours, theirs in pairs)

    @property
    def met(self) -> bool | None:
        """Whether the bound is kept; None where there is none."""
        if self.bound is None:
            return None
        figure = self.ratio if self.bound.of == "ratio" else median(self.here)
        return None if figure is None else self.bound.met(figure)

    def to_json(self) -> dict[str, Any]:
        """All that was measured."""
        return {
            "measure": self.measure,
            "unit": self.unit,
            "original": list(self.original),
            "beside": self.beside or "original",
            "here": list(self.here),
            "median": median(self.here),
            "ratio": self.ratio,
            "bound": str(self.bound) if self.bound else None,
            "met": self.met,
            "note": self.note,
        }


def load() -> str:
    """How busy the machine is, to be read beside a figure that neighbors move."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
