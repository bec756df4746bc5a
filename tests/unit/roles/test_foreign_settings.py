"""Variables of other projects are removed before Celery and Flower obey them; people's own for Flower stay."""

from __future__ import annotations

from triggers.base.broker import ignore_others


def test_variables_of_other_projects_are_removed_and_named():
    environ = {
        "CELERY_BROKER_URL": "redis://elsewhere/0",
        "CELERY_BEAT_SCHEDULER": "django_celery_beat.schedulers:DatabaseScheduler",
        "CELERY_WORKER_CONCURRENCY": "1",
        "FLOWER_PORT": "tcp://10.0.0.1:5555",
        "FLOWER_PORT_5555_TCP_ADDR": "10.0.0.1",
        "FLOWER_SERVICE_HOST": "10.0.0.1",
        "TRIGGERS_REDIS_URL": "redis://here/0",
        "PATH": "/bin",
    }
    names = ignore_others(environ)
    assert environ == {"TRIGGERS_REDIS_URL": "redis://here/0", "PATH": "/bin"}
    assert names == sorted(names)
    assert len(names) == 6


def test_settings_of_flower_by_people_stay():
    environ = {"FLOWER_PORT": "5556", "FLOWER_URL_PREFIX": "flower"}
    assert ignore_others(environ) == []
    assert len(environ) == 2
