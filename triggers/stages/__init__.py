"""The stages poll → match → dispatch, and those beside them: what each does with the ledger and the ClearML API.

No Celery in here: a stage says what should be looked at next through `context.Hints`, and whoever runs it passes that
on. `table` has one row for each stage.
"""
