"""Expressions over a resolved table go in; what they yield comes out, None where nobody can
tell."""

from __future__ import annotations

import pytest

from binder.analysis.sql import check
from binder.analysis.sql.types import column_kind, holds_bytes
from binder.language.skeleton import parse
from binder.tables.table import load, tidy

W = tidy(
    ["city", "people", "founded"], [["Paris", "2,100", "1 May 1900"], ["Lyon", "500", "2 May 1901"]]
)
V = load([{"t": "x", "n": 1, "ok": True}], "v")


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("city", "text"), ("people", "number"), ("founded", "date"), ("v.ok", "boolean"), ("row_id", "number"), ("'x'",
        "text"), ("3", "number"),
        ("COUNT(*)", "number"), ("MAX(city)", "text"), ("MIN(founded)", "date"), ("people + 1", "number"), ("people > 1",
        "boolean"),
        ("founded - INTERVAL 1 DAY", "date"), ("city || 'x'", "text"), ("CAST(city AS DOUBLE)", "number"),
        ("CAST(people AS TEXT)", "text"),
        ("CASE WHEN people > 1 THEN 'a' ELSE city END", "text"), ("CASE WHEN people > 1 THEN 'a' ELSE 1 END", None),
        ("COALESCE(people, 0)", "number"),
        ("COALESCE(NULL, city)", "text"), ("(SELECT MAX(n) FROM v)", "number"), ("LENGTH(city)", "number"), ("YEAR(founded)",
        "number"),
        ("NOT v.ok", "boolean"), ("city LIKE 'x'", "boolean"), ("EXISTS (SELECT 1)", "boolean"), ("[1, 2]", None),
        ("SUM(people) OVER ()", "number"), ("LAG(city) OVER ()", "text"), ("NULL", None), ("CURRENT_DATE", "date"),
        ("MD5(city)", "text"), ("COS(people)", "number"), ("MEDIAN(people)", "number"),
        ("ARG_MAX(city, people)", "text"), ("SPLIT_PART(city, 'a', 1)", "text"),
        ("MAKE_DATE(1900, 1, 2)", "date"), ("founded - founded", None),
        ("INTERVAL 1 DAY + founded", "date"), ("INTERVAL 1 DAY", None),
        ("NULLIF(people, 3)", "number"), ("(SELECT 1 UNION SELECT 'x')", None),
    ],
)  # fmt: skip
def test_what_an_expression_yields(expression: str, kind: str | None) -> None:
    grouped = "COUNT" in expression or expression.startswith(("MAX", "MIN(", "MEDIAN", "ARG"))
    program = f"SELECT {expression} AS x FROM w{'' if grouped or 'row_id' in expression else ', v'}"
    assert check(parse(program), (W, V)).outputs[0].kind == kind


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("BIGINT", "number"), ("DECIMAL(18, 3)", "number"), ("double", "number"), ("VARCHAR", "text"), ("DATE", "date"),
        ("TIMESTAMP WITH TIME ZONE", "date"),
        ("BOOLEAN", "boolean"), ("BIGINT[]", None), ("STRUCT(a INT)", None), ("TIME", "time"), ("BLOB", None),
    ],
)  # fmt: skip
def test_the_kind_of_a_type(type_: str, kind: str | None) -> None:
    assert column_kind(type_) == kind


@pytest.mark.parametrize(
    ("type_", "held"),
    [
        ("BLOB", True), ("BLOB[]", True), ('STRUCT("a" VARCHAR, "b" BLOB)', True), ("VARCHAR", False),
        ('STRUCT("BLOB" VARCHAR)', False), ("ENUM('BLOB')", False),
    ],
)  # fmt: skip
def test_a_type_that_holds_bytes(type_: str, held: bool) -> None:
    assert holds_bytes(type_) == held
