"""The way off a mailing list: links that survive any address, headers as the RFCs have them, templates read."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from html.parser import HTMLParser
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.unsubscribe import LinkError, check_template, mailto_link, parse_url, rules, unsubscribe
from tests.support.rows import each_row
from tests.support.strangers import CHARSETS, letters, nested

ANA = Address("ana", "example.org")
LOCAL = st.text(st.sampled_from("abcXYZ019!#$%&'*+-/=?^_`{|}~.é"), min_size=1, max_size=20)
PRINTABLE = st.characters(codec="utf-8", min_codepoint=32).filter(str.isprintable)
SUBJECTS = st.text(PRINTABLE, min_size=1, max_size=40).map(str.strip).filter(bool)


def test_the_articles_sample() -> None:
    assert (
        mailto_link(Address("yourlist", "yourdomain.tld"), "remove") == "mailto:yourlist@yourdomain.tld?subject=remove"
    )


@given(LOCAL, SUBJECTS)
def test_a_link_says_the_same_to_whoever_decodes_it(local: str, subject: str) -> None:
    link = mailto_link(Address(local, "bücher.example"), subject)
    assert link.isascii()
    assert not any(ch in link for ch in ' <>"\\\r\n')
    parts = urlsplit(link)
    assert unquote(parts.path) == f"{local}@xn--bcher-kva.example"
    assert parse_qs(parts.query, keep_blank_values=True) == {"subject": [subject]}
    assert not parts.fragment


class Href(HTMLParser):
    href = ""
    words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.href = dict(attrs).get("href") or ""

    def handle_data(self, data: str) -> None:
        self.words += data


@given(LOCAL, SUBJECTS, st.text(PRINTABLE, min_size=1, max_size=30))
def test_the_html_is_one_link_whatever_stands_in_it(local: str, subject: str, words: str) -> None:
    made = unsubscribe(Address(local, "example.org"), subject=subject, link_text=words)
    parser = Href(convert_charrefs=True)
    parser.feed(made.html)
    parser.close()
    assert parser.href == made.mailto
    assert parser.words == words


def test_the_headers_are_those_of_the_rfcs() -> None:
    made = unsubscribe(ANA, url="https://example.org/u?id=1&k=2")
    assert made.headers == (
        ("List-Unsubscribe", "<mailto:ana@example.org?subject=remove>, <https://example.org/u?id=1&k=2>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )
    assert made.one_click
    assert 'href="https://example.org/u?id=1&amp;k=2"' in made.html
    plain = unsubscribe(ANA)
    assert [name for name, _ in plain.headers] == ["List-Unsubscribe"]
    assert not plain.one_click


@given(LOCAL, SUBJECTS)
def test_a_header_survives_a_message(local: str, subject: str) -> None:
    made = unsubscribe(Address(local, "example.org"), subject=subject)
    message = EmailMessage(policy=email.policy.SMTP)
    for name, value in made.headers:
        message[name] = value
    again = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
    assert "".join(str(again["List-Unsubscribe"]).split()) == "".join(made.headers[0][1].split())


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/u",
        "https://",
        "https://localhost/u",
        "ftp://example.org",
        "javascript:alert(1)",
        "https://user:pass@example.org/",
        "https://example.org/a b",
        'https://example.org/"onclick="x',
        "https://example.org/<x>",
        "https://exam\nple.org",
        "https://[::1",
        "https://example.org:99999/",
    ],
)
def test_what_is_no_https_address_is_refused(url: str) -> None:
    with pytest.raises(LinkError):
        parse_url(url)


def test_an_address_in_other_letters_is_written_in_ascii() -> None:
    assert parse_url(" https://bücher.example/ä?q=ß ") == "https://xn--bcher-kva.example/%C3%A4?q=%C3%9F"
    assert parse_url("https://example.org:8443/a%20b") == "https://example.org:8443/a%20b"


@pytest.mark.parametrize("subject", ["", "  ", "a\r\nBcc: x@example.org", "a\0b", "x" * 101])
def test_a_subject_is_one_short_line(subject: str) -> None:
    with pytest.raises(InputError):
        unsubscribe(ANA, subject=subject)


def test_every_rule_is_said_with_its_source() -> None:
    assert next(rule.name for rule in rules()).startswith("CAN-SPAM")
    assert all(rule.words.endswith(".") and rule.source and rule.as_of for rule in rules())


POSTAL = "<p>Ana's Cleaning, 12 Main Street, Springfield, IL 62701</p>"
GOOD_LINK = '<a href="mailto:list@shop.test?subject=remove">Unsubscribe</a>'


def verdicts(data: str | bytes) -> dict[str, bool]:
    report = check_template(data.encode() if isinstance(data, str) else data)
    return {each.id: each.good for each in report.seen}


@pytest.mark.parametrize(
    ("html", "link"),
    [
        (GOOD_LINK, True),
        ('<a href="https://shop.test/unsubscribe?u=1">here</a>', True),
        ('<a href="https://shop.test/x">Abmelden</a>', True),
        ('<a href="https://shop.test/x">Se désabonner</a>', True),
        ('<a href="https://shop.test/x">Darse de baja</a>', True),
        ('<a href="https://shop.test/x">Our shop</a>', False),
        ('<a href="">Unsubscribe</a>', False),
        ('<a href="#">Unsubscribe</a>', False),
        ('<a href="mailto:">Unsubscribe</a>', False),
        ('<a href="mailto:yourlist@yourdomain.tld?subject=remove">Unsubscribe</a>', False),
        ('<a href="{{unsubscribe_url}}">Unsubscribe</a>', False),
        ("Unsubscribe", False),
        ("<script>var x='<a href=mailto:a@shop.test>Unsubscribe</a>'</script>", False),
    ],
)
def test_a_link_is_found_where_it_works(html: str, link: bool) -> None:
    assert verdicts(f"<html><body>{html}{POSTAL}</body></html>") == {"link": link, "postal": True}


@pytest.mark.parametrize(
    ("words", "postal"),
    [
        ("12 Main Street, Springfield, IL 62701", True),
        ("PO Box 77, Springfield", True),
        ("Hauptstraße 5, 10115 Berlin", True),
        ("1 Example Road, London SW1A 1AA", True),
        ("Call 555 0100 now, 24 hours", False),
        ("Ana's Cleaning", False),
    ],
)
def test_a_postal_address_is_told_from_other_words(words: str, postal: bool) -> None:
    assert verdicts(f"<body>{GOOD_LINK}<p>{words}</p></body>")["postal"] is postal


def test_plain_text_is_read_too() -> None:
    text = "Hello\n12 Main Street, Springfield, IL 62701\nUnsubscribe: https://shop.test/out.\n"
    report = check_template(text.encode())
    assert report.kind == "text"
    assert report.good
    assert report.links == ("https://shop.test/out",)


def message(**headers: str) -> bytes:
    built = EmailMessage(policy=email.policy.SMTP)
    built["From"], built["To"], built["Subject"] = "ana@shop.test", "bob@shop.test", "Spring offer"
    for name, value in headers.items():
        built[name.replace("_", "-")] = value
    built.set_content("See the other part.")
    built.add_alternative(f"<html><body>{GOOD_LINK}{POSTAL}</body></html>", subtype="html")
    return built.as_bytes()


def test_a_message_needs_the_header_too() -> None:
    assert verdicts(message()) == {"link": True, "postal": True, "header": False}
    assert verdicts(message(List_Unsubscribe="<mailto:list@shop.test?subject=remove>"))["header"]
    half = verdicts(message(List_Unsubscribe="<https://shop.test/u>"))
    assert half["header"]
    assert not half["one-click"]
    whole = message(List_Unsubscribe="<https://shop.test/u>", List_Unsubscribe_Post="List-Unsubscribe=One-Click")
    assert check_template(whole).good


def with_headers(ways: str, post: str = "") -> dict[str, str]:
    """Look through a message with these headers, written as they stand; return what is wrong with each."""
    head = f"List-Unsubscribe: {ways}\r\n" + (f"List-Unsubscribe-Post: {post}\r\n" if post else "")
    body = f"Content-Type: text/html\r\n\r\n<html>{GOOD_LINK}{POSTAL}</html>"
    report = check_template(f"From: ana@shop.test\r\n{head}{body}".encode())
    return {each.id: "" if each.good else each.words for each in report.seen if each.id in ("header", "one-click")}


ONE_CLICK = "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("ways", "reason"),
    [
        ("<mailto:a@firm.test?subject=stop, <https://firm.test/u>", "not well formed"),
        ("mailto:a@firm.test", "not well formed"),
        ("<mailto:a@firm.test> <https://firm.test/u>", "not well formed"),
        ("<mailto:a@firm.test>, https://firm.test/u", "not well formed"),
        ("<mailto:a@firm.test>,", "not well formed"),
        ("=?utf-8?q?=3Cmailto=3Aa=40firm=2Etest=3E?=", "do not decode"),
        ("<=?utf-8?q?mailto=3Aa=40firm=2Etest?=>", "do not decode"),
        ("<mailto:a@firm.test?subject=please stop>", "Write %20"),
        ("<https://firm.test/u?name=a b>", "Write %20"),
        ("<mailto:a@firm.test?subject=schl\u00fc\u00df>", "% and figures"),
        ("<mailto:nobody>", "names no e-mail address"),
        ("<ftp://firm.test/u>", "no address that mail programs can use"),
        ("<>", "no address that mail programs can use"),
        ("<mailto:a@firm.test>\r\nList-Unsubscribe: <https://firm.test/u>", "several"),
    ],
)
def test_a_header_that_cannot_be_used_is_a_fault_with_its_reason(ways: str, reason: str) -> None:
    assert reason in with_headers(ways)["header"]


@pytest.mark.parametrize(
    "ways",
    [
        "<mailto:a@firm.test?subject=please%20stop>",
        "<http://firm.test/u>",
        "<mailto:a@firm.test> (by mail),\r\n <https://firm.test/u>",
        "(=?utf-8?q?by_mail?=) <mailto:a@firm.test>",
        " <mailto:a@firm.test> , <https://firm.test/u>",
        "<{{unsubscribe}}>",
    ],
)
def test_a_header_that_works_is_none(ways: str) -> None:
    assert with_headers(ways)["header"] == ""


@pytest.mark.parametrize(
    ("ways", "post", "reason"),
    [
        ("<mailto:a@firm.test>", ONE_CLICK, "needs an https address"),
        ("<http://firm.test/u>", ONE_CLICK, "needs an https address"),
        ("<https://firm.test/u>", "One-Click", "and nothing else"),
        ("<https://firm.test/u>", "", "without List-Unsubscribe-Post"),
        ("<mailto:a@firm.test>, <https://firm.test/u>", ONE_CLICK, ""),
    ],
)
def test_one_click_needs_https_and_the_one_word(ways: str, post: str, reason: str) -> None:
    found = with_headers(ways, post)
    assert found["header"] == "", "the other header is as it must be, and RFC 2369 is not to blame"
    assert (reason in found["one-click"]) if reason else (found["one-click"] == "")
    assert "RFC 2369" not in found["one-click"]


LINES = 24


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("lines", [LINES, 5000])
def test_lines_that_look_like_a_header_and_go_on_are_a_text(end: bytes, lines: int) -> None:
    """A list of names in a text from Windows. One pattern for the whole header tried 2 to the power of its lines."""
    assert check_template(b"Name: x" + end + (b"Name: x" + end) * lines).kind == "text"
    assert check_template((b"Name: x" + end) * LINES + end + b"Hello").kind == "message"
    folded = b"Subject: a" + end + (b" b" + end + b"X: y" + end) * LINES
    assert check_template(folded).kind == "text"
    assert check_template(folded + end).kind == "message"


@pytest.mark.parametrize(
    "unit",
    [
        "<a href=",
        "<a ",
        "<!--",
        "http://a ",
        "?subject=",
        "a.weg ",
        "1 a ",
        "12345 A",
        "<mailto:",
        "&#1",
        "\n",
        "Name: x\r\n",
    ],
)
def test_the_largest_template_is_looked_through(unit: str) -> None:
    """Megabytes of one thing: whatever is wrong with them, there is an answer."""
    for begin in ("", "<p>", "List-Unsubscribe: <mailto:a@b.test>\nContent-Type: text/html\n\n"):
        data = (begin + unit * (500_000 // len(unit))).encode()
        assert check_template(data).seen


@settings(max_examples=200, deadline=None)
@given(letters())
def test_a_letter_is_looked_through_whatever_it_is_made_of(letter: str) -> None:
    report = check_template(letter.encode("utf-8", "replace"))
    assert all(each.words.isprintable() for each in report.seen)
    assert check_template(("X: y\n" + letter).encode("utf-16", "surrogatepass")).seen


@each_row("charset", CHARSETS, ids=repr)
def test_a_message_in_a_charset_that_is_none_is_looked_through(charset: str) -> None:
    head = f"From: a@shop.test\nContent-Type: text/html; charset={charset}\n\n".encode("utf-8", "replace")
    report = check_template(head + f"<p>{GOOD_LINK}{POSTAL}".encode())
    assert report.kind == "message"
    assert report.good is False, "the header is missing"
    known = {"link": True, "postal": True, "header": False}
    assert {each.id: each.good for each in report.seen} == known or charset.startswith(("cp", "hp", "utf_16", "utf_32"))


def test_a_message_nested_deeply_is_looked_through() -> None:
    assert check_template(nested(600, GOOD_LINK).encode()).kind == "message"


def test_an_attachment_is_not_what_is_shown() -> None:
    built = EmailMessage(policy=email.policy.SMTP)
    built["From"], built["To"] = "ana@shop.test", "bob@shop.test"
    built.set_content("Hello, no link here.")
    built.add_attachment(f"<p>{GOOD_LINK}{POSTAL}", subtype="html", filename="old.html")
    assert verdicts(built.as_bytes())["link"] is False


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_looked_through(data: bytes) -> None:
    report = check_template(data)
    assert report.kind in ("html", "text", "message")
    assert all(each.words.isprintable() for each in report.seen)


def test_words_of_a_template_are_cleaned() -> None:
    report = check_template(b'<body><a href="mailto:\x1b[2J@x">Unsubscribe</a></body>')
    assert "\x1b" not in repr([each.words for each in report.seen]).replace("\\x1b", "")
    assert all("\x1b" not in link for link in report.links)
