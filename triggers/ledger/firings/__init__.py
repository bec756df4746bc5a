"""Firings: their records, parts and lines, and the scripts that move them from state to state.

What people do to them by hand is in `operating`, what happened to them in `history`.
"""
