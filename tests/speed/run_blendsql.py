"""BlendSQL, as its documentation says: LLMMap and LLMQA over a frame in DuckDB, with all its
optimisations (the default)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from blendsql import BlendSQL
from blendsql.configure import set_async_limit
from blendsql.models import OpenAI
from process import Answer, main
from workloads import CONCURRENCY, GROUPED, SUMMED, Workload

KIND, GOOD, RARE = (
    f"{{{{LLMMap('{question}', w.item)}}}}"
    for question in ("which kind?", "is it good?", "is it rare?")
)
MAP = f"SELECT n, {KIND} FROM w"
QUERIES = {
    "map": MAP,
    "plain": f"{MAP} WHERE n < 100",
    "two": f"SELECT n FROM w WHERE n < 1000 AND {GOOD} = TRUE AND {RARE} = TRUE",
    "swapped": f"SELECT n FROM w WHERE {RARE} = TRUE AND n < 1000 AND {GOOD} = TRUE",
    "limit": f"SELECT n FROM w WHERE {GOOD} = TRUE ORDER BY n DESC LIMIT 10",
    "group": GROUPED.format(KIND),
    "thrice": f"SELECT {KIND} AS k, n FROM w WHERE {KIND} <> 'kind 0' ORDER BY {KIND}, n",
    "ans": "SELECT {{LLMQA('which is the largest?', (SELECT item FROM w WHERE n < 40))}}",
    "join": "SELECT COUNT(*) FROM w JOIN small ON small.id = w.maker_id"
    " WHERE {{LLMMap('is it good?', small.maker)}} = TRUE",
    "small": MAP,
    "quick": MAP,
    "million": SUMMED.format(KIND),
}


def opened(name: str, workload: Workload, url: str) -> tuple[Answer, Callable[[], None]]:
    """A database of frames."""
    set_async_limit(CONCURRENCY)
    frames = {table: pd.DataFrame(columns) for table, columns in workload.tables().items()}
    model = OpenAI("m", base_url=url, api_key="none", caching=False)
    # It runs each function of a query in an event loop of its own, where a connection that was kept
    # open is of no use.
    if name in ("two", "swapped"):
        model.client = model.client.with_options(default_headers={"Connection": "close"})
    db = BlendSQL(frames, model=model)

    def answer() -> Sequence[Sequence[Any]]:
        return list(db.execute(QUERIES[name]).df().itertuples(index=False, name=None))

    return answer, lambda: None


if __name__ == "__main__":
    main(opened)
