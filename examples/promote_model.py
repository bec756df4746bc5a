"""Promote a model whose evaluation has passed: tag it, then publish it.

The evaluation tags the model "evaluation passed"; `evaluate_published_model.py` shows how to launch one.
"""

from triggers import TriggerScheduler
from triggers.actions import Publish, SetMetadata, Tag

scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
scheduler.add_model_trigger(
    name="promote",
    trigger_project="Examples",
    trigger_on_tags=["evaluation passed"],
    actions=[
        Tag(add=["production"], remove=["candidate"]),
        SetMetadata({"promoted at": "${firing.at}"}),
        Publish(),
    ],
)
scheduler.start()
