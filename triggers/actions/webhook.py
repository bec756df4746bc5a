"""The action that posts JSON to a receiver, signed as Standard Webhooks says.

A receiver is notified at least once: a worker may die between the answer and its record. `webhook-id` is the key of
the firing, the same on every try, by which a receiver knows what it has seen.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote, unquote, urlsplit

from pydantic import BeforeValidator

from triggers.actions.filling import Filling, filling
from triggers.actions.listed import Listed, constructor
from triggers.actions.sending.secrets import Secrets, is_reference
from triggers.actions.sending.webhook_fields import (
    CONTROL,
    JsonBody,
    body_of,
    headers_of,
    problem_of_url,
    secret_of,
    url_of,
)
from triggers.base.errors import LaunchImpossible
from triggers.base.escaping import one_line
from triggers.base.receivers import Allowed, host_name

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt


class Webhook(Listed):
    """POST JSON to a receiver.

    Args:
        url (str): Address to post to, https:// or http://, at most 4,000 characters; or a reference to a secret that
            is one, 'env:NAME' or 'file:NAME'. References such as '${object.id}' in its path and query are filled in.
        secret (str, optional): Reference to the key that signs each request as Standard Webhooks says. Its value is
            'whsec_…' or any other text. None means unsigned.
        headers (Mapping[str, str], optional): Further headers, at most 50. References are filled in; a secret stands
            there as 'env:NAME', or within a text as '${env:NAME}'.
        body (JsonBody, optional): JSON to send, at most 262,144 bytes, as a dictionary, a list or a JSON text.
            References in its texts are filled in. None means a description of the firing.

    Raises:
        InvalidAction: An argument is wrong. A `ValueError`; the message names the action and the argument.
    """

    type: Literal["webhook"] = "webhook"
    url: Annotated[str, BeforeValidator(url_of)]
    secret: Annotated[str | None, BeforeValidator(secret_of)] = None
    headers: Annotated[dict[str, str], BeforeValidator(headers_of)] = {}  # noqa: RUF012 (pydantic copies it)
    body: Annotated[Any, BeforeValidator(body_of)] = None

    SECRETS = frozenset({"url", "headers", "body"})

    @constructor
    def __init__(
        self,
        url: str,
        *,
        secret: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: JsonBody | None = None,
    ) -> None: ...

    def in_clear(self) -> tuple[str, str]:
        """A token in the path or the query, in a header or in the body."""
        from triggers.actions.sending import in_clear

        url = "" if is_reference(self.url) else in_clear.problem_of_address(self.url)
        found = {
            "url": url,
            "headers": in_clear.problem_of_headers(self.headers),
            "body": in_clear.problem_of_body(self.body),
        }
        return next(((name, problem) for name, problem in found.items() if problem), ("", ""))

    @property
    def receiver(self) -> str:
        """The host; one whose address is a secret is known by the secret's name."""
        return self.url if is_reference(self.url) else host_name(urlsplit(self.url).hostname or "")

    # -- how it is shown
    def words(self) -> str:
        """What it does."""
        return f"POST to {self.label}"

    @property
    def label(self) -> str:
        """The reference; of an address its scheme and host, since a path can hold a secret that nobody recognizes."""
        parts = urlsplit(self.url)
        return self.url if is_reference(self.url) else f"{parts.scheme}://{parts.netloc}"

    @property
    def done(self) -> str:
        """That it was sent."""
        return f"{self.receiver} accepted the webhook"

    # -- how it is carried out
    def carry_out(self, attempt: Attempt) -> None:
        """Send it once; the same key at every attempt."""
        from triggers.actions.sending.sender import sending

        with sending(attempt) as secrets:
            self._send(attempt, secrets)

    def _send(self, attempt: Attempt, secrets: Secrets) -> None:
        from triggers.actions.sending.connections import post
        from triggers.actions.sending.verdicts import judge

        fills = filling(attempt, [self.url, self.headers, self.body], secrets)
        url, body = self._url_of(fills, secrets), self._body_of(attempt, fills)
        headers = {"Content-Type": b"application/json", **_login(url), **self._headers_of(fills, secrets)}
        headers |= self._signed(attempt.firing.key, body, secrets)
        if attempt.is_trial:
            headers["webhook-trial"] = b"true"
        answer = post(url, body.encode(), headers, allowed=Allowed.of(attempt.ctx.settings.webhook_allow))
        judge(self.receiver, answer, time.time())

    def _url_of(self, fills: Filling, secrets: Secrets) -> str:
        if is_reference(self.url):
            url = secrets.of(self.url)
        else:
            url = str(fills.fill(self.url, lambda text: quote(text, safe="", errors="replace")))
        if problem := problem_of_url(url):
            raise LaunchImpossible(f"{self.label}: {problem}")
        if is_reference(self.url):
            secrets.hide(urlsplit(url).netloc)
            secrets.hide(urlsplit(url).hostname or "")
        return url

    def _body_of(self, attempt: Attempt, fills: Filling) -> str:
        return json.dumps(described(attempt, fills) if self.body is None else fills.fill(self.body), allow_nan=False)

    def _headers_of(self, fills: Filling, secrets: Secrets) -> dict[str, bytes]:
        found = {}
        for name, text in self.headers.items():
            value = secrets.of(text) if is_reference(text) else str(fills.fill(text, one_line))
            if CONTROL.search(value):  # of a secret: what objects are called was made harmless
                raise LaunchImpossible(f"header {name}: the secret holds a line break or a control character")
            found[name] = value.encode()
        return found

    def _signed(self, key: str, body: str, secrets: Secrets) -> dict[str, bytes]:
        now = datetime.now(UTC)
        headers = {"webhook-id": key, "webhook-timestamp": str(int(now.timestamp()))}
        if self.secret is not None:
            headers["webhook-signature"] = signature(secrets.of(self.secret), key, now, body)
        return {name: value.encode() for name, value in headers.items()}


def _login(url: str) -> dict[str, bytes]:
    """User name and password of an address, in the header in which they are sent."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return {}
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return {"authorization": b"Basic " + base64.b64encode(login.encode())}


def signature(secret: str, key: str, at: datetime, body: str) -> str:
    """The signature of Standard Webhooks. A secret `whsec_…` is the key in base64, any other text is the key itself.

    Raises:
        LaunchImpossible: what follows `whsec_` is not base64.
    """
    import standardwebhooks

    try:
        if secret.startswith("whsec_"):  # the library leaves out what is not base64, and signs with another key
            secret = secret.strip()
            base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        signer = standardwebhooks.Webhook(secret if secret.startswith("whsec_") else secret.encode())
    except (ValueError, standardwebhooks.webhooks.EmptyWebhookSecretError):
        raise LaunchImpossible("the secret begins with whsec_, and what follows is not base64") from None
    return signer.sign(key, at, body)


def described(attempt: Attempt, fills: Filling) -> dict[str, Any]:
    """What is sent without `body`: the form that Standard Webhooks recommends, `type`, `timestamp` and `data`."""
    value, event = fills.values, attempt.event
    launched = {"id": value["launched.id"], "url": value["launched.url"]} if value["launched.id"] else None
    return {
        "type": "trigger.fired",
        "timestamp": value["firing.at"],
        "data": {
            "firing": value["firing.key"],
            "trigger": value["trigger.name"],
            "object": {
                "kind": event.kind,
                **{name: value[f"object.{name}"] for name in ("id", "name", "project", "url", "status")},
                "tags": list(event.tags),
            },
            "launched": launched,
        },
    }
