"""What Flower starts with, with or without a configuration file: readable columns, read-only, any password.

Variables `FLOWER_*`, a file and the command line go before this, as they go before Flower's own defaults.
"""

from __future__ import annotations

import hmac
from types import SimpleNamespace


def apply() -> None:
    """Set the defaults. Flower has to be installed."""
    import flower.views  # type: ignore[import-untyped]
    from flower.options import options  # type: ignore[import-untyped]

    options.tasks_columns = "name,args,result,state,received,runtime,worker"
    # whoever may press a button in Flower could stop workers and send Celery tasks
    options.read_only = True
    # Flower compares texts in constant time, which Python does for ASCII only: another password is a server error
    flower.views.hmac = SimpleNamespace(compare_digest=_are_equal)


def _are_equal(one: str, two: str) -> bool:
    return hmac.compare_digest(one.encode(), two.encode())
