"""Who and what the server is: log-in, versions, the user."""

from __future__ import annotations

from .. import errors
from ..calls import Call, Json, endpoint
from ..state import COMPANY_NAME


@endpoint("debug.ping", auth=False)
def ping(_: Call) -> Json:
    """The server lives."""
    return {"msg": "ClearML server"}


@endpoint("server.info")
def info(call: Call) -> Json:
    """Versions."""
    release = call.state.release
    return {"version": release.number, "build": "", "commit": "", "api_version": release.api_version}


@endpoint("server.config")
def config(_: Call) -> Json:
    """Nothing can be configured."""
    return {}


@endpoint("auth.login")
def login(call: Call) -> Json:
    """A token for a key pair, or for another token."""
    seconds = call.get("expiration_sec")
    if seconds is not None and not isinstance(seconds, int):
        raise errors.invalid_request("error for field 'expiration_sec': value is wrong, expected type \"int\"")
    return {"token": call.state.tokens.issue(call.now, seconds)}


@endpoint("users.get_current_user")
def get_current_user(call: Call) -> Json:
    """The one user."""
    install = {"agentName": "clearml", "configure": "clearml-init", "install": "pip install clearml"}
    return {
        "user": _user(call),
        "getting_started": {**install, "packageName": "clearml"},
        "settings": {"max_download_items": 50000},
    }


def _user(call: Call) -> Json:
    state = call.state
    company = {"id": state.company, "name": COMPANY_NAME}
    known = {"id": state.user, "name": state.user_name, "role": "user", "created": state.made}
    return {**known, "company": company}


@endpoint("users.get_all")
def get_all_users(call: Call) -> Json:
    """The one user."""
    return {"users": [{**_user(call), "company": call.state.company}]}


@endpoint("organization.get_tags")
def get_tags(call: Call) -> Json:
    """Tags that tasks and models have."""
    return {
        "tags": sorted(set(call.state.tasks.indexes["tags"]) | set(call.state.models.indexes["tags"])),
        "system_tags": sorted(set(call.state.tasks.indexes["system_tags"])),
    }
