"""A script written for `clearml.automation`: only the import has changed."""

import sys

from triggers import TriggerScheduler  # was: from clearml.automation import TriggerScheduler


def announce(model_id: str) -> None:
    """Print which model was published."""
    print(f"model {model_id} was published", flush=True)


scheduler = TriggerScheduler(pooling_frequency_minutes=float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
scheduler.add_model_trigger(
    name="announce", schedule_function=announce, trigger_project="Examples", trigger_on_publish=True
)
scheduler.start()
