"""Why a trigger did, did not or would fire for an object; decided by the functions that decided it.

    from triggers.explain import explain
    explanation = explain("retry failed trainings", "<id of a ClearML task>")
    print(explanation.answer, explanation.because)

`gather` reads the facts, `judge` decides on them (pure), `values` are both.
"""

from __future__ import annotations

from triggers.explain.values import Check, ClauseRow, Explanation, Facts

__all__ = ["Check", "ClauseRow", "Explanation", "Facts", "explain"]


def explain(name: str, object_id: str, *, scheduler: str | None = None) -> Explanation:
    """Explain why a trigger did, did not or would fire for an object. Changes nothing.

    Args:
        name: the trigger's, or "kind:name" where two kinds share it.
        object_id: id of a model, dataset or ClearML task, the address of its page, or its name.
        scheduler: PROJECT/NAME or id, if there are several on this Redis.

    Raises:
        Usage: there is no such scheduler or trigger, or no ClearML credentials.
        ServerUnavailable, StoreUnavailable: no answer.
    """
    from triggers.explain.gather import gather
    from triggers.explain.judge import judge
    from triggers.operate.objects import full_id
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        return judge(gather(target, target.entry(name), full_id(target, object_id)))
