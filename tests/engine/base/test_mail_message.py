"""Letters read in one pass: as the standard library reads good ones, and as far as they go where they are not."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage, Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_wizard.engine.base.mail_message import (
    DEEPEST,
    LONGEST_FIELD,
    MOST_FIELDS,
    MOST_PARTS,
    begins_with_header,
    decoded,
    in_charset,
    read_message,
)
from tests.support.rows import each_row
from tests.support.strangers import CHARSETS, letters, nested

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp")), max_size=60)


def built(texts: list[str], html: str, coded: str) -> EmailMessage:
    made = EmailMessage(policy=email.policy.default)
    made["Subject"] = "x"
    made.set_content(texts[0], cte=coded)
    if html:
        made.add_alternative(html, subtype="html", charset="utf-16" if coded == "base64" else "utf-8")
    for text in texts[1:]:
        made.add_attachment(text, charset="iso-8859-15" if text.isascii() else "utf-8")
    return made


def leaves(message: Message) -> list[tuple[str, str]]:
    """Kind and text of what the standard library finds."""
    found = [part for part in message.walk() if not part.is_multipart()]
    assert all(isinstance(part, EmailMessage) for part in found)
    return [(part.get_content_type(), part.get_content()) for part in found if isinstance(part, EmailMessage)]


@given(st.lists(WORDS, min_size=1, max_size=3), WORDS, st.sampled_from(["base64", "quoted-printable"]))
def test_a_good_letter_is_read_as_the_standard_library_does(texts: list[str], html: str, coded: str) -> None:
    raw = built(texts, html, coded).as_bytes()
    ours = read_message(raw.decode("latin-1"), octets=True)
    said = [(part.kind, part.text()) for part in ours.parts if not part.kind.startswith("multipart/")]
    theirs = leaves(email.message_from_bytes(raw, policy=email.policy.default))
    assert [(kind, text.rstrip("\n")) for kind, text in said] == [(kind, text.rstrip("\n")) for kind, text in theirs]


@settings(deadline=None)
@given(letters(), st.booleans())
def test_nothing_is_raised_and_nothing_grows(text: str, octets: bool) -> None:
    letter = read_message(text.encode("utf-8", "replace").decode("latin-1") if octets else text, octets=octets)
    assert letter.parts[0] is letter.head
    assert 1 <= len(letter.parts) <= MOST_PARTS
    for part in letter.parts:
        assert len(part.fields) <= MOST_FIELDS
        assert all(len(name) + len(value) <= LONGEST_FIELD + 300 for name, value in part.fields)
        assert "/" in part.kind
        for name in ("boundary", "charset"):
            assert len(part.parameter(name)) <= LONGEST_FIELD
        part.text()
    assert sum(len(line) for part in letter.parts for line in part.lines) <= 2 * len(text.encode("utf-8", "replace"))


@each_row("charset", CHARSETS, ids=repr)
def test_whatever_the_charset_is_called_there_is_text(charset: str) -> None:
    for octets in (
        b"",
        b"550 no",
        bytes(range(256)),
        b"\xff\xfe\x00\xd8" * 9,
        b"+AAA-~{~" * 9,
        b"\x1b$B\x80" * 9,
        b"\\ud800\\N",
    ):
        text = in_charset(octets, charset)
        assert decoded(f"=?{charset}?b?////?= =?{charset}?q?=FF=5C?=") is not None
        assert isinstance(text, str)
    for name in (
        "idna",
        "IDNA",
        "undefined",
        "punycode",
        "unicode_escape",
        "raw_unicode_escape",
        "mbcs",
        "zip",
        "rot13",
    ):
        assert in_charset("\u00fcber\\x41".encode(), name) == "\u00fcber\\x41", "no letter is written in it"


def test_charsets_that_letters_are_written_in() -> None:
    for charset in ("utf-8", "iso-8859-1", "windows-1252", "ISO-2022-JP", "gb2312", "koi8-r", "utf-7", '"UTF-8"'):
        assert in_charset("Zustellung".encode(charset.strip('"')), charset) == "Zustellung"
    assert in_charset("\u914d\u4fe1\u4e0d\u80fd".encode("iso-2022-jp"), "iso-2022-jp") == "\u914d\u4fe1\u4e0d\u80fd"


@pytest.mark.parametrize("depth", [DEEPEST, DEEPEST + 1, 600, 100_000])
def test_what_is_nested_deeper_is_text_of_the_part_around(depth: int) -> None:
    letter = read_message(nested(depth, "Hello"))
    assert len(letter.parts) <= DEEPEST + 1
    everything = [line for part in letter.parts for line in part.lines]
    assert "Hello" in everything
    assert (letter.parts[-1].kind == "text/plain") is (depth <= DEEPEST)


def test_very_many_parts_are_cut() -> None:
    text = "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nx\n" * 100_000
    assert len(read_message(text).parts) == MOST_PARTS


def test_a_message_inside_is_one_part_whatever_is_in_it() -> None:
    inner = "Content-Type: multipart/mixed; boundary=i\n\n--i\n\nprivate\n--i--"
    parts = f"--o\n\nhello\n--o\nContent-Type: message/rfc822\n\n{inner}\n--o--\n"
    text = f"Content-Type: multipart/mixed; boundary=o\n\n{parts}"
    assert [part.kind for part in read_message(text).parts] == ["multipart/mixed", "text/plain", "message/rfc822"]
    digest = text.replace("mixed; boundary=o", "digest; boundary=o", 1)
    assert [part.kind for part in read_message(digest).parts][1] == "message/rfc822"


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("text/plain; charset=utf-8", "charset", "utf-8"),
        ('text/plain;charset = "utf-8"; format=flowed', "charset", "utf-8"),
        ('multipart/mixed; x="a;boundary=no"; boundary="a\\"b c"', "boundary", 'a"b c'),
        ("multipart/mixed; boundary*0=ab; boundary*1=cd", "boundary", "abcd"),
        ("multipart/mixed; boundary*1=cd; boundary*0=ab", "boundary", "abcd"),
        ("text/plain; charset*=us-ascii'en'utf%2D8", "charset", "utf-8"),
        ("text/plain; charset*=%FF", "charset", "\xff"),
        ("text/plain; charset*0*=idna''utf; charset*1*=%2D8", "charset", "utf-8"),
        ("text/plain; CHARSET=UTF-8", "charset", "UTF-8"),
        ('multipart/mixed; boundary="open', "boundary", "open"),
        ("multipart/mixed; boundary*x=1", "boundary", ""),
        ("text/plain", "charset", ""),
    ],
)
def test_parameters(kind: str, name: str, value: str) -> None:
    assert read_message(f"Content-Type: {kind}\n\nx").head.parameter(name) == value


@pytest.mark.parametrize(
    ("value", "clear"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?unzustellb=C3=A4r_ja?=", "unzustellb\u00e4r ja"),
        ("=?UTF-8?B?w6Q=?= =?utf-8?q?b?= c", "\u00e4b c"),
        ("=?utf-8*de?Q?a?=", "a"),
        ("=?idna?q?=FF?=", "\xff"),
        ("=?utf-8?x?a?= =?utf-8?q?", "=?utf-8?x?a?= =?utf-8?q?"),
    ],
)
def test_encoded_words(value: str, clear: str) -> None:
    assert decoded(value) == clear


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("Name: x\n\n", True),
        ("Name: x\r\n\r\nbody", True),
        ("Name: x\n folded\nOther:y\n\n", True),
        ("Name: x\r\n" * 24, False),
        ("Name: x\nno field\n\n", False),
        ("Name:x\n\n", False),
        ("\n\n", False),
        ("", False),
        ("Name: x\n" * 20_000 + "\n", False),
    ],
)
def test_what_a_letter_is_told_by(text: str, begins: bool) -> None:
    assert begins_with_header(text, 65_536) is begins


def test_a_field_goes_on_behind_a_fold_and_a_mail_folders_line_is_none() -> None:
    letter = read_message("From x@y Mon\nSubject: a\n  b\n\tc\nTo : d\nTo: e\nno field\nbody: too\n")
    assert letter.head.fields == [("Subject", "a b c"), ("To", "d"), ("To", "e")]
    assert letter.head.lines == ["no field", "body: too", ""]
    assert letter.head.get("to") == "d"
    assert letter.head.all("to") == ["d", "e"]


def test_what_is_shown_is_no_attachment() -> None:
    attached = "Content-Type: text/html\nContent-Disposition: attachment; filename=x\n\nold"
    text = f"Content-Type: multipart/mixed; boundary=b\n\n--b\n{attached}\n--b\n\nnew\n--b--\n"
    letter = read_message(text)
    part = letter.shown("text/html", "text/plain")
    assert part is not None
    assert part.text() == "new"
    assert letter.shown("text/html") is None
