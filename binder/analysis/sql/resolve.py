"""The tree of a program and the tables come in; the same tree with every name resolved, stars
expanded and aliases replaced goes out.

What the tables make certain (a header or a page title misspelt by little, a quoted word that is no
column) is repaired and listed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from binder.analysis.sql.fields import (
    known,
    list_of_literals,
    nameless,
    renamed,
    stored,
    title,
    unchanged,
    yields,
)
from binder.analysis.sql.scope import Copies, Field, Scope, Source, united
from binder.analysis.sql.stars import expand, natural, positions
from binder.analysis.sql.types import column_kind, kind, values
from binder.errors import CheckFault, nearest
from binder.language.annotations import annotate, field_of, notes
from binder.language.program import Call, Program
from binder.language.repair import PLACEHOLDERS
from binder.language.sqltree import call_of, copied, is_placeholder, nodes, placeholders
from binder.tables.spelling import alike, key
from binder.tables.table import Table


class Names:
    """Resolves one program against the tables; `repairs` lists what was mended."""

    def __init__(self, program: Program, tables: Sequence[Table]):
        self.program = program
        self.tables = {table.name.casefold(): table for table in tables}
        self.repairs, self.copies = list[str](), Copies(self.fault)

    def fault(self, node: exp.Expr, message: str, hint: str | None = None) -> CheckFault:
        return CheckFault(message, text=self.program.text, span=self.program.span(node), hint=hint)

    def repaired(self, what: str) -> None:
        self.repairs += [] if what in self.repairs else [what]

    def query(self, node: exp.Expr, outer: Scope | None = None, seen: bool = True) -> list[Field]:
        """Resolves a SELECT, a set operation or a parenthesis around one; its output columns. seen:
        whether they need names."""
        scope = Scope(outer)
        self._with(node, scope)
        if isinstance(node, exp.Subquery):
            fields = self.query(node.this, scope, seen)
            self._tail(node, scope, fields)
            return fields
        if isinstance(node, exp.SetOperation):
            left, right = (
                self.query(node.this, scope, seen),
                self.query(node.expression, scope, seen),
            )
            if len(left) != len(right) and not node.args.get("by_name"):
                raise self.fault(
                    node.expression,
                    f"the two sides of a set operation have {len(left)} and {len(right)} columns",
                )
            fields = united(left, right, bool(node.args.get("by_name")))
            self._tail(node, scope, fields)
            return fields
        if isinstance(node, exp.Select):
            return self._select(node, scope, seen)
        if isinstance(node, exp.Values):
            return self._values(node, scope)
        raise self.fault(node, "only a SELECT can stand here")

    def _with(self, node: exp.Expr, scope: Scope) -> None:
        clause = node.args.get("with_")
        for cte in clause.expressions if clause else ():
            alias, name = cte.args["alias"], cte.alias.casefold()
            given = [column.name for column in alias.args.get("columns") or ()]
            if name in self.tables:  # which other parts of the program may read
                alias.set("this", exp.to_identifier(f"{cte.alias} of WITH", quoted=True))
            if (
                clause is not None
                and clause.args.get("recursive")
                and isinstance(cte.this, exp.SetOperation)
            ):
                if calls := placeholders(cte.this.expression):
                    message = "a call cannot stand in the part of a recursive CTE that repeats"
                    raise self.fault(calls[0], message, "ask in the SELECT that reads it")
                first = self.query(copied(cte.this.this), scope)
                scope.ctes[name] = Source(cte.alias, renamed(first, given))
            fields = renamed(self.query(cte.this, scope), given)
            scope.ctes[name] = Source(cte.alias, fields, select=None if given else cte.this)

    def _tail(self, node: exp.Expr, scope: Scope, fields: list[Field]) -> None:
        """ORDER BY and LIMIT of a set operation see its output columns alone."""
        source = Source("", fields)
        for part in ("order", "limit", "offset"):
            for column in list(node.args[part].find_all(exp.Column)) if node.args.get(part) else ():
                found = source.find(column.name)
                if found is None:
                    names = [f.name for f in fields]
                    match = alike(column.name, names)
                    if match is None:
                        raise self.fault(
                            column, f"no output column is called {column.name!r}", known(names)
                        )
                    found = Field(match)
                column.replace(exp.column(exp.to_identifier(found.name, quoted=True)))

    def _values(self, node: exp.Values, scope: Scope) -> list[Field]:
        first = node.expressions[0]
        for row in node.expressions:
            self.expression(row, scope)
        values = first.expressions if isinstance(first, exp.Tuple) else [first]
        return [Field(f"col{i}", kind(value)) for i, value in enumerate(values)]

    def _select(self, node: exp.Select, scope: Scope, seen: bool) -> list[Field]:
        self._from(node, scope)
        expand(node, scope, self.fault)
        names = [title(projection, self.program) if seen else "" for projection in node.expressions]
        for projection in node.expressions:
            self.expression(projection, scope)
            if isinstance(projection, exp.Alias):
                scope.aliases.setdefault(projection.alias.casefold(), projection.this)
        for part in ("distinct", "where", "group", "having", "qualify"):
            if node.args.get(part):
                self.expression(node.args[part], scope)
        for window in node.args.get("windows") or ():
            self.expression(window, scope)
        positions(node, self.fault)
        self._order(node, scope)
        for part in ("limit", "offset"):
            if node.args.get(part):
                self.expression(node.args[part], scope)
        return self._outputs(node, names)

    def _outputs(self, node: exp.Select, names: list[str]) -> list[Field]:
        """Names every projection and says what it offers to the query around it."""
        fields, projections = [], []
        for projection, name in zip(node.expressions, names, strict=True):
            shown = projection.unalias()
            if (
                isinstance(shown, exp.Column)
                and notes(shown).field is not None
                and not isinstance(projection, exp.Alias)
            ):
                name = field_of(shown).name
            if name and not isinstance(projection, exp.Alias):
                projection = exp.alias_(shown, name, quoted=True, copy=False)
            held = notes(shown).field
            origin = held.origin if held else unchanged(shown)
            fields.append(Field(name, kind(shown), origin, *_calls_behind(shown)))
            projections.append(projection)
        node.set("expressions", projections)
        return fields

    def _order(self, node: exp.Select, scope: Scope) -> None:
        """ORDER BY prefers an alias to a column of the same name."""
        order = node.args.get("order")
        for item in order.expressions if order else ():
            column = item.this
            if (
                isinstance(column, exp.Column)
                and not column.table
                and column.name.casefold() in scope.aliases
            ):
                item.set("this", self.copies.of(column, scope.aliases[column.name.casefold()]))
            elif isinstance(column, exp.Literal) and not column.is_string and column.this.isdigit():
                index = int(column.this) - 1
                if not 0 <= index < len(node.expressions):
                    raise self.fault(
                        column, f"ORDER BY {column.this}: there are {len(node.expressions)} columns"
                    )
                item.set("this", copied(node.expressions[index].unalias()))
            else:
                self.expression(item, scope)

    # sources

    def _from(self, node: exp.Select, scope: Scope) -> None:
        start = node.args.get("from_")
        if start is None and not node.args.get("joins"):
            parts = nodes(node) if any(map(is_placeholder, nodes(node))) else []
            needs_table = any(
                isinstance(part, exp.Column) and part.parent_select is node for part in parts
            )
            if needs_table and len(self.tables) == 1 and scope.outer is None:
                only = next(iter(self.tables.values()))
                node.set(
                    "from_",
                    exp.From(this=exp.Table(this=exp.to_identifier(only.name, quoted=True))),
                )
                start = node.args["from_"]
        if start is not None:
            self._add(start.this, scope)
        for join in node.args.get("joins") or ():
            self._join(join, scope)

    def _join(self, join: exp.Join, scope: Scope) -> None:
        known = len(scope.sources)
        self._add(join.this, scope)
        sources = list(scope.sources.values())
        before, added = sources[:known], sources[known:]
        if join.args.get("using") or join.method == "NATURAL":
            names = [column.name for column in join.args.get("using") or ()]
            if join.method == "NATURAL":
                names = natural(join, before, added)
            for column in join.args.get("using") or ():
                sides = [
                    [f for s in side for f in [s.find(column.name)] if f]
                    for side in (before, added)
                ]
                if not all(sides):
                    raise self.fault(
                        column, f"USING: {column.name!r} is not a column of both tables"
                    )
            for name in names:
                scope.merged[name.casefold()] = next(f for s in before for f in [s.find(name)] if f)
        if join.args.get("on"):
            self.expression(join.args["on"], scope)
        if join.kind in ("SEMI", "ANTI"):
            for source in added:
                source.shown = False

    def _add(self, node: exp.Expr, scope: Scope) -> None:
        """Adds what stands in FROM to the scope."""
        if isinstance(node, exp.Table):
            self._table(node, scope)
        elif isinstance(node, exp.Lateral):
            self._derived(node, node.this, scope, Scope(scope))
        elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            self._add(node.this, scope)
        elif isinstance(node, exp.Subquery):
            self._derived(node, node.this, scope, scope.outer)
        elif isinstance(node, exp.Values):
            self._register(node, self._values(node, scope), scope)
        elif isinstance(node, exp.Unnest):
            self.expression_list(node.expressions, scope)
            self._register(node, [Field("unnest")], scope)
        else:
            raise self.fault(node, "only tables and sub-selects can stand in FROM")
        for join in node.args.get("joins") or ():
            self._join(join, scope)

    def _derived(self, node: exp.Expr, inner: exp.Expr, scope: Scope, outer: Scope | None) -> None:
        lateral = isinstance(node, exp.Lateral)
        around = Scope(outer, dict(scope.ctes)) if not lateral else outer
        select = inner.unnest() if isinstance(inner, exp.Subquery) else inner
        self._register(node, self.query(inner, around), scope, select=select)

    def _table(self, node: exp.Table, scope: Scope) -> None:
        if isinstance(node.this, exp.Func):
            self.expression(node.this, scope)
            self._register(node, [Field(yields(node.this))], scope)
            return
        name = node.name
        cte = None if node.db else scope.cte(name)
        if cte is not None:
            node.set("this", exp.to_identifier(cte.alias, quoted=True))
            self._register(node, cte.fields, scope, select=cte.select, alias=node.alias or name)
            return
        table, repair = stored(name, self.tables) if not node.db else (None, None)
        if table is None:
            raise self.fault(
                node,
                f"there is no table {name!r}",
                f"the tables are: {', '.join(t.name for t in self.tables.values())}",
            )
        if repair:
            self.repaired(repair)
        alias = node.alias or name
        node.set("this", exp.to_identifier(table.name, quoted=True))
        node.set("db", None)
        fields = [Field(c.name, column_kind(c.type), (table, c)) for c in table.columns]
        self._register(node, fields, scope, table=table, alias=alias)

    def _register(
        self,
        node: exp.Expr,
        fields: list[Field],
        scope: Scope,
        table: Table | None = None,
        select: exp.Expr | None = None,
        alias: str | None = None,
    ) -> None:
        given = node.args.get("alias")
        columns = [column.name for column in (given.args.get("columns") or ())] if given else []
        alias = alias or (node.alias if given else "") or f"sub_{len(scope.sources)}"
        if alias.casefold() in scope.sources:
            raise self.fault(node, f"two tables are called {alias!r}", "give each its own alias")
        own, listed = scope.own(alias), given.args.get("columns") if given else None
        node.set("alias", exp.TableAlias(this=exp.to_identifier(own, quoted=True), columns=listed))
        fields, select = (renamed(fields, columns), None) if columns else (fields, select)
        source = scope.sources[alias.casefold()] = Source(own, fields, table, select)
        annotate(node, source=source)

    # expressions

    def expression_list(self, nodes: Sequence[exp.Expr], scope: Scope) -> None:
        for node in list(nodes):
            self.expression(node, scope)

    def expression(self, node: exp.Expr, scope: Scope) -> None:
        """Resolves the columns in an expression; sub-selects see this scope as their outer one."""
        if isinstance(node, exp.Query):
            self.query(
                node, scope, seen=is_placeholder(node.parent)
            )  # the columns of what is sent have names
        elif isinstance(node, exp.Column):
            self._column(node, scope)
        elif isinstance(node, exp.In) and is_placeholder(node.args.get("field")):
            node.set("expressions", [node.args["field"]])  # IN QA(...) is IN (QA(...))
            node.set("field", None)
            self.expression_list([node.this, *node.expressions], scope)
        elif isinstance(node, exp.Lambda):
            names = {p.name.casefold() for p in node.expressions}
            scope.locals |= names
            self.expression(node.this, scope)
            scope.locals -= names
        else:
            self.expression_list(
                [
                    child
                    for child in node.iter_expressions()
                    if not isinstance(child, exp.Identifier)
                ],
                scope,
            )

    def _column(self, node: exp.Column, scope: Scope) -> None:
        if isinstance(node.this, exp.Star):
            return
        name = node.name
        if node.table:
            self._qualified(node, name, scope)
            return
        if name.casefold() in scope.locals:
            return
        for level in scope.chain():
            if name.casefold() in level.merged:
                annotate(node, field=level.merged[name.casefold()])
                return
            holders = level.holders(name)
            if len(holders) > 1:
                owners = ", ".join(
                    f"{alias}.{name}"
                    for alias, source in level.sources.items()
                    if source.find(name)
                )
                raise self.fault(
                    node,
                    f"{name!r} could be a column of {len(holders)} tables",
                    f"say which: {owners}",
                )
            if holders:
                self._set(node, *holders[0])
                return
            if name.casefold() in level.aliases and level is scope:
                node.replace(
                    exp.paren(self.copies.of(node, level.aliases[name.casefold()]), copy=False)
                )
                return
        self._repair(node, name, scope)

    def _qualified(self, node: exp.Column, name: str, scope: Scope) -> None:
        source = scope.source(node.table)
        if source is None:
            if len(scope.sources) == 1 and node.table.casefold() in self.tables | {
                key(p): p for p in PLACEHOLDERS
            }:
                source = next(iter(scope.sources.values()))
                self.repaired(f"{node.table}.{name} -> {source.alias}.{name}")
            else:
                aliases = [s.alias for level in scope.chain() for s in level.sources.values()]
                raise self.fault(node, f"there is no table {node.table!r} here", known(aliases))
        found = source.find(name)
        if found is None:
            match = alike(name, [f.name for f in source.fields])
            if match is None:
                names = [f.name for f in source.fields]
                raise self.fault(
                    node,
                    f"table {node.table!r} has no column {name!r}",
                    known(nearest(name, names) or names),
                )
            if match != name.replace("\\n", "\n"):
                self.repaired(f"column {name!r} -> {match!r}")
            found = source.find(match)
        assert found is not None
        self._set(node, source, found)

    def _set(self, node: exp.Column, source: Source, found: Field) -> None:
        node.this.set("this", found.name)
        node.this.set("quoted", True)
        node.set("table", exp.to_identifier(source.alias, quoted=True))
        annotate(node, field=found)
        annotate(node, source=source)

    def _repair(self, node: exp.Column, name: str, scope: Scope) -> None:
        """A name that no table has: what it certainly means, or a fault."""
        span = self.program.span(node)
        quoted = self.program.text[span.start : span.start + 1] == '"'
        offered = {f.name: (source, f) for source, f in reversed(scope.fields())}
        match = alike(name, offered, 1.0 if quoted else 0.85) or nameless(name, scope)
        if match is not None:
            self._set(node, *offered[match])
            if match.casefold() != name.replace("\\n", "\n").casefold():
                self.repaired(f"column {name!r} -> {match!r}")
        elif quoted:
            node.replace(exp.Literal.string(name))
        elif (items := list_of_literals(name)) is not None and self.program.text[
            span.start : span.start + 1
        ] == "[":
            node.replace(items)
        else:
            names = [f.name for _, f in scope.fields()]
            hint = known(nearest(name, names) or names)
            if not scope.sources:
                hint = "there is no FROM here; a text is quoted with '"
            raise self.fault(node, f"there is no column {name!r}", hint)


def _calls_behind(shown: exp.Expr) -> tuple[Call | None, tuple[Call, ...]]:
    """The call whose value an expression shows, where it shows no other values; all calls whose
    value it may show."""
    only: Call | None = None
    mixed = False
    calls: list[Call] = []
    for value in values(shown):
        held = notes(value).field
        call = held.call if held else call_of(value) if is_placeholder(value) else None
        calls += held.calls if held else [call] if call else []
        mixed = mixed or call is None
        only = only or call
    return None if mixed else only, tuple(dict.fromkeys(calls))
