"""Start a GitHub workflow when a model is published.

GITHUB_TOKEN is a fine-grained token that may write actions of the repository.
"""

import os

from triggers import TriggerScheduler
from triggers.actions import Webhook

API = os.environ.get("GITHUB_API_URL", "https://api.github.com")

scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_model_trigger(
    name="deploy",
    trigger_project="Examples",
    trigger_on_publish=True,
    actions=[
        Webhook(
            f"{API}/repos/example/models/actions/workflows/deploy.yml/dispatches",
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": "Bearer ${env:GITHUB_TOKEN}",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            body={"ref": "main", "inputs": {"model": "${object.id}", "name": "${object.name}"}},
        )
    ],
)
scheduler.start()
