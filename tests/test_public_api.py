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
