"""The reference of all Redis keys: `python -m triggers.ledger.pages.keys_page > docs/reference/redis-keys.md`."""

from __future__ import annotations

import inspect

from triggers.base.terminal import say_page
from triggers.ledger import keys

_HEAD = """# Redis keys

Written from the catalog in `triggers/ledger/keys.py` by `python -m triggers.ledger.pages.keys_page`.

You can read these keys to examine a scheduler, but do not change them by hand, because steps depend on several keys at
once. Use the [verbs](../cli.md) instead.

Every key begins with the prefix that `TRIGGERS_KEY_PREFIX` sets. `id` is the id of the scheduler, and `<...>` a part
that varies. All keys of a scheduler contain its id in braces, so they share one hash slot. Names in brackets are
modules in `triggers/ledger/`, or in the package named, which explain each field.

"""


def page() -> str:
    """The reference page."""
    lines = inspect.cleandoc(keys.__doc__ or "").splitlines()
    return _HEAD + "\n".join(line for line in lines if line.startswith("|")) + "\n"


if __name__ == "__main__":
    say_page(page(), end="")
