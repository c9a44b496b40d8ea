"""Masks a secret by value in what a server says back, however it is written there."""

from __future__ import annotations

import base64
import quopri
import re
from collections.abc import Iterator
from functools import cached_property
from urllib.parse import quote, unquote, unquote_plus

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase

MASK = phrase("********")


class Redactor:
    """Masks a secret by value, in every encoding in which a server could say it back.

    Where the secret is too short to be told from ordinary words (under six characters), whatever a server says in
    answer to it is masked whole: `whole`.
    """

    _SHORTEST = 6

    def __init__(self, secret: Secret | None = None, username: str = "") -> None:
        value = secret.reveal() if secret else ""
        # Counted without blanks, which a server may leave out where it says the secret back.
        self.whole = bool(value) and len("".join(value.split())) < self._SHORTEST
        forms = set() if self.whole or not value else set(_encodings(value, username))
        kept = [form for form in forms if len(form) >= self._SHORTEST]
        self._forms = sorted(kept, key=len, reverse=True)
        self._small = [form.lower() for form in self._forms] if all(map(str.isascii, self._forms)) else None
        """The forms in lower case, where that tells all that differs in upper and lower case."""

    def scrub(self, text: str) -> str:
        """Return the text with the secret masked; all of it, where the secret is escaped in it in whatever way."""
        if not self._forms:
            return text
        masked = self._pattern.sub(MASK, text) if self._is_in(text) else text
        return MASK if any(map(self._is_in, _unescaped(masked))) else masked

    def _is_in(self, text: str) -> bool:
        # Most of what servers say has no secret in it, and compiling the pattern takes longer than the rest of a check.
        if self._small is not None and text.isascii():
            small = text.lower()
            return any(form in small for form in self._small)
        return self._pattern.search(text) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self._forms)), re.IGNORECASE)


def _encodings(value: str, username: str) -> Iterator[str]:
    """The ways a server has been seen to say a password back, or could: as it is, quoted, hexadecimal, in Base64.

    Base64 of a longer text that holds the secret looks different at each of three alignments; what the neighbours
    cannot change is masked.
    """
    raw = value.encode("utf-8", "surrogatepass")
    yield value
    yield "".join(value.split())
    yield " ".join(value.split())
    yield quote(value, safe="")
    yield quote(value)
    yield raw.hex()
    yield repr(value)[1:-1]
    yield repr(raw)[2:-1]
    yield value[::-1]
    for text in (raw, b"\0" + username.encode("utf-8", "surrogatepass") + b"\0" + raw):
        yield base64.b64encode(text).decode("ascii").rstrip("=")
        yield base64.urlsafe_b64encode(text).decode("ascii").rstrip("=")
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode("ascii").rstrip("=")
        head = (0, 2, 3)[before]
        tail = len(encoded) - (1 if (before + len(raw)) % 3 else 0)
        yield encoded[head:tail]


_ESCAPED = re.compile(r"\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|(.))", re.IGNORECASE)
_APART = re.compile(r"(?<=[0-9a-f]{2})[ :-](?=[0-9a-f]{2})", re.IGNORECASE)
"""What stands between the octets of a hexadecimal dump."""


def _unescaped(text: str) -> Iterator[str]:
    """Return what a text says where it is escaped: which characters are escaped was its writer's choice."""
    if "%" in text or "+" in text:
        yield unquote(text)
        yield unquote_plus(text)
    if "&" in text:
        import html

        yield html.unescape(text)
    if "=" in text:  # RFC 2045 section 6.7; in a header a blank is '_' (RFC 2047 section 4.2)
        octets = text.encode("utf-8", "surrogatepass")
        yield quopri.decodestring(octets).decode("utf-8", "replace")
        yield quopri.decodestring(octets, header=True).decode("utf-8", "replace")
    if "\\" in text:  # RFC 8259 section 7: outside of the basic plane a character is two escapes
        plain = _ESCAPED.sub(lambda found: found[3] or chr(int(found[1] or found[2], 16)), text)
        yield plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if _APART.search(text):
        yield _APART.sub("", text)
