"""What other programs find by this package's own name: names that no module of a user's takes."""
