"""The stages poll → match → dispatch, and reconcile: what each does with the ledger and the ClearML API.

No Celery in here: a stage says what should be looked at next through `Hints`, and whoever runs it passes that on.
"""

from triggers.stages.context import Context, Hints, NoHints

__all__ = ["Context", "Hints", "NoHints"]
