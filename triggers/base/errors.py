"""Every error of this project, in three branches by what the caller does about it.

TriggersError
├── Transient                 try again later
│   ├── ServerUnavailable       no answer, or a 5xx: whether the call took effect is unknown
│   │   └── ServerBusy            it wants a pause (too many calls, or a quota is used up): the call had no effect
│   └── StoreUnavailable        Redis did not answer
├── Permanent                 trying again cannot help: dead letter
│   ├── Refused                 the ClearML server refused, with its code
│   └── LaunchImpossible        the action cannot be carried out as written
├── Usage (ValueError)        a person has to change something
│   ├── InvalidTrigger          one argument of one trigger
│   ├── InvalidAction           one argument of one action, as it is made
│   └── NoCredentials           no ClearML credentials are configured
├── Unreadable (ValueError)   what is kept or was sent makes no sense: quarantine it, go on with the rest
│   └── Newer                   a later release wrote it: leave it to workers of that release
└── Fenced                    the caller lost its lease: stop, change nothing
└── EpochChanged            Redis is another run than the one the caller knew
"""

from __future__ import annotations


class TriggersError(Exception):
    """Base of all errors raised here."""


class Transient(TriggersError):
    """The same call may succeed later."""


class ServerUnavailable(Transient):
    """The ClearML server gave no usable answer; a call that writes may have taken effect."""


class ServerBusy(ServerUnavailable):
    """Too many calls, or a quota is used up: the call had no effect, and the next ones wait for `seconds`."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds


class StoreUnavailable(Transient):
    """Redis gave no answer."""


class Permanent(TriggersError):
    """The same call will fail again."""


class Refused(Permanent):
    """The ClearML server refused a call: HTTP status `code`, `subcode`, and its message."""

    def __init__(self, endpoint: str, code: int, subcode: int, message: str) -> None:
        super().__init__(f"{endpoint} refused with {code}/{subcode}: {message}")
        self.endpoint, self.code, self.subcode, self.message = endpoint, code, subcode, message


class LaunchImpossible(Permanent):
    """The action of a firing cannot be carried out as declared."""


class Usage(TriggersError, ValueError):
    """A person has to change an argument, a setting or a file."""


class InvalidTrigger(Usage):
    """One argument of one trigger is wrong: the message names trigger, argument, value, and what to give instead.

    `noun` is what the message calls the trigger; whoever knows its kind sets it (`model.kinds.named_as`).
    """

    def __init__(self, trigger: str, argument: str, value: object, way_out: str) -> None:
        super().__init__(trigger, argument, value, way_out)
        self.trigger, self.argument, self.value, self.way_out = trigger, argument, value, way_out
        self.noun = "trigger"

    def __str__(self) -> str:
        shown = repr(self.value)
        if len(shown) > 200:
            shown = shown[:197] + "..."
        return f"{self.noun} {self.trigger!r}: {self.argument}={shown}: {self.way_out}"


class InvalidAction(Usage):
    """One argument of one action is wrong: names action, argument and what to do; no value, which may be a secret."""

    def __init__(self, action: str, argument: str, way_out: str) -> None:
        super().__init__(f"{action}: {argument}: {way_out}")
        self.action, self.argument, self.way_out = action, argument, way_out


class NoCredentials(Usage):
    """Neither the environment nor clearml.conf has credentials of a ClearML server."""


class Unreadable(TriggersError, ValueError):
    """Stored or received data is nothing that any release writes."""


class Newer(Unreadable):
    """A later release wrote it, in a version that this one does not know."""


class Fenced(TriggersError):
    """A lease was lost or a record was changed by its new owner; the caller's work is void."""


class EpochChanged(Fenced):
    """Redis restarted since the caller last looked; it may have lost its last second."""
