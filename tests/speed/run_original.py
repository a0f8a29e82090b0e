"""The plan of the original Binder: each different call over the whole column, duplicates and all,
50 rows a request, then SQL.

A baseline of our own: its code needs a model that is gone. The prompts are binder's; requests are
made 16 at a time, not one."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import openai
import pandas as pd
from process import Answer, main
from workloads import CONCURRENCY, Workload

from binder.lm.providers.openai.chat import parameters
from binder.prompt.tasks import ans_request, map_request

ROWS = 50
CALL = re.compile(r'QA\("(map|ans)@(.*?)"; (\(.*?\)|[\w.]+)\)')


async def told(client: openai.AsyncOpenAI, slots: asyncio.Semaphore, request: Any) -> Any:
    """The answers to one request."""
    async with slots:
        completion = await client.chat.completions.create(**parameters(request, frozenset()))
    return json.loads(completion.choices[0].message.content or "")["answers"]


async def replaced(engine: duckdb.DuckDBPyConnection, program: str, url: str) -> str:
    """The program with columns and constants in the place of its calls."""
    slots, done = asyncio.Semaphore(CONCURRENCY), {}
    wanted = {"type": "auto", "options": None, "spellings": None, "table": None}
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        for index, (kind, question, argument) in enumerate(dict.fromkeys(CALL.findall(program))):
            if kind == "ans":
                part = engine.sql(argument)
                parts = ((tuple(part.columns), tuple(part.fetchall())),)
                (answer,) = await told(
                    client, slots, ans_request(question, parts, model="m", **wanted)
                )
                done[kind, question, argument] = f"SELECT '{answer}'"
                continue
            table, _, column = argument.rpartition(".")
            values = engine.sql(f"SELECT {column} FROM {table or 'w'} ORDER BY rowid").fetchall()
            packs = [
                {f"r{i}": value for i, value in enumerate(values[at : at + ROWS])}
                for at in range(0, len(values), ROWS)
            ]
            requests = [
                map_request(question, (column,), pack, model="m", **wanted) for pack in packs
            ]
            answers = await asyncio.gather(*(told(client, slots, request) for request in requests))
            engine.register(
                "answers",
                pd.DataFrame({"known": [value for answer in answers for value in answer.values()]}),
            )
            engine.sql("CREATE OR REPLACE TABLE new AS SELECT * FROM answers")
            engine.sql(
                f"CREATE OR REPLACE TABLE {table or 'w'} AS SELECT t.*, new.known AS col_{index}"
                f" FROM {table or 'w'} t JOIN new ON t.rowid = new.rowid ORDER BY t.rowid"
            )
            done[kind, question, argument] = f"col_{index}"
    return CALL.sub(lambda call: done[call.groups()], program)


def opened(name: str, workload: Workload, url: str) -> tuple[Answer, Callable[[], None]]:
    """A database with the tables in it."""
    engine = duckdb.connect()
    for table, columns in workload.tables().items():
        frame = pd.DataFrame(columns)
        engine.sql(f"CREATE TABLE {table} AS SELECT * FROM frame")
        del frame

    def answer() -> Sequence[Sequence[Any]]:
        return engine.sql(asyncio.run(replaced(engine, workload.binder, url))).fetchall()

    return answer, engine.close


if __name__ == "__main__":
    main(opened)
