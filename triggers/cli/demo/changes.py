"""What happens on the server in `clearml-triggers demo`: everyday changes made with the ClearML SDK.

Runs as a process of its own and tells each change on its standard output, one JSON object a line.
"""

from __future__ import annotations

import sys
from pathlib import Path

from clearml import Dataset, OutputModel, Task

from triggers.base.terminal import say_json

PROJECT = "Demo"


def main(rounds: int) -> None:
    """Make all changes so many times."""
    told, sys.stdout = sys.stdout, sys.stderr  # the SDK prints, too

    def tell(trigger: str, kind: str, object_id: str, change: str) -> None:
        line = {"trigger": trigger, "kind": kind, "object": object_id, "change": change}
        say_json(line, file=told)

    for number in range(1, rounds + 1):
        failed = started(f"train {number}a")
        failed.mark_failed(status_reason="out of memory", force=True)
        tell("retry", "task", failed.id, f"{failed.name} failed")

        weak = started(f"train {number}b")
        weak.get_logger().report_scalar("validation", "accuracy", value=0.41, iteration=1)
        weak.flush(wait_for_uploads=True)
        tell("accuracy", "task", weak.id, f"{weak.name} reports 0.41")

        good = started(f"train {number}c")
        model = stored_model(good, f"detector {number}")
        model.tags = ["candidate"]
        tell("candidate", "model", model.id, f"{model.name} tagged")
        good.mark_completed()
        tell("evaluate", "task", good.id, f"{good.name} completed")

        dataset = published(f"images {number}")
        tell("new-data", "dataset", dataset.id, f"{dataset.name} published")


def started(name: str) -> Task:
    """A ClearML task that runs."""
    task = Task.create(project_name=PROJECT, task_name=name, task_type=Task.TaskTypes.training)
    task.mark_started()
    return task


def stored_model(task: Task, name: str) -> OutputModel:
    """A model of a ClearML task, its weights on the file server."""
    weights = Path(f"{name}.onnx")
    weights.write_bytes(bytes(64))
    model = OutputModel(task=task, name=name, framework="onnx")
    model.update_weights(str(weights), async_enable=False)
    return model


def published(name: str) -> Dataset:
    """A dataset of a few small files, finalized and published."""
    folder = Path(name)
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.csv").write_text(f"image,label\n{number},cat\n")
    dataset = Dataset.create(dataset_project=PROJECT, dataset_name=name)
    dataset.add_files(folder)
    dataset.upload(show_progress=False, verbose=False)
    dataset.finalize()
    dataset.publish()
    return dataset


if __name__ == "__main__":
    main(int(sys.argv[1]))
