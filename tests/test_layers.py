"""The floor plan of the package, held by its imports: rooms import only what stands above them in
ROOMS, modules of a room only what stands above them in their line, and each library has one
door."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "binder"

# From the bottom up: a module may import what stands above it, in earlier rooms and in its own.
# `.` is the room itself, its __init__.py; a package inside a room stands for all of its modules.
ROOMS = """
errors .
data .
tables . patterns cells numbers dates spelling cell_types codec readings arrow text_columns dialect layout encoding files plain_rows csv json excel sqlite databases frames sources table zones
language . functions call_kinds lexer thoughts extract context foreign diagnose_sql diagnose_python lalr grammar calls relations annotations parameters sqltree program skeleton python repair
lm . tokens event_loop retry budget store cache replay providers
results html trace columns web result progress .
analysis . sql python
plan outcomes blocks expressions explain . matters three_valued asks naive correlate first_rows collect mapping_join cost rewrites rules python
executors . mappings workers schedule provenance mapping_tables sqlite_forms sql python languages
prompt . wire schema_linking column_profile schema units replies tasks programs memory
dispatch injection questions failures batch_size answers answer_cache sender ask_task apply_task stack .
candidates . answer vote sampling planner generate execution adaptive confidence
engine .
benchmarks release replays . denotation wikitq tabfact registry evaluate tune
cli . options demo commands notebook
__main__ .
"""
MODULES_OF = {line.split()[0]: line.split()[1:] for line in ROOMS.strip().splitlines()}
ORDER = list(MODULES_OF)

DOORS = {
    "lark": {"language.grammar", "language.lalr"},
    "openai": {"lm.providers.openai.client"},
    "httpx2": {"lm.providers.openai.client"},
    "aiohttp": {"lm.providers.openai.client"},
    "duckdb": {"executors.workers.duckdb_worker"},
    "pydantic_monty": {"executors.workers.monty_worker"},
    "pandas": {"results.columns"},
    "polars": {"results.columns"},
    "python_calamine": {"tables.excel"},
    "sqlalchemy": {"tables.databases"},
    "mcp": {"language.functions.mcp"},
    "sqlglot": {
        "language.annotations",
        "language.relations",
        "language.program",
        "language.sqltree",
        "analysis.sql",
        "plan",
        "executors.sql",
        "executors.provenance",
        "executors.sqlite_forms",
    },
}


def modules() -> dict[str, ast.Module]:
    """Module name, without the package, -> its tree."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
        if name != "__init__":
            found[name.removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that code imports when it runs, also inside functions, but not what only a type
    checker reads."""
    for child in ast.iter_child_nodes(node):
        if (
            isinstance(child, ast.If)
            and isinstance(child.test, ast.Name)
            and child.test.id == "TYPE_CHECKING"
        ):
            continue
        if isinstance(child, ast.ImportFrom) and child.module:
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        yield from imported(child)


TREES = modules()


def _module(name: str) -> str:
    """The module of the package that an imported name is, or lives in."""
    inner = name.removeprefix("binder.")
    while inner and inner not in TREES:
        inner = inner.rpartition(".")[0]
    return inner


IMPORTS = {
    name: sorted(
        {_module(other) for other in imported(tree) if other.startswith("binder.")} - {name, ""}
    )
    for name, tree in TREES.items()
}
LIBRARIES = {
    name: {other.split(".")[0] for other in imported(tree)} for name, tree in TREES.items()
}


def _place(module: str) -> tuple[int, int]:
    """Where a module stands: its room, and its place inside."""
    room, _, inner = module.partition(".")
    return ORDER.index(room), MODULES_OF[room].index(inner.split(".")[0] or ".")


def test_every_module_stands_in_the_table() -> None:
    places = {tuple(name.split(".")[:2]) for name in TREES}
    table = {
        (room,) if inner == "." else (room, inner)
        for room, names in MODULES_OF.items()
        for inner in names
    }
    assert places == table


@pytest.mark.parametrize("module", TREES)
def test_imports_point_downward(module: str) -> None:
    above = [other for other in IMPORTS[module] if _place(other) > _place(module)]
    assert not above, f"{module} imports {', '.join(above)}, which stand above it"


def test_no_module_imports_itself_through_others() -> None:
    done: set[str] = set()  # modules from which no circle is reached

    def reach(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"a circle: {' -> '.join((*path, name))}"
        if name in done:
            return
        for other in IMPORTS[name]:
            reach(other, (*path, name))
        done.add(name)

    for module in TREES:
        reach(module, ())


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_its_doors(library: str) -> None:
    users = {name for name, names in LIBRARIES.items() if library in names}
    doors = {
        name for name in users if any(f"{name}.".startswith(f"{door}.") for door in DOORS[library])
    }
    assert users == doors


def test_the_package_has_few_rooms() -> None:
    assert len({path.name for path in PACKAGE.iterdir() if not path.name.startswith("__")}) <= 16


def test_every_package_is_installed() -> None:
    setup = configparser.ConfigParser()
    setup.read(PACKAGE.parent / "setup.cfg", encoding="utf-8")
    found = {
        ".".join(path.relative_to(PACKAGE.parent).parent.parts) for path in PACKAGE.rglob("*.py")
    }
    assert found <= set(setup["options"]["packages"].split())
