"""Call a function that also wants to know which trigger fired: it takes `firing`."""

from triggers import FiringInfo, TriggerScheduler


def record(object_id: str, firing: FiringInfo) -> None:
    """Print one line for each firing; `firing["key"]` is the same when the call is retried."""
    print(f"{firing['kind']} {object_id} fired, key {firing['key']}", flush=True)


scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_model_trigger(
    name="record", trigger_project="Examples", trigger_on_tags=["candidate"], schedule_function=record
)
scheduler.start()
