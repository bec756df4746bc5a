"""Evaluate a model when somebody publishes it. The clone gets the id of the model."""

from triggers import TriggerScheduler

scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_model_trigger(
    name="evaluate",
    trigger_project="Examples",
    trigger_on_publish=True,
    schedule_task_query={"project": "Examples", "name": "retrain"},
    schedule_queue="default",
    task_parameters={"Args/source": "${model.id}"},
)
scheduler.start()
