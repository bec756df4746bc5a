"""Retrain when a new version of a dataset is finalized. The clone gets the id of that version."""

from triggers import TriggerScheduler

scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_dataset_trigger(
    name="retrain on new data",
    trigger_project="Examples",
    schedule_task_query={"project": "Examples", "name": "retrain"},
    schedule_queue="default",
    task_parameters={"Args/source": "${dataset.id}"},
)
scheduler.start()
