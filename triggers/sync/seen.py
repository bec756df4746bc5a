"""Which configuration sections sync has read or written as they are, by their digests: those are not read again."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from functools import cache
from importlib import metadata

from triggers.base.formats import KNOWN
from triggers.model.kinds import Kind
from triggers.model.original import SECTIONS
from triggers.sync.memory import Memory
from triggers.sync.permitted_edits import Mode


def all_of(version: int, mode: Mode, texts: Mapping[str, str]) -> str:
    """Tell a registry and all sections from any others.

    Args:
        version: of the registry.
        mode: what people may change in sections.
        texts: of the sections, by name.
    """
    return " ".join([str(version), *(_digest(mode, texts, kind) for kind in SECTIONS)])


def unchanged(memory: Memory, mode: Mode, texts: Mapping[str, str]) -> set[Kind]:
    """Kinds whose sections say what was written, and nothing else."""
    return {kind for kind in SECTIONS if memory.text(f"text:{kind}") == _digest(mode, texts, kind)}


def remember(memory: Memory, mode: Mode, texts: Mapping[str, str], version: int, remarked: Collection[str]) -> None:
    """Remember the sections as they are now.

    `remarked`: kinds whose sections say more, or less, than what was written.
    """
    for kind in SECTIONS:
        memory.put(f"text:{kind}", "" if kind in remarked else _digest(mode, texts, kind))
    memory.put("seen", all_of(version, mode, texts))


def _digest(mode: Mode, texts: Mapping[str, str], kind: Kind) -> str:
    """Tell a section from any other, and from the same one read by another release or with another setting."""
    text = texts.get(SECTIONS[kind])
    said = f"{KNOWN} {_release()} {mode} " + ("none" if text is None else f"some {text}")
    return hashlib.sha1(said.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


@cache
def _release() -> str:
    try:
        return metadata.version("clearml-triggers")
    except metadata.PackageNotFoundError:  # run from its folder
        return ""
