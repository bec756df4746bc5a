"""The reference of all Redis keys: `python -m triggers.ledger.pages.keys_page > docs/reference/redis-keys.md`."""

from __future__ import annotations

import inspect

from triggers.base.terminal import say_page
from triggers.ledger import keys

_HEAD = """# Redis keys

Written from the catalog in `triggers/ledger/keys.py` by `python -m triggers.ledger.pages.keys_page`.

Read them to look into a scheduler; change nothing by hand, since steps depend on several keys at once. Use the
[verbs](../cli.md) instead. Every key begins with the prefix that `TRIGGERS_KEY_PREFIX` names. `id` is the id of the
scheduler, and `<...>` a part that varies. All keys of a scheduler carry its id in braces, so that they share one hash
slot. Names in brackets are modules below `triggers/ledger/`, or of the package named, which say what each field means.

"""


def page() -> str:
    """The reference page."""
    lines = inspect.cleandoc(keys.__doc__ or "").splitlines()
    return _HEAD + "\n".join(line for line in lines if line.startswith("|")) + "\n"


if __name__ == "__main__":
    say_page(page(), end="")
