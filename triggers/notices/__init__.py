"""Notices to people: what needs them (`decide`, pure), and how they are sent (`send`). `stages.notify` runs it.

Owns texts, bounds and receivers of notices. Which alarms there are, and which dead letters, is the ledger's; messages
that a trigger sends when it fires are actions.
"""

from triggers.notices.decide import Notice, Situation, Told, decide

__all__ = ["Notice", "Situation", "Told", "decide"]
