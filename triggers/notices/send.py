"""Sending notices: JSON to a webhook, signed; text to people, by the library apprise."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

import urllib3

from triggers.actions.notify import harmless
from triggers.actions.sending import channels
from triggers.actions.sending.verdicts import Unsent
from triggers.base.answer_body import TooMuch, read_body
from triggers.base.errors import LaunchImpossible
from triggers.base.escaping import json_text, one_line, slack_text
from triggers.base.logs import logger
from triggers.base.receivers import Allowed
from triggers.base.settings import Settings
from triggers.clearml_api import limited
from triggers.notices.decide import Notice

log = logger(__name__)

_TIMEOUT: Final = urllib3.Timeout(connect=3.0, read=5.0)
#: What is read of an answer, of which only the status counts.
_LARGEST_BYTES: Final = 65_536
#: The longest a place may take over a notice once it is connected, seconds.
_SECONDS: Final = 5.0
_ANYWHERE: Final = Allowed.of(["0.0.0.0/0", "::/0"])
_SLACK: Final = re.compile(r"https://hooks\.slack(?:-gov)?\.com/")


def send(notices: Sequence[Notice], scheduler: str, of: Settings) -> bool:
    """Send to every place that the settings name; False when there are places and none took them.

    A place that refuses does not keep the others from being notified, and gets the next notice only.
    """
    taken = []
    if of.notice_webhook_url:
        body = json_text({"scheduler": scheduler, "notices": [asdict(notice) for notice in notices]}).encode()
        headers = signature(body, of.notice_webhook_secret, int(time.time()))
        taken.append(_post(of.notice_webhook_url, body, headers))
    if of.notice_slack_url:
        native = bool(_SLACK.match(of.notice_slack_url))  # apprise escapes for Slack itself
        address = of.notice_slack_url if native else _like_slack(of.notice_slack_url)
        taken.append(_tell(address, _message(notices, scheduler, str if native else slack_text)))
    taken += [_tell(address, _message(notices, scheduler, harmless)) for address in of.notice_to]
    return not taken or any(taken)


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


def _message(notices: Sequence[Notice], scheduler: str, escape: Callable[[str], str]) -> str:
    """Plain text, in which nothing that names hold becomes a link, a mention or a call to a channel."""
    return "\n".join(escape(line) for line in (one_line(scheduler), *map(in_words, notices)))


def _like_slack(url: str) -> str:
    """The address of apprise for what takes the messages of Slack at an address of its own, as Mattermost does."""
    secure, rest = url.startswith("https://"), url.partition("://")[2]
    fields = ":message=text&:version=&:title=&:attachments=&:type=&:mrkdwn=false&:parse=none&:link_names=0"
    return f"{'jsons' if secure else 'json'}://{rest}{'&' if '?' in rest else '?'}{fields}"


def _tell(address: str, text: str) -> bool:
    """Send text by apprise. Who sets up workers says where notices go, so that every address is open."""
    try:
        channels.send(address, "the service", text, title="", level="warning", allowed=_ANYWHERE, files=True)
    except (Unsent, LaunchImpossible) as failure:  # neither holds the address
        log.error("a notice could not be sent: %s", failure)
        return False
    return True


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
        log.error("cannot send a notice: %s", type(failure).__name__)
        return False
    if answer.status >= 300:
        log.error("the receiver refused a notice: HTTP %d", answer.status)
    return answer.status < 300
