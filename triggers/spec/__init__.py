"""What a trigger is: fields, validation, JSON; the original's JSON in `original`."""

from triggers.spec.action import Action, FunctionAction, Policy, TaskAction, TaskQuery
from triggers.spec.trigger import DatasetTrigger, ModelTrigger, TaskTrigger, Trigger, check_new, make_trigger

__all__ = [
    "Action",
    "DatasetTrigger",
    "FunctionAction",
    "ModelTrigger",
    "Policy",
    "TaskAction",
    "TaskQuery",
    "TaskTrigger",
    "Trigger",
    "check_new",
    "make_trigger",
]
