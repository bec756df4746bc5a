"""Signatures of Celery messages: made where a process sends one, verified before a worker takes one."""

from __future__ import annotations

import json
from typing import Any, Final

from celery.signals import before_task_publish

from triggers.base.settings import settings
from triggers.ledger.signing import Signer

#: The header that carries the signature.
HEADER: Final = "signature"

_KIND: Final = "message"


@before_task_publish.connect  # type: ignore[untyped-decorator]
def _sign(sender: str, body: Any, headers: dict[str, Any], **_: Any) -> None:
    signer = Signer.of(settings())
    if signer.has_key:
        headers[HEADER] = signer.sign(_KIND, sender, _canonical(body[0]))


def fault_of(message: Any) -> str:
    """Why a message of the right form is refused: it is not signed by a key known here; "" when it is, or needs not."""
    signer = Signer.of(settings())
    if not signer.has_key:
        return ""
    signature = message.headers.get(HEADER)
    arguments = json.loads(message.body)[0]
    return signer.fault_of(
        signature if isinstance(signature, str) else "", _KIND, message.headers["task"], _canonical(arguments)
    )


def _canonical(arguments: Any) -> str:
    return json.dumps(list(arguments or ()), separators=(",", ":"))
