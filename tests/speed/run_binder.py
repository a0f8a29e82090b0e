"""binder, as its README says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
from process import Answer, main
from workloads import CONCURRENCY, Workload

import binder


def opened(name: str, workload: Workload, url: str) -> tuple[Answer, Callable[[], None]]:
    """A connection without a cache, its tables in the engine: a connection opens them behind its user's back."""
    tables = {table: pa.table(columns) for table, columns in workload.tables().items()}
    db = binder.connect(tables, "m", url, "none", cache=None, concurrency=CONCURRENCY)
    for table in tables:
        db.run(f"SELECT COUNT(*) FROM {table}")

    def answer() -> Sequence[Sequence[Any]]:
        result = db.run(workload.binder)
        assert not result.errors, result.errors[0]
        return result.rows

    return answer, db.close


if __name__ == "__main__":
    main(opened)
