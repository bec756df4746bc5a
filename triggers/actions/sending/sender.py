"""How a sending ends the attempt at a firing, whatever goes wrong, without a word of a secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import redis

from triggers.actions.sending.secrets import Secrets
from triggers.actions.sending.verdicts import Unsent
from triggers.base.errors import Fenced, Permanent, TriggersError
from triggers.base.logs import logger

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt

log = logger(__name__)


@contextmanager
def sending(attempt: Attempt) -> Iterator[Secrets]:
    """Give the secrets of one sending. What is raised within ends the attempt; without, it was sent."""
    from triggers.actions.launching.permissions import check_action

    secrets = Secrets(allowed=attempt.ctx.settings.allow_secrets)
    check_action(attempt)
    try:
        yield secrets
    except Unsent as failure:
        attempt.fail(secrets.hidden(str(failure)), retry_after_seconds=failure.after_seconds)
    except Permanent as failure:
        attempt.give_up(secrets.hidden(str(failure)))
    except (Fenced, TriggersError, redis.RedisError):
        raise
    except Exception as failure:
        # a message of a library may hold the address or a header, and a traceback its locals: neither is kept
        log.error("trigger %r: sending failed: %s", attempt.trigger.name, type(failure).__name__)
        attempt.fail(f"sending failed: {type(failure).__name__}")
    else:
        attempt.launched("")
