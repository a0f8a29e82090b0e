"""A process that can be killed: the file of a store, an endpoint and a number of inputs come in; a
file of answers goes out."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import binder

ROWS = 4  # inputs of one request
CONCURRENCY = 4
PROGRAM = 'SELECT town, QA("map@which town?"; town) AS said FROM w'


def ask(
    path: str,
    url: str,
    towns: list[str],
    name: str = "none",
    rows: int = ROWS,
    concurrency: int = CONCURRENCY,
) -> dict[str, str]:
    """The answers about towns, by a run with a connection of its own; name is the key that the
    endpoint sees."""
    table = [{"town": town} for town in towns]
    settings = {"cache": path, "batch_rows": rows, "concurrency": concurrency}
    with binder.connect(table, "m", url, name, **settings) as db:  # type: ignore[arg-type]
        result = db.run(PROGRAM)
    assert not result.errors, result.errors
    return dict(result.rows)


def main() -> None:
    """Asks, and writes what was answered."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("url")
    parser.add_argument("count", type=int)
    parser.add_argument("out")
    options = parser.parse_args()
    answers = ask(options.path, options.url, [f"town {i}" for i in range(options.count)])
    Path(options.out).write_text(json.dumps(answers))


if __name__ == "__main__":
    main()
