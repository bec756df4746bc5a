"""Reading a file of triggers. Every error of it is found in one go, each with the place where it stands."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from triggers.base.bounds import DEEPEST, LARGEST_TEXT, MOST_VALUES, TooBig
from triggers.base.errors import InvalidTrigger, Usage
from triggers.base.meant import meant
from triggers.base.plural import plural
from triggers.client.declaration import Declaration, declare
from triggers.client.scheduler import TriggerScheduler
from triggers.configuration import plain_yaml
from triggers.configuration.aliases import check_nodes
from triggers.model import Trigger, check_new, make_trigger
from triggers.model.kinds import KINDS, Kind, call_of, named_as, one_of_them, phrase_of

#: What a trigger may say beside the arguments of its `add_*` call.
KIND, PROJECT_ID = "kind", "project_id"
#: Problems of one file that are listed; the rest are counted.
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Document:
    """A file: its triggers in order, and the examples that `test -f` holds them to."""

    triggers: tuple[Trigger, ...]
    examples: tuple[dict[str, Any], ...] = ()


def load(file: str) -> Document:
    """Read a file; "-" is standard input.

    Raises:
        Usage: it cannot be read, or something in it is wrong; one line for each error.
    """
    if file == "-":
        return parse(sys.stdin.read(LARGEST_TEXT + 1), name_of(file), Path())
    try:
        with Path(file).open(encoding="utf-8") as opened:
            text = opened.read(LARGEST_TEXT + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"{file} cannot be read: {error}") from error
    return parse(text, name_of(file), Path(file).absolute().parent)


def name_of(file: str) -> str:
    """A file as people know it."""
    return "standard input" if file == "-" else Path(file).name


def parse(text: str, name: str, folder: Path | None = None) -> Document:
    """Read the text of a file called `name`.

    Args:
        text: what is in it.
        name: as people know it.
        folder: where the paths begin that it names; None for a text from elsewhere, which may name none.

    Raises:
        Usage: something in it is wrong; one line for each error.
    """
    content = _content(text, name)
    content = {} if content is None else content
    if not isinstance(content, dict) or not isinstance(content.get("triggers", []), list):
        raise Usage(f"{name}: give `triggers:` and below it a list, as `clearml-triggers export` writes them")
    problems = [
        f"{name}: {key!r} is unknown; give 'triggers' and 'examples'{meant(key, _PARTS)}" for key in _unknown(content)
    ]
    taken: dict[Kind, dict[str, Declaration]] = {kind: {} for kind in KINDS}
    triggers = []
    for number, item in enumerate(content.get("triggers") or [], 1):
        try:
            triggers.append(_trigger(item, f"{name}, item {number}", taken, folder))
        except Usage as error:
            problems.append(f"{name}, item {number}: {error}")
    if problems:
        raise Usage("\n".join(_at_most(problems)))
    return Document(tuple(triggers), tuple(content.get("examples") or ()))


def check_as_new(document: Document) -> None:
    """Refuse what `apply` refuses of a file whose triggers are all new to it.

    Raises:
        InvalidTrigger: the first that is wrong.
    """
    for trigger in document.triggers:
        check_new(trigger)
        check_file_has(trigger)


def check_file_has(trigger: Trigger) -> None:
    """Refuse an action that no file can declare.

    Raises:
        InvalidTrigger: names it, and what to give instead.
    """
    if problem := trigger.action.problem_of_file():
        with named_as(trigger.kind):
            raise InvalidTrigger(trigger.name, trigger.action.CODE, trigger.action.label, problem)


def _at_most(problems: list[str]) -> list[str]:
    """The first of the problems, and how many more there are: a list of thousands helps nobody."""
    more = len(problems) - _SHOWN
    return problems if more <= 0 else [*problems[:_SHOWN], f"and {plural(more, 'more problem')}"]


def _content(text: str, name: str) -> Any:
    """What a text says; it is made only once its size is known to be within bounds."""
    if len(text) > LARGEST_TEXT:
        raise Usage(f"{name} is larger than {LARGEST_TEXT:,} characters: divide it into several schedulers")
    if len(text) >= plain_yaml.LARGE:
        with suppress(plain_yaml.NotPlain):
            return plain_yaml.read(text, MOST_VALUES)
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            check_nodes(node)
            return None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise Usage(f"{name} is not YAML: {error}") from error
    except RecursionError as error:
        raise Usage(f"{name} is nested too deeply: more than {DEEPEST} levels") from error
    except TooBig as error:
        raise Usage(f"{name} is too big: {error}") from error
    except (ValueError, OverflowError) as error:  # numbers and dates that there are none of
        raise Usage(f"{name} is not YAML: {error}") from error


#: What a file may hold.
_PARTS: Final = ("triggers", "examples")


def _unknown(content: Mapping[Any, Any]) -> list[Any]:
    return [key for key in content if key not in _PARTS]


def _trigger(item: Any, place: str, taken: dict[Kind, dict[str, Declaration]], folder: Path | None) -> Trigger:
    if not isinstance(item, dict):
        raise Usage(f"a trigger must be a mapping of arguments, not {item!r}")
    name = str(item.get("name") or item.get("schedule_task_id") or "(without a name)")
    kind = item.get(KIND)
    if kind not in KINDS:
        raise InvalidTrigger(name, KIND, kind, f"give {one_of_them(kind)}")
    known = defaults(kind)
    for key in item:
        if key not in known and key not in (KIND, PROJECT_ID):
            with named_as(kind):
                way_out = f"unknown for a {phrase_of(kind)}; leave it out{meant(key, known)}"
                raise InvalidTrigger(name, str(key), item[key], way_out)
    arguments = {**known, **{key: value for key, value in item.items() if key in known}}
    declaration = declare(kind, arguments, taken[kind], place, in_file=True, folder=folder)
    trigger = declaration.trigger
    if item.get(PROJECT_ID):
        trigger = make_trigger(kind, **{**trigger.model_dump(exclude={KIND}), PROJECT_ID: item[PROJECT_ID]})
    taken[kind][trigger.name] = declaration
    return trigger


@cache
def defaults(kind: Kind) -> dict[str, Any]:
    """The arguments of the call that declares a trigger of a kind, with their defaults."""
    parameters = inspect.signature(getattr(TriggerScheduler, call_of(kind))).parameters
    return {name: parameter.default for name, parameter in parameters.items() if name != "self"}


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML would take the last, and what is too much or too deep."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._composed = self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._composed += 1
        self._depth += 1
        if self._composed > MOST_VALUES:
            raise TooBig(f"it has more than {MOST_VALUES:,} values")
        if self._depth > DEEPEST:
            raise TooBig(f"line {self.line + 1}: it is nested more than {DEEPEST} deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)
