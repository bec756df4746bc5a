"""Secrets of actions: named in a trigger as `env:NAME` or `file:NAME`, read by the worker at the moment of sending.

The name is all that is stored and shown. The value is never kept, and `hidden` takes it out of every error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from triggers.actions.texts import references
from triggers.base.errors import LaunchImpossible, Usage

_NAME: Final = r"(env|file):([A-Za-z_][A-Za-z0-9_.-]{0,127})"
_WHOLE: Final = re.compile(_NAME)

#: How a secret is given, for errors.
WAY_OUT: Final = (
    "give a secret by reference only: env:NAME for a variable of the workers, or file:NAME for a file of their "
    "secrets folder (TRIGGERS_SECRETS_DIR)"
)
#: Stands for a secret in what people read.
HIDDEN: Final = "(hidden)"

#: Credentials of the workers themselves, beside their secret settings.
_OWN_BEGINNINGS: Final = ("clearml_", "trains_", "aws_secret", "aws_session", "azure_", "google_application")


#: Words in names of headers and of parts of a query that hold secrets.
_SECRET_WORDS: Final = re.compile(
    r"auth|token|secret|password|passwd|cookie|credential|signature|(?:^|[-_.+ ])(?:sig|key|apikey|pass)(?:$|[-_.])",
    re.IGNORECASE,
)


def sounds_secret(name: str) -> bool:
    """Whether a header or a part of a query of that name holds a secret."""
    return _SECRET_WORDS.search(name) is not None


def is_reference(text: object) -> bool:
    """Whether a text is a reference to a secret and nothing else."""
    return isinstance(text, str) and _WHOLE.fullmatch(text) is not None


def problem_of_reference(text: str) -> str:
    """Why a reference can never be resolved; "" if it can."""
    found = _WHOLE.fullmatch(text)
    if not found:
        return f"{WAY_OUT}; a name consists of letters, digits, _, . and -"
    name = found[2].lower()
    if name in _own() or name.startswith(_OWN_BEGINNINGS):
        return f"{text} names credentials of the workers themselves, which no action may send; use a secret of its own"
    return ""


def problem_within(value: Any) -> str:
    """What is wrong with the secrets that a value refers to as `${env:NAME}`; "" if nothing is."""
    found = (name for name in references(value) if name.startswith(("env:", "file:")))
    return next(filter(None, map(problem_of_reference, found)), "")


@lru_cache(maxsize=1)
def _own() -> frozenset[str]:
    """The secret settings: whoever writes a trigger may not have them sent anywhere."""
    from triggers.base.settings import Settings  # reading a trigger needs no settings

    return frozenset(f"triggers_{name}" for name, field in Settings.model_fields.items() if not field.repr)


class Secrets:
    """The secrets of one sending: resolves references, and knows what has to stay hidden."""

    def __init__(self, environ: Mapping[str, str] | None = None, allowed: Collection[str] = ()) -> None:
        """Prepare; nothing is read.

        Args:
            environ: the environment of the worker.
            allowed: names that may be used, as the setting `allow_secrets` has them; any if there are none.
        """
        self._environ = os.environ if environ is None else environ
        self._allowed = allowed
        self._values: set[str] = set()

    def whole(self, text: str) -> str:
        """The secret that a text refers to, or the text itself.

        Raises:
            LaunchImpossible: there is no such secret here; it names the reference and what to do.
        """
        return self.of(text) if is_reference(text) else text

    def of(self, reference: str) -> str:
        """The value of one reference.

        Raises:
            LaunchImpossible: there is none here; it names the reference and what to do.
        """
        problem = problem_of_reference(reference)
        if problem:
            raise LaunchImpossible(problem)
        if self._allowed and reference not in self._allowed:
            raise LaunchImpossible(
                f"{reference} is not allowed here: the workers' TRIGGERS_ALLOW_SECRETS has {', '.join(self._allowed)}; "
                "have it added there, then retry the dead letter"
            )
        where, _, name = reference.partition(":")
        value = self._environ.get(name, "") if where == "env" else self._file(name)
        if not value:
            place = "is not set in the environment" if where == "env" else "is not a file of TRIGGERS_SECRETS_DIR"
            raise LaunchImpossible(f"{reference}: {name} {place} of this worker; set it, then retry the dead letter")
        self._values.add(value)
        return value

    def hide(self, text: str) -> None:
        """Let a part of a secret stay hidden as well, such as the host of an address."""
        if text:
            self._values.add(text)

    def hidden(self, text: str) -> str:
        """A text without any secret that was resolved here."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        return text

    def _file(self, name: str) -> str:
        from triggers.base.secrets_folder import secrets_folder

        try:
            folder = secrets_folder(self._environ)
            path = (folder or Path("/nonexistent")) / name
            return path.read_text("utf-8").strip() if folder and path.is_file() else ""
        except (OSError, UnicodeError, Usage):
            return ""
