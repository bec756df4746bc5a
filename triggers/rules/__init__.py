"""Decisions over values: does an event satisfy a condition, does a match fire, what did an earlier attempt leave.

Pure: the clock is an argument, and neither Redis nor the ClearML server is asked. What a trigger is, is `model`'s.
"""
