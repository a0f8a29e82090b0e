"""JSON files: their objects as rows, whichever of the usual shapes the file has.

A list of objects, one object a line, an object of columns, pandas' split, the features of GeoJSON,
or an object in which one key holds the rows."""

from __future__ import annotations

import json
from typing import Any

from binder.errors import DataError

SHAPES = '[{"name": "x", "count": 1}, ...]'
Dict = dict[str, Any]


def read_rows(text: str, path: str) -> tuple[list[Dict], list[str]]:
    """The rows of a JSON file, and what was left out."""
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise DataError(f"{path} is nested too deeply", path=path) from error
    except ValueError as error:
        return _read_lines(text, path, error), []
    if isinstance(found, dict):
        return _in_object(found, path)
    return _objects(found, path), []


def _read_lines(text: str, path: str, error: ValueError) -> list[Dict]:
    """The rows of a file with one object a line; error is what is wrong with it as one value."""
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except RecursionError as nested:
            raise DataError(f"{path} is nested too deeply", path=path) from nested
        except ValueError as fault:
            if not rows:
                raise DataError(f"{path} is not JSON: {error}", path=path) from error
            raise DataError(
                f"{path} is not JSON: line {number}: {fault}", path=path, row=number
            ) from fault
    if not rows:
        raise DataError(f"{path} is not JSON: it is empty", path=path)
    return _objects(rows, path)


def _objects(rows: Any, path: str) -> list[Dict]:
    """Rows, if they are objects."""
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise DataError(f"{path} is not a list of objects", path=path, hint=f"expected {SHAPES}")


def _in_object(found: Dict, path: str) -> tuple[list[Dict], list[str]]:
    """The rows in one object: a row of its own, columns, or rows under a key."""
    rows = _in_shape(found, path)
    if rows is not None:
        return rows, []
    keys = [key for key, value in found.items() if _are_objects(value)]
    if len(keys) == 1:
        others = ", ".join(key for key in found if key != keys[0])
        note = f"the rows are those under {keys[0]!r}; left out: {others}"
        return found[keys[0]], [note] if others else []
    if keys:
        raise DataError(
            f"{path} holds rows under several keys: {', '.join(keys)}",
            path=path,
            hint=f'load it and give one: json.load(open(path))["{keys[0]}"]',
        )
    if any(not isinstance(value, (list, dict)) for value in found.values()):
        return [found], []
    raise DataError(f"{path} is not a list of objects", path=path, hint=f"expected {SHAPES}")


def _in_shape(found: Dict, path: str) -> list[Dict] | None:
    """The rows of an object of a known shape; None for any other."""
    values = list(found.values())
    if _is_split(found):
        names = [str(name) for name in found["columns"]]
        return [dict(zip(names, cells, strict=True)) for cells in found["data"]]
    if found.get("type") == "FeatureCollection" and isinstance(found.get("features"), list):
        return [_feature(feature) for feature in _objects(found["features"], path)]
    if values and all(isinstance(column, list) for column in values) and not _holds_rows(found):
        return _of_columns(found, path)
    if values and all(isinstance(column, dict) for column in values):
        return _of_indexed(found)
    return None


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _holds_rows(found: Dict) -> bool:
    """Whether one key alone holds a list, of objects: rows and not a column."""
    return len(found) == 1 and _are_objects(next(iter(found.values())))


def _is_split(found: Dict) -> bool:
    """Whether this is pandas' orient="split": names of columns, and rows of as many values."""
    names, rows = found.get("columns"), found.get("data")
    if not isinstance(names, list) or not isinstance(rows, list):
        return False
    return all(isinstance(row, list) and len(row) == len(names) for row in rows)


def _of_columns(found: Dict, path: str) -> list[Dict]:
    """The rows of an object of columns."""
    if len({len(column) for column in found.values()}) > 1:
        raise DataError(f"the columns of {path} differ in length", path=path)
    return [dict(zip(found, cells, strict=True)) for cells in zip(*found.values(), strict=True)]


def _of_indexed(found: Dict) -> list[Dict] | None:
    """The rows of pandas' orient="columns": {"a": {"0": 1, "1": 2}}; None where keys differ."""
    first, *others = found.values()
    if not first or any(list(column) != list(first) for column in others):
        return None
    if any(isinstance(value, (list, dict)) for value in first.values()) or not others:
        return None
    return [{name: column[key] for name, column in found.items()} for key in first]


def _feature(feature: Dict) -> Dict:
    """A feature of GeoJSON: its properties, and its geometry."""
    properties = feature.get("properties") or {}
    return {**properties, "geometry": feature.get("geometry")}
