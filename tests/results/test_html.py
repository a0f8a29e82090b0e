"""Plain data goes in; HTML comes out in which every text is text."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from binder.results import html

Texts = st.text(alphabet=st.sampled_from("<>&\"'ab\n\x00\x1b\u202e"), max_size=12)


class Reader(HTMLParser):
    """Collects tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


@given(Texts, Texts, Texts)
def test_no_text_becomes_markup(column: str, cell: str, note: str) -> None:
    reader = Reader()
    page = (
        html.table([column], [[cell]])
        + html.notes([note])
        + html.small(note)
        + html.code(cell)
        + html.details(note, html.text(cell))
    )
    reader.feed(page)
    assert set(reader.tags) <= {
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "ul",
        "li",
        "div",
        "pre",
        "details",
        "summary",
        "br",
    }
    assert reader.attributes <= {"style"}
    assert "\x1b" not in html.text(cell) and "\u202e" not in html.text(cell)


def test_rows_beyond_the_most_are_counted() -> None:
    page = html.table(["a"], [[str(i)] for i in range(1000)], most=10)
    assert page.count("<tr>") == 11 and "990 more rows" in page


def test_no_remarks_are_nothing() -> None:
    assert html.notes([]) == ""
