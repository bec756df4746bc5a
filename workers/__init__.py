"""The Celery application: `celery -A workers worker -Q poll|match|dispatch`, `celery -A workers beat`."""

from workers.app import app

__all__ = ["app"]
