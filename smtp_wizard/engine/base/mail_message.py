"""A letter and its parts, read in one pass over its lines, however it is made (RFC 5322, RFC 2045, RFC 2046).

The standard library's reader takes time that grows with the square of a header's length and with the depth of the
parts, and raises for what a charset's name may be. The sender of a letter chooses all of these. So here every field,
the number of parts and their depth are bounded, nothing is raised, and what does not fit the standards is text.
"""

from __future__ import annotations

import binascii
import codecs
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

DEEPEST = 20
"""Levels of parts inside parts that are told apart; what is deeper is the text of the part around it."""
MOST_PARTS = 100
MOST_FIELDS = 200
"""Header fields of a part that are kept."""
LONGEST_FIELD = 4_000
"""Characters of a header field that are kept; a line of one has 998 at most (RFC 5322 section 2.1.1)."""


@dataclass(slots=True)
class MessagePart:
    """A part of a letter: its header, and its content as it came."""

    octets: bool
    """Whether a character of the content stands for an octet."""
    usual: str = "text/plain"
    """The content type where the header names none (RFC 2045 section 5.2, RFC 2046 section 5.1.5)."""
    fields: list[tuple[str, str]] = field(default_factory=list)
    """Names as they are written, and values, unfolded."""
    lines: list[str] = field(default_factory=list)

    def get(self, name: str) -> str:
        """Return the first field of this name (in lower case), as it stands; '' where there is none."""
        return next((value for each, value in self.fields if each.lower() == name), "")

    def all(self, name: str) -> list[str]:
        """Return all fields of this name (in lower case), in their order."""
        return [value for each, value in self.fields if each.lower() == name]

    @property
    def kind(self) -> str:
        """The content type in lower case: 'text/plain'."""
        kind = self.get("content-type").partition(";")[0].strip().lower()
        return kind if _KIND.fullmatch(kind) else self.usual

    def parameter(self, name: str) -> str:
        """Return a parameter of the content type (RFC 2045 section 5.1, RFC 2231 sections 3 and 4), or ''."""
        return _parameter(self.get("content-type"), name)

    def text(self) -> str:
        """Return the content, decoded as far as it can be."""
        content = "\n".join(self.lines)
        match self.get("content-transfer-encoding").strip().lower():
            case "base64":
                octets = _from_base64(content)
            case "quoted-printable":
                octets = binascii.a2b_qp(content.encode("latin-1" if self.octets else "utf-8", "replace"))
            case _ if self.octets:
                octets = content.encode("latin-1", "replace")
            case _:
                return content
        return in_charset(octets, self.parameter("charset"))


@dataclass(frozen=True, slots=True)
class MailMessage:
    """A letter, and its parts in their order. A message inside it is one part, and is not looked into."""

    head: MessagePart
    """The letter itself: its header, and its content where it has no parts."""
    parts: tuple[MessagePart, ...]
    """All parts, `head` first."""

    def shown(self, *kinds: str) -> MessagePart | None:
        """Return what mail programs show: the first part of the first of these kinds that there is; no attachment."""
        for kind in kinds:
            for part in self.parts:
                if part.kind == kind and not part.get("content-disposition").lower().startswith("attachment"):
                    return part
        return None


def read_message(text: str, *, octets: bool = False) -> MailMessage:
    """Read a text as a letter. `octets`: a character stands for an octet, which has yet to be decoded."""
    reader = _Reader(octets)
    for line in text.split("\n"):
        reader.take(line.removesuffix("\r"))
    return MailMessage(reader.parts[0], tuple(reader.parts))


class _Reader:
    """Takes a letter line by line: each is looked at once, and looked up among the open boundaries."""

    def __init__(self, octets: bool) -> None:
        self.parts = [MessagePart(octets)]
        self._octets = octets
        self._part: MessagePart | None = self.parts[0]
        """The part that lines belong to; None: to none that is kept."""
        self._in_header = True
        self._open: list[tuple[str, str]] = []
        """Boundaries of the parts around, the outermost first, and the usual content type between them."""
        self._level: dict[str, int] = {}
        self._value: list[str] = []
        self._room = 0

    def take(self, line: str) -> None:
        """Take the next line, without its end."""
        if line.startswith("--") and self._is_boundary(line[2:].rstrip(" \t")):
            return
        if self._part is None:
            return
        if self._in_header and self._is_header(line, self._part):
            return
        self._part.lines.append(line)

    def _is_boundary(self, line: str) -> bool:
        """Whether a line ends a part (RFC 2046 section 5.1.1); if so, what follows is begun."""
        closing = line not in self._level
        level = self._level.get(line.removesuffix("--") if closing else line)
        if level is None:
            return False
        self._end_header()
        for boundary, _ in self._open[level + (not closing) :]:
            del self._level[boundary]
        del self._open[level + (not closing) :]
        self._part = None
        if not closing and len(self.parts) < MOST_PARTS:
            self._part = MessagePart(self._octets, usual=self._open[level][1])
            self.parts.append(self._part)
            self._in_header = True
        return True

    def _is_header(self, line: str, part: MessagePart) -> bool:
        """Whether a line still belongs to the header; the one that ends it does (RFC 5322 section 2.2)."""
        if line[:1] in (" ", "\t") and self._value:
            self._keep(" " + line.strip(" \t"))
            return True
        found = _FIELD.match(line)
        self._end_field(part)
        if found is not None:
            self._value = [found[1]]
            self._room = LONGEST_FIELD
            self._keep(line[found.end() :].strip(" \t"))
            return True
        if not part.fields and line.startswith("From "):
            return True  # the line that mail folders begin a letter with
        self._end_header()
        return not line

    def _keep(self, piece: str) -> None:
        self._value.append(piece[: self._room])
        self._room -= len(self._value[-1])

    def _end_field(self, part: MessagePart) -> None:
        if self._value and len(part.fields) < MOST_FIELDS:
            part.fields.append((self._value[0], "".join(self._value[1:]).strip()))
        self._value = []

    def _end_header(self) -> None:
        """Finish the header of the part; open its parts, where it has any."""
        part = self._part
        if not self._in_header or part is None:
            return
        self._in_header = False
        self._end_field(part)
        if part.kind.startswith("multipart/") and len(self._open) < DEEPEST:
            boundary = part.parameter("boundary").rstrip(" \t")
            if boundary and boundary not in self._level:
                self._level[boundary] = len(self._open)
                self._open.append((boundary, "message/rfc822" if part.kind == "multipart/digest" else "text/plain"))


_FIELD = re.compile(r"([!-9;-~]{1,200})[ \t]{0,20}:")
"""A field's name (RFC 5322 section 2.2), and blanks, which some put before the colon (section 4.5.8)."""
_KIND = re.compile(r"[\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100}", re.ASCII)
_PARAMETER = re.compile(
    r';[ \t]{0,40}([\w!#$&^.+-]{1,80})(\*\d{1,3})?(\*)?[ \t]{0,40}=[ \t]{0,40}(?:"((?:[^"\\]|\\.)*+)"?|([^\s;]*+))',
    re.ASCII,
)


def _parameter(value: str, name: str) -> str:
    """Return a parameter of a field: whole, in numbered pieces, or percent-encoded in a charset."""
    pieces = [found for found in _PARAMETER.finditer(value) if found[1].lower() == name]
    whole = next((found for found in pieces if not found[2]), None)
    parts = [whole] if whole is not None else sorted(pieces, key=lambda found: int(found[2][1:]))
    charset = ""
    said: list[str] = []
    for place, found in enumerate(parts):
        words = _UNQUOTED.sub(r"\1", found[4]) if found[4] is not None else found[5]
        if found[3]:
            if place == 0 and words.count("'") >= 2:
                charset, _, words = words.split("'", 2)
            words = in_charset(unquote_to_bytes(words.encode("utf-8", "replace")), charset)
        said.append(words)
    return "".join(said)


_UNQUOTED = re.compile(r"\\(.)", re.DOTALL)

# --- what is encoded ---

_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


def _from_base64(content: str) -> bytes:
    """Decode base64 (RFC 2045 section 6.8). What is no sign of it is skipped; what is missing at the end is made up."""
    signs = content.encode("ascii", "replace").translate(None, _NOT_BASE64)
    whole = (signs + b"AAA")[: (len(signs) + 3) // 4 * 4]
    return binascii.a2b_base64(whole)[: len(signs) * 3 // 4]


_NO_CHARSETS = frozenset(
    {"idna", "mbcs", "oem", "palmos", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
"""Encodings of Python's own that no letter is written in: some raise whatever the error handler, some are slow."""
_OFTEN_WRONG = frozenset({"ascii", "utf-8"})
"""Charsets that many letters name and are not written in."""
_LONGEST_CHARSET = 40
"""Characters of a charset's name (RFC 2978 section 2.3). Python remembers every name that it was asked for."""


def in_charset(octets: bytes, charset: str) -> str:
    """Decode octets in a charset that somebody else names; in a usual one where that does not do. Nothing is raised."""
    name = charset.strip().strip("'\"").lower()[:_LONGEST_CHARSET]
    try:
        known = codecs.lookup(name).name.replace("_", "-")
        if known in _NO_CHARSETS:
            return _in_usual(octets)
        text = octets.decode(name, "replace")
    except (LookupError, ValueError):
        # No name of a charset, an encoding of something else than text, or octets that it gives up on.
        return _in_usual(octets)
    return _in_usual(octets) if "\ufffd" in text and known in _OFTEN_WRONG else text


def _in_usual(octets: bytes) -> str:
    """Decode octets whose charset is not named, or is not what it says: UTF-8, else that of Western Europe."""
    text = octets.decode("utf-8", "replace")  # what many letters are in that call themselves ASCII
    lost = text.count("\ufffd")
    others = sum(ch > "\x7f" for ch in text) - lost if lost else 0
    return octets.decode("cp1252", "replace") if lost > others else text


_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bq])\?([^?\s]*+)\?=(?:[ \t]{1,200}(?==\?))?", re.IGNORECASE)
"""An encoded word, and the blanks up to the next, which are none (section 6.2)."""


def decoded(value: str) -> str:
    """Return a field's value with its encoded words in clear (RFC 2047); what is none stays as it is."""
    if "=?" not in value:
        return value
    return _WORD.sub(_in_clear, value)


def _in_clear(found: re.Match[str]) -> str:
    charset = found[1].partition("*")[0]  # the language may stand behind it (RFC 2231 section 5)
    if found[2] in "bB":
        return in_charset(_from_base64(found[3]), charset)
    return in_charset(binascii.a2b_qp(found[3].encode("ascii", "replace"), header=True), charset)


# --- what a letter is told by ---


def begins_with_header(text: str, longest: int) -> bool:
    """Whether a text begins with a header and the empty line behind it, in its first `longest` characters.

    The first line has a blank behind its colon, as programs write it.
    """
    at = 0
    while (end := text.find("\n", at, longest)) >= 0:
        line = text[at:end].removesuffix("\r")
        if (_NEXT.match(line) if at else _FIRST.match(line)) is None:
            return not line and at > 0
        at = end + 1
    return False


_FIRST = re.compile(r"[!-9;-~]{1,200}:[ \t]")
_NEXT = re.compile(r"[ \t]|[!-9;-~]{1,200}:")
