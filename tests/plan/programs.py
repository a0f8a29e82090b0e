"""Random tables and programs over them come out, for whoever wants to know whether two ways of
executing one are the same.

A program is written once for binder and for plain SQL: `#upper(w.a)` is a call, and what stands
between braces says row order, which binder need not be told."""

from __future__ import annotations

from hypothesis import strategies as st

WORDS = ("paris", "lyon", "rome", "oslo", "a", "be")
LEVELS = "ENUM('no', 'yes')"
Text = st.none() | st.sampled_from(WORDS)
Number = st.none() | st.integers(0, 5)
Rows = st.lists(st.tuples(Text, Text, Number), min_size=1, max_size=7)


@st.composite
def predicates(draw: st.DrawFn, names: tuple[str, ...], depth: int = 2) -> str:
    """A condition over the tables of these names."""
    t, u = draw(st.sampled_from(names)), draw(st.sampled_from(names))
    column = draw(st.sampled_from("ab"))
    simple = [
        f"#long({t}.{column})", f"#vowel({t}.a || {u}.b)", f"#length({t}.{column}) > {draw(st.integers(1, 5))}",
        f"#yesno({t}.{column}) = 'yes'", f"#yesno({t}.{column})::{LEVELS} > 'no'::{LEVELS}",
        f"#upper({t}.{column}) = 'ROME'", f"#upper({t}.a) IN ('ROME', 'LYON')", f"#upper({t}.a) = #upper({u}.b)",
        f"#length({t}.{column}) = {u}.n",
        f"#known({t}.{column}) IS NULL", f"#same({t}.a, {u}.b)", f"#length({t}.a) BETWEEN 2 AND 4",
        f"#length(#upper({t}.{column})) < 5",
        f"#both({t}.a, {u}.b) LIKE '%e'", f"#long({t}.a) = TRUE", f"#yesno({t}.{column}) <> 'no'", f"#long({t}.b) IS TRUE",
        f"{t}.n > {draw(st.integers(0, 4))}", f"{t}.a = 'rome'", f"{t}.{column} IS NULL", f"{t}.{column} LIKE 'r%'",
        f"{t}.a < {u}.b",
    ]  # fmt: skip
    if depth == 0:
        return draw(st.sampled_from(simple))
    one, other = predicates(names, depth - 1), predicates(names, depth - 1)
    s = draw(st.sampled_from("svw"))
    table = "v AS s" if s == "s" else s
    inner = f"{{}} (SELECT {{}} FROM {table} WHERE {draw(predicates((*names, s), 0))} AND {draw(predicates((s,), 0))})"
    shape = draw(st.integers(0, 11))
    if shape < 4:
        return draw(st.sampled_from(simple))
    if shape == 10:
        return f"CASE WHEN {draw(one)} THEN {draw(other)} ELSE {draw(st.sampled_from(simple))} END"
    if shape == 11:
        return f"{t}.a IN ('rome', lower(#upper({u}.b)), 'zzz')"
    if shape < 6:
        return f"{draw(one)} AND {draw(other)}"
    if shape < 7:
        return f"({draw(one)} OR {draw(other)})"
    if shape < 8:
        return f"NOT ({draw(one)})"
    negated = draw(st.sampled_from(["", "NOT "]))
    return (
        inner.format(f"{negated}EXISTS", "1")
        if shape < 9
        else inner.format(f"{t}.a {negated}IN", f"{s}.a")
    )


@st.composite
def values(draw: st.DrawFn, names: tuple[str, ...]) -> str:
    """A value over the tables of these names."""
    t, u = draw(st.sampled_from(names)), draw(st.sampled_from(names))
    condition = predicates(names, 1)
    shape = draw(st.integers(0, 16))
    if shape == 16:
        return f"#yesno({t}.a)::{LEVELS}"
    if shape == 15:
        inner = f"SELECT v.b FROM v WHERE v.n > 1 AND {draw(predicates((*names, 'v'), 0))}{{ ORDER BY v.row_id}} LIMIT 1"
        return f"#upper(({inner}))"
    if shape == 12:
        return f"$count[SELECT s.a FROM v AS s WHERE s.n = {t}.n AND {draw(predicates(('s',), 0))}]"
    if shape == 13:
        return f"(SELECT s.b FROM v AS s WHERE s.n = {t}.n AND {draw(predicates((*names, 's'), 1))}{{ ORDER BY s.row_id}} LIMIT 1)"
    if shape == 14:
        return f"COALESCE(NULLIF({t}.a, 'rome'), #upper({u}.b), #both({t}.a, {u}.b))"
    if shape == 11:
        return f"CASE WHEN {draw(condition)} THEN #upper({t}.a) WHEN {draw(condition)} THEN {u}.b ELSE 'no' END"
    if shape == 10:
        return f"(SELECT MAX(#length(s.a)) FROM v AS s WHERE s.n = {t}.n AND {draw(predicates((*names, 's'), 0))})"
    return [
        f"{t}.a", f"{t}.n", f"#upper({t}.a)", f"#upper({t}.b)", f"#length({t}.a) + {u}.n", f"COALESCE(#known({t}.a), 'x')",
        f"#length(#upper({t}.a))",
        f"#both({t}.a, {u}.b)", f"#upper({t}.a || {u}.b)", f"lower(#upper({t}.b))",
    ][shape]  # fmt: skip


@st.composite
def sources(draw: st.DrawFn) -> tuple[str, tuple[str, ...]]:
    """A FROM and the tables it makes known."""
    shape = draw(st.integers(0, 17))
    if shape < 4:
        return "FROM w", ("w",)
    if shape == 17:
        number = "ROW_NUMBER() OVER (PARTITION BY a ORDER BY row_id) AS n"
        return (
            f"FROM (SELECT a, #upper(b) AS b, {number}, row_id FROM w WHERE {draw(predicates(('w',), 0))}) AS q",
            ("q",),
        )
    if shape == 16:
        inner = f"SELECT v.a, #upper(v.b) AS b, v.n, v.row_id FROM v WHERE v.n = w.n AND {draw(predicates(('w', 'v'), 0))}"
        return f"FROM w, LATERAL ({inner}) AS q", ("w", "q")
    if shape == 13:
        one, other = (f"FROM {t} WHERE {draw(predicates((t,), 0))}" for t in "wv")
        first = f"SELECT a, #upper(b) AS b, n, row_id {one}"
        return f"FROM ({first} UNION ALL SELECT a, #upper(b), n, row_id + 10 {other}) AS q", ("q",)
    if shape == 14:
        inner = "SELECT a, MAX(#upper(b)) AS b, SUM(#length(a)) AS n, MIN(row_id) AS row_id FROM w"
        return f"FROM ({inner} WHERE {draw(predicates(('w',), 0))} GROUP BY a) AS q", ("q",)
    if shape == 15:
        inner = f"SELECT DISTINCT a, #upper(b) AS b, n, row_id FROM w WHERE {draw(predicates(('w',), 0))}"
        return f"FROM ({inner}) AS q", ("q",)
    if shape == 10:
        limit = draw(st.sampled_from(["LIMIT 2", "LIMIT 3 OFFSET 1"]))
        inner = f"SELECT a, #upper(b) AS b, n, row_id FROM w WHERE {draw(predicates(('w',), 1))}{{ ORDER BY row_id}} {limit}"
        return f"FROM ({inner}) AS q", ("q",)
    if shape > 10:
        inner = f"SELECT a, #upper(b) AS b, #length(a) AS n, row_id FROM w WHERE {draw(predicates(('w',), 1))}"
        kind = draw(st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]))
        start = (
            f"FROM ({inner}) AS q {kind} v ON"
            if shape == 11
            else f"FROM v {kind} ({inner}) AS q ON"
        )
        extra = f" AND {draw(predicates(('q', 'v'), 0))}" if draw(st.booleans()) else ""
        return f"{start} q.a = v.a{extra}", ("q", "v") if shape == 11 else ("v", "q")
    if shape == 4:
        return (
            f"FROM (SELECT a, #upper(b) AS b, n, row_id FROM w WHERE {draw(predicates(('w',), 1))}) AS q",
            ("q",),
        )
    if shape == 5:
        return "FROM w, v", ("w", "v")
    kind = draw(
        st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN"])
    )
    on = (
        draw(st.sampled_from(["w.n = v.n", "w.a = v.a"]))
        if shape < 8
        else draw(predicates(("w", "v"), 0))
    )
    extra = f" AND {draw(predicates(('w', 'v'), 1))}" if draw(st.booleans()) else ""
    return f"FROM w {kind} v ON {on}{extra}", ("w",) if kind in ("SEMI JOIN", "ANTI JOIN") else (
        "w",
        "v",
    )


def row_order(names: tuple[str, ...]) -> str:
    """What ORDER BY would have to say for the rows to come in row order."""
    return ", ".join(f"{name}.row_id" for name in names)


@st.composite
def selects(draw: st.DrawFn) -> str:
    """A SELECT over rows: its rows, and those with equal keys, come in row order."""
    start, names = draw(sources())
    shown = ", ".join(
        f"{value} AS c{i}"
        for i, value in enumerate(draw(st.lists(values(names), min_size=1, max_size=3)))
    )
    where = f" WHERE {draw(predicates(names))}" if draw(st.booleans()) else ""
    shape = draw(st.integers(0, 7))
    if shape == 0:
        return f"SELECT DISTINCT {shown} {start}{where}"
    if shape == 1:
        simple = values(names).filter(
            lambda value: "((" not in value
        )  # DuckDB takes no such sub-select there
        window = f"PARTITION BY {draw(simple)} ORDER BY {draw(simple)}, {row_order(names)}"
        return f"SELECT {shown} {start}{where} QUALIFY ROW_NUMBER() OVER ({window}) = 1{{ ORDER BY {row_order(names)}}}"
    if shape == 2:
        simple = values(names).filter(lambda value: "((" not in value)
        window = f"PARTITION BY {draw(simple)} ORDER BY {row_order(names)}"
        return f"SELECT {shown}, SUM(#length({names[0]}.a)) OVER ({window}) {start}{where}{{ ORDER BY {row_order(names)}}}"
    limit = draw(st.sampled_from(["", " LIMIT 1", " LIMIT 2", " LIMIT 2 OFFSET 1"]))
    if shape < 5:
        first = draw(
            st.sampled_from(["", f"{names[0]}.a DESC, ", f"{names[-1]}.n IS NULL, {names[0]}.n, "])
        )
        key = f"{first}{draw(values(names))} {draw(st.sampled_from(['ASC', 'DESC']))}"
        return f"SELECT {shown} {start}{where} ORDER BY {key}{{, {row_order(names)}}}{limit}"
    return f"SELECT {shown} {start}{where}{{ ORDER BY {row_order(names)}}}{limit}"


@st.composite
def groups(draw: st.DrawFn) -> str:
    """A SELECT over groups: they come in the order of their first rows."""
    start, names = draw(sources())
    t = draw(st.sampled_from(names))
    key = draw(values(names))
    totals = [
        "COUNT(*)", f"SUM(#length({t}.a))", f"COUNT(DISTINCT #upper({t}.b))", f"MIN(#upper({t}.a))", f"MAX({t}.n)",
        f"AVG(#length({t}.b))",
        f"COUNT(*) FILTER (WHERE {draw(predicates(names, 0))})", f"SUM(CASE WHEN {draw(predicates(names, 0))} THEN 1 ELSE 0 END)",
        f"#upper(MAX({t}.a))", f"bool_or(#long({t}.a))", "SUM(COUNT(*)) OVER ()", f"#length(MIN(#upper({t}.b)))",
        f"CASE WHEN #long(MAX({t}.a)) THEN COUNT(*) ELSE 0 END", f"COUNT(DISTINCT {t}.a)", f"MIN({t}.a)",
    ]  # fmt: skip
    shown = draw(st.lists(st.sampled_from(totals), min_size=1, max_size=3))
    where = f" WHERE {draw(predicates(names, 1))}" if draw(st.booleans()) else ""
    if draw(st.integers(0, 3)) == 0:
        return f"SELECT {', '.join(shown if draw(st.booleans()) else shown[:1])} {start}{where}"
    if draw(st.integers(0, 3)) == 0:  # the rows of a group are told by a key that is a column
        key = f"{t}.{draw(st.sampled_from('an'))}"
        shown.append(f"$rows[{draw(st.sampled_from(names))}.b]")
    conditions = [
        "COUNT(*) > 1",
        f"MAX(#length({t}.a)) > 3",
        f"#long(MIN({t}.b))",
        f"NOT #vowel(MAX({t}.a)) OR COUNT(*) = 1",
    ]
    having = f" HAVING {draw(st.sampled_from(conditions))}" if draw(st.booleans()) else ""
    by = draw(st.sampled_from(["1", "k", key]))
    first = f"MIN(ROW({row_order(names)}))"
    order = draw(
        st.sampled_from(
            [
                f"{{ ORDER BY {first}}}",
                f" ORDER BY {shown[0]} DESC{{, {first}}}",
                f" ORDER BY #length(MAX({t}.b)){{, {first}}} LIMIT 2",
                f" ORDER BY COUNT(*), #length(MAX({t}.b)) DESC{{, {first}}} LIMIT 2",
            ]
        )
    )
    columns = ", ".join(f"{total} AS c{i}" for i, total in enumerate(shown))
    return f"SELECT {key} AS k, {columns} {start}{where} GROUP BY {by}{having}{order}"


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A program: a SELECT, one over a CTE, or two put together."""
    shape = draw(st.integers(0, 11))
    if shape < 4:
        return draw(selects())
    if shape < 7:
        return draw(groups())
    inner = f"SELECT a, #upper(b) AS b, #length(a) AS n{{, row_id}} FROM w WHERE {draw(predicates(('w',), 1))}"
    if shape == 10:
        one, other = (f"SELECT a, b FROM c WHERE {draw(predicates(('c',), 1))}" for _ in range(2))
        return f"WITH c AS ({inner}) {one} UNION ALL {other}"
    if shape == 11:
        where = draw(predicates(("d",), 1))
        second = f"SELECT * FROM c WHERE {draw(predicates(('c',), 0))}"
        return f"WITH c AS ({inner}), d AS ({second}) SELECT d.a, #length(d.b) FROM d WHERE {where}{{ ORDER BY d.row_id}}"
    if shape == 7:
        order = f"{{ ORDER BY {row_order(('c', 'd'))}}}"
        where = draw(predicates(("c", "d"), 1))
        return f"WITH c AS ({inner}) SELECT c.a, c.b, d.n FROM c JOIN c AS d ON c.a = d.a WHERE {where}{order}"
    if shape == 8:
        together = draw(st.sampled_from(["UNION", "EXCEPT", "INTERSECT", "UNION ALL"]))
        order = "" if together == "UNION ALL" else "{ ORDER BY ALL}"
        shown = draw(st.sampled_from(["#upper(a), n", "a, n", "b"]))
        conditions = [draw(predicates(("w",), 1)), draw(predicates(("v",), 1) | st.just("v.n < 4"))]
        one, other = (
            f"SELECT {shown} FROM {name} WHERE {where}"
            for name, where in zip("wv", conditions, strict=True)
        )
        return f"{one} {together} {other}{order}"
    where = draw(predicates(("c",), 1))
    return f"WITH c AS ({inner}) SELECT upper(b), COUNT(*) FROM c WHERE {where} GROUP BY b{{ ORDER BY MIN(row_id)}}"
