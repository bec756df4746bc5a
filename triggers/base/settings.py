"""Settings of the environment (prefix TRIGGERS_), read once; ClearML's own are read by `clearml_api`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from triggers.base.errors import Usage
from triggers.base.logs import logger
from triggers.base.meant import meant
from triggers.base.redis_address import RedisAddress, with_password
from triggers.base.secrets_folder import secrets_folder, secrets_in
from triggers.base.setting_types import (
    MOST_COUNTED,
    MOST_DAYS,
    Addresses,
    Count,
    Days,
    Ids,
    Megabytes,
    Receivers,
    Seconds,
    SigningKeys,
    WebAddress,
)

log = logger(__name__)


class Settings(BaseModel):
    """What can be set without touching code. Durations are seconds. It reads no environment: `settings` does."""

    # the text of an error goes into logs, and an address holds its password
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    redis_url: str | None = Field(
        default=None, repr=False, description="Redis to use; if not set, local mode starts a private Redis"
    )
    redis_password: str | None = Field(
        default=None,
        repr=False,
        description="password for a redis_url without one; better kept in a file of the secrets folder",
    )
    key_prefix: str = Field(
        default="triggers",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        description="prefix of every key, queue, and channel in Redis; teams that share a Redis set one each",
    )
    package: str | None = Field(
        default=None,
        repr=False,
        description="pip requirement with which agents install this package; if not set, where it came from here",
    )
    redis_server: str | None = Field(
        default=None, description="redis-server or valkey-server binary that local mode starts"
    )
    state_folder: Path = Field(
        default=Path("~/.clearml-triggers"), description="folder in which local mode keeps all state"
    )
    poll_seconds: Seconds = Field(default=5.0, ge=1.0, description="pause between two polls, if the script sets none")
    api_calls_per_month: int | None = Field(
        default=None,
        ge=1,
        le=MOST_COUNTED,
        description="maximum calls to the ClearML API in a calendar month (UTC); polls slow down to stay within it, "
        "and launches take precedence over polls; no limit if not set",
    )
    overlap_seconds: Seconds = Field(
        default=30.0, ge=1.0, description="how late reads may show a change; polls reread this much time"
    )
    sweep_every_seconds: Seconds = Field(
        default=600.0, ge=1.0, description="pause between two sweeps, which reread more"
    )
    sweep_window_seconds: Seconds = Field(default=900.0, ge=1.0, description="how much time a sweep rereads")
    lease_seconds: Seconds = Field(
        default=10.0, ge=0.5, description="time after which a lease expires if it is not renewed"
    )
    reconcile_seconds: Seconds = Field(default=2.0, ge=0.2, description="pause between two rounds of reconcile")
    partitions: int = Field(default=16, ge=1, le=256, description="number of partitions of events")
    batch_events: int = Field(default=100, ge=1, le=500, description="events in one batch")
    batch_firings: int = Field(
        default=10,
        ge=1,
        le=100,
        description="firings that a dispatcher takes at first; it takes up to 100 while the ClearML server is fast",
    )
    max_attempts: Count = Field(default=10, ge=1, description="attempts before a firing becomes a dead letter")
    retry_base_seconds: Seconds = Field(default=5.0, gt=0, description="pause before the second attempt")
    retry_cap_seconds: Seconds = Field(default=1800.0, gt=0, description="maximum pause between two attempts")
    max_per_minute: Count = Field(
        default=1000, ge=0, description="maximum launches per trigger and minute; 0: no limit"
    )
    request_timeout_seconds: Seconds = Field(default=20.0, gt=0, description="time limit of one ClearML API call")
    history_length: Count = Field(default=10_000, ge=100, description="maximum entries in the history")
    retention_days: Days = Field(default=7.0, gt=0, description="how long finished firings are kept")
    launched_days: Days = Field(
        default=180.0, gt=0, description="how long a ClearML task is known as launched by a trigger"
    )
    firings_megabytes: Megabytes = Field(
        default=1000.0, gt=0, description="memory for finished firings; beyond it, the oldest are deleted early"
    )
    launched_megabytes: Megabytes = Field(
        default=200.0, gt=0, description="memory for ids of launched tasks; beyond it, the oldest are deleted early"
    )
    marks_days: float | None = Field(
        default=None,
        gt=0,
        le=MOST_DAYS,
        description="how long a trigger remembers an object that fired, if the launched ClearML task is still on "
        "the server; no limit if not set",
    )
    marks_megabytes: Megabytes = Field(
        default=500.0,
        gt=0,
        description="memory for objects that fired; beyond it, a trigger forgets those that changed longest ago, if "
        "their launched ClearML tasks are still on the server",
    )
    sections: Literal["all", "conditions", "none"] = Field(
        default="all", description="which edits of the service task's configuration sections take effect"
    )
    allow_base_projects: Ids = Field(
        default=(), description="projects (NAME, or NAME/* for all below) whose tasks may be launched; any if not set"
    )
    allow_queues: Ids = Field(default=(), description="queues that launches may go to, by name or id; any if not set")
    allow_target_projects: Ids = Field(
        default=(),
        description="projects (NAME, or NAME/* for all below) that launches may be created in; any if not set",
    )
    allow_overrides: Ids = Field(
        default=(),
        description="prefixes of task_overrides and task_parameters that launches may set, such as Args/ or "
        "script.branch; any if not set",
    )
    function_modules: Ids = Field(
        default=(),
        description="modules (NAME, or NAME.* for all below) whose functions dispatch workers may import and call; "
        "none if not set",
    )
    allow_actions: Ids = Field(
        default=(),
        description="types of actions, other than launches and functions, that workers carry out, such as tag or "
        "webhook; any if not set",
    )
    allow_secrets: Ids = Field(
        default=(),
        description="secrets that actions may refer to, such as env:NAME or file:NAME; if not set, any except the "
        "workers' own credentials",
    )
    webhook_allow: Receivers = Field(
        default=(),
        description="hosts, addresses and networks that actions may connect to, in addition to the public internet",
    )
    service_users: Ids = Field(
        default=(),
        description="ids of further ClearML users whose service tasks are trusted; those of the users who run "
        "workers and script always are",
    )
    signing_key: SigningKeys = Field(
        default=(),
        repr=False,
        description="key that signs triggers, events, firings and messages; further keys are accepted but do not "
        "sign. Scripts, workers, beat and the command line need the same; nothing is signed if not set",
    )
    quiet: bool = Field(default=False, description="1: a running script prints nothing about what it does")
    health_file: Path | None = Field(default=None, description="file to which a process writes its progress")
    log_format: Literal["text", "json"] = Field(default="text", description="format of the workers' log")
    metrics_address: str = Field(default="127.0.0.1:9808", description="address on which the metrics exporter listens")
    console_users: Ids = Field(
        default=(),
        repr=False,
        description="accounts of the console as NAME:ROLE:HASH, where the role is reader or operator; "
        "`clearml-triggers console --hash` prints a hash",
    )
    console_hosts: Ids = Field(default=(), description="further host names that the console answers for")
    console_proxy_header: str = Field(
        default="", description="header in which a trusted proxy names the person; none if not set"
    )
    console_proxy_addresses: Ids = Field(
        default=(), description="addresses or networks of that proxy; the header is ignored in requests from elsewhere"
    )
    console_proxy_operators: Ids = Field(
        default=(), description="people named by the proxy who may make changes; all others are readers"
    )
    notice_webhook_url: WebAddress | None = Field(
        default=None,
        repr=False,
        description="URL that receives notices as JSON: dead letters, stale polls, held bursts",
    )
    notice_webhook_secret: str | None = Field(
        default=None, repr=False, description="key that signs these notices (HMAC-SHA256, header X-Triggers-Signature)"
    )
    notice_slack_url: WebAddress | None = Field(
        default=None, repr=False, description="a Slack incoming webhook for notices"
    )
    notice_to: Addresses = Field(
        default=(),
        repr=False,
        description="further receivers of notices, as addresses of the library apprise: mail, Teams, Discord, "
        "PagerDuty and others",
    )
    notices_per_hour: Count = Field(
        default=20, ge=1, description="maximum notices in an hour; further ones are only counted"
    )
    concurrency: int = Field(default=8, ge=1, le=1000, description="threads of the worker in local mode")

    @model_validator(mode="before")
    @classmethod
    def _join_password(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Keep the address with its password, as everyone needs it. A private Redis is not shared: it has no prefix."""
        if not values.get("redis_url"):
            return {name: value for name, value in values.items() if name != "key_prefix"}
        if values.get("redis_password"):
            values = {**values, "redis_url": with_password(values["redis_url"], values["redis_password"])}
        RedisAddress.parse(values["redis_url"])  # refused before a script creates its service task
        return values


#: Which field a variable sets, or a file of the secrets folder, by its name in small letters.
_FIELDS: Final = {f"triggers_{field}": field for field in Settings.model_fields}

#: Where the value of each field was found, and the value.
_Given = dict[str, tuple[str, str]]


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process; read on first use."""
    return settings_of(os.environ)


def settings_of(environ: Mapping[str, str]) -> Settings:
    """Read TRIGGERS_<NAME>, in whichever case, else the file triggers_<name> of the secrets folder.

    Secrets lie in files with Docker, Kubernetes and systemd. Names that are not a setting are other programs' own. An
    empty variable says that nothing is set, as `NAME: ${NAME:-}` in a file of Compose: not by a file either.

    Raises:
        Usage: names each variable or file that is wrong, its value unless that is secret, and what to do.
    """
    # a file is empty where a deployment has to mount one and nothing is set
    files = {field: found for field, found in secrets_in(secrets_folder(environ), _FIELDS).items() if found[1]}
    given = files | _variables(environ)
    try:
        return Settings.model_validate({field: value for field, (_, value) in given.items() if value})
    except ValidationError as error:
        raise Usage("; ".join(_said(problem, given) for problem in error.errors())) from error


def said_of(field: str, environ: Mapping[str, str]) -> str | None:
    """What a variable, else the secrets folder, says of a field now."""
    return _variables(environ).get(field, ("", of_file(field, environ)))[1]


def of_file(field: str, environ: Mapping[str, str]) -> str | None:
    """What the secrets folder says of a field now; None where a variable says it, or nothing does.

    Raises:
        Usage: the folder cannot be read.
    """
    folder = secrets_folder(environ)
    if field in _variables(environ) or folder is None or not folder.is_dir():
        return None
    return secrets_in(folder, _FIELDS).get(field, ("", None))[1]


def with_notice_secrets_of_now(of: Settings, environ: Mapping[str, str]) -> Settings:
    """The settings with what the secrets folder says now of where notices go, so that it can be exchanged."""
    fields = ("notice_webhook_url", "notice_webhook_secret", "notice_slack_url", "notice_to")
    try:
        now: dict[str, Any] = {field: of_file(field, environ) for field in fields}
    except Usage as unreadable:
        log.warning("%s; notices go to the previous receivers", unreadable)
        return of
    if now["notice_to"] is not None:
        now["notice_to"] = tuple(now["notice_to"].split())
    return of.model_copy(update={field: value for field, value in now.items() if value is not None})


def _variables(environ: Mapping[str, str]) -> _Given:
    return {_FIELDS[name.lower()]: (name, value) for name, value in environ.items() if name.lower() in _FIELDS}


def _said(problem: Any, given: _Given) -> str:
    """What is wrong with a value, as a person has to know it."""
    # the one check of no single field is that of the address with its password
    field = str(problem["loc"][0]) if problem["loc"] else "redis_url"
    where, value = given[field]
    declared = Settings.model_fields[field]
    shown = f"{where}={value!r}" if declared.repr else where
    if problem["type"] == "value_error":
        return f"{shown}: {problem['ctx']['error']}"
    near = meant(value, get_args(declared.annotation)) if problem["type"] == "literal_error" else ""
    said = f"{shown}: {problem['msg'][0].lower()}{problem['msg'][1:]}{near}"
    return f"{said}; the default is {declared.default!r} ({declared.description})"
