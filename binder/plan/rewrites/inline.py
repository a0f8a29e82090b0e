"""The inlining of sub-selects and CTEs into the SELECT that reads them."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from binder.language.annotations import annotate, notes, source_of
from binder.language.relations import Source
from binder.language.sqltree import copied, placeholders
from binder.plan.blocks import SelectBlock, is_comma, outer_columns
from binder.plan.expressions import quoted, unused
from binder.plan.rewrites.derived import keys_are_read_below

# clauses that neither choose among the rows of a SELECT nor order them
_PLAIN = {"expressions", "from_", "joins", "where", "kind", "hint"}


def inline_subqueries(root: exp.Subquery) -> bool:
    """Inline a sub-select that only filters and projects; its calls are then asked where their
    values are used, on the rows that the SELECT around it keeps.

    >>> rewrite(inline_subqueries, '''
    ...     SELECT c FROM (SELECT city AS c, people FROM w WHERE QA("map@vowel?"; city)) AS q
    ...     WHERE people > 1000''')
    SELECT (city) AS c FROM w AS `w in q` WHERE QA("vowel?"; city) AND (people) > 1000
    ORDER BY (row_id)

    Legal because such a sub-select yields its rows one for one and in order, because its conditions
    drop the same rows in the WHERE around it (not on the side of an outer join that NULLs fill),
    and because a call is a function of its inputs."""
    if not placeholders(root) or root.this.find(exp.Subquery, exp.CTE) is None:
        return False
    changed = _inline_ctes(root)
    # one at a time, from the top: what is merged may bring further sub-selects
    _note_homes(root)
    while any(_inline_one(select) for select in root.find_all(exp.Select)):
        changed = True
    return changed


def _note_homes(root: exp.Expr) -> None:
    """Notes on each call of a condition the outermost SELECT whose rows it decides."""
    for select in root.find_all(exp.Select):  # outer ones first
        block = SelectBlock(select)
        conditions = [block.condition("where"), *(join.args.get("on") for join in block.joins)]
        for condition in conditions:
            for call in [] if condition is None else placeholders(condition):
                if notes(call).home is None:
                    annotate(call, home=id(select))


# CTEs


def _inline_ctes(root: exp.Expr) -> bool:
    """Puts CTEs that hold calls where they are read, as sub-selects."""
    ctes = list(root.find_all(exp.CTE))
    names = {cte.alias.casefold() for cte in ctes}
    if len(names) < len(ctes):
        return False  # one name, two CTEs: which one a table reads depends on where it stands
    if any(clause.args.get("recursive") for clause in root.find_all(exp.With)):
        return False
    changed = False
    for cte in ctes:  # the first ones first: those that read them then hold their calls
        if placeholders(cte.this) and _inline_cte(root, cte):
            changed = True
    return changed


def _inline_cte(root: exp.Expr, cte: exp.CTE) -> bool:
    readers = [table for table in root.find_all(exp.Table) if _reads(table, cte)]
    if len(readers) > 1 and not _is_plain(cte.this):
        return False  # it would be computed once for each reader
    if any(_renames_columns(node) for node in (cte, *readers)):
        return False
    # each reader gets its own copy, under its own alias
    for table in readers:
        inside = exp.Subquery(this=copied(cte.this), alias=copied(table.args["alias"]))
        annotate(inside, source=notes(table).source)
        table.replace(inside)
    # a WITH without CTEs is no SQL
    clause = cte.parent
    cte.pop()
    if clause is not None and not clause.expressions:
        clause.pop()
    return True


def _reads(table: exp.Table, cte: exp.CTE) -> bool:
    """Whether a table of a FROM is the CTE, and not a stored table of that name."""
    source = notes(table).source
    if not isinstance(source, Source) or source.table is not None:
        return False
    return table.name.casefold() == cte.alias.casefold()


def _renames_columns(node: exp.Expr) -> bool:
    """Whether an alias names columns, too: `AS q(a, b)`."""
    alias = node.args.get("alias")
    return alias is not None and bool(alias.args.get("columns"))


# Which sub-selects can be inlined


def _is_plain(query: exp.Expr) -> bool:
    """Whether a query only filters and projects the rows of its FROM."""
    if not isinstance(query, exp.Select):
        return False
    clauses = {key for key, value in query.args.items() if value}
    block = SelectBlock(query)
    if not clauses <= _PLAIN or block.is_grouped or not block.has("from_"):
        return False
    if outer_columns(query):
        return False  # LATERAL: it has other rows for each row beside it
    return _has_movable_from(block) and _has_movable_columns(query)


def _has_movable_from(block: SelectBlock) -> bool:
    """Whether the FROM of a SELECT means the same among other items."""
    if block.merges_columns or block.groups_by_comma:
        return False
    return all(isinstance(item.this, (exp.Table, exp.Subquery)) for item in block.items)


def _has_movable_columns(select: exp.Select) -> bool:
    """Whether what a SELECT shows means the same in another SELECT."""
    for shown in select.expressions:
        if shown.find(exp.Window):
            return False  # it would see the rows of the other SELECT
        if not shown.unalias().find(exp.Column):
            return False  # GROUP BY and ORDER BY would read a constant as a position
    return True


def _inline_one(select: exp.Select) -> bool:
    """Inlines the first sub-select of a FROM that can be; whether there was one."""
    block = SelectBlock(select)
    if not block.has("from_") or block.has("laterals"):
        return False
    if block.merges_columns or block.groups_by_comma:
        return False
    for index, item in enumerate(block.items):
        if _can_inline(block, index) and _merge(block, item, item.this):
            return True
    return False


def _can_inline(block: SelectBlock, index: int) -> bool:
    """Whether the sub-select that is an item of a FROM can be merged into its SELECT."""
    item = block.items[index]
    inside = item.this
    if not isinstance(inside, exp.Subquery) or not isinstance(notes(inside).source, Source):
        return False
    if _renames_columns(inside) or not _is_plain(inside.this):
        return False  # AS q(a, b): names that its projections do not have
    if not placeholders(block.select):  # inside counts as well; without calls nothing is won
        return False
    inner = SelectBlock(inside.this)
    if isinstance(item, exp.Join) and (not _is_inner(item) or inner.joins):
        return False  # its WHERE would drop rows that an outer join keeps
    if any(join.side in ("RIGHT", "FULL") for join in block.joins[index:]):
        return False  # rows that it drops would come back, filled with NULLs
    if keys_are_read_below(block, source_of(inside)):
        return False
    # its conditions are evaluated before those of the joins around it
    return not (_calls_that_decide(inner.select) and any(map(_has_asking_on, block.joins)))


def _is_inner(join: exp.Join) -> bool:
    return not join.side and join.kind in ("", "INNER", "CROSS")


def _has_asking_on(join: exp.Join) -> bool:
    condition = join.args.get("on")
    return condition is not None and bool(placeholders(condition))


# The merge itself


def _merge(block: SelectBlock, item: exp.Expr, inside: exp.Subquery) -> bool:
    """Merges a sub-select into its SELECT: its FROM replaces it, its projections replace its
    columns, and both WHEREs must hold. False if a column of it has no projection."""
    select, inner, source = block.select, inside.this, source_of(inside)
    shown = {part.alias_or_name.casefold(): part.unalias() for part in inner.expressions}
    columns = [column for column in select.find_all(exp.Column) if notes(column).source is source]
    if any(column.name.casefold() not in shown for column in columns):
        return False
    _rename_sources(inner, source.alias)
    # parentheses keep what a column stood for together
    for column in columns:
        column.replace(exp.paren(copied(shown[column.name.casefold()]), copy=False))
    _let_wait(select, inner)

    joins = inner.args.get("joins") or []
    for join in joins:
        if is_comma(join):  # it would bind less than the joins that now follow
            join.set("kind", "CROSS")
    # the FROM of the sub-select takes its place; its joins come first, as they were inside
    item.set("this", inner.args["from_"].this)
    select.set("joins", [*joins, *block.joins])

    # inner conditions first: they were evaluated first
    wheres = [part.args["where"].this for part in (inner, select) if part.args.get("where")]
    if wheres:
        select.set("where", exp.Where(this=exp.and_(*wheres)))
    return True


def _let_wait(select: exp.Select, inner: exp.Select) -> None:
    """Gives the calls of a SELECT a later turn than those of a sub-select that is merged into it:
    they were asked about the rows that the sub-select left."""
    first = _calls_that_decide(inner)
    if not first:
        return
    turns = 1 + max(notes(call).layer for call in first)
    for call in _calls_that_decide(select):
        # calls that came from another sub-select do not wait for this one
        if notes(call).home in (None, id(select)):
            annotate(call, layer=turns + notes(call).layer)


def _calls_that_decide(select: exp.Select) -> list[exp.Anonymous]:
    """The calls that decide which rows a SELECT has, before it groups."""
    found = []
    for part in (*(select.args.get("joins") or []), select.args.get("where")):
        if part is not None:
            found += placeholders(part)
    return found


def _rename_sources(inner: exp.Select, around: str) -> None:
    """Gives the sources of a sub-select names that nothing around it has."""
    renamed: dict[int, Source] = {}
    taken = {alias.name.casefold() for alias in inner.root().find_all(exp.TableAlias)}
    for item in SelectBlock(inner).items:
        source = source_of(item.this)
        new = replace(source, alias=unused(f"{source.alias} in {around}", taken))
        renamed[id(source)] = new
        item.this.set("alias", exp.TableAlias(this=quoted(new.alias)))
    # every mention of a source changes with it, also in sub-selects of the WHERE
    for node in inner.walk():
        found = renamed.get(id(notes(node).source))
        if found is None:
            continue
        annotate(node, source=found)
        if isinstance(node, exp.Column):
            node.set("table", quoted(found.alias))
