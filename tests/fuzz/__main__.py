"""Sends texts that are nearly programs through parse and check, in as many processes as asked for,
and prints what was found.

python -m tests.fuzz --count 1000000 --seed 1 --jobs 2
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.fuzz import LIMIT, Found, fuzz
from tests.fuzz.texts import KINDS, LANGUAGES

CHUNK = 1_000


def main() -> int:
    """0 where nothing was found."""
    parser = argparse.ArgumentParser(
        description="Sends texts that are nearly programs through parse and check."
    )
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    start, found = time.monotonic(), Found()
    chunks = [
        range(first, min(first + CHUNK, options.count)) for first in range(0, options.count, CHUNK)
    ]
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        for chunk, part in zip(
            chunks, pool.map(partial(fuzz, seed=options.seed), chunks), strict=True
        ):
            for place, text in part.broken.items():
                if place not in found.broken:
                    _print(f"BROKEN {place}: {text!r:.3000}")
            for share, text, _ in part.slow:
                _print(
                    f"SLOW {share:.2f} times what {len(text)} characters may take: {text!r:.300}"
                )
            found.add(part)
            if chunk.stop % (20 * CHUNK) == 0:
                _print(
                    f"{chunk.stop} after {time.monotonic() - start:.0f} s: {len(found.broken)} broken, {len(found.slow)} slow"
                )
    found.slow = [
        slow for busy in found.slow for slow in fuzz([busy.number], options.seed).slow
    ]  # now that all is quiet
    _summary(found)
    _print(
        f"{options.count} texts in {time.monotonic() - start:.0f} s: {len(found.broken)} broken, {len(found.slow)} slow"
    )
    return 1 if found.broken or found.slow else 0


def _summary(found: Found) -> None:
    """How many texts of each kind there were and what became of them; the slowest of each
    language."""
    for language in (language.name for language in LANGUAGES):
        for kind in (kind.__name__ for kind, _ in KINDS):
            fates = {
                fate: times
                for (*of, fate), times in sorted(found.fates.items())
                if of == [language, kind]
            }
            _print(
                f"{language:7} {kind:10} {sum(fates.values()):8} {', '.join(f'{n} {fate}' for fate, n in fates.items())}"
            )
        if language in found.slowest:
            share, text, _ = found.slowest[language]
            _print(
                f"slowest {language}: {share:.2f} of {LIMIT * 1000:.0f} ms per 10 kB, {len(text)} characters: {text!r:.200}"
            )


def _print(line: str) -> None:
    print(line.encode("utf-8", "backslashreplace").decode(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
