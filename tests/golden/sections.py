"""The sections of a golden run. Each is a mapping of items, an item one of parts; all parts are
JSON data that no run changes."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import inspect
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import binder
from tests.golden import programs
from tests.golden.endpoint import SCRIPTS, Body, Endpoint, task_of
from tests.golden.programs import Program, Set

# all programs are a language model's; code from before that was told takes every program for one
_TOLD = "origin" in inspect.signature(binder.Binder.run).parameters
BY_LM: dict[str, Any] = {"origin": "lm"} if _TOLD else {}

Item = dict[str, Any]
Items = dict[str, Item]

LONG = 300  # characters; a longer text is written once and referred to
ROWS = 50  # of a result
REAL = 15  # questions over real tables
MADE = ("Binder", "Plan")  # made by binder alone: how they are constructed concerns nobody else
UNSTEADY = (
    "plans least: sql ties of groups: FR and NO have three rows",
)  # the rows of a request come in any order
HEX = re.compile(r" at 0x[0-9a-f]+")
HOME = re.compile(r"\bbinder(\.\w+)+\.(?=\w)")  # in which module a name stands
EVENT = re.compile(r'("event": )\d+')  # requests made together are answered in any order
SECONDS = re.compile(r'("(?:seconds|at)": )[\d.e+-]+|\b\d+\.\d\d s\b')


@dataclass
class Golden:
    """What came of everything; texts: those that were referred to, by digest."""

    sections: dict[str, Items] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """A text, or where it is long what stands for it."""
        if len(text) <= LONG:
            return text
        name = f"text:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        self.texts[name] = text
        return name

    def data(self, port: int) -> dict[str, Any]:
        """All of it, as JSON data."""
        return {"port": port, "sections": self.sections, "texts": self.texts}


@dataclass
class Run:
    """What the sections need: the endpoint, a folder for files, and what is written."""

    endpoint: Endpoint
    folder: Path
    golden: Golden
    kept: Sequence[Path]
    few: int | None = None  # programs of the first set alone: a small run

    def clean(self, text: str) -> str:
        """A text without seconds, folders and ports."""
        text = SECONDS.sub(lambda found: f"{found[1]}0" if found[1] else "N s", text)
        return text.replace(str(self.folder), "FOLDER").replace(
            f"127.0.0.1:{self.endpoint.port}", "ENDPOINT"
        )

    def shown(self, text: str) -> str:
        """A text as it is written: clean, and where it is long once."""
        return self.golden.text(self.clean(text))

    def connect(self, tables: Any, **settings: Any) -> binder.Binder:
        """A connection to the endpoint that keeps nothing, unless the settings say so."""
        here = {
            "model": "m",
            "base_url": self.endpoint.url,
            "api_key": "k",
            "cache": None,
            "progress": lambda _: None,
        }
        return binder.connect(tables, **here | settings)

    def open(self, group: Set, **settings: Any) -> binder.Binder:
        """A connection over the tables of a set."""
        return self.connect(group.tables, title=group.title, **settings)

    def sets(self) -> list[Set]:
        """The sets of programs; of a small run the first programs of one."""
        found = list(programs.read(self.folder))
        if self.few is None:
            return found
        del found[0].programs[self.few :]
        return found[:1]

    def named(self, name: str) -> Set:
        """One set, whole."""
        return next(group for group in programs.read(self.folder) if group.name == name)


def write(
    endpoint: Endpoint, only: Sequence[str] | None, *kept: Path, few: int | None = None
) -> Golden:
    """All sections, or only some."""
    from tests.golden import commands
    from tests.golden import kept as keeping

    sections: dict[str, Callable[[Run], Items]] = {
        "face": face,
        "programs": of_programs,
        "real": real,
        "questions": questions,
        "settings": settings,
        "sources": sources,
        "origins": origins,
        "kept": keeping.make,
        "help": commands.helps,
        "commands": commands.runs,
    }
    if unknown := set(only or ()) - set(sections):
        raise SystemExit(
            f"there is no section {', '.join(unknown)}; there are {', '.join(sections)}"
        )
    golden = Golden()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(endpoint, Path(folder).resolve(), golden, kept, few)
        for name, section in sections.items():
            if only is None or name in only:
                items = section(run)
                if items:
                    golden.sections[name] = items
    return golden


# ---- what there is to call


def face(run: Run) -> Items:
    """The names that are public, with their parameters."""
    items: Items = {"__all__": {"names": sorted(binder.__all__)}}
    for name in binder.__all__:
        items |= _described(name, getattr(binder, name))
    group = run.named("golden")
    with run.open(group) as db:
        result = db.run('SELECT QA("map@nothing?"; city) FROM w LIMIT 1')
        answer = db.ask("which city is small?", samples=1, language="sql")
    run.endpoint.taken()
    for thing in (result.usage, result.errors[0], result.trace, next(iter(result.trace))):
        items |= _described(type(thing).__name__, type(thing))
    items["attributes"] = {"result": sorted(vars(result)), "answer": sorted(vars(answer))}
    items["errors"] = {"tree": _errors(binder.BinderError)}
    return items


def _described(name: str, thing: Any) -> Items:
    """A function, or a class with its methods, properties and fields."""
    if not inspect.isclass(thing):
        return {name: _signature(thing)}
    items: Items = {name: {"kind": "class"} if name in MADE else _signature(thing)}
    if dataclasses.is_dataclass(thing) and name not in MADE:
        items[name]["fields"] = {each.name: str(each.type) for each in dataclasses.fields(thing)}
    inherited = set(dir(Exception))
    for member in sorted(set(dir(thing)) - inherited):
        if member.startswith("_") and member != "_repr_html_":
            continue
        found = inspect.getattr_static(thing, member)
        if callable(getattr(thing, member, None)):
            items[f"{name}.{member}"] = _signature(getattr(thing, member))
        elif not isinstance(found, property):
            items[f"{name}.{member}"] = {"value": _at_home(repr(found))}
        else:
            items[f"{name}.{member}"] = {"kind": "property"}
    return items


def _signature(thing: Any) -> Item:
    """The parameters, and apart from them what they are annotated with."""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return {"parameters": "unknown"}
    nameless = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
    ]
    bare = signature.replace(parameters=nameless, return_annotation=inspect.Signature.empty)
    return {"parameters": _at_home(str(bare)), "annotations": _at_home(str(signature))}


def _at_home(text: str) -> str:
    """A text without the modules that names stand in."""
    return HOME.sub("", HEX.sub("", text))


def _errors(kind: type) -> dict[str, Any]:
    """The exceptions below one, with what they are made of."""
    below = sorted(kind.__subclasses__(), key=lambda one: one.__name__)
    return {one.__name__: _errors(one) for one in below if one.__module__.split(".")[0] == "binder"}


# ---- what comes of programs


def of_programs(run: Run) -> Items:
    """Every program of the file: its plan, what it asks, and what comes of it."""
    items: Items = {}
    for group in run.sets():
        with run.open(group) as db:
            for number, program in enumerate(group.programs):
                item = outcome(run, db, program)
                title = f"{group.name}: {program.language} {program.title}"
                items[title] = item
                if title in UNSTEADY:
                    del item["requests"]
                if number % 10 == 0:
                    item |= _html(run, db, program)
        run.endpoint.taken()
    return items


def outcome(run: Run, db: binder.Binder, program: Program) -> Item:
    """What comes of one program."""
    item: Item = {"program": program.text}
    run.endpoint.taken()
    try:
        item["plan"] = str(db.explain(program.text, program.language, **BY_LM)).split("\n")
    except Exception as error:
        item["plan"] = fault(run, error)
    item["asked to explain"] = len(run.endpoint.taken())
    try:
        item |= came(run, db.run(program.text, program.language, **BY_LM))
    except Exception as error:
        item["error"] = fault(run, error)
    bodies = run.endpoint.taken()
    return item | {"asked": asked(bodies), "requests": [wire(run, body) for body in bodies]}


def came(run: Run, result: binder.Result) -> Item:
    """What a result holds."""
    usage = {
        name: value for name, value in dataclasses.asdict(result.usage).items() if name != "seconds"
    }
    return {
        "columns": list(result.columns),
        "rows": [run.shown(repr(row)) for row in result.rows[:ROWS]],
        "texts": [run.shown(repr(row)) for row in result.texts[:ROWS]],
        "length": len(result),
        "types": [
            sorted({type(value).__name__ for value in column})
            for column in zip(*result.rows, strict=True)
        ],
        "repairs": list(result.repairs),
        "missing": [
            run.shown(f"{entry.fault}, {entry.attempts} attempts: {entry}")
            for entry in result.errors
        ],
        "printed": run.shown(str(result)),
        "usage": usage,
        "executed": run.shown(result.program),
    }


def fault(run: Run, error: BaseException) -> Item:
    """What an exception says, and what it marks."""
    said: Item = {"class": type(error).__name__, "says": run.clean(str(error)).split("\n")}
    said["message"] = run.clean(str(error.args[:1]))
    said["hint"] = run.clean(str(getattr(error, "hint", None)))
    text, span = getattr(error, "text", None), getattr(error, "span", None)
    if text and span:
        said["marks"] = text[span[0] : span[1]]
    return said


def asked(bodies: Sequence[Body]) -> list[str]:
    """The questions in requests: each input of a map, each ans; sorted, with how often where that
    is more than once."""
    found: Counter[str] = Counter()
    for body in bodies:
        task = task_of(body)
        if task is None:
            found["a program" if "messages" in body else "vectors"] += 1
        elif task["task"] == "map":
            inputs = [
                dict(zip(task["columns"], row, strict=False)) for row in task["rows"].values()
            ]
            found.update(f"map {task['question']} {_json(each)}" for each in inputs)
        else:
            parts = [
                {"columns": part["columns"], "rows": part["rows"]} for part in (task, *task["more"])
            ]
            found[f"ans {task['question']} {_json(parts)}"] += 1
    return [text if times == 1 else f"{times} x {text}" for text, times in sorted(found.items())]


def wire(run: Run, body: Body) -> Item:
    """The body of a request; long texts are written once."""
    written = {
        name: run.golden.text(_json(value)) if isinstance(value, dict) else value
        for name, value in body.items()
    }
    if "messages" in body:
        written["messages"] = [
            [message["role"], run.golden.text(message["content"])] for message in body["messages"]
        ]
    if isinstance(body.get("input"), list):
        written["input"] = run.golden.text(_json(body["input"]))
    return written


def _html(run: Run, db: binder.Binder, program: Program) -> Item:
    """What a notebook shows of a program."""
    shown = {}
    for name, made in (("plan in a notebook", db.explain), ("result in a notebook", db.run)):
        try:
            shown[name] = run.shown(made(program.text, program.language)._repr_html_())
        except Exception as error:
            shown[name] = type(error).__name__
    return shown


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def real(run: Run) -> Items:
    """Programs over tables of Wikipedia, where BINDER_DATA names the folder of real data."""
    folder = Path(os.environ.get("BINDER_DATA", ""))
    path = folder / "programs_2026" / "programs_dev.jsonl"
    if not os.environ.get("BINDER_DATA") or not path.is_file() or run.few is not None:
        return {}
    written = [json.loads(line) for line in islice(path.open(encoding="utf-8"), REAL)]
    asked_about = {
        each["id"]: each["table_id"]
        for each in _lines(folder / "wikitq" / "questions_dev.jsonl.gz")
    }
    wanted = {asked_about[each["id"]] for each in written}
    tables = {
        each["table_id"]: each
        for each in _lines(folder / "wikitq" / "tables.jsonl.gz")
        if each["table_id"] in wanted
    }
    items: Items = {}
    for each in written:
        table = tables[asked_about[each["id"]]]
        file = programs.write_table(
            run.folder / f"{each['id']}.csv", [table["header"], *table["rows"]]
        )
        named = {"sql": "sql", "sql2": "sql", "python": "python"}
        with run.connect({"w": file}, title=table["title"]) as db:
            for name, language in named.items():
                text = each[name].replace("solve(table)", "solve(w)")
                items[f"{each['id']} {name}"] = outcome(run, db, Program(name, language, text))
    return items


def _lines(path: Path) -> list[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


# ---- questions


def questions(run: Run) -> Items:
    """Questions that are answered by a vote over scripted programs, in several ways."""
    ways: dict[str, dict[str, Any]] = {
        "as it is": {},
        "sql": {"samples": 3, "language": "sql"},
        "python": {"samples": 1, "language": "python"},
        "direct": {"samples": 2, "language": "direct"},
    }
    group = run.named("golden")
    items: Items = {}
    with run.open(group) as db:
        for number, question in enumerate(list(SCRIPTS)[: run.few]):
            chosen = list(ways) if number < 3 else ["as it is", list(ways)[1 + number % 3]]
            for way in chosen:
                items[f"{question} ({way})"] = answered(run, db, question, **ways[way])
    for name, more in _ways(run).items():
        with run.open(group, **more) as db:
            items[f"which city was founded first? ({name})"] = answered(
                run, db, "which city was founded first?"
            )
    return items


def _ways(run: Run) -> dict[str, dict[str, Any]]:
    """Settings of a connection under which a question is asked."""
    if run.few is not None:
        return {}
    return {
        "seeded, short": {
            "sampling": binder.Sampling(seed=7, effort="low", max_tokens=900, prompt_tokens=2500)
        },
        "held to the grammar": {"sampling": binder.Sampling(constrain="always", mix=("sql",))},
        "never held to it": {
            "sampling": binder.Sampling(
                constrain="never", repairs=1, tries=1, mix=("python", "sql")
            )
        },
        "weighed": {"voting": binder.Voting(weights={"direct": 3.0}, bias={"Lyon": 2.0})},
        "believed": {"voting": binder.Voting(belief=2)},
        "no memory": {"memory": binder.Memory(shipped=False)},
        "without reasoning": {"reasoning": {"ans": False, "map": True}},
        "embedded": {"embeddings": "e"},
    }


def answered(run: Run, db: binder.Binder, question: str, **how: Any) -> Item:
    """What comes of one question."""
    run.endpoint.taken()
    try:
        answer = db.ask(question, **how)
    except Exception as error:
        return {
            "error": fault(run, error),
            "requests": [wire(run, body) for body in run.endpoint.taken()],
        }
    bodies = run.endpoint.taken()
    return {
        "values": [repr(value) for value in answer.values],
        "texts": answer.texts,
        "confidence": round(answer.confidence, 6),
        "program": answer.program,
        "language": answer.language,
        "summary": answer.summary,
        "tried": [run.shown(tried) for tried in answer.tried],
        "printed": run.shown(str(answer)),
        "events": [event.kind for event in answer.trace],
        "usage": {name: value for name, value in vars(answer.usage).items() if name != "seconds"},
        "in a notebook": run.shown(answer._repr_html_()),
        "asked": asked(bodies),
        "requests": [wire(run, body) for body in bodies],
    }


# ---- settings, sources, origins


def settings(run: Run) -> Items:
    """Programs under settings that change what is asked, or that stop it."""
    group = run.named("golden")
    length = Program("a map", "sql", 'SELECT city, QA("map@length?"; city) FROM w')
    ways: dict[str, tuple[dict[str, Any], Program]] = {
        "two rows a request": ({"batch_rows": 2}, length),
        "strict": ({"strict": True}, Program("", "sql", 'SELECT QA("map@known?"; city) FROM w')),
        "one request": (
            {"budget": binder.Budget(requests=1), "batch_rows": 2, "concurrency": 1},
            length,
        ),
        "few tokens": (
            {"budget": binder.Budget(tokens=400), "batch_rows": 2, "concurrency": 1},
            length,
        ),
        "a price": ({"prices": {"m": (1.0, 2.0)}}, length),
        "cost without a price": ({"budget": binder.Budget(cost=1.0)}, length),
        "no rules": (
            {"rules": ()},
            Program("", "sql", 'SELECT city FROM w WHERE people > 1000 AND QA("map@long?"; city)'),
        ),
        "two rows at most": (
            {"limits": binder.Limits(rows=2)},
            Program("", "sql", "SELECT city FROM w"),
        ),
        "map reasons": (
            {"reasoning": {"map": True, "ans": False}},
            Program("", "sql", group.programs[16].text),
        ),
        "map reasons about rows": ({"reasoning": {"map": True, "ans": False}}, length),
        "text stays text": ({"tidy": False}, Program("", "sql", "SELECT people, founded FROM w")),
        "bad concurrency": ({"concurrency": 0}, length),
    }
    items: Items = {}
    for name, (how, program) in ways.items():
        try:
            with run.open(group, **how) as db:
                items[name] = outcome(run, db, program)
        except Exception as error:
            items[name] = {"error": fault(run, error)}
    with run.open(group) as db:
        analyzed = db.explain(length.text, analyze=True)
        items["analyzed"] = {"plan": str(analyzed).split("\n")}
        for language in ("sql", "python", "latin"):
            items[f"not a program in {language}"] = outcome(run, db, Program("", language, "  "))
    return items


def sources(run: Run) -> Items:
    """One table in all the forms that a connection opens."""
    import duckdb
    import pandas as pd

    rows = [
        {"name": "Ann", "n": 1, "x": 1.5, "born": "1 May 1900", "price": "$1,200", "ok": True},
        {"name": "Bob", "n": 2, "x": None, "born": "2 June 1901", "price": "$30", "ok": False},
        {"name": "", "n": None, "x": 2.5, "born": "", "price": "–", "ok": None},
    ]
    frame = pd.DataFrame(rows)
    path = run.folder / "source"
    frame.to_csv(f"{path}.csv", index=False)
    frame.to_csv(f"{path}.tsv", index=False, sep="\t")
    frame.to_parquet(f"{path}.parquet")
    Path(f"{path}.json").write_text(json.dumps(rows), encoding="utf-8")
    with duckdb.connect(f"{path}.duckdb") as engine:
        engine.execute("CREATE TABLE people AS SELECT * FROM frame")
    forms: dict[str, Any] = {
        "dicts": rows,
        "DataFrame": frame,
        "none": f"{path}.none",
        "a number": 7,
    }
    forms |= {ending: f"{path}.{ending}" for ending in ("csv", "tsv", "parquet", "json", "duckdb")}
    items: Items = {}
    for name, source in forms.items():
        for tidy in (None, True):
            title = name if tidy is None else f"{name}, tidied"
            try:
                with run.connect(source, tidy=tidy) as db:
                    table = "people" if name == "duckdb" else "w"
                    items[title] = {"shown": run.shown(repr(db))}
                    items[title] |= outcome(run, db, Program("", "sql", f"SELECT * FROM {table}"))
            except Exception as error:
                items[title] = {"error": fault(run, error)}
    return items


def origins(run: Run) -> Items:
    """Where values came from: the first and the last row of results, in their last column."""
    group = run.named("golden")
    items: Items = {}
    with run.open(group) as db:
        for program in group.programs[: run.few]:
            try:
                result = db.run(program.text, program.language, **BY_LM)
            except Exception:  # noqa: S112 - what fails is told in the section of programs
                continue
            for row in sorted({0, len(result) - 1} if len(result) else ()):
                found = result.why(row, len(result.columns) - 1)
                told = json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True, default=repr)
                items[f"{program.language} {program.title}, row {row}"] = {
                    "why": EVENT.sub(r"\1N", run.clean(told)).split("\n")
                }
    run.endpoint.taken()
    return items
