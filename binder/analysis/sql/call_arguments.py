"""Arguments of calls, made ready to be sent.

A column of a web table is sent as the raw text of its cells; a bare column of `ans` means that
column of the enclosing FROM."""

from __future__ import annotations

from sqlglot import exp

from binder.analysis.sql.enclosing import check_groups, enclosing
from binder.analysis.sql.types import holds_bytes, kind, picked
from binder.analysis.sql.value_linking import raw_of
from binder.errors import CheckFault
from binder.language.annotations import annotate, field_of, notes
from binder.language.calls import Call
from binder.language.functions.own import Function, Parameter
from binder.language.program import Program
from binder.language.sqltree import call_of, copied, placeholders, sql_of

# what stands around a function that reads groups or windows, and arguments that are no values
_AROUND_AGGREGATES = (exp.Window, exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)
_NO_VALUES = (exp.Distinct, exp.Order, exp.Lambda, exp.Kwarg, exp.PropertyEQ)


def arguments(tree: exp.Expr, program: Program) -> None:
    """Rewrites the arguments of every call in place."""
    for node in placeholders(tree):
        call = call_of(node)
        if call.function is not None:
            _apply(node, call, call.function, program)
            continue
        if not node.expressions and call.per_input:  # an ans without a table is about the world
            hint = 'QA("map@question"; column), or QA("ans@question") about the world'
            message = "the call has no input"
            raise CheckFault(message, text=program.text, span=call.span, hint=hint)
        _check_cast(node, call, program)
        for argument in node.expressions:
            _sendable(argument, call, program)
        if call.per_input:
            _map(node, call, program)
        else:
            _ans(node, call, program)


def _check_cast(node: exp.Anonymous, call: Call, program: Program) -> None:
    """Refuses a cast that no answer can meet: one value as a list, an answer as a struct."""
    cast = node.parent
    if not isinstance(cast, (exp.Cast, exp.TryCast)) or not cast.to.args.get("nested"):
        return
    inside = cast.to.expressions[0] if cast.to.this == exp.DType.ARRAY else cast.to
    if call.per_input or isinstance(inside, exp.DataType) and inside.args.get("nested"):
        raise CheckFault(
            f"the answer to {call.question!r} cannot be cast to {sql_of(cast.to)}",
            text=program.text,
            span=call.span,
            hint='a list of plain values is read from QA("ans@..."): QA("ans@...")::TEXT[]',
        )


def bytes_fault(program: Program, call: Call, argument: exp.Expr, name: str) -> CheckFault:
    """The fault of an argument that holds bytes, such as pictures: the language model is sent
    text."""
    span = program.span(argument)
    if span.start < call.span.start:  # what `*` stands for has no place of its own
        span = call.span
    hint = "leave it out; decode(column) reads bytes that are text in UTF-8"
    message = f"{name!r} holds bytes, which cannot be sent to the language model"
    return CheckFault(message, text=program.text, span=span, hint=hint)


def _sendable(argument: exp.Expr, call: Call, program: Program) -> None:
    """Refuses an argument that shows a stored column of bytes; what an expression yields, the
    engine says before it is sent."""
    query = argument.unnest()
    for shown in query.selects if isinstance(query, exp.Query) else [argument]:
        value = picked(shown.unalias())
        stored = (
            field_of(value).origin
            if isinstance(value, exp.Column) and notes(value).field is not None
            else None
        )
        cast = sql_of(value.to) if isinstance(value, (exp.Cast, exp.TryCast)) else ""
        if holds_bytes(stored[1].type if stored is not None else cast):
            raise bytes_fault(
                program, call, shown, value.name if stored is not None else sql_of(value)
            )


def _map(node: exp.Anonymous, call: Call, program: Program) -> None:
    for argument in list(node.expressions):
        if isinstance(argument, exp.Star) or (
            isinstance(argument, exp.Column) and isinstance(argument.this, exp.Star)
        ):
            hint = 'name the columns: QA("map@question"; a; b)'
            message = "`*` cannot be an argument of a map call"
            raise CheckFault(message, text=program.text, span=call.span, hint=hint)
        if isinstance(argument, exp.Column):
            sent = raw_of(argument) or argument
            annotate(sent, header=argument.name)
            argument.replace(sent)
        elif isinstance(argument, exp.Subquery):  # one value, where those of ans are tables
            argument.replace(exp.paren(argument))


def _apply(node: exp.Anonymous, call: Call, function: Function, program: Program) -> None:
    """Gives an own function what its parameters are annotated with: texts as the cells read, other
    values as they are; another type is refused."""
    pairs = list(zip(node.expressions, function.parameters, strict=False))
    problems = [_misuse(node, function)]
    problems += [_mismatch(argument, parameter, function) for argument, parameter in pairs]
    for problem in problems:
        if problem:
            hint = f"write {function.signature}"
            raise CheckFault(problem, text=program.text, span=call.span, hint=hint)
    for argument, parameter in pairs:
        if isinstance(argument, exp.Subquery):  # one value, where those of ans are tables
            argument = argument.replace(exp.paren(argument))
        if parameter.type == "text":
            _as_text(argument)
    annotate(node, columns=tuple(parameter.name for _, parameter in pairs))


def _misuse(node: exp.Anonymous, function: Function) -> str:
    """What is wrong with a call of an own function as a whole; empty where nothing is."""
    given = len(node.expressions)
    if not function.accepts(given):
        takes = {count for count in range(len(function.parameters) + 1) if function.accepts(count)}
        most = max(takes)
        told = str(most) if len(takes) == 1 else f"{min(takes)} to {most}"
        noun = "argument" if told == "1" else "arguments"
        return f"{function.name} takes {told} {noun}, and is given {given}"
    if isinstance(node.parent, _AROUND_AGGREGATES):
        return f"{function.name} is applied to one row at a time: it is no aggregate"
    return ""


def _mismatch(argument: exp.Expr, parameter: Parameter, function: Function) -> str:
    """Why an argument cannot be given to a parameter; empty where it can."""
    taker = f"{parameter.name!r} of {function.name}"
    if isinstance(argument, _NO_VALUES) or argument.find(exp.Star):
        return f"{taker} must be a value"
    family = kind(argument)
    fits = family in (None, parameter.type) or parameter.type == "text"
    if fits or isinstance(argument, exp.Null):
        return ""
    what = f"{argument.name!r} is {family}" if argument.name else f"{family} is given"
    return f"{taker} is {parameter.type}: {what}"


def _as_text(argument: exp.Expr) -> None:
    """An argument as text: a column as its cells read, anything else as DuckDB writes it."""
    raw = raw_of(argument) if isinstance(argument, exp.Column) else None
    if raw is not None:
        argument.replace(raw)
    elif kind(argument) != "text" and not isinstance(argument, exp.Null):
        argument.replace(exp.cast(copied(argument), "VARCHAR", copy=False))


def _ans(node: exp.Anonymous, call: Call, program: Program) -> None:
    """Every argument of `ans` becomes a sub-select."""
    for argument in list(node.expressions):
        if not isinstance(argument, exp.Subquery):
            check_groups(node, call, program)
        column = next(
            (part for part in argument.find_all(exp.Column) if notes(part).source is not None), None
        )
        if isinstance(argument, exp.Subquery):
            _raw_projections(argument.unnest())
        elif column is not None and argument is column:
            shown = raw_of(column) or copied(column)
            named = exp.alias_(shown, field_of(column).name, quoted=True, copy=False)
            column.replace(exp.Subquery(this=enclosing(column, named, node)))
        elif column is None:
            header = "text" if kind(argument) == "text" else "value"
            shown = exp.alias_(copied(argument), header, quoted=True, copy=False)
            argument.replace(exp.Subquery(this=exp.Select(expressions=[shown])))
        else:
            named = exp.alias_(copied(argument), "value", quoted=True, copy=False)
            argument.replace(exp.Subquery(this=enclosing(column, named, node)))


def _raw_projections(select: exp.Expr) -> None:
    """The rows of an argument are sent as the text of their cells."""
    if (
        not isinstance(select, exp.Select)
        or select.args.get("group")
        or select.args.get("distinct")
    ):
        return
    for projection in select.expressions:
        shown = projection.unalias()
        raw = raw_of(shown) if isinstance(shown, exp.Column) else None
        if raw is not None:
            shown.replace(raw)
