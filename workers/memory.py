"""Memory that a stage needs for a moment goes back to the system, in place of staying with the process.

A turn of sync that reads the sections of thousands of triggers holds texts of megabytes. By default, glibc takes a
block that was freed for a sign that more of its size will follow, and keeps up to twice as much.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from celery.signals import celeryd_after_setup

#: A block of so many bytes has pages of its own, which go back when it is freed.
OWN_PAGES_BYTES: Final = 65_536

#: As malloc.h has them; to set either also stops glibc from raising it.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3


def give_back(own_pages_bytes: int = OWN_PAGES_BYTES) -> bool:
    """Let freed memory of this process go back to the system; False where its C library is not glibc."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is None:
        return False
    return all(set_option(option, own_pages_bytes) for option in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD))


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def _give_back(**_: Any) -> None:
    give_back()
