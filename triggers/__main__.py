"""`python -m triggers` is `clearml-triggers`."""

from triggers.cli import main

main()
