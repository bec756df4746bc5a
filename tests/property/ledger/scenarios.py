"""One scenario for each rule of a script: it holds as the scripts are, and fails when the rule is taken out."""

from __future__ import annotations

from tests.property.ledger.scenarios_of_batches import *  # noqa: F403
from tests.property.ledger.scenarios_of_firings import *  # noqa: F403
from tests.property.ledger.scenarios_of_hints import *  # noqa: F403
from tests.property.ledger.scenarios_of_lines import *  # noqa: F403
from tests.property.ledger.scenarios_of_marks import *  # noqa: F403
from tests.property.ledger.scenarios_of_parts import *  # noqa: F403
from tests.property.ledger.scenarios_of_runs import *  # noqa: F403
