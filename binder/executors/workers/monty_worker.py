"""The sandbox's side of a worker, in a process of its own: frames with tables, programs and
answers, answered with what a program asks or returns.

Each program runs in an interpreter process of its own, which the pool starts: one that is stopped
harms no other. The process holds no key, and the sandbox has no files, no network and no
environment."""

from __future__ import annotations

import datetime
import json
import sys
from functools import cache
from importlib import resources
from typing import Any, BinaryIO

import pyarrow as pa
import pydantic_monty as monty

from binder.executors.workers.protocol import confine, read_frame, read_table, write_frame
from binder.tables.codec import decode, encode

DEPTH = 500  # calls within calls
SUSPENDED = 64  # programs that can wait for answers at a time
LARGEST = 64 * 1024 * 1024  # bytes of a frame
BESIDE = 4096  # megabytes of addresses that a process may have besides its memory


_LIMITS = {  # limit -> how the message of the sandbox tells it
    "seconds": "time limit exceeded",
    "memory_mb": "memory limit",
    "depth": "recursion depth",
    "regex_steps": "limit for backtracking",
}
_CALL = """def {name}(rows, question, columns=None):
    rows, columns = _listed(rows, columns)
    return _ask("{name}", rows, question, columns) if rows else []
"""


def _function(name: str, taken: list[list[Any]]) -> str:
    """The definition of an own function: it pauses the program until its parent has applied it."""
    parameters = [one if required else f"{one}=_unset" for one, required, _ in taken]
    given = ", ".join(f"({one}, {takes_list})" for one, _, takes_list in taken)
    return f"def {name}({', '.join(parameters)}):\n    return _applied('{name}', [{given}])\n"


class RowList:
    """A table as one program sees it: a list of dicts; and the raw text behind its values, for the
    language model."""

    def __init__(self, data: pa.Table, columns: list[list[Any]]):
        self.headers = [header for header, _, _ in columns]
        self.raws = {header: raw for header, _, raw in columns}
        self.data = data
        values = [data.column(column).to_pylist() for _, column, _ in columns]
        self.rows = [dict(zip(self.headers, row, strict=True)) for row in zip(*values, strict=True)]
        self._places: dict[Any, int] | None = None

    def place(self, row: Any) -> int | None:
        """The number of a row that the program did not change."""
        if self._places is None:
            self._places = {}
            for number, known in enumerate(self.rows):
                self._places.setdefault(_identity(known), number)
        return self._places.get(_identity(row)) if list(row) == self.headers else None

    @cache  # noqa: B019  as long as the program runs
    def texts(self, header: str) -> list[Any]:
        """The cells of a column as the language model is sent them."""
        return list(self.data.column(self.raws[header]).to_pylist())

    @cache  # noqa: B019
    def spelt(self, header: str) -> dict[Any, Any]:
        """Value -> its raw text, where it has one alone."""
        found: dict[Any, Any] = {}
        for row, text in zip(self.rows, self.texts(header), strict=True):
            value = _identity(row[header])
            found[value] = text if found.setdefault(value, text) == text else row[header]
        return found


class Running:
    """One program under way."""

    def __init__(self, pool: monty.Monty, header: dict[str, Any], tables: list[RowList]):
        self.tables = tables
        self.names = [name for name, _ in header["tables"]]
        limits: monty.ResourceLimits = {
            "max_feed_duration_secs": header["seconds"],
            "max_memory": header["memory_mb"] * 1024 * 1024,
            "max_recursion_depth": DEPTH,
            "max_suspensions": 1_000_000,
            "max_total_sleep_secs": 0.0,
        }
        now = datetime.datetime.fromisoformat(header["now"])
        self.checkout = pool.checkout(
            limits=limits, os_policy={"datetime": now, "random_start": {"seed": 0}, "sleep": "zero"}
        )
        self.session = self.checkout.__enter__()
        self.snapshot: Any = None
        self.header = header

    def start(self) -> dict[str, Any]:
        """Runs a program up to its first call."""
        self.session.feed_run(_prelude())
        definitions = [_CALL.format(name=name) for name in self.header["calls"]]
        definitions += [_function(name, taken) for name, taken in self.header["functions"]]
        calls = "\n".join(definitions)
        inputs = {f"_table_{i}": rows.rows for i, rows in enumerate(self.tables)}
        self.session.feed_run(calls or "pass", inputs=inputs)
        parameters = enumerate(self.header["parameters"])
        arguments = ", ".join(f"{parameter}=_table_{i}" for i, parameter in parameters)
        self.session.feed_run(self.header["source"], print_callback=_silent)
        program = f"_plain(solve({arguments}))"
        return self._goes_on(self.session.feed_start(program, print_callback=_silent))

    def resume(self, values: list[Any]) -> dict[str, Any]:
        """Goes on with the answers to a call."""
        return self._goes_on(self.snapshot.resume({"return_value": values}))

    def end(self) -> None:
        """Lets go of the interpreter."""
        self.snapshot = None
        self.checkout.__exit__(None, None, None)

    def _goes_on(self, snapshot: Any) -> dict[str, Any]:
        while True:
            if isinstance(snapshot, monty.MontyComplete):
                return {"value": encode(snapshot.output)}
            outside = isinstance(snapshot, monty.FunctionSnapshot)
            if outside and snapshot.function_name == "_ask":
                self.snapshot = snapshot
                return self._asked(*snapshot.args)
            if outside and snapshot.function_name == "_apply":
                self.snapshot = snapshot
                name, rows = snapshot.args
                return {"apply": name, "inputs": [[encode(cell) for cell in row] for row in rows]}
            # no other function is there
            snapshot = snapshot.resume_not_handled() if outside else snapshot.resume()

    def _asked(
        self, name: str, rows: list[Any], question: Any, columns: list[Any] | None
    ) -> dict[str, Any]:
        """What a call asks: the inputs, and where in the tables they stand."""
        if not isinstance(question, str) or not question.strip():
            return self._refuse("question must be a string")
        if columns is None:
            columns = self._all_columns(rows)
        if not columns or not all(isinstance(column, str) for column in columns):
            return self._refuse("columns must be a list of column names")
        inputs, places = [], []
        for row in rows:
            if len(columns) == 1 and not isinstance(row, dict):
                row = {columns[0]: row}
            if problem := _problem_of(row, columns):
                return self._refuse(problem)
            place = self._place(row)
            inputs.append([encode(self._sent(place, row, column)) for column in columns])
            places.append(place)
        return {
            "call": name,
            "question": question,
            "columns": columns,
            "inputs": inputs,
            "places": places,
        }

    def _all_columns(self, rows: list[Any]) -> list[str]:
        """What a call is about that names no columns."""
        if rows and isinstance(rows[0], dict):
            return self.tables[0].headers
        return ["value"]

    def _place(self, row: dict[str, Any]) -> tuple[int, int] | None:
        """The table and the number of a row that the program did not change."""
        for table, rows in enumerate(self.tables):
            number = rows.place(row)
            if number is not None:
                return table, number
        return None

    def _refuse(self, message: str) -> dict[str, Any]:
        return self._goes_on(self.snapshot.resume({"exc_type": "ValueError", "message": message}))

    def _sent(self, place: tuple[int, int] | None, row: dict[str, Any], column: str) -> Any:
        """A cell as the language model is sent it: its raw text, where the row or the value has
        one."""
        if place is not None:
            table, number = place
            return self.tables[table].texts(column)[number]
        for rows in self.tables:
            if column in rows.raws:
                value = _identity(row[column])
                return rows.spelt(column).get(value, row[column])
        return row[column]


class MontySession:
    """The tables of a connection, and the programs that are under way."""

    def __init__(self) -> None:
        self.pool = monty.Monty(
            max_processes=SUSPENDED, min_processes=1, feed_duration_limit_grace=0.25
        ).__enter__()
        self.tables: dict[str, pa.Table] = {}
        self.running: dict[int, Running] = {}

    def load(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        """Makes an Arrow table in a file known under a name."""
        self.tables[header["name"]] = read_table(header["file"])
        return {}

    def drop(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        """Forgets tables."""
        for name in header["names"]:
            self.tables.pop(name, None)
        return {}

    def start(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        """Starts a program; what it asks first, or what it returns."""
        tables = [RowList(self.tables[name], columns) for name, columns in header["tables"]]
        running = self.running[header["id"]] = Running(self.pool, header, tables)
        return running.start()

    def resume(self, header: dict[str, Any], payload: bytes) -> dict[str, Any]:
        """Goes on with a program; what it asks next, or what it returns."""
        return self.running[header["id"]].resume(decode(json.loads(payload)))

    def end(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        """Forgets a program."""
        running = self.running.pop(header["id"], None)
        if running is not None:
            running.end()
        return {}


def reply_to(session: MontySession, header: dict[str, Any], payload: bytes) -> dict[str, Any]:
    """The reply to a frame; what went wrong is told by its kind."""
    try:
        reply: dict[str, Any] = getattr(session, header["verb"])(header, payload)
        return reply if len(json.dumps(reply)) <= LARGEST else {"fault": "result_mb"}
    except monty.MontyCrashedError as error:
        return {"fault": "seconds" if error.timed_out else "memory_mb"}
    except monty.MontyRuntimeError as error:
        return _failed(error)
    except MemoryError:
        return {"fault": "memory_mb"}
    except RecursionError:
        return {"fault": "depth"}
    except (monty.MontyError, TypeError, ValueError, KeyError) as error:
        return {"fault": "program", "message": str(error)}


def _failed(error: monty.MontyRuntimeError) -> dict[str, Any]:
    """A program that failed: a limit, or an exception with the line where it was raised."""
    kind, message = type(error.exception()).__name__, error.display("msg")
    limit = next((limit for limit, sign in _LIMITS.items() if sign in message), None)
    if limit is not None:
        return {"fault": limit}
    if "cannot suspend" in message:
        message = "a call cannot stand in a function that sorted, map, min or filter applies"
    frames = [frame.line for frame in error.traceback() if frame.filename == "<python-input-2>"]
    return {
        "fault": "program",
        "kind": kind,
        "message": message,
        "line": frames[-1] if frames else None,
    }


def _problem_of(row: Any, columns: list[Any]) -> str:
    """Why a call cannot ask about a row; empty where it can."""
    if not isinstance(row, dict):
        return "rows must be rows of a table"
    for column in columns:
        if column not in row:
            return f"a row lacks column {column!r}"
    return ""


def _silent(*_: Any) -> None:
    """What a program prints is not kept."""


@cache
def _prelude() -> str:
    return resources.files("binder").joinpath("data/prelude.txt").read_text(encoding="utf-8")


def _identity(value: Any) -> Any:
    """What tells a value or a row from others: 1 and True are not the same."""
    if isinstance(value, dict):
        return tuple((name, _identity(item)) for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(_identity(item) for item in value)
    return (type(value).__name__, "nan" if value != value else value)


def serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Answers frames until the input ends."""
    session = MontySession()
    while (frame := read_frame(stdin)) is not None:
        write_frame(stdout, reply_to(session, *frame), b"")


def main(requests: BinaryIO, replies: BinaryIO) -> None:
    """The process: limits first, then frames."""
    confine(int(sys.argv[1]) + BESIDE)
    serve(requests, replies)
