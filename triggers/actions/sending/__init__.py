"""Sending to receivers outside: which addresses are open, secrets by reference, and what an answer means."""
