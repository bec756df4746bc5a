"""Every page of the console by a name, with the address at which a scene shows it."""

from __future__ import annotations

from tests.integration.console.scene import Scene


def addresses(scene: Scene) -> dict[str, str]:
    """Name → address behind that of the scheduler."""
    return {
        "overview": "",
        "filtered": "?q=retr&state=paused",
        "trigger": "/triggers/task:retry failed training",
        "schedule": "/triggers/schedule:nightly evaluation",
        "firing": f"/firings/{scene.launched}",
        "dead firing": f"/firings/{scene.dead}",
        "object": f"/objects/{scene.launched_task}",
        "unknown object": "/objects/ffffffffffffffffffffffffffffffff",
        "holds": "/waiting?tab=held",
        "held": f"/waiting?tab=held&hold=slot:{scene.slot}",
        "dead": "/waiting?tab=dead",
        "failing": "/waiting?tab=failing",
        "slots": "/waiting?tab=slots",
        "history": "/history",
        "narrowed history": "/history?what=launched&since=1h",
        "workers": "/workers",
        "doctor": "/workers?doctor=1",
        "audit": "/audit",
        "edit": "/edit/task:retry failed training",
        "test": "/test/task:retry failed training?since=1d",
        "error": "/triggers/nothing",
    }
