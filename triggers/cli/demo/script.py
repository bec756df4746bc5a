"""The script of `clearml-triggers demo`, as a user writes one: five triggers, then `start()`.

It runs as it is against any ClearML server that has a project "Demo" with a ClearML task "retrain".
Against a script for `clearml.automation.TriggerScheduler` only the import differs.
"""

from clearml import Task

from triggers import TriggerScheduler

retrain = Task.get_task(project_name="Demo", task_name="retrain")


def evaluate(task_id: str) -> None:
    """Decide in Python what is to be done about a ClearML task; here: always evaluate it."""
    evaluation = Task.clone(source_task=retrain, name="evaluate", parent=task_id)
    Task.enqueue(evaluation, queue_name="default")


scheduler = TriggerScheduler(
    pooling_frequency_minutes=1 / 60,  # a look at the server every second
    force_create_task_project="Demo",
    force_create_task_name="triggers",
)

# a ClearML task that failed: run another one in its place, and tell it which one that was
scheduler.add_task_trigger(
    name="retry",
    trigger_project="Demo",
    trigger_on_status=["failed"],
    schedule_task_id=retrain,
    schedule_queue="default",
    add_tag="retry",
    task_parameters={"Args/source": "${task.id}"},
)

# a metric that fell below a threshold, while the ClearML task still runs
scheduler.add_task_trigger(
    name="accuracy",
    trigger_project="Demo",
    trigger_on_metric="validation",
    trigger_on_variant="accuracy",
    trigger_on_threshold=0.5,
    trigger_on_sign="min",
    schedule_task_id=retrain,
    schedule_queue="default",
    task_parameters={"Args/source": "${task.id}"},
)

# a model that somebody tagged
scheduler.add_model_trigger(
    name="candidate",
    trigger_on_tags=["candidate"],
    schedule_task_id=retrain,
    schedule_queue="default",
    task_parameters={"Args/model": "${model.id}"},
)

# a new version of a dataset
scheduler.add_dataset_trigger(
    name="new-data",
    trigger_project="Demo",
    trigger_on_publish=True,
    schedule_task_id=retrain,
    schedule_queue="default",
    task_parameters={"Args/dataset": "${dataset.id}"},
)

# a ClearML task that completed: a function decides
scheduler.add_task_trigger(
    name="evaluate",
    trigger_project="Demo",
    trigger_on_status=["completed"],
    schedule_function=evaluate,
)

scheduler.start()
