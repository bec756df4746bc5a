"""How large a YAML document is once its aliases are followed, asked before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from triggers.base.bounds import MOST_VALUES, TooBig


def check_nodes(root: yaml.Node | None) -> None:
    """Refuse a YAML document that grows beyond bounds when its aliases are followed, before it is made of them.

    Raises:
        TooBig: says what is too much, and where it begins.
    """
    sizes: dict[int, int] = {}
    if root is not None and _size(root, sizes, set()) > MOST_VALUES:
        raise TooBig(f"it has more than {MOST_VALUES:,} values, with aliases written out")


def _size(node: yaml.Node, sizes: dict[int, int], above: set[int]) -> int:
    """Values below a node; every node is looked at once, however many aliases lead to it."""
    id_ = id(node)
    if id_ in above:
        raise TooBig(f"line {node.start_mark.line + 1}: an alias contains itself")
    if id_ not in sizes:
        above.add(id_)
        sizes[id_] = 1 + sum(_size(child, sizes, above) for child in _children(node))
        above.discard(id_)
    return sizes[id_]


def _children(node: yaml.Node) -> Iterable[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value
