"""What everything stands on: errors, settings, text made harmless, logs, Redis' address. Imports nothing above it."""
