"""The folder with one file per secret, as Docker, Kubernetes and systemd mount them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from triggers.base.errors import Usage
from triggers.base.logs import logger

log = logger(__name__)

#: The environment variable that names a folder with one file per secret: triggers_redis_password, ...
SECRETS_FOLDER: Final = "TRIGGERS_SECRETS_DIR"


def secrets_folder(environ: Mapping[str, str]) -> Path | None:
    """The folder with one file per secret, None where none is named.

    Raises:
        Usage: it begins with `~`, and there is no such home folder.
    """
    named = environ.get(SECRETS_FOLDER)
    try:
        return Path(named).expanduser() if named else None
    except RuntimeError as error:
        raise Usage(f"{SECRETS_FOLDER}={named!r}: there is no such home folder; name the folder by its path") from error


@contextmanager
def reading_secrets(folder: Path) -> Iterator[None]:
    """Read files of the secrets folder; what cannot be read is a `Usage` that names the folder."""
    try:
        yield
    except (OSError, UnicodeError) as error:
        raise Usage(
            f"{SECRETS_FOLDER}={str(folder)!r}: {error}; name a folder with one file of text per secret"
        ) from error


def secrets_in(folder: Path | None, fields: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What the files of a folder say: field → (path of the file, its text without white space around it).

    `fields`: name of a file in small letters → field; other files are left alone.

    Raises:
        Usage: the folder or a file cannot be read.
    """
    if folder is None:
        return {}
    if not folder.exists():
        log.warning("%s=%r does not exist: no secrets are read from files", SECRETS_FOLDER, str(folder))
        return {}
    with reading_secrets(folder):
        files = {file.name.lower(): file for file in folder.iterdir() if file.is_file()}
        return {
            field: (str(files[name]), files[name].read_text("utf-8").strip())
            for name, field in fields.items()
            if name in files
        }
