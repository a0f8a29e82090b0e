"""A parser over the tables that lark makes of a grammar.

lark's own loop builds a tree for every rule and puts most of them into others at once. Here a rule
that is spliced into the one around it is a list from the beginning, and one that stands for its
only child is that child: the same trees, in less time. The tables are private to lark
(tests/language/test_lalr.py names each attribute); where a version keeps them elsewhere, its own
loop parses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedToken
from lark.tree import Meta

# what becomes of a rule: a part of the one around it, perhaps its only child, a tree
SPLICED, SINGLE, WHOLE = range(3)


class Stuck(Exception):
    """The text is not in the language: the kind of the token at fault, its offset, the kinds that
    could stand there."""

    def __init__(self, kind: str, start: int | None, expected: frozenset[str]):
        super().__init__(kind)
        self.kind, self.start, self.expected = kind, start or 0, expected


class Reduce(NamedTuple):
    """The end of a rule: how many parts it has, its name, what becomes of it."""

    size: int
    name: str
    fate: int


class Node(Tree[Token]):
    """A tree that knows its place by its tokens."""

    @property
    def meta(self) -> Meta:
        """start_pos and end_pos; of a node without tokens, neither."""
        found: Any = Meta()  # type: ignore[no-untyped-call]
        first, last = _edge(self, 0), _edge(self, -1)
        if first is not None and last is not None:
            found.empty, found.start_pos, found.end_pos = False, first.start_pos, last.end_pos
        return found  # type: ignore[no-any-return]


def _edge(node: Any, side: int) -> Token | None:
    """The first or last token of a node."""
    while isinstance(node, Tree):
        if not node.children:
            return None
        node = node.children[side]
    found: Token = node
    return found


def parser_of(parser: Lark) -> Machine | Plain:
    """The fastest parser that there is for a grammar."""
    try:
        return Machine(parser)
    except (AttributeError, KeyError, TypeError):
        return Plain(parser)


class Plain:
    """lark's own loop: slower, and all that it needs is public."""

    def __init__(self, parser: Lark):
        self._lark = parser
        self._written = _written(parser)

    def parse(self, text: str) -> Tree[Token]:
        """The tree of a text, or Stuck."""
        try:
            return _placed(self._lark.parse(text))
        except UnexpectedToken as error:
            kind = error.token.type
            start = len(text) if kind == "$END" else error.token.start_pos
            expected = error.accepts or error.expected
        except UnexpectedCharacters as error:
            kind, start, expected = "", error.pos_in_stream, error.allowed
        raise Stuck(kind, start, frozenset(self._written.get(name, name) for name in expected))


def _placed(tree: Tree[Token]) -> Tree[Token]:
    """The same tree of nodes that know their place."""
    children = [_placed(c) if isinstance(c, Tree) else c for c in tree.children]
    return Node(tree.data, children)


def _written(parser: Lark) -> dict[str, str]:
    """The terminals that are written in one way only."""
    terminals = parser.terminals
    return {t.name: t.pattern.value for t in terminals if t.pattern.type == "str"}


class Machine:
    """A parser for one language."""

    def __init__(self, parser: Lark):
        inner: Any = parser.parser
        table = inner.parser._parse_table
        self._start, self._end = table.start_states["start"], table.end_states["start"]
        made: dict[Any, Reduce] = {}
        self._rows: list[dict[str, Any]] = []
        for state in range(len(table.states)):
            row: dict[str, Any] = {}
            for name, (_, goal) in table.states[state].items():
                # a rule to reduce by, else the state to shift to
                is_rule = hasattr(goal, "expansion")
                row[name] = made.setdefault(goal, _reduce(goal)) if is_rule else goal
            self._rows.append(row)
        self._watch: Any = parser.options.postlex
        lexer = inner.lexer.lexer
        self._lexers, self._root = lexer.lexers, lexer.root_lexer
        self._readers: dict[int, tuple[list[re.Pattern[str]], frozenset[str], dict[str, Any]]] = {}
        self._written = _written(parser)
        self._reader(self._start)  # fails at once where lark's lexers are others

    def parse(self, text: str) -> Tree[Token]:
        """The tree of a text, or Stuck."""
        states, values, rows = [self._start], list[Any](), self._rows
        for token in self._watch.process(self._tokens(text, states)):
            kind = token.type
            while (goal := rows[states[-1]].get(kind)).__class__ is Reduce:
                self._reduce(goal, states, values)
            if goal is None:
                raise Stuck(kind, token.start_pos, self._expected(states))
            states.append(goal)
            values.append(token)
        while states[-1] != self._end:
            goal = rows[states[-1]].get("$END")
            if goal.__class__ is not Reduce:
                raise Stuck("$END", len(text), self._expected(states))
            self._reduce(goal, states, values)
        tree: Tree[Token] = values[0]
        return tree

    def _reduce(self, rule: Reduce, states: list[int], values: list[Any]) -> None:
        """Ends a rule: its parts leave the stack, it takes their place."""
        size, name, fate = rule
        if size == 1:
            states.pop()
            value = values[-1]
            if fate == WHOLE or (fate == SINGLE and value.__class__ is list):
                values[-1] = _made(name, fate, value if value.__class__ is list else [value])
        elif size:
            parts = values[-size:]
            del values[-size:], states[-size:]
            first = parts[0]
            children = first if first.__class__ is list else [first]
            for part in parts[1:]:
                if part.__class__ is list:
                    children += part
                else:
                    children.append(part)
            values.append(children if fate == SPLICED else _made(name, fate, children))
        else:
            values.append([] if fate == SPLICED else Node(name, []))
        states.append(self._rows[states[-1]][name])

    def _tokens(self, text: str, states: list[int]) -> Iterator[Token]:
        """The tokens that the parser can take where it stands."""
        place, end = 0, len(text)
        while place < end:
            patterns, ignored, keywords = self._reader(states[-1])
            for pattern in patterns:
                match = pattern.match(text, place)
                if match is not None:
                    break
            else:
                raise Stuck(self._kind(text, place), place, self._expected(states))
            start, place = place, match.end()
            kind, value = match.lastgroup, match.group()
            if kind not in ignored:
                if kind in keywords:
                    kind = keywords[kind].scanner.fullmatch(value) or kind
                yield Token(kind, value, start, end_pos=place)  # type: ignore[arg-type]

    def _reader(self, state: int) -> tuple[list[re.Pattern[str]], frozenset[str], dict[str, Any]]:
        """What can be read in a state: patterns, kinds that are passed over, kinds of which some
        texts are keywords."""
        found = self._readers.get(state)
        if found is None:
            lexer = self._lexers[state]
            found = self._readers[state] = (lexer.scanner._mres, lexer.ignore_types, lexer.callback)
        return found

    def _kind(self, text: str, place: int) -> str:
        """The kind of a token that stands where it cannot; empty where no token is."""
        scanner = self._root.scanner
        match = next(filter(None, (pattern.match(text, place) for pattern in scanner._mres)), None)
        if match is None:
            return ""
        kind = match.lastgroup or ""
        keyword = None
        if kind in self._root.callback:
            keyword = self._root.callback[kind].scanner.fullmatch(match.group())
        return keyword or kind

    def _expected(self, states: list[int]) -> frozenset[str]:
        """What could stand here: keywords and signs as they are written, names of other
        terminals."""
        terminals = [kind for kind in self._rows[states[-1]] if kind.isupper()]
        kinds = [kind for kind in terminals if self._takes(kind, list(states))]
        return frozenset(self._written.get(kind, kind) for kind in kinds)

    def _takes(self, kind: str, states: list[int]) -> bool:
        """Whether a token of that kind can be next."""
        while (goal := self._rows[states[-1]].get(kind)).__class__ is Reduce:
            if goal.size:
                del states[-goal.size :]
            states.append(self._rows[states[-1]][goal.name])
            if kind == "$END" and states[-1] == self._end:
                return True
        return goal is not None


def _reduce(rule: Any) -> Reduce:
    """A rule of lark's."""
    name = str(rule.origin.name)
    fate = SINGLE if rule.options.expand1 else WHOLE
    return Reduce(len(rule.expansion), name, SPLICED if name.startswith("_") else fate)


def _made(name: str, fate: int, children: list[Any]) -> Any:
    return children[0] if fate == SINGLE and len(children) == 1 else Node(name, children)
