"""Test triggers in CI without a server. Run with: pytest check_in_ci.py."""

from triggers import TriggerScheduler
from triggers.testing import check, task


def declare(scheduler: TriggerScheduler) -> None:
    """Declare the triggers; the script that runs them calls this, too."""
    scheduler.add_task_trigger(
        name="retry",
        trigger_project="Examples",
        trigger_on_status=["failed"],
        trigger_exclude_tags=["do not retry"],
        schedule_task_query={"project": "Examples", "name": "retrain"},
        schedule_queue="default",
    )


def test_a_failed_task_is_retried() -> None:
    """A failed ClearML task of the project fires."""
    scheduler = TriggerScheduler()
    declare(scheduler)
    assert check(scheduler, task(status="failed", project="Examples")).fires == ["retry"]


def test_a_tag_prevents_the_retry() -> None:
    """The tag keeps the trigger from firing, and the outcome names the condition."""
    scheduler = TriggerScheduler()
    declare(scheduler)
    outcome = check(scheduler, task(status="failed", project="Examples", tags=["do not retry"]))
    assert outcome.failed("retry") == ["trigger_exclude_tags"]
