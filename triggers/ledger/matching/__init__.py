"""Matching's memory: marks of objects, own edits, undecided events, and the step that grants firings.

`rules` decides which events match and what is granted. Once granted, a firing belongs to `firings`.
"""
