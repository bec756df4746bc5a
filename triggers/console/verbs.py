"""What can be changed from a page: one row each, which goes the way of the verb of that name.

A verb that cannot be undone has a question, which is asked before it is carried out.
"""

from __future__ import annotations

from typing import Final

from triggers.console import firing_verbs, trigger_verbs
from triggers.console.verb import ConsoleVerb

#: Name in the address → verb. Nothing else lists them.
VERBS: Final[dict[str, ConsoleVerb]] = {**trigger_verbs.VERBS, **firing_verbs.VERBS}
