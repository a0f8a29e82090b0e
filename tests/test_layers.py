"""The modules of the package go in, as their imports are written; each may import only what stands above it in the table below,
and each third-party library has its doors."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "binder"

# From the bottom up; inside a line from left to right. A package stands for all its modules.
LAYERS = """
0 errors values columns html folders tokens canonical functions injection
1 arrow sources table trace failure faults faults_python lalr grammar program python result extract answer vote
2 check lm reading prompt memory progress
3 plan
4 executors asking recall dispatch sampling generate poll belief stack
5 engine
6 benchmarks tune demo
7 cli magic __main__
"""
ORDER = [name for line in LAYERS.strip().splitlines() for name in line.split()[1:]]

DOORS = {
    "lark": {"grammar", "lalr"},
    "openai": {"lm.client"},
    "httpx2": {"lm.client"},
    "aiohttp": {"lm.client"},
    "duckdb": {"executors.duckdb"},
    "pydantic_monty": {"executors.monty"},
    "pandas": {"result"},
    "sqlglot": {"program", "check", "plan", "executors.sql", "executors.provenance"},
}
# What stands beside its door today, and must not stay so.
BESIDE: set[tuple[str, str]] = set()


def modules() -> dict[str, ast.Module]:
    """Module name, without the package, -> its tree."""
    paths = {
        path: path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".") for path in sorted(PACKAGE.rglob("*.py"))
    }
    return {
        name.removesuffix(".__init__"): ast.parse(path.read_text(encoding="utf-8"))
        for path, name in paths.items()
        if name != "__init__"
    }


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that code imports when it runs, also inside functions; what only a type checker reads is left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.ImportFrom) and child.module == "binder":
            yield from (f"binder.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        yield from imported(child)


MODULES = {name: sorted(set(imported(tree))) for name, tree in modules().items()}


def test_every_module_stands_in_the_table() -> None:
    assert sorted({name.split(".")[0] for name in MODULES}) == sorted(ORDER)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_downward(module: str) -> None:
    own = module.split(".")[0]
    tops = {name.split(".")[1] for name in MODULES[module] if name.startswith("binder.")} & set(ORDER)
    above = sorted(top for top in tops if top != own and ORDER.index(top) > ORDER.index(own))
    assert not above, f"{module} imports {', '.join(above)}, which stand above it"


def test_no_module_imports_itself_through_others() -> None:
    def reached(name: str, seen: tuple[str, ...]) -> None:
        assert name not in seen, f"a circle: {' -> '.join((*seen, name))}"
        for other in MODULES.get(name, ()):
            inner = other.removeprefix("binder.")
            if other.startswith("binder.") and inner in MODULES and inner != name:
                reached(inner, (*seen, name))

    for module in MODULES:
        reached(module, ())


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_its_doors(library: str) -> None:
    users = {name for name, names in MODULES.items() if library in {other.split(".")[0] for other in names}}
    elsewhere = {name for name in users if not DOORS[library] & {name, name.split(".")[0]}}
    assert elsewhere == {name for other, name in BESIDE if other == library}


def test_every_package_is_installed() -> None:
    setup = configparser.ConfigParser()
    setup.read(PACKAGE.parent / "setup.cfg", encoding="utf-8")
    found = {".".join(path.relative_to(PACKAGE.parent).parent.parts) for path in PACKAGE.rglob("*.py")}
    assert found <= set(setup["options"]["packages"].split())
