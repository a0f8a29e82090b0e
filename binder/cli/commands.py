"""Words on a command line come in; a table, a plan, an answer or JSON goes out, and an exit status.

0 done; 1 the program was refused or failed; 2 bad usage; 3 done, but some values are missing.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from binder import __version__
from binder.errors import BinderError, BudgetExceeded, UsageError

if TYPE_CHECKING:
    from binder.engine import Binder

DONE, FAILED, USAGE, MISSING = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        status: int = options.command(options)
    except BinderError as error:
        if isinstance(error, BudgetExceeded) and getattr(options, "json", False):
            print(
                _json(
                    {
                        "stopped": {
                            "message": error.message,
                            "spent": error.spent,
                            "limit": error.limit,
                        },
                        **error.partial,
                    }
                )
            )
        print(f"binder: {error}", file=sys.stderr)
        return USAGE if isinstance(error, UsageError) else FAILED
    except BrokenPipeError:
        return FAILED
    except KeyboardInterrupt:
        print("binder: stopped", file=sys.stderr)
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="binder",
        description="Answers questions over tables with programs that a person can read, check and trust.",
    )
    parser.add_argument("--version", action="version", version=f"binder {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    _run(commands.add_parser("run", help="execute a program"))
    _explain(
        commands.add_parser(
            "explain", help="show the plan of a program and what it can cost; asks nothing"
        )
    )
    _ask(commands.add_parser("ask", help="answer a question"))
    _eval(commands.add_parser("eval", help="evaluate on a benchmark"))
    _cache(commands.add_parser("cache", help="look at what is kept, delete it, or write it out"))
    _tune(
        commands.add_parser(
            "tune", help="choose the solved questions to show, by what they get right"
        )
    )
    _demo(
        commands.add_parser(
            "demo", help="a few questions over small tables, from question to answer"
        )
    )
    return parser


def _tables(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--table",
        "-t",
        action="append",
        default=[],
        metavar="[NAME=]PATH",
        help="a table: .csv .tsv .json .parquet; or a .duckdb or .sqlite file",
    )
    parser.add_argument(
        "--type",
        action="append",
        default=[],
        metavar="[TABLE.]COLUMN=TYPE",
        help="how a column is read: text, number, number:, (a decimal comma), date, date:%%d/%%m/%%Y, "
        "date:dmy, time, duration, boolean",
    )
    parser.add_argument("--title", help="the title of the only table")
    parser.add_argument(
        "--tidy",
        action="store_true",
        default=None,
        help="type the columns of typed sources from their text, too",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _endpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="the language model (BINDER_MODEL)")
    parser.add_argument(
        "--base-url", help="the endpoint (OPENAI_BASE_URL); the key is taken from OPENAI_API_KEY"
    )
    parser.add_argument("--concurrency", type=int, default=16, help="requests at a time (16)")
    parser.add_argument("--batch-rows", type=int, default=20, help="inputs per request (20)")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds per request (60)")
    parser.add_argument(
        "--trace", type=Path, metavar="FILE", help="write what happened, one JSON object a line"
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="append every request and its reply, for --replay",
    )
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="a trace or recording whose replies stand for the language model",
    )
    unset = argparse.SUPPRESS  # then connect has its own default
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="FILE",
        default=unset,
        help="where answers are kept (the platform's cache folder)",
    )
    parser.add_argument(
        "--no-cache",
        action="store_const",
        const=None,
        dest="cache",
        default=unset,
        help="keep no answers, use none",
    )
    parser.add_argument("--deadline", type=float, help="seconds for the whole run")
    parser.add_argument("--max-requests", type=int, help="budget: requests")
    parser.add_argument("--max-tokens", type=int, help="budget: tokens")
    parser.add_argument("--max-cost", type=float, help="budget: US dollars")
    parser.add_argument("--strict", action="store_true", help="fail where a value is missing")


def _prompt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--memory", type=Path, metavar="FILE", help="your own solved questions, to show besides"
    )
    parser.add_argument(
        "--embeddings", metavar="MODEL", help="a model that finds solved questions by meaning, too"
    )
    parser.add_argument(
        "--prompt-tokens",
        type=int,
        metavar="N",
        help="the most tokens of a request for programs (8,000)",
    )


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("program", help="the program, or - for standard input")
    parser.add_argument(
        "--language",
        choices=["sql", "python"],
        default="sql",
        help="the language of the program (sql)",
    )
    _tables(parser)
    _endpoint(parser)
    parser.set_defaults(command=run)


def _explain(parser: argparse.ArgumentParser) -> None:
    _run(parser)
    parser.add_argument(
        "--analyze", action="store_true", help="run it, too, and add what each call came to"
    )
    parser.set_defaults(command=explain)


def _ask(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question")
    _tables(parser)
    _endpoint(parser)
    _prompt(parser)
    parser.add_argument("--samples", type=int, default=5, help="candidates to sample (5)")
    parser.add_argument(
        "--language",
        default="auto",
        help="auto (a mix), sql, python, or direct: read from the table (auto)",
    )
    parser.set_defaults(command=ask)


def _eval(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("benchmark", choices=["wikitq", "tabfact"])
    parser.add_argument(
        "--data", type=Path, required=True, help="the official release: a folder or a zip"
    )
    parser.add_argument("--split", default="dev", help="dev (the default), test, ...")
    parser.add_argument("--limit", type=int, help="only so many questions, from the first on")
    parser.add_argument(
        "--programs",
        type=Path,
        help="recorded programs to execute instead of asking, one JSON object a line",
    )
    parser.add_argument(
        "--answers",
        type=Path,
        help="recorded answers that stand for the language model of recorded programs",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="predictions, one JSON object a line"
    )
    parser.add_argument("--samples", type=int, default=5, help="candidates for each question (5)")
    parser.add_argument("--parallel", type=int, default=4, help="questions at a time (4)")
    _endpoint(parser)
    _prompt(parser)
    parser.set_defaults(command=evaluate)


def _tune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "questions",
        help="wikitq, tabfact, or a file of your own: {question, answer} a line, over --table",
    )
    parser.add_argument("--data", type=Path, help="the official release: a folder or a zip")
    parser.add_argument("--split", default="dev", help="dev (the default), train, ...")
    parser.add_argument(
        "--limit", type=int, default=60, help="only so many questions, from the first on (60)"
    )
    parser.add_argument("--size", type=int, default=8, help="exemplars in a set (8)")
    parser.add_argument("--rounds", type=int, default=20, help="sets to try (20)")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the search (0): the same seed tries the same sets"
    )
    parser.add_argument(
        "--language",
        choices=["sql", "python"],
        default="sql",
        help="the language of the programs (sql)",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="the memory file to write, for connect(memory=...)"
    )
    _tables(parser)
    _endpoint(parser)
    _prompt(parser)
    parser.set_defaults(command=tune)


def _cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["look", "prune", "export"], nargs="?", default="look")
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="FILE",
        help="the file (by default the one in the platform's cache folder)",
    )
    parser.add_argument(
        "--older-than",
        type=float,
        metavar="DAYS",
        help="prune: what is older than so many days (0: all)",
    )
    parser.add_argument("--model", help="prune: what is of a model")
    parser.add_argument("--out", type=Path, metavar="FILE", help="export: one JSON object a line")
    parser.set_defaults(command=cache)


def _demo(parser: argparse.ArgumentParser) -> None:
    _endpoint(parser)
    parser.add_argument("--samples", type=int, default=3, help="programs to sample (3)")
    parser.set_defaults(command=demo)


def run(options: argparse.Namespace) -> int:
    """binder run"""
    with _connected(options) as db:
        result = db.run(_program(options), options.language)
        _traced(options, result.trace)
        print(_json(result.data()) if options.json else result)
        if not options.json:
            _aside(
                [*(f"repaired for free: {repair}" for repair in result.repairs), str(result.usage)]
            )
        return MISSING if result.errors else DONE


def explain(options: argparse.Namespace) -> int:
    """binder explain"""
    with _connected(options) as db:
        plan = db.explain(_program(options), options.language, options.analyze)
        print(_json(plan.data()) if options.json else plan)
    return DONE


def ask(options: argparse.Namespace) -> int:
    """binder ask"""
    with _connected(options) as db:
        answer = db.ask(options.question, samples=options.samples, language=options.language)
        _traced(options, answer.trace)
        if options.json:
            print(_json(answer.data()))
        else:
            print(answer)
            _aside(
                [
                    answer.summary,
                    *([answer.program] if answer.program else []),
                    *answer.warnings,
                ]
            )
            _aside([f"  {tried}" for tried in "\n".join(answer.tried).split("\n")])
            _aside([str(answer.usage)])
    if not answer.values:
        return FAILED
    return MISSING if answer.result is not None and answer.result.errors else DONE


def evaluate(options: argparse.Namespace) -> int:
    """binder eval"""
    from binder.benchmarks import evaluate as work
    from binder.benchmarks import replays

    recorded = replays.read_programs(options.programs) if options.programs else None
    titles = replays.read_titles(options.programs) if options.programs else None
    benchmark = work.open_benchmark(options.benchmark, options.data, titles)
    examples = [
        e for e in benchmark.examples(options.split) if recorded is None or e.id in recorded
    ][: options.limit]
    with closing(benchmark), ExitStack() as stack:
        if recorded is not None:
            served = replays.RecordedAnswers(options.answers) if options.answers else None
            answered: Any = work.replayed(examples, recorded, served)
        else:
            db = stack.enter_context(_opened(options, {"w": [{"a": ""}]}))
            answered = work.asked(
                db, examples, benchmark.question, options.parallel, samples=options.samples
            )
        print(work.evaluate(benchmark, answered, options.out, _told))
    return DONE


def tune(options: argparse.Namespace) -> int:
    """binder tune"""
    from binder.benchmarks import tune as work
    from binder.benchmarks.evaluate import open_benchmark
    from binder.tables.readings import said

    with ExitStack() as stack:
        if options.questions in ("wikitq", "tabfact"):
            benchmark = stack.enter_context(
                closing(open_benchmark(options.questions, options.data))
            )
            questions: Any = list(islice(benchmark.examples(options.split), options.limit))
            judge, tables = (
                work.judge_benchmark(benchmark, samples=1, language=options.language),
                {"w": [{"a": ""}]},
            )
        else:
            questions = work.read_questions(Path(options.questions))[: options.limit]
            judge, tables = (
                work.judge_questions(samples=1, language=options.language),
                _sources(options),
            )
        told = {"tidy": options.tidy, "types": said.words(options.type), "title": options.title}
        db = stack.enter_context(_opened(options, tables, **told))
        pool = [
            exemplar for exemplar in db.memory.exemplars if exemplar.language == options.language
        ]
        search = work.random_search(pool, options.size, options.rounds, random.Random(options.seed))
        found = work.tune(db, questions, judge, search, told=lambda trial: _aside([str(trial)]))
    print(found)
    if not work.save(options.out, found, f"binder tune {options.questions}, seed {options.seed}"):
        print("no set is better than the memory as it is: nothing is written")
    return DONE


def _told(report: Any) -> None:
    """How far an evaluation has come, on one line of a terminal."""
    if sys.stderr.isatty():
        print(f"\r{report.line}\033[K", end="", file=sys.stderr, flush=True)


def cache(options: argparse.Namespace) -> int:
    """binder cache"""
    from binder.lm.store import Store, default_path

    path = options.cache or default_path()
    if path is None or not Path(path).is_file():
        print(f"nothing is kept{f' in {path}' if path else ''}")
        return DONE
    with closing(Store(path)) as store:
        if options.action == "prune":
            print(f"{store.prune(options.older_than, options.model):,} deleted")
        elif options.action == "export":
            if options.out is None:
                raise UsageError("it is not said where to write", hint="--out answers.jsonl")
            print(f"{store.export(options.out):,} written to {options.out}")
        else:
            print(store.stats())
    return DONE


def demo(options: argparse.Namespace) -> int:
    """binder demo"""
    from binder.cli.demo import show

    return show(options)


def _connected(options: argparse.Namespace) -> Binder:
    from binder.tables.readings import said

    told = {"tidy": options.tidy, "types": said.words(options.type), "title": options.title}
    return _opened(options, _sources(options), **told)


def _opened(options: argparse.Namespace, tables: Any, **settings: Any) -> Binder:
    """A connection with the settings that the words on the command line say."""
    from binder.candidates.sampling import Sampling
    from binder.engine import connect
    from binder.lm.budget import Budget

    names = "model base_url concurrency batch_rows timeout deadline strict record replay cache memory embeddings"
    settings |= {name: getattr(options, name) for name in names.split() if hasattr(options, name)}
    if hasattr(options, "max_requests"):
        settings["budget"] = Budget(options.max_requests, options.max_tokens, options.max_cost)
    if getattr(options, "prompt_tokens", None) is not None:
        settings["sampling"] = Sampling(prompt_tokens=options.prompt_tokens)
    return connect(tables, **settings)


def _sources(options: argparse.Namespace) -> Any:
    """The tables that --table names."""
    from binder.tables.table import named

    if not options.table:
        raise UsageError("no table is given", hint="--table w=cyclists.csv")
    return named(options.table)


def _program(options: argparse.Namespace) -> str:
    return sys.stdin.read() if options.program == "-" else str(options.program)


def _traced(options: argparse.Namespace, trace: Any) -> None:
    if options.trace:
        options.trace.write_text("".join(line + "\n" for line in trace.lines()), encoding="utf-8")


def _aside(lines: Sequence[str]) -> None:
    """What is not the answer goes to standard error."""
    for line in lines:
        print(line, file=sys.stderr)


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)
