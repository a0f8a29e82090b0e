"""Labels: the closed, ordered list of a cast to ENUM.

QA("map@how urgent?"; text)::ENUM('low', 'high') closes the answers, and ORDER BY, < and MAX take
them in the order of the list. The kind of such a value is its type, so two lists are two kinds."""

from __future__ import annotations

from sqlglot import exp

from binder.analysis.sql.comparisons import compared_with
from binder.analysis.sql.types import kind
from binder.errors import CheckFault, nearest
from binder.language.program import Program
from binder.language.sqltree import nodes, tree_of


def labels_of(node: exp.Expr | None) -> list[str]:
    """The labels that a cast allows; none for any other node."""
    if not isinstance(node, (exp.Cast, exp.TryCast)) or node.to.this != exp.DType.ENUM:
        return []
    return [label.this for label in node.to.expressions]


def align(tree: exp.Expr, program: Program) -> None:
    """Reads each text that is compared with labels as the label that it is, whatever its case."""
    for node in nodes(tree):
        _check_list(node, program)
        list_of_labels = kind(node) or ""
        if not list_of_labels.startswith("ENUM("):
            continue
        # DuckDB would compare a text with a label as texts: 'low' > 'high'
        for other in compared_with(node):
            if isinstance(other, exp.Literal) and other.is_string:
                other.replace(_label(other, list_of_labels, program))


def _check_list(node: exp.Expr, program: Program) -> None:
    """Refuses an ENUM that does not list its labels, each of them once."""
    if not isinstance(node, (exp.Cast, exp.TryCast)) or node.to.this != exp.DType.ENUM:
        return
    labels = labels_of(node)
    if not labels or len(set(labels)) < len(labels):
        raise CheckFault(
            "an ENUM lists labels, each of them once: ENUM('low', 'high')",
            text=program.text,
            span=program.span(node),
        )


def _label(literal: exp.Literal, list_of_labels: str, program: Program) -> exp.Expr:
    """A text as one of the labels."""
    made = tree_of(f"CAST($label AS {list_of_labels})", label=literal.this)
    labels = labels_of(made)
    # a person writes 'High' where the list has 'high'
    folded = {label.casefold(): label for label in labels}
    label = folded.get(literal.this.strip().casefold())
    if label is None:
        close = nearest(literal.this, labels)
        raise CheckFault(
            f"{literal.this!r} is none of the labels {', '.join(map(repr, labels))}",
            text=program.text,
            span=program.span(literal),
            hint=f"did you mean {close[0]!r}?" if close else "add it to the list of the ENUM",
        )
    return tree_of(f"CAST($label AS {list_of_labels})", label=label)
