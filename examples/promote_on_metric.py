"""Tag a ClearML task "promoted" when its validation accuracy reaches 0.9."""

from clearml import Task

from triggers import TriggerScheduler


def promote(task_id: str) -> None:
    """Add the tag. The scheduler retries when this raises, so calling it twice must do no harm."""
    Task.get_task(task_id=task_id).add_tags(["promoted"])


scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_task_trigger(
    name="promote",
    trigger_project="Examples",
    trigger_on_metric="accuracy",
    trigger_on_variant="validation",
    trigger_on_threshold=0.9,
    trigger_on_sign="max",
    schedule_function=promote,
)
scheduler.start()
