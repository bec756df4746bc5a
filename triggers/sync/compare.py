"""The three-way comparison of a configuration section: what sync wrote, what it says, what is registered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triggers.model import Trigger


@dataclass(frozen=True, slots=True)
class Comparison:
    """What follows from comparing.

    Args:
        edits: trigger id → what the person in ClearML made of it, None for removed; for the registry.
        rewrite: the section lacks what script or command line changed, so it has to be written.
        overruled: those of `edits` that script or command line had changed as well. ClearML's edit wins, since
            nobody would see there that it was dropped; the log names them.
    """

    edits: Mapping[str, Trigger | None]
    rewrite: bool
    overruled: tuple[str, ...]


def compare(written: Mapping[str, str], section: Mapping[str, Trigger], registry: Mapping[str, str]) -> Comparison:
    """Compare trigger by trigger; the section is trigger id → trigger, what was written and the registry → digest.

    Cases, for one trigger:
      1. both sides say the same             → nothing to do
      2. only the registry differs from what was written → write the section
      3. only the section differs            → edit the registry
      4. both differ, each in its own way    → edit the registry, and say so
    """
    edits: dict[str, Trigger | None] = {}
    rewrite, overruled = False, []
    for id_ in sorted({*written, *section, *registry}):
        there, here = section.get(id_), registry.get(id_)
        digest = there.digest if there else None
        if digest == here:
            continue
        if digest == written.get(id_):
            rewrite = True
            continue
        edits[id_] = there
        if here != written.get(id_):
            overruled.append(id_)
    return Comparison(edits, rewrite, tuple(overruled))
