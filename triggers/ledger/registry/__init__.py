"""The registry: the declared triggers of a scheduler, and the base tasks that they ever had.

Owns their entries, how these lie in Redis, and which of them somebody at work cannot read. What a trigger remembers of
objects is in `matching`.
"""
