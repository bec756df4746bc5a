"""The action that tells people: Slack, Teams, Discord, mail, PagerDuty and what else apprise knows.

Services know no key by which they would see a message twice, so people are notified at least once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from pydantic import BeforeValidator

from triggers.actions.filling import filling
from triggers.actions.listed import Listed, constructor
from triggers.actions.sending.secrets import HIDDEN, WAY_OUT, is_reference, problem_of_reference, sounds_secret
from triggers.base.escaping import one_line
from triggers.base.receivers import Allowed, host_name
from triggers.model.values import one_of, wrong

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt

_TEXT: Final = "${trigger.name} fired for ${object.name} ${object.url}"
#: Characters of a text that a person writes, and of one that is sent.
_LONGEST: Final = 10_000
#: How a service marks a message.
NoticeLevel = Literal["info", "success", "warning", "failure"]
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f-\x9f]")
#: With what services begin a mention: `@ann`, `<!channel>`, `<users/all>`, `<at user_id=...>`.
_CALLS: Final = re.compile(r"[@!<](?=\S)")


def _to(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise wrong("give a reference to a secret such as env:SLACK_URL, or an address of apprise", "to", HIDDEN)
    if value.startswith(("env:", "file:")):
        problem = problem_of_reference(value)
    elif _UNSAFE.search(value) or "${" in value or "://" not in value:
        problem = "an address of apprise cannot contain blanks, control characters or references"
    elif not _has_port(value):
        problem = "a port is a number up to 65535"
    elif found := [name for name, _ in parse_qsl(urlsplit(value).query) if sounds_secret(name)]:
        problem = f"{found[0].strip()} in the address looks like a secret; {WAY_OUT}"
    else:
        from triggers.actions.sending.channels import problem_of

        problem = problem_of(value)
        problem = f"{problem}; {WAY_OUT}" if problem else ""
    if problem:
        raise wrong(problem, "to", HIDDEN)
    return value


def _has_port(address: str) -> bool:
    """Whether the port of an address, if it has one, can be one."""
    try:
        return urlsplit(address).port != 0
    except ValueError:
        return False


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        raise wrong(f"give a text of 1 to {_LONGEST:,} characters", "text", value)
    return value


def _title(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise wrong("give a text", "title", value)
    return value


class Notify(Listed):
    """Tell people by a service that apprise knows.

    Args:
        to (str): Receiver: a reference to a secret, 'env:NAME' or 'file:NAME', whose value is an address of apprise
            or of the service itself, as of a Slack webhook. An address that holds no secret can be given as it is.
        text (str, default '${trigger.name} fired for ${object.name} ${object.url}'): The message, 1 to 10,000
            characters. References are filled in.
        title (str, default ''): Title of the message, at most 10,000 characters; references as in `text`. Services
            without titles put it in front of the text.
        level ('info' | 'success' | 'warning' | 'failure', default 'info'): How the service marks the message.

    Raises:
        InvalidAction: An argument is wrong. A `ValueError`; the message names the action and the argument.
    """

    type: Literal["notify"] = "notify"
    to: Annotated[str, BeforeValidator(_to)]
    text: Annotated[str, BeforeValidator(_text)] = _TEXT
    title: Annotated[str, BeforeValidator(_title)] = ""
    level: Annotated[str, one_of(*get_args(NoticeLevel))] = "info"

    SECRETS = frozenset({"to"})

    @constructor
    def __init__(
        self,
        to: str,
        *,
        text: str = "${trigger.name} fired for ${object.name} ${object.url}",
        title: str = "",
        level: NoticeLevel = "info",
    ) -> None: ...

    def in_clear(self) -> tuple[str, str]:
        """A token that apprise takes for a part of the path, as of an address of `json://`; a file of the worker."""
        from triggers.actions.sending.channels import problem_of_files
        from triggers.actions.sending.in_clear import problem_of_channel

        problem = "" if is_reference(self.to) else problem_of_files(self.to) or problem_of_channel(self.to)
        return ("to", problem) if problem else ("", "")

    @property
    def receiver(self) -> str:
        """The host of the address, or its service; one that is a secret is known by the secret's name."""
        if is_reference(self.to):
            return self.to
        parts = urlsplit(self.to)
        return host_name(parts.hostname or "") or parts.scheme

    # -- how it is shown
    def words(self) -> str:
        """What it does."""
        return f"notify {self.label}"

    @property
    def label(self) -> str:
        """The reference; of an address its service and host."""
        return self.to if is_reference(self.to) else f"{urlsplit(self.to).scheme}://{self.receiver}"

    @property
    def done(self) -> str:
        """That it was sent."""
        return f"{self.label} accepted the notification"

    # -- how it is carried out
    def carry_out(self, attempt: Attempt) -> None:
        """Send it once."""
        from triggers.actions.sending.sender import sending

        with sending(attempt) as secrets:
            from triggers.actions.sending.channels import send

            fills = filling(attempt, [self.text, self.title])
            text, title = (str(fills.fill(each, harmless))[:_LONGEST] for each in (self.text, self.title))
            if attempt.is_trial:
                text, title = (f"{TRIAL} {text}", title) if not title else (text, f"{TRIAL} {title}")
            send(
                secrets.whole(self.to),
                self.receiver,
                text,
                title=one_line(title),
                level=self.level,
                allowed=Allowed.of(attempt.ctx.settings.webhook_allow),
                files=is_reference(self.to),
            )


#: Stands before what is only tried.
TRIAL: Final = "[trial]"


def harmless(text: str) -> str:
    """What an object is called, so that it mentions nobody and calls no channel."""
    return _CALLS.sub("\\g<0>\u200b", one_line(text))
