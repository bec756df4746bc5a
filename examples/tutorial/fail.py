"""Make a ClearML task that fails in the project "Examples": python fail.py NAME [TAG...]."""

import sys

from clearml import Task

name, *tags = sys.argv[1:]
task = Task.create(project_name="Examples", task_name=name, task_type="training")
task.add_tags(tags)
task.mark_started()
task.mark_failed(status_reason="out of memory")
print(f"ClearML task {name!r} failed")
