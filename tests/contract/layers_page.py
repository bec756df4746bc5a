"""The table of folders in docs/architecture.md: what each owns, by its own docstring, and imports, by its imports.

python -m tests.contract.layers_page     writes it anew
"""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- made by tests/contract/layers_page.py -->\n\n", "\n<!-- end of what is made -->"
BETWEEN = "\n\nThe folders of the ledger, and the modules that they stand on:\n\n"


def layers(contract: str = "layers") -> list[list[str]]:
    """The folders of `triggers`, or of the ledger, from the top down, as the contract in pyproject.toml has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layered,) = [one for one in contracts if one["id"] == contract]
    return [[name.strip() for name in line.split("|")] for line in layered["layers"]]


def owns(package: str) -> str:
    """The first paragraph of the docstring of a package or module, in one line."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    text = re.match(r'r?"""(.*?)(?:"""|\n\n)', Path(spec.origin).read_text(), re.DOTALL)
    assert text is not None, package
    return " ".join(text[1].split()).replace("|", "\\|")


def table(container: str, contract: str, *others: str) -> str:
    """The table of a container as it should be, from the lowest folder to the highest, and of `others` after it."""
    graph = grimp.build_graph("triggers", "workers", include_external_packages=False, cache_dir=None)
    known = [name for line in reversed(layers(contract)) for name in line]
    rows = ["| folder | owns | imports |", "|---|---|---|"]
    for package in [*(f"{container}.{name}" for name in known), *others]:
        modules = {package} | graph.find_descendants(package)
        targets = {part for module in modules for part in graph.find_modules_directly_imported_by(module)} - modules
        used = [other for other in known if any(f"{part}.".startswith(f"{container}.{other}.") for part in targets)]
        path = package.replace(".", "/")
        shown = f"{path}/" if (ROOT / path).is_dir() else f"{path}.py"
        rows.append(f"| `{shown}` | {owns(package)} | {', '.join(used) or 'nothing'} |")
    return "\n".join(rows)


def page() -> str:
    """The page with the table as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    folders, ledger = table("triggers", "layers", "workers"), table("triggers.ledger", "ledger")
    return f"{before}{BEGIN}{folders}{BETWEEN}{ledger}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
