"""What launches may be made of, by the settings: what is open, and to whom."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.actions.launching.permissions import LISTS, open_matters
from triggers.base.settings import Settings
from triggers.operate.doctor.findings import Finding

_WHOLE = "TRIGGERS_SECTIONS, TRIGGERS_ALLOW_BASE_PROJECTS, ... limit it (SECURITY.md)"


def look(of: Settings) -> Iterator[Finding]:
    """Say what is open and what is limited, by the settings of this process, which the workers have to have as well."""
    who = {
        "all": "whoever may edit the service task changes triggers and what they launch",
        "conditions": "whoever may edit the service task changes what triggers wait for",
        "none": "edits of the service task change nothing",
    }
    yield Finding("sections", "ok", who[of.sections], "" if of.sections == "none" else _WHOLE)
    limits = [f"{about}: {', '.join(getattr(of, name))}" for name, about in LISTS.items() if getattr(of, name)]
    yield _signatures(of)
    matters = open_matters(of)
    said = [f"open to whoever declares triggers: {', '.join(matters)}"] if matters else []
    yield Finding("launches", "ok", "; ".join([*said, *limits]), _WHOLE if matters else "")


def _signatures(of: Settings) -> Finding:
    if of.signing_key:
        more = f", and {len(of.signing_key) - 1} more accepted" if len(of.signing_key) > 1 else ""
        return Finding("signatures", "ok", f"what lies in Redis has to be signed{more}")
    words = "whoever can write to Redis declares triggers and makes up firings"
    return Finding("signatures", "ok", words, "TRIGGERS_SIGNING_KEY limits it (SECURITY.md)")
