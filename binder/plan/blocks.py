"""SELECTs as the planner needs them: clauses, items of FROM, and the places of calls.

A tree is looked at once: `Blocks` keeps a SelectBlock for each SELECT and finds the SelectPlace of
a node. All of it describes the tree as it is; code that edits the tree makes new ones afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from sqlglot import exp

from binder.analysis.sql.ordering import is_aggregate, is_grouped
from binder.language.annotations import notes
from binder.language.relations import Source
from binder.language.sqltree import nodes, placeholders, sql_of

# clauses whose calls see other rows than those that meet WHERE
BEFORE_WHERE = ("joins", "from_", "with_")
# the clause of a filter about the group to which a row belongs
OF_GROUPS = "groups"
# what can stand between a SELECT and the place where its rows are used
_WRAPPERS = (exp.Subquery, exp.SetOperation, exp.Exists)


class Stage(Enum):
    """The rows of its SELECT that a call is evaluated on."""

    ON = "on"  # pairs of rows, in the condition of a join
    ROWS = "rows"  # rows before grouping
    MEMBERS = "members"  # rows of the groups that are left after all clauses
    GROUPS = "groups"
    OUTPUT = "output"  # rows or groups that are left after all clauses


class SelectBlock:
    """One SELECT."""

    def __init__(self, select: exp.Select, blocks: Blocks | None = None):
        self.select = select
        self.blocks = blocks or Blocks()
        self._conjuncts: dict[str, list[exp.Expr]] = {}

    @cached_property
    def joins(self) -> list[exp.Join]:
        """The items of FROM behind the first one."""
        return self.select.args.get("joins") or []

    @cached_property
    def items(self) -> list[exp.Expr]:
        """All items of FROM: the FROM itself, which holds the first one, and the joins."""
        start = self.select.args.get("from_")
        return [*self.joins] if start is None else [start, *self.joins]

    @cached_property
    def is_grouped(self) -> bool:
        """Whether its rows become groups."""
        return is_grouped(self.select)

    @cached_property
    def groups_by_comma(self) -> bool:
        """Whether a comma, which binds less than JOIN, decides which rows an outer join fills with
        NULLs: then no item of FROM can be moved, and none added."""
        if not any(is_comma(join) for join in self.joins):
            return False
        return any(join.side in ("RIGHT", "FULL") for join in self.joins)

    @cached_property
    def merges_columns(self) -> bool:
        """Whether a join has USING or NATURAL, whose columns belong to no single item."""
        return any(join.args.get("using") or join.method for join in self.joins)

    def has(self, *clauses: str) -> bool:
        """Whether it has one of some clauses."""
        return any(self.select.args.get(clause) for clause in clauses)

    def condition(self, clause: str) -> exp.Expr | None:
        """The condition of WHERE, HAVING or QUALIFY."""
        found = self.select.args.get(clause)
        return None if found is None else found.this

    def conjuncts(self, clause: str) -> list[exp.Expr]:
        """The conditions that AND combines in WHERE, HAVING or QUALIFY."""
        if clause not in self._conjuncts:
            condition = self.condition(clause)
            self._conjuncts[clause] = [] if condition is None else conjuncts(condition)
        return self._conjuncts[clause]

    @cached_property
    def holder(self) -> SelectPlace | None:
        """The place, in the SELECT around, of the sub-select that this one is a part of."""
        below: exp.Expr = self.select
        # a side of UNION, a sub-select and EXISTS stand where the outermost of them stands
        while isinstance(below.parent, _WRAPPERS):
            below = below.parent
        return self.blocks.place(below)


@dataclass(frozen=True, eq=False)
class SelectPlace:
    """Where a call, or a sub-select that holds it, stands in a SELECT. path: the nodes from it up
    to the clause."""

    block: SelectBlock
    path: tuple[exp.Expr, ...]

    @property
    def node(self) -> exp.Expr:
        """What stands there."""
        return self.path[0]

    @property
    def clause(self) -> str:
        """The clause, by its name in sqlglot."""
        return self.path[-1].arg_key or ""

    @property
    def is_direct(self) -> bool:
        """Whether no other query stands between the node and its SELECT."""
        return not any(isinstance(step, exp.Query) for step in self.path[1:])

    @property
    def join(self) -> int | None:
        """The number of the join in whose condition it stands."""
        return self.path[-1].index if self.clause == "joins" else None

    def is_inside(self, node: exp.Expr) -> bool:
        """Whether it stands inside a node of its clause, or is that node."""
        return any(step is node for step in self.path)

    def outward(self) -> Iterator[SelectPlace]:
        """This place and those of the sub-selects that hold it, inner ones first."""
        place: SelectPlace | None = self
        while place is not None:
            yield place
            place = place.block.holder

    @cached_property
    def stage(self) -> Stage:
        """The rows of its SELECT that a call in this place is evaluated on."""
        if self.clause == "joins":
            return Stage.ON
        if self.clause in ("where", "group", "from_"):
            return Stage.ROWS
        # HAVING, ORDER BY, QUALIFY and projections see rows or groups
        if any(has_window(argument) for argument in self.node.expressions):
            return Stage.OUTPUT  # a window function sees the rows that are left
        if not self.block.is_grouped:
            return Stage.ROWS
        # a key of GROUP BY and the argument of an aggregate are evaluated on each row
        group = self.block.select.args.get("group")
        keys = nodes(group) if group else []
        on_rows = any(is_aggregate(step) or step in keys for step in self.path)
        return Stage.ROWS if on_rows else Stage.GROUPS


class Blocks:
    """The SELECTs of one tree, each looked at once."""

    def __init__(self) -> None:
        self._found: dict[int, SelectBlock] = {}

    def block(self, select: exp.Select) -> SelectBlock:
        """The block of a SELECT."""
        # by identity: equal SELECTs at two places are two blocks
        found = self._found.get(id(select))
        if found is None:
            found = self._found[id(select)] = SelectBlock(select, self)
        return found

    def place(self, node: exp.Expr) -> SelectPlace | None:
        """The place of a node in the innermost SELECT around it; None outside of every SELECT."""
        path = [node]
        parent = node.parent
        while parent is not None and not isinstance(parent, exp.Select):
            path.append(parent)
            parent = parent.parent
        return None if parent is None else SelectPlace(self.block(parent), tuple(path))

    def place_of_call(self, call: exp.Expr) -> SelectPlace:
        """The place of a call, which always stands in a SELECT."""
        found = self.place(call)
        assert found is not None
        return found


def conjuncts(node: exp.Expr) -> list[exp.Expr]:
    """The conditions that AND combines."""
    found: list[exp.Expr] = []
    waiting = [node]
    while waiting:  # not by recursion: a generated WHERE can have hundreds
        part = waiting.pop()
        part = part.unnest() if isinstance(part, exp.Paren) else part
        if isinstance(part, exp.And):
            waiting += [part.right, part.left]
        else:
            found.append(part)
    return found


def is_comma(join: exp.Join) -> bool:
    """Whether a join is only a comma, which binds less than what follows."""
    return not (
        join.kind or join.side or join.method or join.args.get("on") or join.args.get("using")
    )


def has_window(node: exp.Expr) -> bool:
    """Whether an expression holds a window function, apart from those of its sub-selects."""
    return any(isinstance(part, exp.Window) for part in nodes(node, (exp.Query,)))


def outer_columns(node: exp.Expr) -> list[exp.Column]:
    """The columns in a tree whose source stands outside of it, each once."""
    # sources are told apart by identity: two aliases of one table are two sources
    inside: set[int] = set()
    columns: list[exp.Column] = []
    for part in nodes(node):
        if isinstance(part, exp.Column):
            columns.append(part)
        elif isinstance(notes(part).source, Source):
            inside.add(id(notes(part).source))
    found: dict[str, exp.Column] = {}
    for column in columns:
        source = notes(column).source
        if source is not None and id(source) not in inside:
            found.setdefault(sql_of(column), column)
    return list(found.values())


def is_one_question(call: exp.Anonymous) -> bool:
    """Whether a call is an ans about the same plain tables on every row."""
    if not any(isinstance(argument, exp.Subquery) for argument in call.expressions):
        return False
    return not outer_columns(call) and not any(map(placeholders, call.expressions))
