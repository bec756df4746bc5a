"""Retry when a ClearML task of a project fails or is stopped and has the tag "production"."""

from triggers import TriggerScheduler

scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_task_trigger(
    name="retry",
    trigger_project="Examples",
    trigger_on_status=["failed", "stopped"],
    trigger_exclude_tags=["do not retry"],
    trigger_required_tags=["production"],
    schedule_task_query={"project": "Examples", "name": "retrain"},
    schedule_queue="default",
    task_parameters={"Args/source": "${task.id}"},
)
scheduler.start()
