"""Own functions: Python functions of the user's that programs call by name, as they call the
language model.

A function is applied once to each distinct input. Its annotations say what it takes and returns,
its docstring what the language model is told of it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import hashlib
import inspect
import threading
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Any

from binder.errors import UsageError

# What an annotation means in a program.
TYPES: dict[Any, str] = {
    str: "text",
    int: "number",
    float: "number",
    Decimal: "number",
    bool: "boolean",
    date: "date",
    datetime: "date",
}
# The Python types of the values of a type; bool is an int, so it is told apart where it matters.
VALUES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float, Decimal),
    "boolean": (bool,),
    "date": (date,),
}
LIST = "[]"  # behind the type of its items


def _whole(value: Any) -> int:
    if value != int(value):
        raise ValueError(f"is a whole number, not {value!r}")
    return int(value)


def _moment(value: Any) -> Any:
    return value if isinstance(value, datetime) else datetime.combine(value, time())


# How a number or a date of a table becomes the one that an annotation asks for.
_CONVERSIONS: dict[type, Callable[[Any], Any]] = {
    int: _whole,
    float: float,
    Decimal: lambda value: Decimal(str(value)),
    datetime: _moment,
}
_SUPPORTED = "str, int, float, Decimal, bool, date, datetime, a list of one of these, or None"


@dataclass(frozen=True)
class Parameter:
    """What a function takes: text, number, boolean or date, or a list of one (`text[]`). python:
    the annotated type of its values; required: it has no default; takes_null: None is a value for
    it."""

    name: str
    type: str
    python: Any = object
    required: bool = True
    takes_null: bool = False

    def value(self, given: Any) -> Any:
        """A value as the function takes it; a ValueError where it is none."""
        if given is None:
            return None
        if self.type.endswith(LIST):
            return [self._item(item) for item in given]
        return self._item(given)

    def _item(self, given: Any) -> Any:
        if not is_of(given, self.type.removesuffix(LIST)):
            raise ValueError(f"{self.name!r} is {self.type}, not {given!r:.80}")
        convert = _CONVERSIONS.get(self.python)
        try:
            return given if convert is None else convert(given)
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"{self.name!r} {error}") from error


@dataclass(frozen=True, eq=False)
class Function:
    """A function that programs can call by its name.

    call: a function, or a coroutine function. batch: it takes a list for each parameter, and
    returns a list of as many values. keep: its values are kept in the cache, under its name, its
    version and its source. cost: US dollars an input. limit: calls at a time. timeout: seconds a
    call. retries: more tries of a call that raises. doc: what the language model is told of it; by
    default the first line of the docstring.

    parameters and returns are read off the annotations; give them where there are none."""

    call: Callable[..., Any]
    name: str = ""
    batch: bool = False
    keep: bool = True
    version: str = ""
    cost: float = 0.0
    limit: int = 16
    timeout: float = 60.0
    retries: int = 2
    doc: str = ""
    parameters: tuple[Parameter, ...] = ()
    returns: str = ""

    @property
    def signature(self) -> str:
        """The function as the language model is told of it: `geocode(city TEXT) -> NUMBER`."""
        told = [
            f"{one.name} {one.type.upper()}" + ("" if one.required else " (optional)")
            for one in self.parameters
        ]
        return f"{self.name}({', '.join(told)}) -> {self.returns.upper()}"

    @property
    def is_async(self) -> bool:
        """Whether a call of it is awaited."""
        return inspect.iscoroutinefunction(self.call) or inspect.iscoroutinefunction(
            getattr(self.call, "__call__", None)  # noqa: B004  of an object
        )

    @cached_property
    def identity(self) -> str:
        """What its values are kept under, beside its name: its version and its source; what is
        recorded of a function that is not kept must not pass for what another one kept."""
        try:
            source = inspect.getsource(self.call)
        except (OSError, TypeError):  # of a session, a builtin, an object
            source = ""
        return hashlib.sha256(f"{self.version}\n{self.keep}\n{source}".encode()).hexdigest()[:16]

    def accepts(self, count: int, named: Sequence[str] = ()) -> bool:
        """Whether a call may have so many arguments by position, and these by name."""
        names = [parameter.name for parameter in self.parameters]
        given = [*names[:count], *named]
        needed = {parameter.name for parameter in self.parameters if parameter.required}
        return (
            count <= len(names)
            and len(given) == len(set(given))
            and needed <= set(given) <= set(names)
        )


def functions_of(given: Iterable[Function | Callable[..., Any]]) -> tuple[Function, ...]:
    """The functions of a connection, each with its signature; UsageError where one cannot be used
    or two have one name."""
    found: dict[str, Function] = {}
    for one in given:
        function = _complete(one if isinstance(one, Function) else Function(one))
        if function.name in found:
            raise UsageError(
                f"two functions are named {function.name!r}", hint="name one: Function(f, name=...)"
            )
        found[function.name] = function
    return tuple(found.values())


def is_of(value: Any, type_name: str) -> bool:
    """Whether a value is of a type, by its name here."""
    if type_name.endswith(LIST):
        inner = type_name.removesuffix(LIST)
        return isinstance(value, (list, tuple)) and all(is_of(item, inner) for item in value)
    if isinstance(value, bool):
        return type_name == "boolean"
    return isinstance(value, VALUES[type_name])


def _complete(function: Function) -> Function:
    """The function with its name, its docstring and its signature."""
    call = function.call
    if not callable(call):
        raise UsageError(f"a function is something that can be called, not {call!r:.40}")
    name = (function.name or getattr(call, "__name__", "")).lower()
    if not name.isidentifier():
        raise UsageError(
            f"{name!r} cannot be the name of a function", hint="name it: Function(f, name=...)"
        )
    doc = function.doc or (inspect.getdoc(call) or "").partition("\n")[0]
    told = replace(function, name=name, doc=" ".join(doc.split()))
    if not told.parameters or not told.returns:
        told = _read(told)
    if not told.parameters:
        raise UsageError(
            f"{name}() takes nothing, so it is one value and no function of rows",
            hint="pass the value as a parameter of the program",
        )
    return told


def _read(function: Function) -> Function:
    """The function with the parameters and the type that its annotations tell."""
    try:
        signature = inspect.signature(function.call, eval_str=True)
    except (ValueError, TypeError, NameError) as error:
        raise UsageError(f"the signature of {function.name} cannot be read: {error}") from error
    parameters = []
    for one in signature.parameters.values():
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            raise UsageError(
                f"{function.name} takes any number of arguments",
                hint="wrap it in a function that names its parameters",
            )
        if one.kind is one.KEYWORD_ONLY and one.default is not one.empty:
            continue  # a setting of the function, which programs need not know
        where = f"parameter {one.name!r} of {function.name}"
        name, python, takes_null = _type(one.annotation, where, function.batch)
        required = one.default is one.empty
        parameters.append(Parameter(one.name, name, python, required, takes_null))
    returns, _, _ = _type(
        signature.return_annotation, f"what {function.name} returns", function.batch
    )
    return replace(
        function,
        parameters=function.parameters or tuple(parameters),
        returns=function.returns or returns,
    )


def _type(annotation: Any, where: str, batch: bool) -> tuple[str, Any, bool]:
    """The type that an annotation means, the Python type of its values, and whether None is one."""
    if annotation is inspect.Parameter.empty:
        raise UsageError(f"{where} has no annotation", hint=f"annotate it: {_SUPPORTED}")
    if batch:
        items = _items(annotation)
        if items is None:
            raise UsageError(
                f"{where} is {annotation!r}, and a function with batch=True takes and returns lists"
            )
        annotation = items
    inner, takes_null = _without_none(annotation)
    items = _items(inner)
    python = inner if items is None else _without_none(items)[0]
    if python not in TYPES:
        raise UsageError(f"{where} is {annotation!r}", hint=f"supported: {_SUPPORTED}")
    name = TYPES[python]
    return (name if items is None else name + LIST), python, takes_null


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """An annotation without None, and whether it was there. `int | float` is a number."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation, False
    options = [one for one in typing.get_args(annotation) if one is not types.NoneType]
    names = {TYPES.get(one) for one in options}
    takes_null = types.NoneType in typing.get_args(annotation)
    return (options[0] if len(names) == 1 else annotation), takes_null


def _items(annotation: Any) -> Any:
    """The annotation of the items of a list; None for anything else."""
    origin = typing.get_origin(annotation)
    if origin not in (list, Sequence, tuple):
        return None
    arguments = [one for one in typing.get_args(annotation) if one is not Ellipsis]
    return arguments[0] if len(arguments) == 1 else None


async def apply(function: Function, *arguments: Any) -> Any:
    """One call of a function: in a thread of its own, unless it is a coroutine function, and within
    its time. A thread cannot be stopped: what is too late is not waited for."""
    work = function.call(*arguments) if function.is_async else _in_thread(function.call, arguments)
    async with asyncio.timeout(function.timeout):
        return await work


def _in_thread(call: Callable[..., Any], arguments: Sequence[Any]) -> asyncio.Future[Any]:
    """A call in a thread that does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def settle(value: Any, error: BaseException | None) -> None:
        if done.done():  # nobody waits any more
            return
        if error is None:
            done.set_result(value)
        elif isinstance(error, StopIteration):  # which no future may raise
            done.set_exception(RuntimeError("StopIteration"))
        else:
            done.set_exception(error)

    def work() -> None:
        value, failed = None, None
        try:
            value = context.run(call, *arguments)
        except BaseException as error:  # noqa: BLE001  whatever it is, it is told where it is awaited
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, value, failed)

    threading.Thread(target=work, daemon=True).start()
    return done
