"""The roles of workers, and with which options of `celery -A clearml_triggers worker` one cannot be started. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from triggers.base.meant import meant

#: Pools that leave the one process whole which leases, the watch and the ledger's clients live in.
POOLS: Final = ("threads", "solo")


def refused(options: Mapping[str, Any], pool: str | None, known: Sequence[str]) -> str:
    """Why a worker cannot run with these options, "" when it can.

    Args:
        options: as Celery has read them: queues, exclude_queues, autoscale, beat.
        pool: the value of --pool, None where the command line has none.
        known: the queues that there are.
    """
    if pool is not None and pool not in POOLS:
        return f"--pool={pool}: workers support only {' and '.join(POOLS)}; leave the option out, and set --concurrency"
    if options.get("autoscale"):
        return "--autoscale: a pool of threads has one size; set --concurrency, and scale the number of workers"
    if options.get("beat"):
        return (
            "--beat: run `celery -A clearml_triggers beat` in a process of its own; a second one takes over if "
            "the first one dies"
        )
    for option in ("queues", "exclude_queues"):
        unknown = [name for name in _names(options.get(option)) if name not in known]
        if unknown:
            near = meant(unknown[0], known)
            return f"--{option.replace('_', '-')}={','.join(unknown)}: the queues are {', '.join(known)}{near}"
    return ""


def _names(value: Any) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else value or []
    return [name for name in map(str.strip, parts) if name]


def name_of(hostname: str, queues: Any, here: str) -> str:
    """The name of a worker that was given none: by its queues, since names on one host have to differ."""
    return f"{'-'.join(_names(queues)) or 'all'}@{hostname.partition('@')[2] or here}"


def written(words: Sequence[str], short: str, long: str) -> str | None:
    """The value of an option on a command line, None where it is not there.

    As it was written: of `--pool=prefork` Celery has made the pool of its configuration by the time it can be asked.
    """
    for position, word in enumerate(words):
        if word in (short, long):
            return "".join(words[position + 1 : position + 2])
        if word.startswith(f"{long}="):
            return word.removeprefix(f"{long}=")
        if word.startswith(short) and not word.startswith("--"):
            return word.removeprefix(short)
    return None
