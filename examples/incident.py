"""Open an incident when a nightly run fails, and close it once the run is no longer failed.

INCIDENT_URL is https://events.pagerduty.com/v2/enqueue, and INCIDENT_KEY the integration key of the service.
"""

from triggers import TriggerScheduler
from triggers.actions import Webhook


def event(action: str) -> Webhook:
    """An event of PagerDuty; `dedup_key` makes both events those of one incident."""
    details = {"summary": "${object.name} is ${object.status}", "source": "${object.url}", "severity": "error"}
    body = {"routing_key": "${env:INCIDENT_KEY}", "dedup_key": "${object.id}", "event_action": action}
    return Webhook("env:INCIDENT_URL", body=body | {"payload": details})


scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_task_trigger(
    name="incident",
    trigger_project="Examples",
    trigger_name="^nightly",
    trigger_on_status=["failed"],
    fire="on_transition",
    actions=[event("trigger")],
    on_resolved=[event("resolve")],
)
scheduler.start()
