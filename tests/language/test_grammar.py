"""Programs of the fixtures, of the real data and of a generator go in; what the grammar accepts,
refuses and says is compared."""

from __future__ import annotations

import ast
import contextlib
import gzip
import json
from pathlib import Path

import lark
import llguidance
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.errors import SyntaxFault, UsageError
from binder.language import grammar
from binder.language.diagnose_sql import FAULTS, FIRST, OTHERWISE, Diagnosis
from binder.prompt.memory import Memory
from tests.cases import Case, cases, records
from tests.effort import examples
from tests.real import real
from tests.timing import grows_in_proportion

VALID = [record["program"] for record in records("programs/sql.tsv")]
TABLE = [*FIRST, *FAULTS, OTHERWISE]


def _leaves(tree: lark.Tree[lark.Token]) -> list[lark.Token]:
    """The tokens of a tree in order."""
    return list(tree.scan_values(lambda value: isinstance(value, lark.Token)))


def _fault(program: str) -> SyntaxFault:
    """What is said about a program that must be refused."""
    with pytest.raises(SyntaxFault) as caught:
        grammar.parse(program)
    return caught.value


# ---- what is in the language


@pytest.mark.parametrize("program", VALID)
def test_a_program_is_its_tokens_in_order(program: str) -> None:
    tree = grammar.parse(program)
    leaves = _leaves(tree)
    assert [(leaf.start_pos, leaf.end_pos) for leaf in leaves] == [
        (t.start, t.end) for t in grammar.tokens(program)
    ]
    assert all(program[leaf.start_pos : leaf.end_pos] == leaf for leaf in leaves)
    assert [str(leaf) for leaf in _leaves(grammar.parse(" ".join(leaves)))] == [
        str(leaf) for leaf in leaves
    ]


def test_a_call_has_its_question_and_its_arguments() -> None:
    program = (
        """SELECT QA("map@a; ""b"", c?"; `x;y`, t.z) FROM w"""
        """ WHERE a IN (QA('ans@q'; SELECT a, b FROM w; (SELECT c), 'text'))"""
    )
    calls = list(grammar.parse(program).find_data("call"))
    calls.sort(key=lambda call: call.meta.start_pos)
    questions = [
        next(child for child in call.children if getattr(child, "type", "") == "QUESTION")
        for call in calls
    ]
    arguments = [
        [a for a in call.children if getattr(a, "data", "") == "argument"] for call in calls
    ]
    places = [[program[a.meta.start_pos : a.meta.end_pos] for a in inside] for inside in arguments]
    assert questions == ['"map@a; ""b"", c?"', "'ans@q'"]
    assert places == [["`x;y`", "t.z"], ["SELECT a, b FROM w", "(SELECT c)", "'text'"]]


def test_names_keep_their_kind_of_quote() -> None:
    tree = grammar.parse('SELECT `a`, [b c], "d", e, date AS "f" FROM w')
    kinds = [(str(name.children[0]), name.children[0].type) for name in tree.find_data("name")]
    assert sorted(kinds) == sorted(
        [("`a`", "BACKTICK_NAME"), ("[b c]", "BRACKET_NAME"), ('"d"', "DQ_NAME"), ("e", "NAME"), ("date", "DATE"),
         ('"f"', "DQ_NAME"), ("w", "NAME")]
    )  # fmt: skip


def test_a_bracket_is_a_name_before_an_operand_and_a_subscript_after_one() -> None:
    tree = grammar.parse("SELECT [a], b[1], f(c)[2] FROM w")
    assert [str(t) for t in _leaves(tree) if t.type in ("BRACKET_NAME", "LSQB")] == [
        "[a]",
        "[",
        "[",
    ]


@pytest.mark.parametrize(
    "word", ["date", "year", "rank", "name", "first", "left", "filter", "rows", "type", "no", "end"]
)
def test_common_headers_are_names_without_quotes(word: str) -> None:
    tree = grammar.parse(
        f"SELECT {word}, w.{word}, MAX({word}) AS {word} FROM w WHERE {word} > 1 GROUP BY {word} ORDER BY {word} DESC"
    )
    names = [str(name.children[0]) for name in tree.find_data("name")]
    assert names.count(word) == 7


def test_every_reserved_word_is_refused_as_a_name_and_accepted_in_quotes() -> None:
    for word in grammar.RESERVED["sql"]:
        grammar.parse(f"SELECT `{word}` FROM w")
        assert "must be quoted" in _fault(f"SELECT a AS {word} FROM w").message, word


def test_only_known_languages_have_a_grammar() -> None:
    with pytest.raises(UsageError):
        grammar.parse("SELECT 1", "cobol")


# ---- what is not, and what is said


@pytest.mark.parametrize("case", cases("programs/invalid.txt"))
def test_a_refusal_names_the_cause_and_marks_the_place(case: Case) -> None:
    fault = _fault(case.program)
    assert fault.span is not None
    marked = case.program[fault.span.start : fault.span.end]
    assert {"refused": fault.message, "marked": marked} == case.sections


@pytest.mark.parametrize("fault", TABLE, ids=lambda fault: fault.message[:40])
def test_each_row_of_the_table_explains_its_examples(fault: Diagnosis) -> None:
    for example in fault.examples:
        said = _fault(example)
        at = said.span
        assert at is not None and at.start <= at.end <= len(example) + 1
        fixed = [part for part in fault.message.replace("}", "{").split("{")[::2] if part]
        assert all(part in said.message for part in fixed), (example, said.message)


def test_what_was_expected_is_said_in_words() -> None:
    assert _fault("SELECT a FROM w ORDER a").hint == "expected BY"
    assert "a column, a value" in str(_fault("SELECT a FROM w WHERE").hint)


# ---- one grammar, two readers


class _Bytes:
    """A vocabulary of single bytes."""

    eos_token_id = 256
    bos_token_id = None
    tokens = [bytes([byte]) for byte in range(256)] + [b"<end>"]
    special_token_ids = [256]

    def __call__(self, text: bytes | str) -> list[int]:
        return list(text if isinstance(text, bytes) else text.encode())


def _constrained(definition: str, program: str, end: str = "") -> bool:
    """Whether a decoder that is held to a grammar can write a program."""
    tokenizer = llguidance.LLTokenizer(llguidance.TokenizerWrapper(_Bytes()))
    matcher = llguidance.LLMatcher(
        tokenizer, llguidance.grammar_from("lark", definition), log_level=0
    )
    assert not matcher.is_error(), matcher.get_error()
    wanted = list((program.strip() + end).encode())
    return bool(matcher.try_consume_tokens(wanted) == len(wanted) and matcher.is_accepting())


def test_a_decoder_can_write_every_program() -> None:
    refused = [program for program in VALID if not _constrained(grammar.text("sql"), program)]
    assert refused == []


def test_a_decoder_writes_nothing_that_is_refused_but_words_out_of_place() -> None:
    wider = {
        "nested deeper",
        "neither a number",
        "reserved word",
        "missing expression",
    }  # not to be said without look-ahead
    for fault in TABLE[1:]:
        if not any(part in fault.message for part in wider):
            assert not [
                example for example in fault.examples if _constrained(grammar.text("sql"), example)
            ], fault.message


def test_the_grammar_of_a_table_knows_its_headers() -> None:
    headers = ["h / a", "#", "a\nb", "a\\nb", 'x"y', "q`r", "ü"]
    definition = grammar.text("sql", {"w": headers, "v": ["#"]})
    reader = lark.Lark(definition, parser="lalr", lexer="contextual")
    for header in headers:
        program = f"SELECT `{header.replace('`', '``')}` AS x FROM w"
        reader.parse(program)
        assert _constrained(definition, program)
    for program in ("SELECT `h` FROM w", "SELECT [h / a] FROM w"):
        assert not _constrained(definition, program)
        with pytest.raises(lark.exceptions.UnexpectedInput):
            reader.parse(program)


def test_the_grammar_of_a_table_takes_every_shipped_exemplar() -> None:
    for exemplar in Memory().exemplars:
        if exemplar.language == "sql":
            tables = {
                table.name: [column.name for column in table.columns] for table in exemplar.tables
            }
            definition = grammar.text("sql", tables)
            assert _constrained(definition, exemplar.program), exemplar.program


def test_a_table_of_hundreds_of_odd_headers_has_a_grammar() -> None:
    headers = [
        f"{odd} {number}"
        for number in range(100)
        for odd in ("h / a", "#", "a\nb", "`", "\\", '"', "%", "état", "中")
    ]
    definition = grammar.text("sql", {"w": headers})
    for header in headers[:9]:
        assert _constrained(definition, f"SELECT `{header.replace('`', '``')}` FROM w")
    assert not _constrained(definition, "SELECT `h / a` FROM w")


# ---- hostile and generated texts

HOSTILE = {
    "parentheses": "SELECT " + "(" * 60000, "calls": 'QA("a"; ' * 8000, "cases": "SELECT " + "CASE WHEN a THEN " * 3500,
    "hidden cases": "SELECT " + "(end+" * 12000, "brackets": "SELECT a" + "[" * 60000, "comments": "SELECT " + "/*" * 30000,
    "stars": "SELECT /" + "*" * 60000, "quotes": "SELECT '" + "''" * 30000, "names": "SELECT " + "a " * 32000,
    "open names": "SELECT " + "[a" * 30000, "escapes": "SELECT e'" + "\\'" * 30000, "prose": "word " * 13000,
    "long": "x" * 10_000_000, "surrogate": "SELECT '\ud800'", "digits": "SELECT " + "1_" * 30000 + "x",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_refused_in_time_that_grows_with_length(name: str) -> None:
    text = HOSTILE[name]
    _fault(text)

    def read(size: int) -> None:
        with contextlib.suppress(SyntaxFault):
            grammar.parse(text[:size])

    assert grows_in_proportion(read, len(text) // 8, len(text))


def test_flat_programs_of_any_length_are_read() -> None:
    for part in ("not ", "- ", "+ ", "a, ", "a AND ", "x.", "a || "):
        program = "SELECT " + part * (30_000 // len(part)) + "a"
        assert len(_leaves(grammar.parse(program))) == len(grammar.tokens(program))


def test_time_grows_with_length_and_not_faster() -> None:
    part = """(SELECT COUNT(*) FROM w WHERE QA("map@is it in 2006?"; `date of birth`) = 'yes' AND a > 3), """

    assert grows_in_proportion(lambda count: grammar.parse("SELECT " + part * count + "1"), 50, 400)


PIECES = st.sampled_from(
    [*"()[]{},;.:*+-/%=<>'\"`#$?@\\\n", "SELECT", "FROM", "w", "WHERE", "QA(", '"map@q"', ";", "a", "1", "'x'", "`h / a`", "AS",
     "IN", "CASE", "WHEN", "THEN", "END", "ORDER BY", "GROUP BY", "NOT", "AND", "date", "OVER", "INTERVAL", "JOIN", "ON", "--",
     "/*", "::", "é"]
)  # fmt: skip


@examples(300)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(PIECES, max_size=25).map(" ".join),
        st.lists(PIECES, max_size=25).map("".join),
    )
)
def test_any_text_is_a_tree_or_a_fault(text: str) -> None:
    found = grammar.tokens(text)
    assert all(text[token.start : token.end] == token.text for token in found)
    try:
        leaves = _leaves(grammar.parse(text))
    except SyntaxFault as fault:
        assert fault.message and fault.span is not None
        assert str(fault)
    else:
        assert [str(leaf) for leaf in leaves] == [token.text for token in found]


def _expressions() -> st.SearchStrategy[str]:
    """Expressions as the language has them."""
    atoms = st.sampled_from(
        ["a", "`h / a`", "[b c]", 'w."x"', "1", "'t'", "NULL", "date", "COUNT(*)", "INTERVAL 1 DAY"]
    )

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(
                inner,
                st.sampled_from(["+", "||", "=", "AND", "OR", "LIKE", "IS DISTINCT FROM"]),
                inner,
            ).map(" ".join),
            inner.map(lambda x: f"({x})"),
            inner.map(lambda x: f"NOT {x}" if not x.startswith("NOT") else x),
            st.tuples(inner, inner).map(lambda x: f"f({x[0]}, {x[1]})"),
            st.tuples(inner, inner).map(lambda x: f"""QA("map@q"; {x[0]}; {x[1]})"""),
            st.tuples(inner, inner).map(lambda x: f"CASE WHEN {x[0]} THEN {x[1]} END"),
            st.tuples(atoms, inner).map(lambda x: f"{x[0]} IN (({x[1]}), 2)"),
            inner.map(lambda x: f"CAST({x} AS DECIMAL(10, 2))"),
            inner.map(
                lambda x: (
                    f"(SELECT SUM({x}) OVER (ORDER BY a) FROM w WHERE {x} GROUP BY {x} LIMIT 1)"
                )
            ),
        )

    return st.recursive(atoms, larger, max_leaves=8)


@examples(100)
@given(_expressions())
def test_generated_programs_are_read_by_both_readers(expression: str) -> None:
    program = f"SELECT ({expression}) AS x FROM w"
    if " NOT " not in program:  # NOT after an operator of values needs parentheses
        grammar.parse(program)
        assert _constrained(grammar.text("sql"), program)


# ---- real programs


def _lines(path: Path) -> list[dict[str, object]]:
    """The records of a file of the real data."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _refused(programs: list[str]) -> list[str]:
    """What is said about those programs that are refused."""
    said = []
    for program in programs:
        try:
            grammar.parse(program)
        except SyntaxFault as fault:
            said.append(fault.message)
    return said


def test_hand_written_programs() -> None:
    said = _refused(
        [
            str(record["program"])
            for record in _lines(real("human_programs", "human_programs.jsonl"))
        ]
    )
    assert sum("quote the argument" in message for message in said) == 8  # bare page titles
    assert sum("unmatched )" in message for message in said) == 3
    assert len(said) == 11


def test_programs_of_a_present_day_model() -> None:
    records = _lines(real("programs_2026", "programs_dev.jsonl"))
    assert _refused([str(record[key]) for record in records for key in ("sql", "sql2")]) == []


def test_programs_of_replays() -> None:
    records = _lines(real("replays", "replays_even.jsonl.gz"))
    programs = [p["program"] for record in records for p in record["programs"]]  # type: ignore[attr-defined]
    said = _refused(programs)
    assert len(said) <= 0.07 * len(programs)
    assert not [message for message in said if message.startswith("unexpected")]


# ---- Python

PYTHON = [
    "def solve(t):\n    return 1",
    "import re, math as m\nfrom datetime import (date, timedelta as td)\n\nLIMIT = 3\n\n\ndef solve(t):\n    '''It.'''",
    "def f(a, /, b: int = 1, *c, d=2, **e) -> list[int]:\n    global x, y\n    nonlocal z\n    return lambda *a, b=2: a",
    "if a: b = 1; c = 2\nelif d:\n    pass\nelse:\n\n    # why\n    e\n# end\n",
    "for i, (a, *b) in enumerate(x):\n  if i: continue\n  break\nelse:\n  pass\nwhile (n := f()) > 3 and not n in {1, 2}: n -= 1",
    "try:\n    x = 1\nexcept (A, B) as e:\n    raise C(e) from e\nexcept:\n    raise\nelse:\n    y\nfinally:\n    z",
    "x = y, *z = a[1:2, ::3], b[-1]\nx: int = 3\nx //= 3; y **= 2\ndel a[0], b\nassert a is not b, 'c'",
    "x = [a for b in c if d if e for a in b] + [*f, 1] + list({k: v for k, v in z} | {**q, 'a': 1})",
    "x = f'{a!r:>{w}}' rf'\\d' r'\\n' \"it's\" '''a\n'b\n'''\ny = (x for x in y)\nz = sum(a * -b ** ~c for a in z)",
    "x = a if b else lambda: c if d else e\ny = 1 < 2 <= 3 != 4\nz = 1_000 + 1e3 + .5 + 2.\nreturn",
    "x = f(*a, b, c=1, **d)(1)[2].e",
]
NOT_PYTHON = {
    "class A: pass": "class is not in the language",
    "def f():\n    yield 1": "yield is not in the language",
    "with a as b:\n    pass": "with is not in the language",
    "@f\ndef g(): pass": "@ is not in the language",
    "async def f(): pass": "async is not in the language",
    "x = b'a'": "' cannot stand here",
    "x = (1,": "'(' was never closed",
    "x = 'abc": "unterminated string literal",
    "if x:\nreturn 1": "expected an indented block",
    "def f():\n    a\n  b": "unindent does not match",
    "x = 1 2": "not valid Python",
    "SELECT a FROM w": "not valid Python",
    "x = " + "(" * 70 + "1" + ")" * 70: "nested deeper than 64",
    "x = " + "a" * 70_000: "longer than 64 kB",
    "  ": "empty",
    "x = '\0'": "an invalid character",
}


@pytest.mark.parametrize("program", PYTHON)
def test_python_is_read_by_the_parser_and_by_a_decoder(program: str) -> None:
    grammar.parse(program, "python")
    ast.parse(program)
    assert _constrained(grammar.text("python"), program, "\n")


@pytest.mark.parametrize("program", NOT_PYTHON)
def test_what_is_not_python_is_named(program: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        grammar.parse(program, "python")
    assert NOT_PYTHON[program] in caught.value.message
    assert caught.value.span is not None


@pytest.mark.parametrize("chain", ["-", "not ", "1+", "a.", "lambda:", "a if b else ", "f(a)."])
def test_a_long_chain_is_refused_not_a_crash(chain: str) -> None:
    from binder.language.diagnose_python import tree

    with pytest.raises(SyntaxFault):
        tree("x = " + chain * (60_000 // len(chain)) + "a")


@given(st.text(alphabet=st.sampled_from(list("abx01 \n\t()[]{}:=.,'\"#\\+-*<>@;fr_")), max_size=60))
@examples(200)
def test_any_text_is_python_or_a_fault(text: str) -> None:
    with contextlib.suppress(SyntaxFault):
        grammar.parse(text, "python")
