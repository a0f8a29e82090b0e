"""The fast parser against lark's own loop, and the private attributes of lark that it reads."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import pytest

from binder.language.grammar import _lark
from binder.language.lalr import Machine, Plain, Stuck, parser_of
from tests.cases import FIXTURES, read

PRIVATE = [
    "parser.parser._parse_table.start_states",
    "parser.parser._parse_table.end_states",
    "parser.parser._parse_table.states",
    "parser.lexer.lexer.lexers",
    "parser.lexer.lexer.root_lexer.scanner._mres",
    "parser.lexer.lexer.root_lexer.ignore_types",
    "options.postlex.process",
    "terminals",
]
PROGRAMS = [case.program for case in read(FIXTURES / "analysis" / "call_types.txt")]
BROKEN = [
    "SELECT a FROM w WHERE",
    "SELECT a, FROM w",
    "SELECT a FROM w WHERE b = 'x",
    "SELECT 1st FROM w",
    "SELECT a FROM w)",
    "",
]


@pytest.mark.parametrize("attribute", PRIVATE)
@pytest.mark.parametrize("language", ["sql", "python"])
def test_lark_keeps_its_tables_where_the_fast_parser_looks(attribute: str, language: str) -> None:
    attrgetter(attribute)(_lark(language))


def test_a_keyword_is_told_from_a_name_by_a_scanner() -> None:
    root: Any = attrgetter("parser.lexer.lexer.root_lexer")(_lark("sql"))
    assert root.scanner, "made on first use, and the callbacks with it"
    assert root.callback["NAME"].scanner.fullmatch("select") == "SELECT"


def test_rules_say_how_they_end() -> None:
    table: Any = attrgetter("parser.parser._parse_table")(_lark("sql"))
    goals = [goal for row in table.states.values() for _, goal in row.values()]
    rules = [goal for goal in goals if hasattr(goal, "expansion")]
    assert rules and all(isinstance(rule.options.expand1, bool) for rule in rules)
    assert all(rule.origin.name for rule in rules)


def test_another_lark_is_parsed_with_its_own_loop() -> None:
    class Other:
        """A lark that keeps its tables elsewhere."""

        terminals: list[object] = []

    assert isinstance(parser_of(_lark("sql")), Machine)
    assert isinstance(parser_of(Other()), Plain)  # type: ignore[arg-type]


@pytest.mark.parametrize("program", PROGRAMS)
def test_both_loops_make_the_same_tree(program: str) -> None:
    fast, plain = Machine(_LARK).parse(program), Plain(_LARK).parse(program)
    assert fast == plain
    assert (fast.meta.start_pos, fast.meta.end_pos) == (plain.meta.start_pos, plain.meta.end_pos)


@pytest.mark.parametrize("program", BROKEN)
def test_both_loops_fail_at_the_same_place(program: str) -> None:
    faults = []
    for parser in (Machine(_LARK), Plain(_LARK)):
        with pytest.raises(Stuck) as stuck:
            parser.parse(program)
        faults.append((stuck.value.kind, stuck.value.start))
    assert faults[0] == faults[1]


_LARK = _lark("sql")
