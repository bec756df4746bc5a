"""Retry when a ClearML task of a project fails or is stopped (`trigger_on_status`)."""

from triggers import TriggerScheduler

scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_task_trigger(
    name="retry",
    trigger_project="Examples",
    trigger_on_status=["failed", "stopped"],
    trigger_exclude_tags=["do not retry"],
    schedule_task_query={"project": "Examples", "name": "retrain"},
    schedule_queue="default",
    task_parameters={"Args/source": "${task.id}"},
)
scheduler.start()
