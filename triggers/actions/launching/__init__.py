"""Launching ClearML tasks exactly once: what a launch consists of, and the steps that make it."""
