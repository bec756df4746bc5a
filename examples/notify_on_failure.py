"""Tell a channel when a ClearML task of a project fails.

The address of the channel is a secret in CHANNEL_URL: a Slack webhook, or anything else that apprise knows.
"""

from triggers import TriggerScheduler
from triggers.actions import Notify

scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_task_trigger(
    name="notify",
    trigger_project="Examples",
    trigger_on_status=["failed"],
    actions=[Notify("env:CHANNEL_URL", text="${object.name} failed: ${object.url}", level="failure")],
)
scheduler.start()
