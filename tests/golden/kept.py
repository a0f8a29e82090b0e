"""What a run leaves for later ones: answers, a recording, a trace; with these nothing may be asked
again, also by other code."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import binder
from tests.golden import commands
from tests.golden.endpoint import Endpoint
from tests.golden.programs import Program, Set
from tests.golden.sections import BY_LM, Golden, Item, Items, Run, answered, came, fault

PROGRAMS = 20  # of the set `golden`
QUESTIONS = (
    "which city has the most people?",
    "which city is heavy?",
    "which cities have long names?",
    "is paris in france?",
)


def make(run: Run) -> Items:
    """Fills the cache, the recording and the trace, and says what comes of them where the endpoint
    refuses everything."""
    for path in run.kept:
        for old in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            old.unlink(missing_ok=True)
    cache, recording, trace = run.kept
    group = _group(run)
    with run.open(group, cache=cache) as db:
        _all(run, db, group)
    with run.open(group, record=recording) as db:
        _all(run, db, group)
    table = f"w={group.tables['w']}"
    words = [
        "run",
        "-t",
        table,
        "--no-cache",
        "--trace",
        str(trace),
        'SELECT city, QA("map@length?"; city) FROM w',
    ]
    commands.run(run, words)
    run.endpoint.taken()
    return again(run.endpoint, run.golden, *run.kept)


def again(endpoint: Endpoint, golden: Golden, *kept: Path) -> Items:
    """The same programs and questions with what was kept, in copies of the files."""
    items: Items = {}
    endpoint.refuses = True
    with tempfile.TemporaryDirectory() as folder:
        run = Run(endpoint, Path(folder).resolve(), golden, kept)
        cache, recording, trace = (Path(shutil.copy(path, folder)) for path in kept)
        group = _group(run)
        for name, settings in (("cache", {"cache": cache}), ("recording", {"replay": recording})):
            with run.open(group, **settings) as db:
                items |= {f"{name}: {title}": item for title, item in _all(run, db, group).items()}
        with run.open(Set("", {"w": group.tables["w"]}, None), replay=trace) as db:
            program = Program("", "sql", 'SELECT city, QA("map@length?"; city) FROM w')
            items["trace: a map"] = _outcome(run, db, program)
    endpoint.refuses = False
    return items


def _group(run: Run) -> Set:
    """The programs whose answers are kept."""
    group = run.named("golden")
    unsteady = (
        "replies that cannot be read",
        "a reply to ans that cannot be read",
        "replies that hold half",
    )
    group.programs = [program for program in group.programs if program.title not in unsteady][
        : run.few or PROGRAMS
    ]
    return group


def _all(run: Run, db: binder.Binder, group: Set) -> Items:
    """What comes of the programs and of some questions, and what was asked for it."""
    items = {program.title: _outcome(run, db, program) for program in group.programs}
    for question in QUESTIONS[: run.few]:
        items[question] = answered(run, db, question)
    return items


def _outcome(run: Run, db: binder.Binder, program: Program) -> Item:
    run.endpoint.taken()
    try:
        item = came(run, db.run(program.text, program.language, **BY_LM))
    except Exception as error:
        item = {"error": fault(run, error)}
    return item | {"requests": len(run.endpoint.taken())}
