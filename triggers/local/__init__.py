"""Local mode as seen from the user's process: a private Redis, one child, and what keeps both alive.

Nothing in here imports `workers`: a user's own `workers.py` could stand in its place in this process.
"""
