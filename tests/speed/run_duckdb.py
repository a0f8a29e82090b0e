"""DuckDB alone, over a column that holds the answers already: what a plan with calls is measured
against."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pyarrow as pa
from process import Answer, main
from workloads import Workload, know


def opened(name: str, workload: Workload, url: str) -> tuple[Answer, Callable[[], None]]:
    """The table with its ready-made column."""
    columns = workload.tables()["w"]
    w = pa.table({**columns, "known": [know("kind", item) for item in columns["item"]]})
    engine = duckdb.connect()
    engine.register("w", w)
    return lambda: engine.sql(workload.plain or "FROM w").fetchall(), engine.close


if __name__ == "__main__":
    main(opened)
