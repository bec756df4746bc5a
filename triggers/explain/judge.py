"""The answer, from the facts. Pure: what decided is asked again (`conditions`, `policies`, `windows`).

In the order in which a change passes the stages:

A time of a schedule whose firing is not kept is judged by `times`: its mark and its calendar say what it is.

The object
  0. it is of another kind than the trigger is for    → does not fire
  1. the server has none, and no poll has stored one  → no such object
  2. it is gone from the server                       → fired, or does not fire
A firing that is the last word on it
  3. waits, fails, is held, is dead                   → that, with its reason as it is now
  4. launched, skipped or dropped, nothing newer      → that
Poll
  5. it is the service task of a scheduler            → does not fire
Match
  6. changed before the trigger was registered        → does not fire
  7. a clause of the condition fails                  → does not fire, names it
  8. this trigger launched it                         → does not fire
     this trigger has just edited it                  → fired, or does not fire
  9. the policy `fire` says no                        → fired once, or does not fire
  10. it lies in a batch                              → will fire
  11. read already, matched with another condition    → does not fire
  12. the next poll or sweep reads it                 → will fire
  13. changed before what polls read                  → does not fire
"""

from __future__ import annotations

from triggers.explain import waiting
from triggers.explain.checks import checks, is_of_another_kind, is_read, match_decision, moment
from triggers.explain.times import judge_time, runs_again
from triggers.explain.values import AnswerWord, ClauseResult, ClauseRow, Explanation, Facts, Open
from triggers.ledger.firings.firing import Firing
from triggers.model.events import Event
from triggers.model.trigger import ScheduleTrigger
from triggers.operate.commands import command
from triggers.operate.wording import other_kind
from triggers.rules.conditions import Verdict, evaluate

_Said = tuple[AnswerWord, str, str]

_GONE = "the object no longer exists on the server"
_BY_HAND = "`clearml-triggers fire` launches it by hand"


def judge(facts: Facts) -> Explanation:
    """Decide why the trigger did, did not or would fire for the object."""
    answer, because, way_out = _answer(facts)
    return Explanation(facts, answer, because, way_out, clauses(facts), checks(facts))


def clauses(facts: Facts) -> tuple[ClauseRow, ...]:
    """Each clause of the condition, against the object now and as last stored."""
    trigger = facts.entry.trigger
    if is_of_another_kind(facts):  # what it is asked for is nothing that such an object has
        return ()
    now, seen = (evaluate(trigger, event) if event else None for event in (facts.now, facts.seen))
    either = now or seen
    names = [(clause.name, clause.wanted) for clause in either.clauses] if either else []
    return tuple(
        ClauseRow(name, wanted, _found(now, position), _found(seen, position))
        for position, (name, wanted) in enumerate(names)
    )


def _found(verdict: Verdict | None, position: int) -> ClauseResult | None:
    return ClauseResult(verdict.clauses[position].holds, verdict.clauses[position].found) if verdict else None


def _answer(facts: Facts) -> _Said:
    object_, last = facts.now or facts.seen, facts.firings[-1] if facts.firings else None
    schedule = facts.entry.trigger if isinstance(facts.entry.trigger, ScheduleTrigger) else None
    if schedule is not None and last is None:
        return judge_time(facts, schedule)
    if object_ is None and last is None:  # 1
        if facts.known_ms:
            return "does not fire", f"{_GONE}; its last change, {moment(facts.known_ms)}, was read", ""
        text = f"the server has no model, dataset or ClearML task {facts.object_id}, and no poll has stored one"
        return "no such object", text, "check that the id is complete and belongs to this server and workspace"
    if object_ is not None and is_of_another_kind(facts):  # 0
        way_out = f"{command('explain', object_.id)} checks the triggers that watch such objects"
        kinds = f"wanted a {facts.entry.trigger.kind}, found a {object_.kind}"
        return "does not fire", f"{other_kind(facts.entry.trigger, object_)}: {kinds}", way_out
    if last and last.state in ("waiting", "held", "dead"):  # 3
        return _open(facts, last)
    if last and (object_ is None or object_.changed_ms <= last.changed_ms):  # 4
        return _ended(facts, last)
    assert object_ is not None
    if facts.now is None:  # 2
        return _gone(facts, last)
    return _by_stage(facts, facts.now, last)


def _open(facts: Facts, last: Firing) -> _Said:
    if last.state == "dead":
        way_out = f"fix the cause, then run {command('dead retry', last.key[-10:])}"
        return "dead", f"its firing was given up: {last.reason}", way_out
    if last.state == "held":
        why, way_out = waiting.held(facts)
        return "held", f"its firing is held: {why or last.reason}", way_out
    if last.failures:
        return "failing", *waiting.failing(facts, last)
    stuck, way_out = waiting.overdue(facts.open or Open(), facts.read.now_ms)
    text = f"its firing was granted {moment(last.granted_ms)} and waits for launch"
    return "waiting", f"{text}; {stuck}" if stuck else text, way_out


def _ended(facts: Facts, last: Firing) -> _Said:
    if last.state == "skipped":
        is_time = isinstance(facts.entry.trigger, ScheduleTrigger)
        then = "" if is_time else "; the object's next change is considered again"
        way_out = runs_again(facts, last.changed_ms) if is_time else _BY_HAND
        return "skipped", f"its firing was skipped: {last.reason}{then}", way_out
    if last.state == "dropped":
        return "dropped", "someone dropped its firing; it does not fire again for that change", _BY_HAND
    return "fired", _launched(facts, last), ""


def _launched(facts: Facts, last: Firing) -> str:
    what = f"ClearML task {last.task}" if last.task else facts.entry.trigger.action.done
    return f"it fired {moment(last.ended_ms or last.granted_ms)}: {what}{f' ({last.reason})' if last.reason else ''}"


def _gone(facts: Facts, last: Firing | None) -> _Said:
    if last and last.state == "launched":
        return "fired", f"{_launched(facts, last)}; {_GONE}", ""
    return "does not fire", _GONE, ""


def _by_stage(facts: Facts, now: Event, last: Firing | None) -> _Said:
    entry = facts.entry
    if entry.retired:
        return "does not fire", "the trigger is no longer declared", "declare it again"
    if facts.is_service_task:  # 5
        return "does not fire", "this is the service task of a scheduler, which is never an event", ""
    failed = evaluate(entry.trigger, now).failed
    if failed:  # 7, which says more than 6
        failing = _failing(facts, failed[0].name, failed[0].wanted, failed[0].found)
        if facts.mark.occurrence and facts.mark.fired_ms:
            return "fired", f"{_before(facts, last)}; in its present state, it would not: {failing}", ""
        return "does not fire", failing, ""
    if not entry.counts(now.changed_ms):  # 6
        text = (
            f"it satisfies the condition, but changed {moment(now.changed_ms)}, before the trigger was registered "
            f"{moment(entry.since_ms)}; only later changes count"
        )
        return "does not fire", text, f"{_BY_HAND}; `clearml-triggers replay` does for a stretch of time"
    if facts.launched_by == entry.trigger.id:  # 8
        text = "this trigger launched it itself, and no trigger fires for its own launches"
        return "does not fire", text, "a trigger of another name does"
    if facts.own_edit:
        text = "its last change is an edit that this trigger made itself, and no trigger fires for its own edits"
        if facts.mark.occurrence and facts.mark.fired_ms:
            return "fired", f"{_before(facts, last)}; {text}", ""
        return "does not fire", text, "a change by somebody else fires it"
    decision = match_decision(facts, now)
    if decision.occurrence is None:  # 9
        return _fired_before(facts, now, last)
    return _under_way(facts, now)


def _failing(facts: Facts, name: str, wanted: str, found: str) -> str:
    text = f"{name}: wanted {wanted}, found {found}"
    if facts.seen is None or not evaluate(facts.entry.trigger, facts.seen).matched:
        return text
    return f"{text}; the condition held when it changed {moment(facts.seen.changed_ms)}"


def _fired_before(facts: Facts, now: Event, last: Firing | None) -> _Said:
    rules, mark, before = facts.entry.trigger.policy, facts.mark, _before(facts, last)
    if rules.fire == "once":
        way_out = f"fire='on_transition' or 'while_true' lets it fire again; {_BY_HAND}"
        if isinstance(facts.entry.trigger, ScheduleTrigger):
            return "fired", f"{before}; each time fires once", _BY_HAND
        return "fired", f"{before}; it fires once per object", way_out
    if now.changed_ms <= mark.changed_ms:
        return "does not fire", f"this change ({moment(now.changed_ms)}) was decided on before; {before}", _BY_HAND
    if rules.fire == "on_transition":
        text = f"{before}, and its condition has been true ever since: it must become false before it fires again"
        return "does not fire", text, _BY_HAND
    text = f"{before}; the changes of two firings must be at least {rules.cooldown_minutes:g} min apart"
    return "does not fire", text, _BY_HAND


def _before(facts: Facts, last: Firing | None) -> str:
    """What it did when it fired last; the mark outlives the firing's record."""
    return _launched(facts, last) if last and last.state == "launched" else f"it fired {moment(facts.mark.fired_ms)}"


def _under_way(facts: Facts, now: Event) -> _Said:
    read, entry = facts.read, facts.entry
    if facts.waits_for_match:  # 10
        stuck, way_out = waiting.unmatched(facts.unmatched_ms, read.now_ms)
        return (
            "will fire",
            f"it satisfies the condition and was read; it is waiting to be matched{stuck}{_held(facts)}",
            way_out,
        )
    again = read.window is not None and read.window.again and now.changed_ms >= read.window.since_ms
    if is_read(facts, now) and not again:  # 11
        if not facts.index_leads:
            return "does not fire", "the index does not lead to this trigger: please report it as a bug", _BY_HAND
        text = (
            f"it satisfies the condition, but this change ({moment(now.changed_ms)}) was matched before the trigger "
            "had its present condition: an edit counts from the object's next change"
        )
        return "does not fire", text, f"{_BY_HAND}; `clearml-triggers replay` does for a stretch of time"
    new = " with this trigger" if entry.version > read.cursor.plan else ""
    if read.window is not None and now.changed_ms >= min(read.window.since_ms, read.sweep_ms):  # 12
        sweep = now.changed_ms < read.window.since_ms
        which = "the next sweep (every 10 minutes)" if sweep else f"the next poll{new}"
        late = _late(facts)
        way_out = "no worker polls: see `clearml-triggers doctor`" if late else ""
        text = f"it satisfies the condition, but no poll has read it yet; {which} reads it{late}{_held(facts)}"
        return "will fire", text, way_out
    text = (
        f"there is no record of its change {moment(now.changed_ms)}: no poll has read it, or it concerned no trigger "
        f"then; polls have read up to {moment(read.cursor.read_to_ms)[3:]} and do not look that far back"
    )
    return "does not fire", text, "`clearml-triggers replay` considers it again"


def _late(facts: Facts) -> str:
    read = facts.read
    overdue_ms = read.now_ms - read.due_ms
    if not read.due_ms:
        return "; no poll has been made yet"
    return f"; the last poll was due {moment(read.due_ms)}, and none was made since" if overdue_ms > 15_000 else ""


def _held(facts: Facts) -> str:
    return "; then its firing is held, since the trigger is paused" if facts.entry.paused else ""
