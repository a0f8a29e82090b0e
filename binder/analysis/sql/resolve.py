"""Name resolution: every column of a tree gets its source and its field, stars become columns,
aliases what they stand for.

One pass from the inside out: the FROM of a SELECT is resolved before its other clauses, since its
sub-selects say which columns it offers. A name that no source offers goes to name_repair.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from binder.analysis.sql import name_repair
from binder.analysis.sql.fields import field_of_projection, renamed, title, yields
from binder.analysis.sql.scope import Copies, Scope, united
from binder.analysis.sql.stars import expand, natural, out_of_range, positions
from binder.analysis.sql.types import column_kind, kind
from binder.errors import CheckFault
from binder.language.annotations import annotate, field_of, notes
from binder.language.program import Program
from binder.language.relations import Field, Source
from binder.language.sqltree import copied, is_placeholder, nodes, placeholders
from binder.tables.spelling import alike
from binder.tables.table import Table

# clauses that see the aliases of the projections; ORDER BY has rules of its own
CLAUSES = ("distinct", "where", "group", "having", "qualify")
LIMITS = ("limit", "offset")


class Names:
    """Resolves one program against the tables; `repairs` lists what was mended."""

    def __init__(self, program: Program, tables: Sequence[Table]):
        self.program = program
        self.tables = {table.name.casefold(): table for table in tables}
        self.repairs, self.copies = list[str](), Copies(self.fault)

    def fault(self, node: exp.Expr, message: str, hint: str | None = None) -> CheckFault:
        return CheckFault(message, text=self.program.text, span=self.program.span(node), hint=hint)

    def repaired(self, what: str) -> None:
        if what not in self.repairs:
            self.repairs.append(what)

    # queries

    def query(self, node: exp.Expr, outer: Scope | None = None, named: bool = True) -> list[Field]:
        """Resolves a SELECT, a set operation or a parenthesis around one; its output columns.
        named: whether they need names."""
        scope = Scope(outer)
        self._with(node, scope)
        if isinstance(node, exp.Select):
            return self._select(node, scope, named)
        if isinstance(node, exp.Values):
            return self._values(node, scope)
        if isinstance(node, exp.Subquery):
            fields = self.query(node.this, scope, named)
        elif isinstance(node, exp.SetOperation):
            fields = self._set_operation(node, scope, named)
        else:
            raise self.fault(node, "expected a SELECT here")
        self._tail(node, fields)
        return fields

    def _set_operation(self, node: exp.SetOperation, scope: Scope, named: bool) -> list[Field]:
        left = self.query(node.this, scope, named)
        right = self.query(node.expression, scope, named)
        by_name = bool(node.args.get("by_name"))
        if len(left) != len(right) and not by_name:
            message = "both sides of a set operation need the same number of columns"
            raise self.fault(node.expression, f"{message}, not {len(left)} and {len(right)}")
        return united(left, right, by_name)

    def _with(self, node: exp.Expr, scope: Scope) -> None:
        clause = node.args.get("with_")
        if clause is None:
            return
        for cte in clause.expressions:
            alias, name = cte.args["alias"], cte.alias.casefold()
            columns = _columns_of(alias)
            if name in self.tables:
                # other parts of the program may read the table that it hides
                alias.set("this", exp.to_identifier(f"CTE {cte.alias}", quoted=True))
            # WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r): the second part
            # reads r, whose columns only the first can tell
            if clause.args.get("recursive") and isinstance(cte.this, exp.SetOperation):
                scope.ctes[name] = self._first_rows(cte, columns, scope)
            fields = renamed(self.query(cte.this, scope), columns)
            scope.ctes[name] = Source(cte.alias, fields, select=None if columns else cte.this)

    def _first_rows(self, cte: exp.CTE, columns: list[str], scope: Scope) -> Source:
        """What a recursive CTE reads of itself: the rows of its first part."""
        if calls := placeholders(cte.this.expression):
            message = "a call is not allowed in the recursive part of a CTE"
            raise self.fault(calls[0], message, "move the call to the SELECT that reads the CTE")
        return Source(cte.alias, renamed(self.query(copied(cte.this.this), scope), columns))

    def _tail(self, node: exp.Expr, fields: list[Field]) -> None:
        """ORDER BY and LIMIT of a set operation see its output columns alone."""
        source = Source("", fields)
        names = [f.name for f in fields]
        for part in ("order", *LIMITS):
            clause = node.args.get(part)
            for column in list(clause.find_all(exp.Column)) if clause else ():
                found = source.find(column.name)
                name = found.name if found else alike(column.name, names)
                if name is None:
                    message = f"unknown output column {column.name!r}"
                    hint = name_repair.suggestion(column.name, names, "output columns")
                    raise self.fault(column, message, hint)
                column.replace(exp.column(exp.to_identifier(name, quoted=True)))

    def _values(self, node: exp.Values, scope: Scope) -> list[Field]:
        self.expressions(node.expressions, scope)
        first = node.expressions[0]
        cells = first.expressions if isinstance(first, exp.Tuple) else [first]
        return [Field(f"col{i}", kind(cell)) for i, cell in enumerate(cells)]

    def _select(self, node: exp.Select, scope: Scope, named: bool) -> list[Field]:
        self._from(node, scope)
        expand(node, scope, self.fault)
        # before the expressions are resolved: a title is the text of the program
        titles = [title(p, self.program) if named else "" for p in node.expressions]
        for projection in node.expressions:
            self.expression(projection, scope)
            if isinstance(projection, exp.Alias):
                scope.aliases.setdefault(projection.alias.casefold(), projection.this)
        self._clauses(node, CLAUSES, scope)
        self.expressions(node.args.get("windows") or (), scope)
        # after the clauses: GROUP BY 1 copies a projection in which every name is resolved
        positions(node, self.fault)
        self._order(node, scope)
        self._clauses(node, LIMITS, scope)
        return self._outputs(node, titles)

    def _clauses(self, node: exp.Select, names: Iterable[str], scope: Scope) -> None:
        self.expressions([node.args[name] for name in names if node.args.get(name)], scope)

    def _outputs(self, node: exp.Select, titles: list[str]) -> list[Field]:
        """Names every projection; what each offers to the query around it."""
        fields: list[Field] = []
        projections: list[exp.Expr] = []
        for projection, name in zip(node.expressions, titles, strict=True):
            shown = projection.unalias()
            if projection is shown:
                if isinstance(shown, exp.Column) and notes(shown).field is not None:
                    name = field_of(shown).name
                if name:
                    projection = exp.alias_(shown, name, quoted=True, copy=False)
            fields.append(field_of_projection(shown, name))
            projections.append(projection)
        node.set("expressions", projections)
        return fields

    def _order(self, node: exp.Select, scope: Scope) -> None:
        """ORDER BY prefers an alias to a column of the same name."""
        order = node.args.get("order")
        for item in order.expressions if order else ():
            by = item.this
            if isinstance(by, exp.Column) and not by.table and by.name.casefold() in scope.aliases:
                item.set("this", self.copies.of(by, scope.aliases[by.name.casefold()]))
            elif isinstance(by, exp.Literal) and not by.is_string and by.this.isdigit():
                index = int(by.this) - 1
                if not 0 <= index < len(node.expressions):
                    raise self.fault(by, out_of_range("ORDER BY", by, len(node.expressions)))
                item.set("this", copied(node.expressions[index].unalias()))
            else:
                self.expression(item, scope)

    # sources

    def _from(self, node: exp.Select, scope: Scope) -> None:
        joins = node.args.get("joins") or ()
        if not joins and node.args.get("from_") is None and self._means_only_table(node, scope):
            only = next(iter(self.tables.values()))
            table = exp.Table(this=exp.to_identifier(only.name, quoted=True))
            node.set("from_", exp.From(this=table))
        if node.args.get("from_") is not None:
            self._add(node.args["from_"].this, scope)
        for join in joins:
            self._join(join, scope)

    def _means_only_table(self, node: exp.Select, scope: Scope) -> bool:
        """Whether a SELECT without FROM asks about columns, as a whole program `QA(...)` does,
        which can only be those of the only table."""
        if len(self.tables) != 1 or scope.outer is not None or not placeholders(node):
            return False
        columns = [part for part in nodes(node) if isinstance(part, exp.Column)]
        return any(column.parent_select is node for column in columns)

    def _join(self, join: exp.Join, scope: Scope) -> None:
        count = len(scope.sources)
        self._add(join.this, scope)
        sources = list(scope.sources.values())
        before, added = sources[:count], sources[count:]
        if join.method == "NATURAL":
            natural(join, before, added)
        for column in join.args.get("using") or ():
            found = _first_field(column.name, before)
            if found is None or _first_field(column.name, added) is None:
                message = f"USING needs a column of both tables, and {column.name!r} is not one"
                raise self.fault(column, message)
            scope.merged[column.name.casefold()] = found
        if join.args.get("on"):
            self.expression(join.args["on"], scope)
        # ON saw them; SELECT * must not
        if join.kind in ("SEMI", "ANTI"):
            for source in added:
                source.shown = False

    def _add(self, node: exp.Expr, scope: Scope) -> None:
        """Adds an item of FROM to the scope."""
        if isinstance(node, exp.Table):
            self._table(node, scope)
        elif isinstance(node, exp.Lateral):
            # it sees the sources before it
            self._derived(node, scope, Scope(scope))
        elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            self._add(node.this, scope)
        elif isinstance(node, exp.Subquery):
            self._derived(node, scope, Scope(scope.outer, dict(scope.ctes)))
        elif isinstance(node, exp.Values):
            self._register(node, self._values(node, scope), scope)
        elif isinstance(node, exp.Unnest):
            self.expressions(node.expressions, scope)
            self._register(node, [Field("unnest")], scope)
        else:
            raise self.fault(node, "FROM accepts only tables and sub-selects")
        for join in node.args.get("joins") or ():
            self._join(join, scope)

    def _derived(self, node: exp.Expr, scope: Scope, around: Scope) -> None:
        inner = node.this
        select = inner.unnest() if isinstance(inner, exp.Subquery) else inner
        self._register(node, self.query(inner, around), scope, select=select)

    def _table(self, node: exp.Table, scope: Scope) -> None:
        if isinstance(node.this, exp.Func):
            self.expression(node.this, scope)
            self._register(node, [Field(yields(node.this))], scope)
            return
        name = node.name
        # main.w is the stored table, even where a CTE is called w
        cte = None if node.db else scope.cte(name)
        if cte is not None:
            node.set("this", exp.to_identifier(cte.alias, quoted=True))
            self._register(node, cte.fields, scope, select=cte.select, alias=node.alias or name)
            return
        table, repair = self._stored(node)
        if table is None:
            names = [known.name for known in self.tables.values()]
            hint = name_repair.available(names, "tables")
            raise self.fault(node, f"unknown table {name!r}", hint)
        if repair:
            self.repaired(repair)
        alias = node.alias or name
        node.set("this", exp.to_identifier(table.name, quoted=True))
        node.set("db", None)
        fields = [Field(c.name, column_kind(c.type), (table, c)) for c in table.columns]
        self._register(node, fields, scope, table=table, alias=alias)

    def _stored(self, node: exp.Table) -> tuple[Table | None, str | None]:
        """The table that a FROM names, and what was repaired; a schema is part of the name of a
        table that has one, and `main` stands for none."""
        if node.catalog:  # a program has one database, which has no name
            return None, None
        if not node.db:
            return name_repair.stored(node.name, self.tables, self.program.given.origin)
        whole = f"{node.db}.{node.name}".casefold()
        exact = {name.casefold(): table for name, table in self.tables.items()}
        short = node.name.casefold() if node.db.casefold() == "main" else whole
        return exact.get(whole) or exact.get(short), None

    def _register(
        self,
        node: exp.Expr,
        fields: list[Field],
        scope: Scope,
        table: Table | None = None,
        select: exp.Expr | None = None,
        alias: str = "",
    ) -> None:
        given = node.args.get("alias")
        columns = _columns_of(given)
        if given and not alias:
            alias = node.alias
        alias = alias or f"sub_{len(scope.sources)}"
        if alias.casefold() in scope.sources:
            message = f"duplicate table name {alias!r}"
            raise self.fault(node, message, "give each table its own alias")
        own, listed = scope.own(alias), given.args.get("columns") if given else None
        node.set("alias", exp.TableAlias(this=exp.to_identifier(own, quoted=True), columns=listed))
        if columns:
            # the names inside are others: nothing is looked up there by name
            fields, select = renamed(fields, columns), None
        source = scope.sources[alias.casefold()] = Source(own, fields, table, select)
        annotate(node, source=source)

    # expressions

    def expressions(self, parts: Iterable[exp.Expr], scope: Scope) -> None:
        for part in list(parts):
            self.expression(part, scope)

    def expression(self, node: exp.Expr, scope: Scope) -> None:
        """Resolves the columns in an expression; sub-selects see this scope as their outer one."""
        if isinstance(node, exp.Query):
            # the columns of what is sent to the language model have names
            self.query(node, scope, named=is_placeholder(node.parent))
        elif isinstance(node, exp.Column):
            self._column(node, scope)
        elif isinstance(node, exp.In) and is_placeholder(node.args.get("field")):
            # x IN QA(...) is x IN (QA(...))
            node.set("expressions", [node.args["field"]])
            node.set("field", None)
            self.expressions([node.this, *node.expressions], scope)
        elif isinstance(node, exp.Lambda):
            names = {parameter.name.casefold() for parameter in node.expressions}
            scope.locals |= names
            self.expression(node.this, scope)
            scope.locals -= names
        else:
            parts = [p for p in node.iter_expressions() if not isinstance(p, exp.Identifier)]
            self.expressions(parts, scope)

    def _column(self, node: exp.Column, scope: Scope) -> None:
        if isinstance(node.this, exp.Star):
            return
        if node.table and self._is_part(node, scope):
            self._part(node, scope)
            return
        if node.table:
            self._qualified(node, node.name, scope)
            return
        name = node.name.casefold()
        if name in scope.locals:
            return
        for level in scope.chain():
            if name in level.merged:
                annotate(node, field=level.merged[name])
                return
            holders = level.holders(name)
            if len(holders) > 1:
                owners = [f"{a}.{node.name}" for a, s in level.sources.items() if s.find(name)]
                hint = "qualify it: " + " or ".join(owners)
                raise self.fault(node, f"ambiguous column {node.name!r}", hint)
            if holders:
                _point(node, *holders[0])
                return
            if level is scope and name in level.aliases:
                meant = self.copies.of(node, level.aliases[name])
                node.replace(exp.paren(meant, copy=False))
                return
        self._unknown(node, node.name, scope)

    def _is_part(self, node: exp.Column, scope: Scope) -> bool:
        """Whether what stands before the point is no table, but a column of structs: addr.city."""
        if scope.source(node.table) is not None:
            return False
        owner = scope.source(node.text("db")) if node.text("db") else None
        sources = (
            [owner] if owner else [s for level in scope.chain() for s in level.sources.values()]
        )
        field = _first_field(node.table, [source for source in sources if source is not None])
        if field is None or field.origin is None:
            return False
        return field.origin[1].type.startswith("STRUCT(")

    def _part(self, node: exp.Column, scope: Scope) -> None:
        """Reads a part of a struct."""
        owner = node.text("db") or None
        column = exp.column(exp.to_identifier(node.table, quoted=True), table=owner)
        part = exp.Bracket(this=column, expressions=[exp.Literal.string(node.name)])
        is_output = isinstance(node.parent, exp.Select) and node.arg_key == "expressions"
        node.replace(exp.alias_(part, node.name, quoted=True, copy=False) if is_output else part)
        self.expression(column, scope)

    def _qualified(self, node: exp.Column, name: str, scope: Scope) -> None:
        source = scope.source(node.table)
        if source is None:
            source = name_repair.only_source(node.table, scope, self.tables)
            if source is None:
                aliases = [s.alias for level in scope.chain() for s in level.sources.values()]
                hint = name_repair.available(aliases, "tables")
                raise self.fault(node, f"unknown table {node.table!r} in this FROM", hint)
            self.repaired(f"{node.table}.{name} -> {source.alias}.{name}")
        found = source.find(name)
        if found is None:
            names = [f.name for f in source.fields]
            match = alike(name, names)
            found = source.find(match) if match is not None else None
            if found is None:
                message = f"table {node.table!r} has no column {name!r}"
                raise self.fault(node, message, name_repair.suggestion(name, names))
            if match != name.replace("\\n", "\n"):
                self.repaired(f"column {name!r} -> {match!r}")
        _point(node, source, found)

    def _unknown(self, node: exp.Column, name: str, scope: Scope) -> None:
        """A name that no source has: what it certainly means, or a fault."""
        sign = name_repair.first_sign(node, self.program)
        match = name_repair.column(name, scope, quoted=sign == '"')
        if match is not None:
            _point(node, *match)
            if match[1].name.casefold() != name.replace("\\n", "\n").casefold():
                self.repaired(f"column {name!r} -> {match[1].name!r}")
            return
        constant = name_repair.constant(name, sign)
        if constant is None:
            hint = name_repair.suggestion(name, [f.name for _, f in scope.fields()])
            if not scope.sources:
                hint = "this SELECT has no FROM; quote a string with ' '"
            raise self.fault(node, f"unknown column {name!r}", hint)
        node.replace(constant)


def _columns_of(alias: exp.Expr | None) -> list[str]:
    """The names that an alias gives columns: a and b of AS t(a, b)."""
    if alias is None:
        return []
    return [column.name for column in alias.args.get("columns") or ()]


def _first_field(name: str, sources: Iterable[Source]) -> Field | None:
    for source in sources:
        if (found := source.find(name)) is not None:
            return found
    return None


def _point(node: exp.Column, source: Source, found: Field) -> None:
    """Lets a column name what it shows, and where that comes from."""
    node.this.set("this", found.name)
    node.this.set("quoted", True)
    node.set("table", exp.to_identifier(source.alias, quoted=True))
    annotate(node, field=found, source=source)
