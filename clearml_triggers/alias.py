"""`clearml_triggers.X` is `triggers.X`: the same module, found beside this package and nowhere else.

A `triggers.py` or `workers.py` of a user's, in the current folder or earlier on `sys.path`, is not taken for ours.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_FOLDER = Path(__file__).resolve().parents[1]
_PREFIX = "clearml_triggers."


class NameTaken(ImportError):
    """A module of the user's was imported under a name that this package needs."""


def own(name: str) -> ModuleType:
    """Our package of that name, `triggers` or `workers`.

    Raises:
        NameTaken: another module has the name already.
    """
    folder = _FOLDER / name
    found = sys.modules.get(name)
    if found is not None:
        if [Path(each).resolve() for each in getattr(found, "__path__", [])] == [folder]:
            return found
        place = getattr(found, "__file__", None) or "another module"
        raise NameTaken(
            f"the module name {name!r} is taken by {place}, which was imported first: rename it, clearml-triggers "
            f"needs the name in its own process",
            name=name,
        )
    places = [str(folder)]
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=places)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def own_or_end(name: str) -> ModuleType:
    """The same for the `celery` program, which shows anything but an exit with its traceback: one line, exit code 2."""
    try:
        return own(name)
    except NameTaken as error:
        print(f"clearml-triggers: {error}", file=sys.stderr)
        raise SystemExit(2) from error


class _Loader(Loader):
    """Gives the module of another name."""

    def __init__(self, real: ModuleSpec) -> None:
        self.real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002
        return importlib.import_module(self.real.name)

    def exec_module(self, module: ModuleType) -> None:
        """It has been executed; importing under this name has changed whose it says it is."""
        module.__spec__ = self.real

    def get_code(self, name: str) -> CodeType | None:  # noqa: ARG002
        """For `python -m`."""
        loader: Any = self.real.loader
        code: CodeType | None = loader.get_code(self.real.name)
        return code


class _Finder(MetaPathFinder):
    """Finds what is not a file of this package."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if not fullname.startswith(_PREFIX):
            return None
        name = fullname.removeprefix(_PREFIX)
        own("triggers")
        if name.partition(".")[0] == "workers":
            own("workers")
        else:
            name = f"triggers.{name}"
        real = importlib.util.find_spec(name)
        if real is None:
            return None
        is_package = real.submodule_search_locations is not None
        return ModuleSpec(fullname, _Loader(real), origin=real.origin, is_package=is_package)


def install() -> None:
    """Ask the finder after all others; does nothing the second time."""
    if not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.append(_Finder())
