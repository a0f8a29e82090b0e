"""The options of the command line and of the notebook magic, as tables in groups; and error texts
in the words of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from binder.benchmarks.registry import BENCHMARKS


class Option(NamedTuple):
    """An argument of a command: its names, its line of help, and what argparse does with it."""

    names: tuple[str, ...]
    help: str
    how: dict[str, Any]

    @property
    def takes_value(self) -> bool:
        """Whether a value follows it."""
        return "action" not in self.how or self.how["action"] == "append"


def option(names: str, help: str, **how: Any) -> Option:
    """An argument; a default value is named in its help."""
    default = how.get("default")
    if isinstance(default, (int, float, str)) and default != argparse.SUPPRESS:
        help += f" (default: {default:,})" if isinstance(default, int) else f" (default: {default})"
    return Option(tuple(names.split()), help, how)


def flag(name: str, help: str, **how: Any) -> Option:
    """An option without a value."""
    return Option((name,), help, {"action": "store_true", **how})


def repeated(name: str, help: str) -> Option:
    """An option NAME=VALUE that may be given more than once."""
    return option(name, help, action="append", default=[], metavar="NAME=VALUE")


def number(name: str, help: str, default: int | None = None) -> Option:
    """An option whose value is a whole number."""
    return option(name, help, type=int, default=default, metavar="N")


def amount(name: str, help: str, unit: str, default: float | None = None) -> Option:
    """An option whose value is a number of units."""
    return option(name, help, type=float, default=default, metavar=unit)


def file(name: str, help: str, **how: Any) -> Option:
    """An option whose value is the path of a file."""
    return option(name, help, type=Path, metavar="FILE", **how)


def add(parser: argparse.ArgumentParser, options: Iterable[Option]) -> None:
    """Adds options to a parser."""
    for each in options:
        parser.add_argument(*each.names, help=each.help, **each.how)


# ---- what is asked about, and what is asked

PROGRAM = option("program", "program text, or - to read standard input")
QUESTION = option("question", "the question, in words")
PARAM = repeated(
    "--param",
    "the value of $NAME in the program: a number, a date, true, false, null, a JSON list or else"
    " text (in JSON quotes it always is); repeatable",
)
LANGUAGE = option("--language", "language of the program", choices=["sql", "python"], default="sql")
JSON = flag("--json", "print JSON instead of a table")

TABLE = option(
    "--table -t",
    "a table (.csv .tsv .json .parquet) or a database (.duckdb .sqlite); repeatable",
    action="append",
    default=[],
    metavar="[NAME=]PATH",
)
TYPE = option(
    "--type",
    "how a column is read: text, number, number:, (a decimal comma), date, date:%%d/%%m/%%Y, "
    "date:dmy, time, duration, boolean; repeatable",
    action="append",
    default=[],
    metavar="[TABLE.]COLUMN=TYPE",
)
TITLE = option("--title", "title of the table, shown to the model", metavar="TEXT")
TABLES = (
    TABLE,
    TYPE,
    TITLE,
    option(
        "--csv",
        "how text files are written: delimiter quote escape header skip comment encoding decimal;"
        " repeatable",
        action="append",
        default=[],
        metavar="NAME=VALUE",
    ),
    option("--encoding", "the encoding of the text files, such as cp1252"),
    option(
        "--dialect",
        "whose SQL programs are written in, and who runs them (default: sqlite if all tables come"
        " from SQLite files, else duckdb)",
        choices=["duckdb", "sqlite"],
        default=None,
    ),
    flag("--tidy", "infer column types from text even for typed sources", default=None),
)

# ---- how a language model is asked

_UNSET = argparse.SUPPRESS  # then connect has its own default
MODEL = (
    option("--model", "language model (default: $BINDER_MODEL)", metavar="NAME"),
    option(
        "--base-url",
        "endpoint (default: $OPENAI_BASE_URL); the key is read from $OPENAI_API_KEY",
        metavar="URL",
    ),
    repeated("--header", "an HTTP header of every request; repeatable"),
    repeated("--query", "a parameter of the endpoint's address; repeatable"),
    option("--extra-body", "fields of the body of every request, as a JSON object", metavar="JSON"),
    number("--concurrency", "concurrent requests", 16),
    number("--batch-rows", "inputs per request", 20),
    amount("--timeout", "timeout of a request in seconds", "SECONDS", 60.0),
    file("--trace", "write the trace of the run as JSON lines"),
    file("--record", "append every request and reply to FILE, for --replay"),
)
RUN = (
    file("--replay", "use the replies of a trace or recording instead of a model"),
    file("--cache", "answer cache (default: in the user's cache folder)", default=_UNSET),
    Option(
        ("--no-cache",),
        "neither read nor write the answer cache",
        {"action": "store_const", "const": None, "dest": "cache", "default": _UNSET},
    ),
    amount("--deadline", "time limit of the whole run in seconds", "SECONDS"),
    number("--max-requests", "stop before more than N requests"),
    number("--max-tokens", "stop before more than N tokens"),
    amount("--max-cost", "stop before more than N US dollars", "N"),
    flag("--strict", "fail if any value is missing"),
)
PROMPT = (
    file("--memory", "file of your own solved questions, shown with the built-in ones"),
    option("--embeddings", "embedding model to find solved questions by meaning", metavar="MODEL"),
    option(
        "--prompt-tokens",
        "maximum tokens of a prompt for programs (default: 8,000)",
        type=int,
        metavar="N",
    ),
)

# ---- single commands

ANALYZE = flag("--analyze", "also run the program and add what each call actually used")
ASK = (
    QUESTION,
    number("--samples", "number of candidates to sample", 5),
    option(
        "--language",
        "sql, python, direct (answer from the table) or auto, a mix",
        choices=["auto", "sql", "python", "direct"],
        default="auto",
    ),
)
BENCHMARK = option("benchmark", "the benchmark", choices=BENCHMARKS)
EVAL = (
    BENCHMARK,
    option(
        "--data",
        "official release of the benchmark, a folder or a zip",
        type=Path,
        required=True,
        metavar="PATH",
    ),
    option("--split", "split of the benchmark: dev, test, ...", default="dev", metavar="NAME"),
    number("--limit", "use only the first N questions"),
    file("--programs", "run these recorded programs (JSON lines) instead of asking a model"),
    file("--answers", "recorded answers for the calls of --programs"),
    file("--out", "write predictions to this file (JSON lines)", required=True),
    number("--samples", "number of candidates per question", 5),
    number("--parallel", "questions asked concurrently", 4),
)
TUNE = (
    option(
        "questions",
        f"{', '.join(BENCHMARKS)}, or a JSON lines file of {{question, answer}} about --table",
    ),
    option(
        "--data", "official release of the benchmark, a folder or a zip", type=Path, metavar="PATH"
    ),
    option("--split", "split of the benchmark: dev, train, ...", default="dev", metavar="NAME"),
    number("--limit", "use only the first N questions", 60),
    number("--size", "exemplars per set", 8),
    number("--rounds", "number of sets to try", 20),
    number("--seed", "random seed of the search", 0),
    LANGUAGE,
    file("--out", "write the best set to this memory file", required=True),
)
CACHE = (
    option("action", "what to do", choices=["look", "prune", "export"], nargs="?", default="look"),
    file("--cache", "cache file (default: in the user's cache folder)"),
    amount("--older-than", "prune: entries older than DAYS days (0: all)", "DAYS"),
    option("--model", "prune: entries of this model", metavar="NAME"),
    file("--out", "export: write JSON lines to FILE"),
)
DEMO = (number("--samples", "programs to sample per question", 3),)

# ---- words

# What Python calls an option -> what the command line calls it.
_WORDS = {
    "Budget(requests=...)": "--max-requests N",
    "Budget(tokens=...)": "--max-tokens N",
    "Budget(cost=...)": "--max-cost N",
    "Sampling(prompt_tokens=)": "--prompt-tokens",
    "strict=False": "leaving out --strict",
    "deadline=...": "--deadline SECONDS",
    "base_url=": "--base-url",
    "model=": "--model",
    "timeout=": "--timeout",
    "memory=": "--memory",
    "batch_rows": "--batch-rows",
    "prompt_tokens": "--prompt-tokens",
    "base_url": "--base-url",
}


def in_options(text: str) -> str:
    """A text in the words of the command line, unless it shows a line of Python."""
    if "connect(" in text:
        return text
    for python, words in _WORDS.items():
        text = text.replace(python, words)
    return text
