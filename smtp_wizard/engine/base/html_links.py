"""The links of an HTML text, and its words, in one pass from its beginning to its end.

Read as browsers do (HTML Living Standard, section 13.2.5): a tag that is not closed ends with the text. The standard
library's parser looks for the end of every unfinished tag again, which takes time with the square of their number.
"""

from __future__ import annotations

import re

from smtp_wizard.engine.lazy_dataclass import dataclass

LONGEST_HREF = 4_000
"""Characters of a web address that are kept; of a longer one no program makes anything."""
LONGEST_LABEL = 500
MOST_LINKS = 5_000


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a text, and the words that it is read by."""

    href: str
    label: str


def read_html(text: str) -> tuple[list[Link], str]:
    """Return the links of an HTML text, at most `MOST_LINKS`, and all its words; scripts and styles are left out."""
    reader = _Reader(text)
    reader.read()
    return reader.links, "".join(reader.words)


def unescaped(text: str) -> str:
    """Return the text with HTML's character references resolved. A number beyond all characters stands for none."""
    if "&" not in text:
        return text
    import html

    return html.unescape(_HUGE_NUMBER.sub("\ufffd", text))


_HUGE_NUMBER = re.compile(r"&#[0-9]{8,}+;?")
"""Python refuses to read numbers of thousands of digits; the last character is number 1,114,111."""


_TAG = re.compile(r"<(/?)([a-z][^\s/>]{0,40})", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s/]*+")
_NAME = re.compile(r"=?[^\s/>=]*+")
_EQUALS = re.compile(r"\s*+=\s*+")
_UNQUOTED = re.compile(r"[^\s>]*+")
_LINE_ENDS = frozenset({"br", "p", "div", "td", "tr", "li"})
_RAW = {
    "script": re.compile(r"</script\b", re.IGNORECASE),
    "style": re.compile(r"</style\b", re.IGNORECASE),
}
"""What is no text up to its own end (section 13.2.5.2), and how that looks."""


class _Reader:
    """Goes through a text once; `_at` only grows."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._href: str | None = None
        self._label: list[str] = []
        self._room = 0
        self.links: list[Link] = []
        self.words: list[str] = []

    def read(self) -> None:
        while (start := self._text.find("<", self._at)) >= 0:
            self._take_words(self._text[self._at : start])
            self._at = start
            self._read_markup()
        self._take_words(self._text[self._at :])
        self._end_link()

    def _read_markup(self) -> None:
        found = _TAG.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
            self._read_tag(found[2].lower(), closing=bool(found[1]))
        elif self._text.startswith("<!--", self._at):
            self._skip_behind("-->")
        elif self._text.startswith(("<!", "<?", "</"), self._at):
            self._skip_behind(">")
        else:
            self._take_words("<")
            self._at += 1

    def _skip_behind(self, end: str) -> None:
        found = self._text.find(end, self._at)
        self._at = found + len(end) if found >= 0 else len(self._text)

    def _read_tag(self, name: str, *, closing: bool) -> None:
        href = self._href_of_tag()
        if href is None:
            return
        if name in _LINE_ENDS:
            self._take_words("\n")
        if name == "a":
            self._end_link()
            if not closing:
                self._href, self._label, self._room = href, [], LONGEST_LABEL
        if name in _RAW and not closing:
            found = _RAW[name].search(self._text, self._at)
            self._at = found.start() if found is not None else len(self._text)

    def _href_of_tag(self) -> str | None:
        """Go behind the tag's end; return its href, '' where it has none; None where the text ends inside the tag."""
        href: str | None = None
        while True:
            self._go_behind(_BETWEEN)
            if self._at >= len(self._text):
                return None
            if self._text[self._at] == ">":
                self._at += 1
                return href or ""
            name = self._go_behind(_NAME)
            value = self._value() if _EQUALS.match(self._text, self._at) else ""
            if name.lower() == "href" and href is None:
                href = unescaped(value[:LONGEST_HREF]).strip()

    def _value(self) -> str:
        self._go_behind(_EQUALS)
        quote = self._text[self._at : self._at + 1]
        if quote not in ("'", '"'):
            return self._go_behind(_UNQUOTED)
        start = self._at + 1
        self._skip_behind_quote(quote)
        return self._text[start : self._at - 1]

    def _skip_behind_quote(self, quote: str) -> None:
        found = self._text.find(quote, self._at + 1)
        self._at = found + 1 if found >= 0 else len(self._text)

    def _go_behind(self, what: re.Pattern[str]) -> str:
        found = what.match(self._text, self._at)
        assert found is not None, "they fit the empty text"
        self._at = found.end()
        return found[0]

    def _take_words(self, text: str) -> None:
        words = unescaped(text) if "&" in text else text
        self.words.append(words)
        if self._href is not None and self._room > 0:
            self._label.append(words[: self._room])
            self._room -= len(self._label[-1])

    def _end_link(self) -> None:
        if self._href is not None and len(self.links) < MOST_LINKS:
            self.links.append(Link(self._href, "".join(self._label)))
        self._href = None
