"""Run a ClearML task when somebody adds the tag "retrain me" to a task in the web UI."""

from triggers import TriggerScheduler

scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_task_trigger(
    name="on tag",
    trigger_project="Examples",
    trigger_on_tags=["retrain me"],
    schedule_task_query={"project": "Examples", "name": "retrain"},
    schedule_queue="default",
    task_parameters={"Args/source": "${task.id}"},
)
scheduler.start()
