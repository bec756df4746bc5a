"""Where a ClearML agent gets this package from: its line in the requirements of a service task.

The SDK leaves out a package that is installed editable, and writes one from a repository under the name of its module.
What people wrote themselves stays. Pure, but for `installed`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from triggers.base.errors import Usage

NAME: Final = "clearml-triggers"
#: The variable that says where an agent gets it.
VARIABLE: Final = "TRIGGERS_PACKAGE"

_EXAMPLE: Final = (
    f"'{NAME} @ https://host/clearml_triggers-1.0-py3-none-any.whl' or 'git+https://host/triggers.git@v1.0'"
)
#: How a comment of ours in the requirements begins.
_NOTE: Final = f"# {NAME} is installed here from "

_EDITABLE = re.compile(r"\s*(-e|--editable)[\s=]\s*")
#: A requirement that begins with a name: the name, and whether an address follows.
_BY_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?\s*(@|[=<>!~;].*|$)")
#: What says in an address that it is this package: pip's fragment, or the name of a wheel or an archive.
_OURS = re.compile(
    r"[\#&]egg=clearml[-_]triggers\b|/clearml[-_]triggers-[^/]*\.(whl|tar\.gz|zip)([#?]|$)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Installed:
    """This package as it is installed here.

    Args:
        version: of the distribution, "" if there is none.
        address: for pip, "" for one from a package index.
        folder: the place on this machine that it is from, "" for one that other machines can install.
    """

    version: str
    address: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Requirements:
    """The requirements as they should be, and why an agent may find no package by them and what to do."""

    text: str
    doubt: str = ""


def installed() -> Installed:
    """How this package came here, by what pip wrote down."""
    found = list(metadata.distributions(name=NAME))
    for one in found:
        if text := one.read_text("direct_url.json"):
            return _from_address(one.version, json.loads(text))
        if one.read_text("INSTALLER"):
            return Installed(one.version)
    return Installed(found[0].version if found else "", folder="its sources")


def _from_address(version: str, direct: dict[str, Any]) -> Installed:
    """By `direct_url.json` (PEP 610)."""
    url, vcs = str(direct["url"]), direct.get("vcs_info")
    if urlsplit(url).scheme == "file":
        return Installed(version, folder=unquote(urlsplit(url).path))
    parts = [f"{name}={value}" for name, value in (direct.get("archive_info", {}).get("hashes") or {}).items()]
    if direct.get("subdirectory"):
        parts.append(f"subdirectory={direct['subdirectory']}")
    address = f"{vcs['vcs']}+{url}@{vcs['commit_id']}" if vcs else url
    return Installed(version, address + (f"#{'&'.join(parts)}" if parts else ""))


def wanted(setting: str) -> str:
    """The requirement that the setting names: a whole one, or an address alone.

    Raises:
        Usage: it is none of this package.
    """
    text = setting.strip()
    by_name = _BY_NAME.match(text)
    try:
        found = Requirement(text if by_name else f"{NAME} @ {text}")
        if canonicalize_name(found.name) == NAME and (by_name or "://" in text):
            return str(found)
    except InvalidRequirement:
        pass
    shown = "" if "://" in setting else f"={setting!r}"  # an address may hold a token
    raise Usage(f"{VARIABLE}{shown}: give a requirement of {NAME} as pip reads it, such as {_EXAMPLE}")


def recorded(text: str, here: Installed, setting: str | None) -> Requirements:
    """The requirements with a line by which an agent can install this package.

    Args:
        text: what is recorded now, one requirement a line. Without any an agent goes by a file of the repository: so it
            stays.
        here: what is installed.
        setting: what goes before all else.

    Raises:
        Usage: the setting is wrong.
    """
    line = wanted(setting) if setting else _line(here)
    lines = [one for one in text.splitlines() if not one.startswith(_NOTE)]
    if not setting and not any(map(_is_requirement, lines)):
        return Requirements(text)
    ours = [one for one in lines if _is_requirement(one) and _means_us(one, here)]
    stay = [] if setting else [one for one in ours if _is_of_use(one)]
    doubt = _doubt(here, line) if here.folder and not setting and not any("://" in one for one in stay) else ""
    note = [f"{_NOTE}{here.folder}, which other machines do not have; see {VARIABLE}"] if doubt else []
    others = [one for one in lines if one not in ours]
    return Requirements("\n".join([*others, *note, *(stay or [line])]) + "\n", doubt)


def _line(here: Installed) -> str:
    if here.address:
        return f"{NAME} @ {here.address}"
    return f"{NAME} == {here.version}" if here.version else NAME


def _doubt(here: Installed, line: str) -> str:
    return (
        f"{NAME} is installed here from {here.folder}, which other machines do not have; an agent will look for "
        f"{line!r} in its package index. Unless that or the agent's image has it, set {VARIABLE} to where agents get "
        f"it, such as {_EXAMPLE}"
    )


def _is_requirement(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _means_us(line: str, here: Installed) -> bool:
    rest = _EDITABLE.sub("", line).strip()
    by_name = _BY_NAME.match(rest)
    named = bool(by_name) and canonicalize_name(by_name[1]) == NAME  # type: ignore[index]
    return named or bool(_OURS.search(rest)) or (bool(here.folder) and rest in (here.folder, f"file://{here.folder}"))


def _is_of_use(line: str) -> bool:
    """Whether a line that means this package has its name, if any, and no place of this machine."""
    rest = _EDITABLE.sub("", line).strip()
    by_name = _BY_NAME.match(rest)
    if by_name and canonicalize_name(by_name[1]) != NAME:
        return False
    if by_name and by_name[2] != "@":
        return True
    return "://" in rest and not re.search(r"(^|[\s+@])file:", rest)
