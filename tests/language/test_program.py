"""Texts go in; their calls, the skeleton that stands for them, and the way back to the text come
out."""

from __future__ import annotations

import pytest
from sqlglot import exp

from binder.errors import Span, SyntaxFault
from binder.language.skeleton import parse
from binder.language.sqltree import is_placeholder, placeholders


@pytest.mark.parametrize(
    ("text", "skeleton"),
    [
        ("select a from w;", "select a from w"),
        ('SELECT `h / a`, [b c], "d" FROM w', 'SELECT "h / a" , "b c" , "d" FROM w'),
        ('SELECT `say "hi"`, `a``b` FROM w', 'SELECT "say ""hi""" , "a`b" FROM w'),
        ('SELECT QA("map@q?"; a; b) FROM w', "SELECT call_0( a , b ) FROM w"),
        ('QA("ans@q?"; SELECT a, b FROM w)', "SELECT call_0( ( SELECT a , b FROM w ) ) AS answer"),
        ('SELECT QA("map@o?"; QA("map@i?"; a)) FROM w', "SELECT call_0( call_1( a ) ) FROM w"),
        ("SELECT MAX(a, b), MAX(a) FROM w", "SELECT greatest( a , b ) , max( a ) FROM w"),
        ("SELECT a -- a remark\nFROM w", "SELECT a FROM w"),
    ],
)
def test_the_skeleton(text: str, skeleton: str) -> None:
    assert " ".join(parse(text).skeleton.split()).replace(" (", "(").replace(
        "( ", "("
    ) == skeleton.replace(" (", "(").replace("( ", "(")


@pytest.mark.parametrize(
    ("text", "kind", "question"),
    [
        ('QA("map@is it?"; a)', "map", "is it?"),
        ("qa('ANS@which?'; (SELECT a FROM w))", "ans", "which?"),
        ('QA("which?"; a)', "map", "which?"),
        ('QA("which?"; (SELECT a FROM w))', "ans", "which?"),
        ('QA("which?"; SELECT a FROM w)', "ans", "which?"),
        ('QA("who is a@b.com?"; a)', "map", "who is a@b.com?"),
        ('QA("bob@example.com is who?"; a)', "map", "bob@example.com is who?"),
        ('QA("@bob is who?"; a)', "map", "@bob is who?"),
        ('QA("map@bob@work is who?"; a)', "map", "bob@work is who?"),
        ('QA("map@say ""x"" and \\"y\\""; a)', "map", 'say "x" and "y"'),
        ("QA('map@what''s it?'; a)", "map", "what's it?"),
    ],
)
def test_the_kind_and_the_question_of_a_call(text: str, kind: str, question: str) -> None:
    (call,) = parse(text).calls
    assert (call.kind, call.question) == (kind, question)
    assert text[slice(*call.span)] == text


@pytest.mark.parametrize(
    ("call", "marked", "message", "hint"),
    [
        ('QA("map@"; a)', '"map@"', "the question is empty", 'QA("map@question"; ...)'),
        (
            'QA("ans@  "; SELECT a FROM w)',
            '"ans@  "',
            "the question is empty",
            'QA("ans@question"; ...)',
        ),
        ("QA(' '; a)", "' '", "the question is empty", 'QA("map@question"; ...)'),
        (
            'QA("eval@is it old?"; a)',
            '"eval@is it old?"',
            "unknown kind of call 'eval'",
            'QA("map@is it old?"; column)',
        ),
        (
            "QA('mapp @ is it?'; a)",
            "'mapp @ is it?'",
            "unknown kind of call 'mapp'",
            'QA("map@is it?"; column)',
        ),
        ('QA("eval@"; a)', '"eval@"', "unknown kind of call 'eval'", 'QA("map@question"; column)'),
    ],
)
def test_a_call_without_a_question_or_with_an_unknown_mode(
    call: str, marked: str, message: str, hint: str
) -> None:
    with pytest.raises(SyntaxFault) as caught:
        parse(f"SELECT {call} FROM w")
    assert (
        caught.value.text is not None
        and caught.value.span is not None
        and caught.value.hint is not None
    )
    assert caught.value.text[slice(*caught.value.span)] == marked
    assert caught.value.message == message and hint in caught.value.hint


def test_calls_are_numbered_and_found_again() -> None:
    program = parse('SELECT QA("map@a?"; x), QA("ans@b?"; (SELECT QA("map@c?"; y) FROM w)) FROM w')
    assert [call.question for call in program.calls] == ["a?", "b?", "c?"]
    assert (
        program.call("CALL_1") is program.calls[1]
        and program.call("call_9") is None
        and program.call("lower") is None
    )


def test_inner_placeholders_come_first() -> None:
    tree = parse('SELECT QA("map@o?"; QA("map@i?"; a)) FROM w').tree()
    assert [node.name.lower() for node in placeholders(tree)] == ["call_1", "call_0"]
    assert all(is_placeholder(node) for node in placeholders(tree)) and not is_placeholder(
        exp.column("call_0")
    )


@pytest.mark.parametrize("name", ["b c", "d", "e"])
def test_a_node_knows_its_place_in_the_text(name: str) -> None:
    text = 'SELECT `b c`,\n  lower(d) FROM w WHERE QA("map@q?"; e) > 3'
    program = parse(text)
    column = next(node for node in program.tree().find_all(exp.Column) if node.name == name)
    assert text[program.span(column).start :].startswith(f"`{name}`" if " " in name else name)


def test_every_tree_is_a_fresh_one() -> None:
    program = parse("SELECT a FROM w")
    assert program.tree() == program.tree() and program.tree() is not program.tree()


def test_functions_are_listed_with_their_places() -> None:
    text = 'SELECT Lower(a), QA("map@q?"; upper(b)) FROM range(3)'
    assert [(name, text[slice(*span)]) for name, span in parse(text).functions] == [
        ("lower", "Lower"),
        ("upper", "upper"),
        ("range", "range"),
    ]


def test_what_only_the_second_parser_refuses_is_marked_in_the_text() -> None:
    with pytest.raises(SyntaxFault) as caught:
        parse("SELECT a FROM w ORDER BY a NULLS FIRST, b USING").tree()
    assert isinstance(caught.value.span, Span)


def test_nested_too_deeply_is_a_fault_of_the_program() -> None:
    with pytest.raises(SyntaxFault):
        parse("SELECT " + "(" * 5000 + "1" + ")" * 5000).tree()


def test_a_tilde_between_operands_matches_the_whole_text_and_before_one_is_bitwise_not() -> None:
    assert "SIMILAR TO 'x'" in parse("SELECT a FROM w WHERE a ~ 'x'").skeleton
    assert "SIMILAR" not in parse("SELECT ~a, b + ~a FROM w WHERE ~a = 1 AND ~b = 2").skeleton
