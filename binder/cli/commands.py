"""The command line. Exit status 0: done; 1: rejected or failed; 2: wrong usage; 3: done with
missing values; 130: interrupted."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from binder import __version__
from binder.cli import options as groups
from binder.cli.options import Option, in_options
from binder.errors import BinderError, BudgetExceeded, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from binder.engine import Binder
    from binder.results.trace import Event

DONE, FAILED, USAGE, MISSING, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status."""
    _print_anything()
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
        sys.stdout.flush()
    except BinderError as error:
        return _failed(error, as_json=getattr(options, "json", False))
    except BrokenPipeError:
        _end_output()
        return FAILED
    except OSError as error:
        reason = error.strerror or error
        if error.filename is None:
            _end_output()
            print(f"binder: cannot write the output: {reason}", file=sys.stderr)
        else:
            print(f"binder: cannot use {error.filename}: {reason}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("binder: stopped", file=sys.stderr)
        return INTERRUPTED
    return status


def _print_anything() -> None:
    """Makes a console that lacks a character show its escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _end_output() -> None:
    """Sends what is still to be printed nowhere: Python would complain of it at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(error: BinderError, as_json: bool) -> int:
    """Prints an error, and what is known so far where the budget ended; its exit status."""
    if isinstance(error, BudgetExceeded) and as_json:
        stop = {"message": error.message, "spent": error.spent, "limit": error.limit}
        print(_json({"stopped": stop, **error.partial}))
    if isinstance(error, UsageError):
        error.message = in_options(error.message)
    error.hint = in_options(error.hint) if error.hint else None
    print(f"binder: {error}", file=sys.stderr)
    return USAGE if isinstance(error, UsageError) else FAILED


# ---- commands


def run(options: argparse.Namespace) -> int:
    """binder run"""
    with _connected(options) as db:
        result = db.run(_program(options), options.language, _params(options))
    if options.json:
        print(_json(result.data()))
    else:
        print(result)
        _aside(f"auto-repaired: {repair}" for repair in result.repairs)
        _aside([str(result.usage)])
    return MISSING if result.errors else DONE


def explain(options: argparse.Namespace) -> int:
    """binder explain"""
    for name in ("trace", "record"):
        if getattr(options, name) and not options.analyze:
            raise UsageError(f"--{name} needs --analyze: without it, nothing runs")
    with _connected(options) as db:
        plan = db.explain(_program(options), options.language, options.analyze, _params(options))
    print(_json(plan.data()) if options.json else plan)
    return DONE


def ask(options: argparse.Namespace) -> int:
    """binder ask"""
    with _connected(options) as db:
        answer = db.ask(options.question, samples=options.samples, language=options.language)
    if options.json:
        print(_json(answer.data()))
    else:
        print(answer)
        _aside([answer.summary])
        _aside([answer.program] if answer.program else [])
        _aside(answer.warnings)
        _aside(f"  {line}" for tried in answer.tried for line in tried.split("\n"))
        _aside([str(answer.usage)])
    if not answer.values:
        return FAILED
    return MISSING if answer.result is not None and answer.result.errors else DONE


def evaluate(options: argparse.Namespace) -> int:
    """binder eval"""
    from binder.benchmarks import evaluate as work
    from binder.benchmarks import replays
    from binder.benchmarks.registry import open_benchmark

    recorded = titles = None
    if options.programs:
        _refuse_unasked(options)
        recorded = replays.read_programs(options.programs)
        titles = replays.read_titles(options.programs)
    benchmark = open_benchmark(options.benchmark, options.data, titles)
    examples = benchmark.examples(options.split)
    wanted = [e for e in examples if recorded is None or e.id in recorded][: options.limit]
    with closing(benchmark), ExitStack() as stack:
        if recorded is not None:
            served = replays.RecordedAnswers(options.answers) if options.answers else None
            answered: Any = work.replayed(wanted, recorded, served)
        else:
            db = stack.enter_context(_opened(options, _NO_TABLE))
            how = benchmark.question, options.parallel
            answered = work.asked(db, wanted, *how, samples=options.samples)
        print(work.evaluate(benchmark, answered, options.out, _told))
    return DONE


def _refuse_unasked(options: argparse.Namespace) -> None:
    """Refuses the options of a run in which no language model is asked."""
    for name in ("trace", "record", "replay"):
        if getattr(options, name):
            raise UsageError(f"use either --{name} or --programs: recorded programs ask no model")


def tune(options: argparse.Namespace) -> int:
    """binder tune"""
    from binder.benchmarks import tune as work
    from binder.benchmarks.registry import BENCHMARKS, open_benchmark

    how = {"samples": 1, "language": options.language}
    with ExitStack() as stack:
        if options.questions in BENCHMARKS:
            opened = open_benchmark(options.questions, options.data)
            benchmark = stack.enter_context(closing(opened))
            questions: Any = list(islice(benchmark.examples(options.split), options.limit))
            judge, tables = work.judge_benchmark(benchmark, **how), _NO_TABLE
        else:
            questions = work.read_questions(Path(options.questions))[: options.limit]
            judge, tables = work.judge_questions(**how), _sources(options)
        db = stack.enter_context(_opened(options, tables, **_reading(options)))
        pool = [each for each in db.memory.exemplars if each.language == options.language]
        search = work.random_search(pool, options.size, options.rounds, random.Random(options.seed))
        found = work.tune(db, questions, judge, search, told=lambda trial: _aside([str(trial)]))
    print(found)
    if not work.save(options.out, found, f"binder tune {options.questions}, seed {options.seed}"):
        print("no set beats the current memory; nothing written")
    return DONE


def _told(report: Any) -> None:
    """How far an evaluation has come, on one line of a terminal."""
    if sys.stderr.isatty():
        print(f"\r{report.line}\033[K", end="", file=sys.stderr, flush=True)


def cache(options: argparse.Namespace) -> int:
    """binder cache"""
    from binder.lm.store import Store, default_path

    if options.action == "export" and options.out is None:
        raise UsageError("--out is required", hint="--out answers.jsonl")
    if options.action == "prune" and options.older_than is None and options.model is None:
        raise UsageError(
            "nothing selected to delete", hint="--older-than DAYS (0: everything) or --model NAME"
        )
    path = options.cache or default_path()
    if path is None or not Path(path).is_file():
        print(f"the cache {path} is empty" if path else "there is no cache")
        return DONE
    with closing(Store(path)) as store:
        if options.action == "prune":
            print(f"deleted {store.prune(options.older_than, options.model):,} entries")
        elif options.action == "export":
            print(f"wrote {store.export(options.out):,} entries to {options.out}")
        else:
            print(store.stats())
    return DONE


def demo(options: argparse.Namespace) -> int:
    """binder demo"""
    from binder.cli.demo import show

    with _tracer(options.trace) as tracer:
        return show(options, tracer)


# ---- what commands share

_NO_TABLE = {"w": [{"a": ""}]}  # for a connection whose tables come with the questions
_SETTINGS = (
    "model base_url concurrency batch_rows timeout deadline strict record replay cache memory"
    " embeddings"
)


@contextmanager
def _connected(options: argparse.Namespace) -> Iterator[Binder]:
    """A connection to the tables of the command line."""
    how = {**_reading(options), "dialect": options.dialect}
    with _opened(options, _sources(options), **how) as db:
        yield db


@contextmanager
def _opened(options: argparse.Namespace, tables: Any, **settings: Any) -> Iterator[Binder]:
    """A connection with the settings of the command line, whose events are traced."""
    from binder.candidates.sampling import Sampling
    from binder.engine import connect
    from binder.lm.budget import Budget

    for name in _SETTINGS.split():
        if hasattr(options, name):
            settings[name] = getattr(options, name)
    settings["headers"] = _named("--header", options.header, "X-Team=sales")
    settings["query"] = _named("--query", options.query, "api-version=2026-01-01")
    settings["extra_body"] = _extra_body(options.extra_body)
    settings["budget"] = Budget(options.max_requests, options.max_tokens, options.max_cost)
    if getattr(options, "prompt_tokens", None) is not None:
        settings["sampling"] = Sampling(prompt_tokens=options.prompt_tokens)
    with _tracer(options.trace) as tracer, connect(tables, tracer=tracer, **settings) as db:
        yield db


@contextmanager
def _tracer(path: Path | None) -> Iterator[Callable[[Event], None] | None]:
    """A function that writes each event to a file, as it happens; None without a file."""
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write --trace {path}: {error.strerror}") from error
    with file:
        yield lambda event: print(event.line(), file=file, flush=True)


def _reading(options: argparse.Namespace) -> dict[str, Any]:
    """How the tables are read."""
    from binder.tables.readings import said

    return {"tidy": options.tidy, "types": said.words(options.type), "title": options.title}


def _sources(options: argparse.Namespace) -> Any:
    """The tables that --table names."""
    from binder.tables.table import named

    if not options.table:
        raise UsageError("no table: --table is required", hint="--table w=cyclists.csv")
    tables = named(options.table)
    _check_standard_input([tables] if isinstance(tables, str) else tables.values(), options)
    return _as_text(tables, options)


def _check_standard_input(paths: Iterable[str], options: argparse.Namespace) -> None:
    """Refuses two readers of standard input, which is read once."""
    from binder.tables.files import STANDARD_INPUT

    readers = [f"--table {STANDARD_INPUT}" for path in paths if path == STANDARD_INPUT]
    if getattr(options, "program", None) == STANDARD_INPUT:
        readers.append("the program")
    if len(readers) > 1:
        message = f"standard input is read once, not as {' and as '.join(readers)}"
        raise UsageError(message, hint="read one of them from a file")


def _as_text(tables: str | dict[str, str], options: argparse.Namespace) -> Any:
    """The tables, where --csv says how text files are written."""
    from binder.tables import csv

    words = list(options.csv)
    if options.encoding is not None:
        words.append(f"encoding={options.encoding}")
    if not words:
        return tables
    said = csv.options_of(words)
    if isinstance(tables, str):
        return csv.csv(tables, **said)
    return {name: csv.csv(path, **said) for name, path in tables.items()}


def _program(options: argparse.Namespace) -> str:
    """The program; one of standard input is read once, so no table can come from there too."""
    return sys.stdin.read() if options.program == "-" else str(options.program)


def _params(options: argparse.Namespace) -> dict[str, Any] | None:
    """The values of --param, by name."""
    from binder.language.parameters import read_value

    given = _named("--param", options.param, "country=Spain")
    found = {name.removeprefix("$"): read_value(value) for name, value in given.items()}
    for name in found:
        if not name.isidentifier():
            raise UsageError(f"--param {name} is no name", hint="--param country=Spain")
    return found or None


def _named(option: str, words: Sequence[str], example: str) -> dict[str, str]:
    """The values of an option NAME=VALUE that may be given more than once. A value may be a secret,
    so no error shows it."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"{option} {name}: no NAME=VALUE", hint=f"{option} {example}")
        if name in found:
            raise UsageError(f"{option} {name} is given more than once")
        found[name] = value
    return found


def _extra_body(written: str | None) -> Any:
    """The fields of --extra-body."""
    try:
        return None if written is None else json.loads(written)
    except ValueError as error:
        hint = """--extra-body '{"top_k": 20}'"""
        raise UsageError(f"--extra-body is no JSON: {error}", hint=hint) from error


def _aside(lines: Iterable[str]) -> None:
    """Prints what is not the answer to standard error."""
    for line in lines:
        print(line, file=sys.stderr)


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)


# ---- the parser


class Command(NamedTuple):
    """One command: its name, its line of help, what it does, and its options."""

    name: str
    help: str
    does: Callable[[argparse.Namespace], int]
    options: Sequence[Option]


_RUNNING = (*groups.MODEL, *groups.RUN)
_ASKING = (*_RUNNING, *groups.PROMPT)
_PROGRAM = (groups.PROGRAM, groups.PARAM, groups.LANGUAGE, groups.JSON, *groups.TABLES, *_RUNNING)
COMMANDS = (
    Command("run", "run a program", run, _PROGRAM),
    Command(
        "explain",
        "show a program's plan and its maximum cost, without calling the model",
        explain,
        (*_PROGRAM, groups.ANALYZE),
    ),
    Command(
        "ask",
        "answer a question in words",
        ask,
        (*groups.ASK, groups.JSON, *groups.TABLES, *_ASKING),
    ),
    Command(
        "eval", "evaluate on WikiTableQuestions or TabFact", evaluate, (*groups.EVAL, *_ASKING)
    ),
    Command("cache", "show, prune or export cached answers", cache, groups.CACHE),
    Command(
        "tune",
        "select the exemplars that answer most questions right",
        tune,
        (*groups.TUNE, *groups.TABLES, *_ASKING),
    ),
    Command(
        "demo",
        "walk through a few questions over small tables",
        demo,
        (*groups.DEMO, *groups.MODEL),
    ),
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="binder",
        description="Ask questions over tables; get answers from programs you can read and check.",
    )
    parser.add_argument("--version", action="version", version=f"binder {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        own = commands.add_parser(command.name, help=command.help)
        groups.add(own, command.options)
        own.set_defaults(command=command.does)
    return parser
