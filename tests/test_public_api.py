"""The names that binder shows go in: they are sorted, complete, documented, and cost nothing until
they are used."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

import binder


def test_the_names_are_sorted_and_complete() -> None:
    assert list(binder.__all__) == sorted(binder.__all__)
    assert set(binder.__all__) == set(binder._HOMES)


@pytest.mark.parametrize("name", binder.__all__)
def test_a_name_is_found_where_it_lives_and_is_documented(name: str) -> None:
    shown = getattr(binder, name)
    assert shown is getattr(importlib.import_module(f"binder.{binder._HOMES[name]}"), name)
    assert inspect.getdoc(shown), f"{name} has no docstring"
    for method, function in (
        inspect.getmembers(shown, inspect.isfunction) if inspect.isclass(shown) else ()
    ):
        assert method.startswith("_") or inspect.getdoc(function), (
            f"{name}.{method} has no docstring"
        )


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'elephant'"):
        binder.elephant  # noqa: B018


def _loaded(code: str) -> set[str]:
    """The top modules that some code loads in a fresh process."""
    said = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in said.stdout.split()}


def test_import_binder_loads_nothing_that_takes_time() -> None:
    assert not _loaded("import binder") & {
        "pandas",
        "duckdb",
        "openai",
        "pyarrow",
        "sqlglot",
        "lark",
        "numpy",
    }


def test_connecting_loads_neither_pandas_nor_the_engine() -> None:
    assert not _loaded("import binder; binder.connect") & {"pandas", "duckdb", "openai"}


def _forget(name: str) -> None:
    """Makes the next import of a name the first one."""
    parent, _, child = f"binder.{name}".rpartition(".")
    sys.modules.pop(f"binder.{name}", None)
    vars(importlib.import_module(parent)).pop(child, None)


@pytest.mark.parametrize("name", binder._MOVED)
def test_a_module_is_found_by_the_name_it_had_and_the_new_one_is_told(name: str) -> None:
    new = f"binder.{binder._MOVED[name]}"
    _forget(name)
    try:
        with pytest.warns(DeprecationWarning, match=f"binder.{name} is now {new}") as warned:
            exec(compile(f"import binder.{name}", __file__, "exec"))
        assert [warning.filename for warning in warned] == [__file__]
        moved = importlib.import_module(new)
        assert sys.modules[f"binder.{name}"] is moved and moved.__name__ == new
        assert moved.__spec__ is not None and moved.__spec__.name == new
    finally:
        _forget(name)


@pytest.mark.parametrize("name", [name for name in binder._MOVED if "." not in name])
def test_a_module_is_an_attribute_by_the_name_it_had(name: str) -> None:
    _forget(name)
    with pytest.warns(DeprecationWarning) as warned:
        found = getattr(binder, name)
    assert found.__name__ == f"binder.{binder._MOVED[name]}"
    assert [warning.filename for warning in warned] == [__file__]


def test_names_are_imported_from_the_module_that_had_them() -> None:
    _forget("memory")
    try:
        with pytest.warns(DeprecationWarning, match="binder.prompt.memory"):
            from binder.memory import Memory  # type: ignore[import-not-found]
        assert Memory is binder.Memory
    finally:
        _forget("memory")
