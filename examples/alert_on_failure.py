"""Post a message to the webhook in ALERT_URL, or print it, when a ClearML task of a project fails."""

import os

import requests

from triggers import TriggerScheduler


def alert(task_id: str) -> None:
    """Send the message. The scheduler retries when this raises."""
    text = f"ClearML task {task_id} failed"
    if url := os.environ.get("ALERT_URL"):
        requests.post(url, json={"text": text}, timeout=10).raise_for_status()
    else:
        print(text, flush=True)


scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_task_trigger(
    name="alert", trigger_project="Examples", trigger_on_status=["failed"], schedule_function=alert
)
scheduler.start()
