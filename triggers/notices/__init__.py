"""Notices to people: what needs them (`decide`, pure), and how they are sent (`send`). `stages.notify` runs it."""

from triggers.notices.decide import Notice, Situation, Told, decide

__all__ = ["Notice", "Situation", "Told", "decide"]
