"""The SDK as soon as a script has a module that parses arguments, and not earlier.

The SDK records arguments, and on an agent replaces them, only where it has patched the parser before it is used: with
the original, at the import of the client. Importing ours is cheap, so the SDK comes with the first of these modules.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

#: Modules that parse arguments, and that the SDK patches.
PARSERS = frozenset(("absl", "argparse", "click", "fire", "hydra", "jsonargparse", "typer"))


def bring_the_sdk() -> None:
    """Import the SDK now if a parser is there, else right after the first one. Idempotent."""
    if not PARSERS.isdisjoint(sys.modules):
        _import_it()
    elif not any(isinstance(each, _First) for each in sys.meta_path):
        sys.meta_path.insert(0, _First())


def _import_it() -> None:
    importlib.import_module("clearml")


class _First(MetaPathFinder):
    """Finds the first parser that is imported, as the other finders do, and then is not a finder any more."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname not in PARSERS:
            return None
        sys.meta_path[:] = [each for each in sys.meta_path if each is not self]
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _ThenTheSdk(spec.loader)
        return spec


class _ThenTheSdk(Loader):
    """Loads a module as its own loader does; the SDK, which imports it as well, comes after it."""

    def __init__(self, own: Loader) -> None:
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._own
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        self._own.exec_module(module)
        _import_it()
