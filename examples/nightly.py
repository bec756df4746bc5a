"""Run a ClearML task at once, and then at 6:15 on workdays in Berlin."""

from triggers import TaskScheduler

scheduler = TaskScheduler()
scheduler.add_task(
    name="nightly",
    schedule_task_query={"project": "Examples", "name": "retrain"},
    queue="default",
    cron="15 6 * * mon-fri",
    timezone="Europe/Berlin",
    execute_immediately=True,
    task_parameters={"Args/source": "${schedule.at}"},
)
scheduler.start()
