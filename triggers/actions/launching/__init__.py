"""Launching ClearML tasks exactly once: what a launch consists of, and the steps that make it.

Owns the order of clone, edit, record and enqueue, and what is done about drafts that an earlier attempt left. What such
a trace means is decided by `rules.recovery`; leases and records are the ledger's.
"""
