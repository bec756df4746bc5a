"""Sending text to people through the library apprise: one service at a time, over checked connections.

apprise makes its HTTP requests with functions of `requests`, and mail with `smtplib`. While something is sent from
here, its modules find stand-ins for both, which connect to checked addresses alone, follow no redirect, use no proxy
and read a bounded answer. Services that apprise reaches in another way (MQTT, XMPP, IRC, a desktop) cannot be checked
and are refused.
"""

from __future__ import annotations

import os
import smtplib
import sys
import time
import types
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from triggers.actions.sending.connections import POOLS, SECONDS, open_socket, reason
from triggers.actions.sending.verdicts import ReceiverAnswer, Unsent, judge
from triggers.base.errors import LaunchImpossible
from triggers.base.logs import silence
from triggers.base.receivers import Allowed

#: What of an answer is read, bytes: some services say in it whether they took the message.
_LARGEST_BYTES: Final = 1_048_576
_PLUGINS: Final = "apprise.plugins."
#: Services that make requests, and connect in other ways beside.
_OTHERWISE: Final = frozenset({"nostr"})

_FILES: Final = (
    "the address names a file, which a plain-text address may not do; give the address by reference: env:NAME for a "
    "variable of the workers that holds it"
)
MISSING: Final = "Notify needs the library apprise: pip install apprise"


@dataclass
class _Guard:
    """What one sending may do, and what came of it."""

    allowed: Allowed
    until: float
    answers: list[ReceiverAnswer] = field(default_factory=list)
    refused: LaunchImpossible | None = None
    failure: str = ""

    @property
    def left(self) -> float:
        return max(0.001, self.until - time.monotonic())


_guard: ContextVar[_Guard | None] = ContextVar("guard of a sending", default=None)


def problem_of(address: str) -> str:
    """Why nothing can be sent to an address of apprise, or why it may not stand in clear; "" if it may."""
    try:
        plugin = _plugin(address)
    except LaunchImpossible as failure:
        return str(failure)
    if plugin.url(privacy=True) != plugin.url(privacy=False) or plugin.password:
        return "the address holds a secret"
    return ""


def problem_of_files(address: str) -> str:
    """Why an address that names a file may not stand in clear; "" if it names none.

    Some services read a key or a template from a file of the worker, or from another address.

    Raises:
        LaunchImpossible: it is not an address of apprise that can be sent to.
    """
    return _FILES if _names_files(_plugin(address)) else ""


def _names_files(plugin: Any) -> bool:
    from apprise import AppriseAttachment

    fields = vars(plugin).items()
    return any(value and (name.endswith("file") or isinstance(value, AppriseAttachment)) for name, value in fields)


def send(
    address: str, receiver: str, text: str, *, title: str, level: str, allowed: Allowed, files: bool = False
) -> None:
    """Send a text to one service.

    Args:
        address: as apprise or the service itself writes it.
        receiver: names the service in errors.
        text: plain.
        title: in one line; "" for none.
        level: info, success, warning or failure.
        allowed: addresses beside the public internet.
        files: whether the address may name files of this machine, since it is of those whose machine it is.

    Raises:
        Unsent: the service did not take it, and may later.
        LaunchImpossible: it never will.
    """
    plugin = _plugin(address)
    if not files and _names_files(plugin):
        raise LaunchImpossible(f"{receiver}: {_FILES}")
    import apprise

    _stand_in()
    guard = _Guard(allowed, time.monotonic() + SECONDS)
    token = _guard.set(guard)
    try:
        taken = plugin.notify(
            body=text, title=title, notify_type=apprise.NotifyType(level), body_format=apprise.NotifyFormat.TEXT
        )
    finally:
        _guard.reset(token)
    if guard.refused is not None:
        raise guard.refused
    for answer in guard.answers:
        judge(receiver, answer, time.time())
    if not taken:
        said = guard.failure or ("it refused the notification" if guard.answers else "it was not sent")
        raise Unsent(f"{receiver}: {said}")


def _plugin(address: str) -> Any:
    """The service that an address means.

    Raises:
        LaunchImpossible: apprise is missing, or knows no such service, or it cannot be sent to from here.
    """
    try:
        import apprise
    except ImportError as error:
        raise LaunchImpossible(MISSING) from error
    # its warnings and its debug lines hold addresses and texts
    silence("apprise")
    asset = apprise.AppriseAsset(
        app_id="clearml-triggers",
        app_desc="clearml-triggers",
        image_url_mask="",
        image_path_mask="",
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        secure_logging=True,
        http_redirects=False,
        async_mode=False,
    )
    plugin = apprise.Apprise.instantiate(address, asset=asset)
    if plugin is None:
        raise LaunchImpossible(
            "apprise does not know a service with such an address; github.com/caronc/apprise lists the addresses "
            "of each service"
        )
    modules = {cls.__module__ for cls in type(plugin).__mro__ if cls.__module__.startswith(_PLUGINS)}
    names = {name.removeprefix(_PLUGINS).split(".")[0] for name in modules}
    checked = "email" in names or any("requests" in vars(sys.modules[name]) for name in modules)
    if not checked or names & _OTHERWISE:
        raise LaunchImpossible(
            f"{plugin.service_name} is reached neither by HTTP nor by mail, so the address it connects to cannot be "
            "checked; use another service"
        )
    plugin.retry = 0  # firings are tried again by the ledger, which keeps no thread waiting
    plugin.overflow_mode = apprise.OverflowMode.TRUNCATE
    return plugin


def _stand_in() -> None:
    """Let the modules of apprise that are loaded find the stand-ins; what is sent elsewhere is not touched."""
    import requests

    for name, module in list(sys.modules.items()):
        if name.startswith("apprise.") and isinstance(module, types.ModuleType):
            if vars(module).get("requests") is requests:
                vars(module)["requests"] = _REQUESTS
            if vars(module).get("smtplib") is smtplib:
                vars(module)["smtplib"] = _SMTPLIB


class _Requests(types.ModuleType):
    """`requests` with functions that send checked."""

    def __getattr__(self, name: str) -> Any:
        import requests

        if name in ("get", "post", "put", "patch", "delete", "head", "options"):
            return partial(_request, name.upper())
        return _request if name == "request" else getattr(requests, name)


def _request(method: str, url: str, **options: Any) -> Any:
    import requests

    guard = _guard.get()
    if guard is None:
        return requests.request(method, url, **options)  # noqa: S113 (the caller's own timeout)
    options |= {"allow_redirects": False, "timeout": guard.left, "stream": True, "proxies": {}}
    if options.get("verify") in (None, True):
        options["verify"] = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    with requests.Session() as session:
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, _adapter(guard))
        try:
            response = session.request(method, url, **options)
            content = _content(response)
        except LaunchImpossible as refused:
            guard.refused = refused
            raise requests.ConnectionError("refused") from None
        except requests.RequestException as failure:
            guard.failure = reason(failure, SECONDS)
            raise
    response._content = content  # read already, within the bound
    guard.answers.append(
        ReceiverAnswer(response.status_code, response.headers.get("Retry-After", ""), response.headers.get("Date", ""))
    )
    return response


def _content(response: Any) -> bytes:
    parts, size = [], 0
    for part in response.iter_content(65_536):
        parts.append(part)
        size += len(part)
        if size > _LARGEST_BYTES:
            break
    return b"".join(parts)


def _adapter(guard: _Guard) -> Any:
    import requests.adapters

    adapter = requests.adapters.HTTPAdapter(max_retries=0)
    pools: Any = {scheme: partial(cls, seconds=guard.left, allowed=guard.allowed) for scheme, cls in POOLS.items()}
    adapter.poolmanager.pool_classes_by_scheme = pools
    return adapter


def _mail_socket(host: str, port: int, timeout: float) -> Any:
    guard = _guard.get()
    if guard is None:
        import socket

        return socket.create_connection((host, port), timeout)
    try:
        return open_socket(host, port, guard.allowed, guard.until)
    except LaunchImpossible as refused:
        guard.refused = refused
        raise smtplib.SMTPException("refused") from None
    except OSError as failure:
        guard.failure = f"{host}: {type(failure).__name__}"
        raise


class _Smtp(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        return _mail_socket(host, port, timeout)


class _SmtpTls(smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        of: Any = self
        return of.context.wrap_socket(_mail_socket(host, port, timeout), server_hostname=of._host)


class _Smtplib(types.ModuleType):
    """`smtplib` with classes that connect checked."""

    SMTP, SMTP_SSL = _Smtp, _SmtpTls

    def __getattr__(self, name: str) -> Any:
        return getattr(smtplib, name)


_REQUESTS: Final = _Requests("requests")
_SMTPLIB: Final = _Smtplib("smtplib")
