"""Try triggers without launching anything: the log shows what each firing would launch."""

from triggers import TriggerScheduler

scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_task_trigger(
    name="tried first",
    trigger_project="Examples",
    trigger_on_status=["failed"],
    schedule_task_query={"project": "Examples", "name": "retrain"},
    schedule_queue="default",
)
scheduler.start(dry_run=True)
