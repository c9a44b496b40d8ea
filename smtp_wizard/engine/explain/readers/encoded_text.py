"""Letters and answers that were pasted as they are sent: base64 and quoted-printable (RFC 2045 section 6), HTML.

A whole letter with its header is read by `engine/base/mail_message.py`; this is for what lost its header on the way.
"""

from __future__ import annotations

import binascii
import re

from smtp_wizard.engine.base.html_links import read_html
from smtp_wizard.engine.base.mail_message import in_charset

LONGEST_BLOCK = 200_000
"""Characters of one encoded block that are decoded."""
MOST_BLOCKS = 20


def in_clear(text: str) -> str:
    """Return a text with what is encoded in it in clear; what is none stays as it stands. Nothing is raised."""
    if _MAY_BE_BASE64.search(text) is not None:
        text = _without_base64(text)
    if text.count("=\n") >= _SOFT_ENDS and _QUOTED.search(text) is not None:
        text = _from_quoted_printable(text)
    if "334 " in text:
        text = _CHALLENGE.sub(_challenge, text)
    return _words_of_html(text) if _IS_HTML.search(text) is not None else text


# --- base64 ---

_LINE = re.compile(r"[A-Za-z0-9+/]{40,200}={0,2}")
_LAST_LINE = re.compile(r"[A-Za-z0-9+/]{2,200}={0,2}")
_MAY_BE_BASE64 = re.compile(r"(?:^|\n)[ \t>]{0,20}[A-Za-z0-9+/]{60,200}={0,2}[ \t\r]{0,4}\n")
_ENOUGH_LINES = 2


def _without_base64(text: str) -> str:
    """Decode every block of lines that are base64 and nothing else, where what comes out is text."""
    lines = text.split("\n")
    kept: list[str] = []
    block: list[str] = []
    decoded = 0
    for line in [*lines, ""]:
        bare = line.strip(" \t\r>")
        if _LINE.fullmatch(bare) or (block and _LAST_LINE.fullmatch(bare)):
            block.append(bare)
            continue
        if block:
            clear = _decoded_block(block) if decoded < MOST_BLOCKS else None
            decoded += clear is not None
            kept += block if clear is None else [clear.removesuffix("\n")]
            block = []
        kept.append(line)
    return "\n".join(kept[:-1])


def _decoded_block(block: list[str]) -> str | None:
    """Return what a block says; None where that is no text, or may be a secret: a single short line."""
    if len(block) < _ENOUGH_LINES:
        return None
    signs = "".join(block)[:LONGEST_BLOCK]
    try:
        octets = binascii.a2b_base64(signs[: len(signs) // 4 * 4])
    except ValueError:
        return None
    text = in_charset(octets, "")
    sample = text[:2000]
    printable = sum(ch.isprintable() or ch in "\r\n\t" for ch in sample)
    return text if sample and printable >= _MOSTLY * len(sample) and " " in sample else None


_MOSTLY = 0.95
_CHALLENGE = re.compile(r"(?<=334 )(eyJ[A-Za-z0-9+/]{16,2000})={0,2}")
"""What a server says of a token that it refuses: JSON in base64, so it begins with a brace and a quote (RFC 7628)."""


def _challenge(found: re.Match[str]) -> str:
    signs = found[1]
    try:
        return binascii.a2b_base64(signs + "=" * (-len(signs) % 4)).decode("utf-8", "replace")
    except ValueError:
        return found[0]


# --- quoted-printable ---

_SOFT_ENDS = 2
_QUOTED = re.compile(r"=(?:3D|C3=|20|E2=|F[6C4]|DF|E[0-9A-F])")


def _from_quoted_printable(text: str) -> str:
    return in_charset(binascii.a2b_qp(text.encode("utf-8", "replace")), "utf-8")


# --- HTML ---

_IS_HTML = re.compile(r"<(?:style|script|table|body)\b[^<>]{0,400}>", re.IGNORECASE)


def _words_of_html(text: str) -> str:
    """Return the words of a page or a letter in HTML, with what stands before it."""
    return _MANY_ENDS.sub("\n\n", read_html(_ADDRESS_IN_BRACKETS.sub(r"&lt;\1&gt;", text))[1])


_ADDRESS_IN_BRACKETS = re.compile(r"<([^\s<>@]{1,64}@[^\s<>@]{1,255})>")
"""No tag, whatever a browser makes of it."""
_MANY_ENDS = re.compile(r"\n[ \t]{0,40}\n\s{1,2000}")
