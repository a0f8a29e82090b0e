"""The command line: its words of help, and what runs print, exit with and write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from tests.golden.sections import Item, Items, Run

ROOT = Path(__file__).parents[2]
COMMANDS = ("", "run", "explain", "ask", "eval", "cache", "tune", "demo")


def helps(run_: Run) -> Items:
    """The help of every command."""
    wanted = COMMANDS if run_.few is None else COMMANDS[:1]
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(lambda name: run(run_, [*([name] if name else []), "--help"]), wanted)
        return {name or "binder": item for name, item in zip(wanted, said, strict=True)}


def runs(run_: Run) -> Items:
    """Runs of all commands; what they trace is written, too."""
    group = run_.named("golden")
    w, v = (f"{name}={path}" for name, path in group.tables.items())
    both = ["-t", w, "-t", v]
    call, trace = 'SELECT city, QA("map@length?"; city) AS n FROM w', str(run_.folder / "trace")
    cache = str(run_.folder / "commands.cache")
    chains: list[list[list[str]]] = [  # the runs of a chain follow each other
        [["run", *both, "SELECT * FROM w"]],
        [["run", *both, "--json", "--no-cache", "--trace", f"{trace}-1", call]],
        [["run", *both, "--json", "--no-cache", 'SELECT QA("map@known?"; city) FROM w']],
        [["run", *both, "--no-cache", "--strict", 'SELECT QA("map@known?"; city) FROM w']],
        [["run", *both, "--json", "--no-cache", "--max-requests", "1", "--batch-rows", "2", "--concurrency", "1", call]],
        [["run", *both, "SELECT weight FROM w"]],
        [["run", *both, "--language", "python", "--json", "--no-cache", "--trace", f"{trace}-2",
          "def solve(w, v):\n    return qa_map(w, 'upper?', ['city'])"]],
        [["run", "-t", "none.csv", "SELECT 1"], ["run", "SELECT 1"], ["--version"], ["swim"]],
        [
            ["cache", "--cache", cache],
            ["run", "-t", w, "--title", "Cities", "--cache", cache, call],
            ["run", "-t", w, "--title", "Cities", "--cache", cache, call],
            ["cache", "prune", "--cache", cache, "--older-than", "0"],
        ],
        [["explain", *both, call]],
        [["explain", *both, "--json", 'SELECT city FROM w WHERE people > 1000 AND QA("map@long?"; city)']],
        [["explain", *both, "--language", "python", "--json", "def solve(w, v):\n    return qa_map(w, 'upper?', ['city'])"]],
        [["explain", *both, "--analyze", "--no-cache", call]],
        [["ask", *both, "--no-cache", "--trace", f"{trace}-3", "which city has the most people?"]],
        [["ask", *both, "--no-cache", "--json", "--samples", "2", "--language", "sql", "which city is heavy?"]],
        [["ask", *both, "--no-cache", "--samples", "1", "--language", "sql", "which city is in no language?"]],
        [["demo"]],
    ]  # fmt: skip
    if run_.few is not None:
        chains = chains[1:2]
    items: Items = {}
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda each: [run(run_, words) for words in each], chains))
    for words, item in zip(chain.from_iterable(chains), chain.from_iterable(done), strict=True):
        name = run_.clean(" ".join(words))
        items[f"{name}, again" if name in items else name] = item
    return items


def run(run_: Run, words: Sequence[str]) -> Item:
    """One command in a process of its own, which sees nothing of the settings of whoever runs
    it."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENAI_", "BINDER_", "XDG_"))
    }
    home = str(run_.folder)
    own |= {"COLUMNS": "100", "NO_COLOR": "1", "PYTHON_COLORS": "0"}
    own |= {"HOME": home, "XDG_CACHE_HOME": home, "PYTHONPATH": str(ROOT)}
    if words[0] != "demo":
        own |= {"OPENAI_BASE_URL": run_.endpoint.url, "OPENAI_API_KEY": "k", "BINDER_MODEL": "m"}
    done = subprocess.run(
        [sys.executable, "-m", "binder", *words],
        capture_output=True,
        text=True,
        env=own,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )
    item: Item = {"status": done.returncode}
    item |= {"out": run_.clean(done.stdout).split("\n"), "err": run_.clean(done.stderr).split("\n")}
    if "--trace" in words:
        trace = Path(words[words.index("--trace") + 1])
        item["trace"] = [
            run_.shown(line) for line in trace.read_text(encoding="utf-8").splitlines()
        ]
    return item
