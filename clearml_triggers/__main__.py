"""`python -m clearml_triggers` is `clearml-triggers`."""

from clearml_triggers import main

main()
