"""One example that works for each verb, as the last line of its help shows it."""

from __future__ import annotations

from typing import Final

#: Verb → what to type. A test runs each on a scheduler with a trigger `retry` that launches for failed ClearML tasks.
EXAMPLES: Final[dict[str, str]] = {
    "demo": "clearml-triggers demo --rounds 1",
    "sandbox": "clearml-triggers sandbox --seed",
    "up": "clearml-triggers up -f triggers.yaml",
    "console": "clearml-triggers console --port 8090",
    "list": "clearml-triggers list",
    "show": "clearml-triggers show retry",
    "status": "clearml-triggers status",
    "history": "clearml-triggers history retry --what launched --since 2h",
    "explain": "clearml-triggers explain retry 'train resnet'",
    "test": "clearml-triggers test retry --since 2h",
    "doctor": "clearml-triggers doctor",
    "audit": "clearml-triggers audit --since 7d",
    "pause": "clearml-triggers pause retry",
    "resume": "clearml-triggers resume retry",
    "fire": "clearml-triggers fire retry 'train resnet'",
    "send": "clearml-triggers send retry 'train resnet' --action 1",
    "next": "clearml-triggers next --until 2d",
    "backfill": "clearml-triggers backfill nightly --from 7d --dry-run",
    "replay": "clearml-triggers replay retry --from 2h --dry-run",
    "delete": "clearml-triggers delete deploy",
    "mute": "clearml-triggers mute retry --for 2h",
    "unmute": "clearml-triggers unmute retry",
    "failing list": "clearml-triggers failing list --trigger retry",
    "failing retry": "clearml-triggers failing retry --all",
    "dead list": "clearml-triggers dead list --trigger retry",
    "dead retry": "clearml-triggers dead retry --trigger retry",
    "dead drop": "clearml-triggers dead drop --trigger retry",
    "holds list": "clearml-triggers holds list",
    "holds release": "clearml-triggers holds release pace:task:retry",
    "holds drop": "clearml-triggers holds drop pace:task:retry",
    "slots list": "clearml-triggers slots list",
    "slots release": "clearml-triggers slots release task:retry",
    "cursor show": "clearml-triggers cursor show",
    "cursor set": "clearml-triggers cursor set 2h",
    "unsigned list": "clearml-triggers unsigned list",
    "unsigned adopt": "clearml-triggers unsigned adopt",
    "unsigned drop": "clearml-triggers unsigned drop",
    "apply": "clearml-triggers apply -f triggers.yaml",
    "diff": "clearml-triggers diff -f triggers.yaml",
    "export": "clearml-triggers export > triggers.yaml",
}


def epilog(verb: str) -> str | None:
    """The last line of a verb's help."""
    example = EXAMPLES.get(verb)
    return f"Example: {example}" if example else None
