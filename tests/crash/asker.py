"""A process that can be killed: the file of a store, an endpoint and a number of inputs come in; a file of answers goes out.
It asks as a run does: what is known is looked up, the rest is packed into requests, and what they say is kept."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from binder.canonical import value_key
from binder.lm.cache import Cache, address, request_key
from binder.lm.openai import Endpoint, OpenAI
from binder.lm.store import Pack, Store, Stored
from binder.prompt import map_request
from binder.reading import read_answers

QUESTION = "which town?"
ROWS = 4  # inputs of one request
CONCURRENCY = 4


def key_of(town: str) -> str:
    """What the answer about a town is kept under."""
    return value_key(kind="map", model="m", question=QUESTION, input=[town])


async def ask(cache: Cache, towns: list[str], rows: int = ROWS, concurrency: int = CONCURRENCY) -> dict[str, str]:
    """The answers about towns, each asked only if it is not known."""
    store, slots = cache.store, asyncio.Semaphore(concurrency)
    keys = {key_of(town): town for town in towns}
    known = {keys[key]: stored.value for key, stored in store.get_answers(keys).items()}
    left = [key for key, town in keys.items() if town not in known]
    packs = store.unread(left)
    again = {key for pack in packs for key in pack.inputs}
    left = [key for key in left if key not in again]
    packs += [Pack(tuple(left[i : i + rows])) for i in range(0, len(left), rows)]

    async def one(pack: Pack) -> None:
        async with slots:
            inputs = {f"r{i + 1}": (keys[key],) for i, key in enumerate(pack.inputs)}
            request = map_request(QUESTION, ["town"], inputs, model="m", sample=pack.attempt - 1)
            kept_under = request_key(request, cache.endpoint)
            store.put_pack(kept_under, pack)
            reply = await cache.complete(request)
            answers = read_answers(reply.text, inputs)
            said = {inputs[name][0]: value for name, value in answers.items()}
            known.update(said)
            stored = {key_of(town): Stored(value, question=QUESTION, model="m", input=[town]) for town, value in said.items()}
            store.put_answers(kept_under, stored)

    await asyncio.gather(*map(one, packs))
    return known


async def main() -> None:
    """Says when it begins, asks, and says what was answered."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("url")
    parser.add_argument("count", type=int)
    parser.add_argument("out")
    options = parser.parse_args()
    cache = Cache(OpenAI(Endpoint("m", options.url)), Store(options.path), address(options.url))
    import binder.lm.client  # noqa: F401  so that a killer has the time of the work itself, not of imports

    print("ready", flush=True)
    towns = [f"town {i}" for i in range(options.count)]
    answers = await ask(cache, towns)
    await cache.close()
    Path(options.out).write_text(json.dumps(answers))


if __name__ == "__main__":
    asyncio.run(main())
