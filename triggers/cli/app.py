"""The command line of all verbs, for help, the reference, and tests."""

from __future__ import annotations

from triggers.cli.verbs import PANELS, build

__all__ = ["PANELS", "app"]

app = build(name for verbs in PANELS.values() for name in verbs)
