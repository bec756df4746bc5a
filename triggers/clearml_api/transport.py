"""One HTTP POST and what came back; nothing here is repeated, redirected or remembered (no cookies, no .netrc).

urllib3 itself and not requests on top of it: half the time per call.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies

import certifi
import urllib3

from triggers.base.answer_body import TooMuch, read_body
from triggers.clearml_api import limited
from triggers.clearml_api.reply import CONNECT_SECONDS, Broken, Reply

#: seconds after which an idle connection is not used again: the server may have closed it, and the outcome of a
#: call that fails on it is unknown
_IDLE_SECONDS = 5.0
#: largest body, decompressed: a page of 500 ClearML tasks with a thousand metrics each has half of it
_LARGEST_BYTES = 256 * 2**20
#: nothing is tried again and no redirect is followed; made once, since making it takes longer than sending
_NEVER = urllib3.Retry(False, redirect=False)


class Connection:
    """A kept connection to one server, for one thread of one process."""

    def __init__(self, host: str, verify: bool | str, timeout_seconds: float) -> None:
        self.pid = os.getpid()
        self._host, self._verify, self._timeout_seconds = host, verify, timeout_seconds
        self._timeout = urllib3.Timeout(connect=min(timeout_seconds, CONNECT_SECONDS), read=timeout_seconds)
        self._way, self._base = _way(host, verify, timeout_seconds)
        self._used_at = time.monotonic()

    @property
    def through(self) -> str:
        """The proxy that calls go through, for messages; empty without one."""
        proxy = self._way.proxy if isinstance(self._way, urllib3.ProxyManager) else None
        return f" through the proxy {proxy.scheme}://{proxy.host}:{proxy.port}" if proxy else ""

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send once.

        Raises:
            Broken: There was no complete answer.
        """
        began = time.monotonic()
        if began - self._used_at > _IDLE_SECONDS:
            self.close()
        try:
            response = self._way.urlopen(
                "POST",
                self._base + path,
                body=body,
                headers=headers,
                timeout=self._timeout,
                retries=_NEVER,
                redirect=False,
                preload_content=False,
            )
            content = read_body(response, limit_bytes=_LARGEST_BYTES)
        except TooMuch as error:
            raise Broken(str(error), timed_out=True) from error
        except urllib3.exceptions.NewConnectionError as error:
            raise Broken(_reason(error), timed_out=False) from error
        except urllib3.exceptions.TimeoutError as error:
            raise Broken(f"no answer in {self._timeout_seconds:g} s", timed_out=True) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Broken(_reason(error), timed_out=False) from error
        finally:
            self._used_at = time.monotonic()
        return Reply(response.status, response.headers, content, self._used_at - began)

    def close(self) -> None:
        """Close it; the next call opens a new one."""
        old = self._way
        way = _way(self._host, self._verify, self._timeout_seconds)
        self._way, self._base = way  # before: a pool that is closed takes no call any more
        if isinstance(old, urllib3.ProxyManager):
            old.clear()
        else:
            old.close()


def _way(
    host: str, verify: bool | str, seconds: float
) -> tuple[urllib3.HTTPConnectionPool | urllib3.ProxyManager, str]:
    """The way to `host`, and what a path is put behind on it; an exchange takes `seconds` at most.

    Through a proxy where the environment names one, as with requests and the SDK; else the pool of that one host, which
    takes a fifth less time for a call than a manager that looks for it.
    """
    parts = urlsplit(host)
    proxy = _proxy(parts)
    if not proxy:
        tls = _tls(verify) if parts.scheme == "https" else {}
        return limited.pool(host, seconds=seconds, maxsize=1, **tls), parts.path
    options: dict[str, Any] = {"maxsize": 1, **_tls(verify)}
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    user = urlsplit(proxy)
    if user.username:
        pair = f"{unquote(user.username)}:{unquote(user.password or '')}"
        options["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=pair)
    manager = urllib3.ProxyManager(proxy, **options)
    limited.limit(manager, seconds)
    return manager, host


def _proxy(host: SplitResult) -> str | None:
    """The proxy that the environment names for a host, by the rules of requests: those of the SDK."""
    url = host.geturl()
    for _ in range(10):
        try:
            if not getproxies():  # importing requests takes longer than a call
                return None
            import requests

            return requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url)) or None
        except KeyError:  # they walk through os.environ, and another thread of the user's process took a name off
            continue
    return None


def _tls(verify: bool | str) -> dict[str, Any]:
    if verify is False:
        return {"cert_reqs": "CERT_NONE"}
    bundle = verify if isinstance(verify, str) else None
    place = bundle or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or certifi.where()
    return {"cert_reqs": "CERT_REQUIRED", "ca_cert_dir" if os.path.isdir(place) else "ca_certs": place}


def _reason(error: BaseException) -> str:
    """The innermost cause of an error of urllib3, which wraps several and repeats the address."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return f"{type(error).__name__}: {str(error)[:160]}"
