"""How a program uses a column of a web table: as the text of its cells or as their value."""

from __future__ import annotations

import pytest

from binder.analysis.python import check
from binder.language.python import parse
from binder.tables.table import tidy

TABLE = tidy(("n", "name"), (("1,200", "a"), ("3,400", "b")))

TEXTS = [
    "return [r['n'].split(',') for r in w]",
    "return [str(r['n']) for r in w]",
    "return [r for r in w if r['n'] == '1,200']",
    "return [r for r in w if ',' in r['n']]",
    "return [r['n'][0] for r in w]",
    "return [r['n'] + '!' for r in w]",
    "return ['%s' % r['n'] for r in w if r['n'].strip()]",
    "texts = [r['n'] for r in w]\n    return texts[0].upper()",
    "for n in [r['n'] for r in w]:\n        x = n.strip()\n    return x",
    "x = w[0]['n'] or ''\n    return x.lower()",
    "return re.sub(',', '', w[0].get('n'))",
    "return '1,200' in [r['n'] for r in w]",
    "return f(w[0]['n'])",
]
VALUES = [
    "return [r['n'] for r in w]",
    "return sum(r['n'] for r in w)",
    "return [r for r in w if r['n'] > 1000]",
    "return [r['n'] + 1 for r in w]",
    "return -w[0]['n']",
    "return max(w, key=lambda r: r['n'])['name']",
    "return sorted(w, key=lambda r: (r['n'], r['name']))[0]['name']",
    "return [r['n'].split(',') for r in w if r['n'] > 2]",
    "return math.sqrt(w[0]['n'])",
    "r = {'n': '1'}\n    return r['n'].split(',')",
]


def texts(body: str) -> frozenset[str]:
    above = "import re, math\ndef f(text):\n    return text.strip()\n"
    return check(parse(f"{above}def solve(w):\n    {body}"), (TABLE,)).texts["w"]


@pytest.mark.parametrize("body", TEXTS)
def test_a_program_that_reads_text_is_given_text(body: str) -> None:
    assert texts(body) == {"n"}


@pytest.mark.parametrize("body", VALUES)
def test_a_program_that_computes_is_given_values(body: str) -> None:
    assert texts(body) == frozenset()


RETURNED = {
    "return w[0]['n']": "n",
    "return [r['n'] for r in w]": "n",
    "return sorted(r['n'] for r in w)": "n",
    "return max(r['n'] for r in w)": "n",
    "found = []\n    for r in w:\n        found.append(r['n'])\n    return found": "n",
    "if len(w) > 9:\n        return None\n    return [w[0]['name']]": "name",
    "return w[0]['n'] + 1": None,
    "return [[r['n']] for r in w]": None,
    "return w[0]": None,
    "w[0]['n'] = 5\n    return w[0]['n']": None,
    "if len(w) > 9:\n        return w[0]['n']\n    return w[0]['name']": None,
    "g = lambda r: r['n']\n    return g(w[0])": None,
}


@pytest.mark.parametrize("body", RETURNED)
def test_cells_that_are_returned_as_they_are_keep_their_column(body: str) -> None:
    found = check(parse(f"def solve(w):\n    {body}"), (TABLE,)).answer
    assert (found[1].name if found is not None else None) == RETURNED[body]
