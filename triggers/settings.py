"""Settings of the environment (prefix TRIGGERS_), read once; ClearML's own are read by `clearml_api`."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from triggers.redis_address import with_password

#: The environment variable that names a folder with one file per secret: triggers_redis_password, ...
SECRETS_FOLDER = "TRIGGERS_SECRETS_DIR"


class Settings(BaseSettings):
    """What can be set without touching code. Durations are seconds."""

    model_config = SettingsConfigDict(env_prefix="TRIGGERS_", frozen=True, extra="ignore")

    redis_url: str | None = Field(
        default=None, repr=False, description="Redis to use; without one a private Redis is started"
    )
    redis_password: str | None = Field(
        default=None,
        repr=False,
        description="password for a redis_url without one; better in a file of the secrets folder",
    )
    redis_server: str | None = Field(default=None, description="redis-server or valkey-server binary to start")
    state_folder: Path = Field(
        default=Path("~/.clearml-triggers"), description="where a private Redis keeps its append-only file"
    )
    poll_seconds: float = Field(default=5.0, ge=1.0, description="pace of polling when the script gives none")
    overlap_seconds: float = Field(default=30.0, ge=1.0, description="how late a change may become visible to reads")
    sweep_every_seconds: float = Field(default=600.0, ge=1.0, description="pause between two sweeps")
    sweep_window_seconds: float = Field(default=900.0, ge=1.0, description="how far back a sweep reads again")
    lease_seconds: float = Field(default=10.0, ge=0.5, description="life of a lease that is not renewed")
    reconcile_seconds: float = Field(default=2.0, ge=0.2, description="pause between two rounds of reconcile")
    partitions: int = Field(default=16, ge=1, le=256, description="how many partitions order the events")
    batch_events: int = Field(default=100, ge=1, le=500, description="events in one batch")
    batch_firings: int = Field(default=10, ge=1, le=100, description="firings that one dispatch takes at once")
    max_attempts: int = Field(default=10, ge=1, description="attempts before a firing becomes a dead letter")
    retry_base_seconds: float = Field(default=5.0, gt=0, description="pause before the second attempt")
    retry_cap_seconds: float = Field(default=1800.0, gt=0, description="longest pause between two attempts")
    max_per_minute: int = Field(default=1000, ge=0, description="launches per trigger and minute; 0 is no limit")
    request_timeout_seconds: float = Field(default=20.0, gt=0, description="longest wait for one ClearML API answer")
    history_length: int = Field(default=10_000, ge=100, description="entries kept in the history")
    retention_days: float = Field(default=7.0, gt=0, description="how long finished firings are kept")
    launched_days: float = Field(
        default=180.0, gt=0, description="how long a ClearML task is known as launched by a trigger"
    )
    health_file: Path | None = Field(default=None, description="where a worker process writes its progress")
    log_format: Literal["text", "json"] = Field(default="text", description="how workers write their log")
    metrics_address: str = Field(default="127.0.0.1:9808", description="where the metrics exporter listens")
    notice_webhook_url: str | None = Field(
        default=None, repr=False, description="where notices are posted as JSON: dead letters, stale polls, held bursts"
    )
    notice_webhook_secret: str | None = Field(
        default=None, repr=False, description="signs what is posted there (HMAC-SHA256, header X-Triggers-Signature)"
    )
    notice_slack_url: str | None = Field(default=None, repr=False, description="a Slack incoming webhook for notices")
    notices_per_hour: int = Field(default=20, ge=1, description="notices sent in an hour at most; the rest is counted")
    concurrency: int = Field(default=8, ge=1, description="threads of the worker in local mode")

    @model_validator(mode="before")
    @classmethod
    def _join_password(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Keep the address with its password, as everyone needs it."""
        if values.get("redis_url") and values.get("redis_password"):
            return {**values, "redis_url": with_password(values["redis_url"], values["redis_password"])}
        return values


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process; read on first use. Secrets may lie in files (Docker, Kubernetes, systemd)."""
    return Settings(_secrets_dir=os.environ.get(SECRETS_FOLDER) or None)
