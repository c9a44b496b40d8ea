"""Links and words of an HTML text: as browsers read it, in one pass, whatever is not closed."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_wizard.engine.base.html_links import LONGEST_HREF, LONGEST_LABEL, MOST_LINKS, Link, read_html, unescaped


@pytest.mark.parametrize(
    ("text", "links", "words"),
    [
        ('<a href="x">y</a>', [Link("x", "y")], "y"),
        ("<A HREF=x>y</A>z", [Link("x", "y")], "yz"),
        ("<a class=a href = 'x>&amp;' id>y<b>z</b></a>", [Link("x>&", "yz")], "yz"),
        ("<a/href=x/>y</a>", [Link("x/", "y")], "y"),
        ("<a href=1 href=2>y</a>", [Link("1", "y")], "y"),
        ("<a name=x>y</a>", [Link("", "y")], "y"),
        ("<a href=1>a<a href=2>b", [Link("1", "a"), Link("2", "b")], "ab"),
        ("a<br>b<p>c</p>d", [], "a\nb\nc\nd"),
        ("<script>var x='<a href=y>z</a>'</script >b", [], "b"),
        ("<style><a href=y></style><a href=z>c</a>", [Link("z", "c")], "c"),
        ("<script>never closed <a href=y>z</a>", [], ""),
        ("a<!-- <a href=x>b</a> -->c", [], "ac"),
        ("a<!-- never closed <a href=x>b</a>", [], "a"),
        ("<!doctype html>a<?php x ?>b", [], "ab"),
        ("1 < 2 & 3 <4 &lt; <", [], "1 < 2 & 3 <4 < <"),
        ("<a href='{{link}}'>x</a><% y %>", [Link("{{link}}", "x")], "x<% y %>"),
        ('<a href="x', [], ""),
        ("<a href", [], ""),
        ("<a =x==y>z</a>", [Link("", "z")], "z"),
        ("</ a>b</3>c", [], "bc"),
        ("&#" + "9" * 5000 + ";", [], "\ufffd"),
    ],
)
def test_what_is_read(text: str, links: list[Link], words: str) -> None:
    assert read_html(text) == (links, words)


class Library(HTMLParser):
    """What the standard library makes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.hrefs.append((next((value for name, value in attrs if name == "href"), "") or "").strip())

    def handle_data(self, data: str) -> None:
        self.words += data


WORD = st.text("abc &;'\u00fc", max_size=8)
GOOD = st.lists(
    st.builds('<a href="{}">{}</a>'.format, WORD, WORD)
    | st.builds("<a class='x' HREF='{}' id=y>".format, WORD.map(lambda text: text.replace("'", "")))
    | st.builds("<b title='<'>{}</b>".format, WORD)
    | st.builds("<!-- {} -->".format, WORD)
    | WORD,
    max_size=6,
).map("".join)


@given(GOOD)
def test_well_formed_html_is_read_as_the_standard_library_does(text: str) -> None:
    library = Library()
    library.feed(text)
    library.close()
    links, words = read_html(text)
    assert [link.href for link in links] == library.hrefs
    assert words == library.words


@settings(deadline=None)
@given(st.text("<>!-/ ='\"aAhrefscipt&#;x\n", max_size=60) | st.text(max_size=40))
def test_nothing_is_raised(text: str) -> None:
    links, words = read_html(text)
    assert len(words) <= len(text) + text.count("<")
    assert all(link.href == link.href.strip() for link in links)


def test_what_is_kept_of_it_is_bounded() -> None:
    links, _ = read_html(f"<a href='{'x' * 2 * LONGEST_HREF}'>{'y' * 2 * LONGEST_LABEL}<b>z</b></a>")
    assert [(len(link.href), len(link.label)) for link in links] == [(LONGEST_HREF, LONGEST_LABEL)]
    assert len(read_html("<a href=x>y</a>" * 2 * MOST_LINKS)[0]) == MOST_LINKS


def test_references_to_characters() -> None:
    assert unescaped("&lt;&#65;&#x41;&#0;&#1114112;&nope;") == "<AA\ufffd\ufffd&nope;"
