"""What a user's process runs: declaring triggers, registering them, electing who serves them, calling functions."""
