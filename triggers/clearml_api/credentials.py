"""Where the ClearML server is and how to log in: environment first, then clearml.conf as the SDK reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from triggers.base.errors import NoCredentials, Usage
from triggers.base.secrets_folder import reading_secrets, secrets_folder

#: the server that the SDK takes when only keys are given
_DEFAULT_HOST = "https://api.clear.ml"
_WAY_OUT = (
    "run `clearml-init`, or set CLEARML_API_HOST, CLEARML_API_ACCESS_KEY and CLEARML_API_SECRET_KEY "
    "(`clearml-triggers sandbox --env` prints those of a local server)"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Address and key pair of a ClearML server; `verify` is a flag or a certificate file."""

    host: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    verify: bool | str = True
    #: a token in place of the pair, which the server renews
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.host)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Usage(f"the ClearML API host {self.host!r} is not an http(s):// address: {_WAY_OUT}")
        object.__setattr__(self, "host", self.host.rstrip("/"))

    @classmethod
    def resolve(cls, environ: Mapping[str, str] | None = None) -> Credentials:
        """Take each part from the environment, else from clearml.conf.

        The SDK is imported only when the environment does not have all of them.

        Raises:
            Usage: No key pair, or no usable address; the message says what to set.
        """
        environ = os.environ if environ is None else environ
        host, access, secret = (_variable(environ, f"API_{name}") for name in ("HOST", "ACCESS_KEY", "SECRET_KEY"))
        verify, token = _variable(environ, "API_HOST_VERIFY_CERT"), _variable(environ, "AUTH_TOKEN")
        complete = host and (token or (access and secret))
        if not complete or (verify is None and _is_configured()):
            api = _configured()
            host = host or api.get("api_server") or api.get("host") or _DEFAULT_HOST
            pair = api.get("credentials") or {}
            access = access or pair.get("access_key")
            secret = secret or pair.get("secret_key")
            verify = verify if verify is not None else api.get("verify_certificate")
        if token:  # wins over a key pair, as with the SDK
            return cls(str(host), "", "", _verify(verify), token)
        if not (access and secret):
            raise NoCredentials(f"no ClearML credentials in the environment or clearml.conf: {_WAY_OUT}")
        return cls(str(host), str(access), str(secret), _verify(verify))

    @property
    def shown_host(self) -> str:
        """The address without a user name and password that it may carry."""
        parts = urlsplit(self.host)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    @property
    def whose(self) -> str:
        """Which credentials these are, for people."""
        return "the token of CLEARML_AUTH_TOKEN" if self.token else f"access key {self.access_key!r}"

    def environment(self) -> dict[str, str]:
        """The variables that give a child process these credentials."""
        place = {"CLEARML_API_HOST": self.host, "CLEARML_API_HOST_VERIFY_CERT": str(self.verify)}
        if self.token:  # that of the environment is renewed
            return {**place, "CLEARML_AUTH_TOKEN": os.environ.get("CLEARML_AUTH_TOKEN") or self.token}
        return {**place, "CLEARML_API_ACCESS_KEY": self.access_key, "CLEARML_API_SECRET_KEY": self.secret_key}


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    value = environ.get(f"CLEARML_{name}") or environ.get(f"TRAINS_{name}")
    return value or _secret(environ, f"clearml_{name.lower()}")


def _secret(environ: Mapping[str, str], name: str) -> str | None:
    """What the file of that name in the secrets folder says, where there is one."""
    folder = secrets_folder(environ)
    if folder is None:
        return None
    with reading_secrets(folder):
        file = folder / name
        return file.read_text("utf-8").strip() or None if file.is_file() else None


def _verify(value: Any) -> bool | str:
    """A flag in any of the SDK's spellings, else the path of a file with certificates."""
    if value is None or isinstance(value, bool):
        return value is not False
    text = str(value).strip()
    if text.lower() in ("n", "no", "f", "false", "off", "0"):
        return False
    return True if text.lower() in ("y", "yes", "t", "true", "on", "1", "") else text


def _is_configured() -> bool:
    """Is there a clearml.conf, by the SDK's rules: without one the SDK need not be imported."""
    named = os.environ.get("CLEARML_CONFIG_FILE") or os.environ.get("TRAINS_CONFIG_FILE")
    places = [named] if named else ["~/clearml.conf", "~/trains.conf"]
    return any(Path(os.path.expanduser(os.path.expandvars(place))).exists() for place in places)


def _configured() -> Mapping[str, Any]:
    """The `api` section of clearml.conf, with the SDK's own rules of where that file is."""
    try:
        from clearml.backend_api import load_config

        section = load_config().get("api").as_plain_ordered_dict()
    except Exception as error:
        raise Usage(f"clearml.conf cannot be read ({error}): {_WAY_OUT}") from error
    return dict(section)
