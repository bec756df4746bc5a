"""The wall clock of single processes, stepped."""
