"""LOTUS, as its documentation says: semantic operators on frames, plain work in pandas, plain
predicates written first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import lotus
import pandas as pd
from lotus.models import LM
from process import Answer, main
from workloads import CONCURRENCY, Workload


def kinds(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sem_map("which kind is {item}?", suffix="k")


def good(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sem_filter("{item} is good")


def thrice(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    mapped = kinds(tables["w"])
    return mapped[mapped.k != "kind 0"].sort_values(["k", "n"])[["k", "n"]]


def joined(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    kept = tables["small"].sem_filter("{maker} is good")
    return pd.DataFrame(
        {"count": [len(tables["w"].merge(kept, left_on="maker_id", right_on="id"))]}
    )


def largest(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    w = tables["w"]
    return w[w.n < 40].sem_agg("which {item} is the largest?", suffix="answer")[["answer"]]


def mapped(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return kinds(tables["w"])[["n", "k"]]


PIPELINES: dict[str, Callable[[dict[str, pd.DataFrame]], pd.DataFrame]] = {
    "map": mapped,
    "plain": lambda tables: kinds(tables["w"][tables["w"].n < 100])[["n", "k"]],
    "two": lambda tables: good(tables["w"][tables["w"].n < 1000]).sem_filter("{item} is rare")[
        ["n"]
    ],
    "swapped": lambda tables: good(tables["w"][tables["w"].n < 1000].sem_filter("{item} is rare"))[
        ["n"]
    ],
    "limit": lambda tables: good(tables["w"]).sort_values("n", ascending=False).head(10)[["n"]],
    "group": lambda tables: kinds(tables["w"]).groupby("k").size().sort_index().reset_index(),
    "thrice": thrice,
    "ans": largest,
    "join": joined,
    "small": mapped,
    "quick": mapped,
}


def opened(name: str, workload: Workload, url: str) -> tuple[Answer, Callable[[], None]]:
    """Frames and a language model."""
    lotus.settings.configure(
        lm=LM("openai/m", max_batch_size=CONCURRENCY, api_base=url, api_key="none")
    )
    tables = {table: pd.DataFrame(columns) for table, columns in workload.tables().items()}

    def answer() -> Sequence[Sequence[Any]]:
        return list(PIPELINES[name](tables).itertuples(index=False, name=None))

    return answer, lambda: None


if __name__ == "__main__":
    main(opened)
