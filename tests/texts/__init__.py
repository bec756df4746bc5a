"""Checks of every text that a person reads: spelling, wording, length of lines. `python -m tests.texts` runs them."""
