"""binder, as its README says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from process import Answer, main
from workloads import CONCURRENCY, Workload

import binder


def opened(name: str, workload: Workload, url: str) -> tuple[Answer, Callable[[], None]]:
    """A connection, its tables in the engine: a connection opens them behind its user's back.
    Without a cache, but where all was answered before."""
    tables = {table: pa.table(columns) for table, columns in workload.tables().items()}
    folder = tempfile.TemporaryDirectory()
    cache = Path(folder.name, "answers.sqlite") if workload.again else None
    db = binder.connect(tables, "m", url, "none", cache=cache, concurrency=CONCURRENCY)
    for table in tables:
        db.run(f"SELECT COUNT(*) FROM {table}")
    if workload.again:
        db.run(workload.binder)

    def close() -> None:
        db.close()
        folder.cleanup()

    def answer() -> Sequence[Sequence[Any]]:
        result = db.run(workload.binder)
        assert not result.errors, result.errors[0]
        return result.rows

    return answer, close


if __name__ == "__main__":
    main(opened)
