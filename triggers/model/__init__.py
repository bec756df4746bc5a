"""What a trigger is and what it looks at: fields, validation, JSON; events; the original's JSON in `original`.

Whether a condition holds is decided in `rules`, what a launch consists of in `actions`.
"""

from triggers.model.action import DeclaredAction
from triggers.model.policy import Policy
from triggers.model.trigger import DatasetTrigger, ModelTrigger, TaskTrigger, Trigger, check_new, make_trigger

__all__ = [
    "DatasetTrigger",
    "DeclaredAction",
    "ModelTrigger",
    "Policy",
    "TaskTrigger",
    "Trigger",
    "check_new",
    "make_trigger",
]
