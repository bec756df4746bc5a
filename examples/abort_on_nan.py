"""Abort a run whose loss has become NaN or infinite.

The SDK reports both as 0, which no condition can tell from a loss of 0. Let the training script report a large number:

    Logger.set_reporting_nan_value(1e30)
    Logger.set_reporting_inf_value(1e30)
"""

from triggers import TriggerScheduler
from triggers.actions import Abort

scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_task_trigger(
    name="diverged",
    trigger_project="Examples",
    trigger_on_status=["in_progress"],
    trigger_on_metric="loss",
    trigger_on_variant="train",
    trigger_on_threshold=1e30,
    trigger_on_sign="max",
    actions=[Abort("the loss is NaN or infinite")],
)
scheduler.start()
