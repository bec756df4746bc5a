"""Sending notices: JSON to a webhook, signed; text to Slack."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import urllib3

from triggers.base.answer_body import TooMuch, read_body
from triggers.base.escaping import json_text, one_line, slack_text
from triggers.base.logs import logger
from triggers.base.settings import Settings
from triggers.clearml_api import limited
from triggers.notices.decide import Notice

log = logger(__name__)

_TIMEOUT: Final = urllib3.Timeout(connect=3.0, read=5.0)
#: What is read of an answer, of which only the status counts.
_LARGEST_BYTES: Final = 65_536
#: The longest a place may take over a notice once it is connected, seconds.
_SECONDS: Final = 5.0


def send(notices: Sequence[Notice], scheduler: str, of: Settings) -> bool:
    """Send to every place that the settings name; False when there are places and none took them.

    A place that refuses does not keep the others from their notices, and gets the next notice only.
    """
    posts = []
    if of.notice_webhook_url:
        body = json_text({"scheduler": scheduler, "notices": [asdict(notice) for notice in notices]}).encode()
        posts.append((of.notice_webhook_url, body, signature(body, of.notice_webhook_secret, int(time.time()))))
    if of.notice_slack_url:
        posts.append((of.notice_slack_url, json_text(_slack_message(notices, scheduler)).encode(), {}))
    taken = [_post(*post) for post in posts]
    return not posts or any(taken)


def signature(body: bytes, secret: str | None, at: int) -> dict[str, str]:
    """The headers that prove where a body comes from, and when: HMAC-SHA256 over "<time>.<body>"."""
    if not secret:
        return {}
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Triggers-Timestamp": str(at), "X-Triggers-Signature": f"sha256={digest}"}


def in_words(notice: Notice) -> str:
    """A notice as one line."""
    owner = f" ({notice.owner})" if notice.owner else ""
    return one_line(f"{notice.kind}{owner}: {notice.text}" + (f" {notice.link}" if notice.link else ""))


def _slack_message(notices: Sequence[Notice], scheduler: str) -> dict[str, Any]:
    """Plain text: no formatting, and nothing that names hold becomes a link, a mention or a call to a channel."""
    lines = [slack_text(scheduler), *(slack_text(in_words(notice)) for notice in notices)]
    return {"text": "\n".join(lines), "mrkdwn": False, "parse": "none", "link_names": False}


def _post(url: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        with urllib3.PoolManager(num_pools=2) as manager:
            limited.limit(manager, _SECONDS)
            options: dict[str, Any] = {"headers": {"Content-Type": "application/json", **headers}, "redirect": False}
            # no redirect, which could lead into the network of the workers; no `Retry-After`; and no second try: what
            # was not taken is sent again in any case, and urllib3 logs the address, a secret, when it tries again
            options |= {"retries": False, "timeout": _TIMEOUT, "preload_content": False}
            answer = manager.request("POST", url, body=body, **options)
            read_body(answer, limit_bytes=_LARGEST_BYTES)
    except (urllib3.exceptions.HTTPError, ValueError, OSError, TooMuch) as failure:
        # the address is a secret with Slack, and urllib3 writes it into its messages
        log.error("a notice could not be sent: %s", type(failure).__name__)
        return False
    if answer.status >= 300:
        log.error("a notice was refused with HTTP %d", answer.status)
    return answer.status < 300
