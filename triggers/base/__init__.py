"""What everything stands on: errors, settings, text made harmless, logs, Redis' address. Imports nothing above it.

Owns what every process needs whatever it does. Knows no trigger, no firing and no key of Redis: those are `model`'s and
`ledger`'s.
"""
