"""The border: what a person types, and what strangers say, becomes something that can be passed on safely."""

from __future__ import annotations

import copy
import ipaddress
import json
import logging
import pickle
import string
import traceback
import unicodedata
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtp_wizard.engine.base.address import Address, AddressError, settings_file
from smtp_wizard.engine.base.characters import visible
from smtp_wizard.engine.base.endpoint import (
    Endpoint,
    HostError,
    PastedServer,
    PortError,
    Security,
    ascii_host,
    parse_ehlo_name,
    parse_host,
    parse_port,
    parse_server,
)
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import OUTSIDE_LIMIT, shown

T = TypeVar("T")

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=700)
LABEL = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
HOST = st.lists(LABEL, min_size=2, max_size=4).map(".".join).filter(lambda host: not host.split(".")[-1].isdigit())


def sentence(problem: InputError) -> bool:
    """Whether it can stand below a field: one line, ended, bounded, with nothing in it that moves the cursor."""
    text = str(problem)
    return text == shown(text) and len(text) <= 260 and text[-1] in ".!?…'"


def parsed_or_refused(parse: Callable[[str], T], typed: str) -> T | None:
    """Parse; None where it was refused, in a sentence."""
    try:
        return parse(typed)
    except InputError as problem:
        refused = problem
    assert sentence(refused)
    return None


# --- addresses ---


@pytest.mark.parametrize(
    ("typed", "local", "domain"),
    [
        ("ana@example.com", "ana", "example.com"),
        ("  ana@example.com \n", "ana", "example.com"),
        ("Ana.Maria+shop@EXAMPLE.Com", "Ana.Maria+shop", "example.com"),
        ("o'neill@example.com", "o'neill", "example.com"),
        ("alice@example.test", "alice", "example.test"),
        ("ana@bücher.example", "ana", "bücher.example"),
        ("ana@BÜCHER.example", "ana", "bücher.example"),
        ("zoë@example.com", "zoë", "example.com"),
        ("ana@xn--bcher-kva.example", "ana", "bücher.example"),
    ],
)
def test_an_address_is_understood(typed: str, local: str, domain: str) -> None:
    assert Address.parse(typed) == Address(local, domain)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "ana",
        "ana@",
        "@example.com",
        "ana@@example.com",
        "ana@example",
        "ana@exam ple.com",
        "ana  @example.com",
        "ana@example..com",
        "ana@-example.com",
        ".ana@example.com",
        "ana..b@example.com",
        "ana@example.com, bob@example.com",
        "Ana <ana@example.com",
        "Ana ana@example.com>",
        "Ana <ana@example.com> <bob@example.com>x",
        "<>",
        "mailto:?subject=hello",
        "mailto:ana%0d%0a@example.com",
        "https://autoconfig.example.com/mail/config-v1.1.xml",
        "https://autoconfig.example.com/mail/config-v1.1.xml?emailaddress=",
        "https://[::1",
        "ana@example.com\r\nBcc: x@example.com",
        "ana@\x1b[2Jexample.com",
        "ana\0@example.com",
        "a" * 300 + "@example.com",
        "ana@" + "x" * 300 + ".com",
        "mailto:",
        "https://example.com",
    ],
)
def test_what_is_no_address_is_said_in_a_sentence(typed: str) -> None:
    with pytest.raises(AddressError) as caught:
        Address.parse(typed)
    assert sentence(caught.value)


@pytest.mark.parametrize(
    "pasted",
    [
        "Ana <ana@example.com>",
        '"Cleaning, Ana" <ana@example.com>',
        "ana @ example . com",
        "ana@example .com",
        "Ana Müller (Büro) ana@example.com",
        "Office: ana@example.com",
        "ana@example.com (Büro)",
        "ana@EXAMPLE.com>",
        "<ana@example.com",
        "<ana@example.com>",
        "Ana <mailto:ana@example.com>",
        "mailto:ana@example.com",
        "MailTo:ana%40example.com?subject=hello",
        "ana@example.com.",
        "ana@example.com,",
        "ana@example.com; ",
        "\u00a0ana@example.com\u200b",
        "\ufeffana@example.com",
        "\u2066ana@example.com\u2069",
        "'ana@example.com'",
        "\u201cana@example.com\u201d.",
        "(ana@example.com)",
        "ana@example.com\u3002",
        "ana\uff20example.com",
        "https://autoconfig.example.com/mail/config-v1.1.xml?emailaddress=ana%40example.com",
        "http://autoconfig.hoster.example/mail/config-v1.1.xml?emailaddress=ana@example.com",
        "https://autodiscover.example.com/autodiscover/autodiscover.json?Email=ana@example.com&Protocol=EWS",
    ],
)
def test_an_address_is_understood_as_it_is_pasted(pasted: str) -> None:
    assert Address.parse(pasted) == Address("ana", "example.com")


@pytest.mark.parametrize(
    "slip",
    [
        "jean- pierre@example.com",
        "no-\nreply@example.com",
        "max.muster- mann@example.com",
        "ana@example.com. Thanks",
        "ana@mail.example. com",
    ],
)
def test_a_slip_in_an_address_is_no_other_persons(slip: str) -> None:
    with pytest.raises(AddressError):
        Address.parse(slip)


def test_two_joined_letters_of_a_script_that_needs_it_stay_joined() -> None:
    assert "\u200c" in visible("نامه\u200cای")


@pytest.mark.parametrize(
    ("pasted", "url"),
    [
        (
            "https://autoconfig.example.com/mail/config-v1.1.xml?emailaddress=ana%40example.com",
            "https://autoconfig.example.com/mail/config-v1.1.xml",
        ),
        (" HTTPS://Files.Example.com:8443/a b.xml#x", "https://files.example.com:8443/a%20b.xml"),
        ("https://user:secret@example.com/mail.xml", "https://example.com/mail.xml"),
        ("http://autoconfig.example.com/mail/config-v1.1.xml", ""),
        ("ana@example.com", ""),
        ("https://[::1", ""),
        ("https://", ""),
        ("https://example.com:99999/", ""),
        ("https://example.com/" + "x" * 3000, ""),
    ],
)
def test_the_address_of_a_settings_file_loses_whose_it_is(pasted: str, url: str) -> None:
    assert settings_file(pasted) == url


@given(ANY_TEXT)
@example("a@b.c@\u202e")
@example("\ud800@example.com")
def test_whatever_is_typed_is_an_address_or_a_sentence(typed: str) -> None:
    address = parsed_or_refused(Address.parse, typed)
    if address is not None:
        assert "\r" not in address.wire
        assert "\n" not in address.wire
        assert Address.parse(str(address)) == address


@given(st.text(string.ascii_letters + string.digits, min_size=1, max_size=20), HOST)
def test_an_address_written_out_is_the_same_address(local: str, domain: str) -> None:
    address = Address(local, domain)
    assert str(address) == f"{local}@{domain}" == address.wire
    assert hash(address) == hash(Address(local, domain))


def test_servers_get_the_domain_in_ascii_and_people_as_they_write_it() -> None:
    """IDNA 2008 (RFC 5891): 'straße' is another name than 'strasse'."""
    address = Address.parse("zoë@straße.example")
    assert address.wire == "zoë@xn--strae-oqa.example"
    assert address.ascii_domain == "xn--strae-oqa.example"
    assert str(address) == "zoë@straße.example"


# --- names of servers ---


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("smtp.example.com", "smtp.example.com"),
        (" SMTP.Example.COM. ", "smtp.example.com"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("[2001:DB8::7]", "2001:db8::7"),
        ("FE80::1%eth0.100", "fe80::1%eth0.100"),
        ("[192.0.2.1]", "192.0.2.1"),
        ("mail.bücher.example", "mail.xn--bcher-kva.example"),
        ("mail.xn--bcher-kva.example", "mail.xn--bcher-kva.example"),
        ("3com.example", "3com.example"),
        ("993.example", "993.example"),
        ("0x7f.example", "0x7f.example"),
        ("mail.0xample", "mail.0xample"),
        ("smtp.1and1", "smtp.1and1"),
        ("a-b.example", "a-b.example"),
        ("x" * 63 + ".example", "x" * 63 + ".example"),
    ],
)
def test_a_server_is_understood(typed: str, host: str) -> None:
    assert parse_host(typed) == host


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("", "Type the name"),
        ("...", "Type the name"),
        ("https://smtp.example.com", "without http"),
        ("smtp.example.com/mail", "slash"),
        ("ana@example.com", "no @"),
        ("smtp.example.com:587", "own field"),
        ("smtp example.com", "blanks"),
        ("smtp\texample.com", "blanks"),
        ("smtp_out.example.com", "underscore"),
        ("smtp..example.com", "not a server name"),
        ("-smtp.example.com", "not a server name"),
        ("smtp-.example.com", "not a server name"),
        ("x" * 64 + ".example", "not a server name"),
        ("a." * 127 + "example", "not a server name"),
        ("smtp.example.com\0", "not a server name"),
        ("993", "ends in a number"),
        ("9\uff19\uff13", "ends in a number"),
        ("1.2.3", "ends in a number"),
        ("1.2.3.4.5", "ends in a number"),
        ("1.2.3.4.", "ends in a number"),
        ("[192.0.2.1].", "not a server name"),
        ("192.0.2.01", "ends in a number"),
        ("192.0.2.256", "ends in a number"),
        ("0x7f.1", "ends in a number"),
        ("0x7F000001", "ends in a number"),
        ("127.0x1", "ends in a number"),
        ("127.0x", "ends in a number"),
        ("0177.0.0.01", "ends in a number"),
        ("smtp.example.993", "ends in a number"),
        ("smtp.\u202eexample.com", "letters"),
        ("☃️.example\ufeff", "letters"),
        ("fe80::1%\x1b[31m", "network interface"),
        ("fe80::1%\0", "network interface"),
        ("[fe80::1%a\r\nb]", "network interface"),
        ("fe80::1%\u202eeth0", "network interface"),
        ("fe80::1%\ud800", "network interface"),
        ("fe80::1%" + "x" * 65, "network interface"),
    ],
)
def test_what_is_no_server_is_said_with_what_to_do(typed: str, hint: str) -> None:
    with pytest.raises(HostError, match=hint) as caught:
        parse_host(typed)
    assert sentence(caught.value)


@pytest.mark.parametrize(
    ("pasted", "host", "port", "security"),
    [
        ("smtp.example.com", "smtp.example.com", None, None),
        (" smtp.example.com. ", "smtp.example.com", None, None),
        ("\u200bSMTP.example.com\u00a0", "smtp.example.com", None, None),
        ("smtp.example.com:587", "smtp.example.com", 587, None),
        ("smtp.example.com 465", "smtp.example.com", 465, None),
        ("smtp.example.com, port 587", "smtp.example.com", 587, None),
        ("smtp.example.com, Port: 587.", "smtp.example.com", 587, None),
        ("ssl://smtp.example.com:465", "smtp.example.com", 465, Security.TLS),
        ("ssl://smtp.example.com", "smtp.example.com", 465, Security.TLS),
        ("tls://smtp.example.com:587", "smtp.example.com", 587, Security.STARTTLS),
        ("SMTPS://smtp.example.com", "smtp.example.com", 465, Security.TLS),
        ("smtps://smtp.example.com:2465/?verify=1", "smtp.example.com", 2465, Security.TLS),
        ("smtp://smtp.example.com:587", "smtp.example.com", 587, None),
        ("smtp://smtp.example.com", "smtp.example.com", None, None),
        ("starttls://smtp.example.com", "smtp.example.com", 587, Security.STARTTLS),
        ("smtps://ana%40example.com:pass@word@smtp.example.com:465", "smtp.example.com", 465, Security.TLS),
        ("[2001:db8::7]:587", "2001:db8::7", 587, None),
        ("ssl://[2001:db8::7]:465", "2001:db8::7", 465, Security.TLS),
        ("fe80::1", "fe80::1", None, None),
        ("2001:db8::465", "2001:db8::465", None, None),
        ("192.0.2.1:25", "192.0.2.1", 25, None),
        ("ssl://bücher.example", "xn--bcher-kva.example", 465, Security.TLS),
    ],
)
def test_a_server_is_understood_as_it_is_pasted(
    pasted: str, host: str, port: int | None, security: Security | None
) -> None:
    assert parse_server(pasted) == PastedServer(host, port, security)


@pytest.mark.parametrize(
    ("pasted", "hint"),
    [
        ("https://smtp.example.com", "without http"),
        ("https://autoconfig.example.com/mail/config-v1.1.xml", "file with settings"),
        ("imaps://imap.example.com", "without imaps"),
        ("ssl://", "Type the name"),
        ("ssl://smtp.example.com:99999", "port is a number"),
        ("smtp.example.com:0", "port is a number"),
        ("ana@example.com", "no @"),
        ("smtp.example.com/mail", "slash"),
        ("smtp.example.com or mail.example.com", "blanks"),
    ],
)
def test_what_is_pasted_and_is_no_server_is_said_with_what_to_do(pasted: str, hint: str) -> None:
    with pytest.raises(InputError, match=hint) as caught:
        parse_server(pasted)
    assert sentence(caught.value)


@pytest.mark.parametrize("secret", ["hunter2", "hun/ter2", "hun?ter2", "hun@ter2"])
def test_a_password_in_a_server_s_address_is_never_said_again(secret: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_server(f"smtps://ana:{secret}@smtp_x.example.com:465")
    assert "ter2" not in str(caught.value)
    assert "ana" not in str(caught.value)


@given(ANY_TEXT)
def test_whatever_is_pasted_is_a_server_or_a_sentence(pasted: str) -> None:
    server = parsed_or_refused(parse_server, pasted)
    if server is not None:
        assert parse_host(server.host) == server.host
        assert parse_server(str(Endpoint(server.host, server.port or 465, Security.TLS))).host == server.host


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("", ""),
        ("  ", ""),
        ("pc.example.com", "pc.example.com"),
        (" PC.Example.COM. ", "pc.example.com"),
        ("pc.bücher.example", "pc.xn--bcher-kva.example"),
        ("192.0.2.1", "[192.0.2.1]"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("2001:0DB8:0:0:0:0:0:1", "[IPv6:2001:db8::1]"),
        ("[2001:db8::1]", "[IPv6:2001:db8::1]"),
        ("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"),
        ("[ipv6:::1]", "[IPv6:::1]"),
        ("IPv6:2001:db8::1", "[IPv6:2001:db8::1]"),
    ],
)
def test_a_name_for_this_computer_is_a_host_or_an_address_literal(typed: str, name: str) -> None:
    """RFC 5321 section 4.1.3; what comes out goes in again."""
    assert parse_ehlo_name(typed) == name
    assert parse_ehlo_name(name) == name


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("[192.0.2.1", "both its brackets"),
        ("192.0.2.1]", "both its brackets"),
        ("[IPv6:2001:db8::1", "both its brackets"),
        ("[[192.0.2.1]]", "Between the brackets"),
        ("[]", "Between the brackets"),
        ("[pc.example.com]", "Between the brackets"),
        ("[IPv6:pc]", "Between the brackets"),
        ("[IPv6:]", "Between the brackets"),
        ("[192.0.2.300]", "Between the brackets"),
        ("[IPv6:192.0.2.1]", "is an IPv4 address"),
        ("fe80::1%eth0", "Leave out the %"),
        ("[fe80::1%eth0]", "Leave out the %"),
        ("[IPv6:fe80::1%2]", "Leave out the %"),
        ("993", "no name for this computer"),
        ("192.0.2", "no name for this computer"),
        ("192.0.2.1:25", "no name for this computer"),
        ("two words", "no name for this computer"),
        ("ana@example.com", "no name for this computer"),
        ("x\r\nMAIL FROM:<a@b.c>", "no name for this computer"),
        ("192.0.2.1\r\nRSET", "no name for this computer"),
        ("[192.0.2.1]\r\nRSET", "both its brackets"),
    ],
)
def test_what_is_no_name_for_this_computer_is_said(typed: str, hint: str) -> None:
    """Never with words about a server's name: it is this computer's."""
    with pytest.raises(HostError, match=hint) as caught:
        parse_ehlo_name(typed)
    assert sentence(caught.value)
    assert "server" not in str(caught.value)


@given(ANY_TEXT | st.ip_addresses().map(str))
def test_whatever_is_typed_is_a_name_for_this_computer_or_a_sentence(typed: str) -> None:
    name = parsed_or_refused(parse_ehlo_name, typed)
    if name is not None:
        assert parse_ehlo_name(name) == name
        assert not set(name) - set(string.ascii_letters + string.digits + "-.:[]")


@given(ANY_TEXT)
@example("１.example")
@example("xn--\x80")
def test_whatever_is_typed_is_a_server_or_a_sentence(typed: str) -> None:
    host = parsed_or_refused(parse_host, typed)
    if host is not None:
        assert host.isascii()
        assert parse_host(host) == host
        assert not set(host) - set(string.ascii_lowercase + string.digits + "-.:%")
        assert len(host) <= 253


@given(HOST)
def test_a_name_stays_as_it_is(host: str) -> None:
    assert parse_host(host) == host
    assert parse_host(host.upper() + ".") == host
    assert ascii_host(host) == host


@given(st.ip_addresses())
def test_an_address_of_either_family_is_a_server(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert parse_host(str(address)) == parse_host(f"[{address}]") == str(address)
    written = str(Endpoint(str(address), 25, Security.NONE))
    assert written.endswith(":25")
    assert written.startswith("[") is (address.version == 6)


# --- ports ---


@pytest.mark.parametrize(("typed", "port"), [("1", 1), (" 587 ", 587), ("0465", 465), ("65535", 65535)])
def test_a_port_is_understood(typed: str, port: int) -> None:
    assert parse_port(typed) == port


@pytest.mark.parametrize(
    "typed", ["", "0", "65536", "-1", "+25", "5.8", "25a", "twenty-five", "٢٥", "²5", "1_000", "1e3", "9" * 5000]
)
def test_what_is_no_port_is_said(typed: str) -> None:
    with pytest.raises(PortError) as caught:
        parse_port(typed)
    assert sentence(caught.value)


@given(st.integers(1, 65535))
def test_every_port_is_one(port: int) -> None:
    assert parse_port(str(port)) == port


# --- words from outside ---


@given(ANY_TEXT, st.integers(1, 80))
def test_words_from_outside_are_one_bounded_line_that_moves_nothing(text: str, limit: int) -> None:
    cleaned = shown(text, limit)
    assert len(cleaned) <= limit
    assert not {ch for ch in cleaned if unicodedata.category(ch) in UNSEEN}
    assert cleaned == cleaned.strip()
    assert "  " not in cleaned


@given(st.text(max_size=400))
def test_cleaning_what_is_clean_changes_nothing(text: str) -> None:
    cleaned = shown(text)
    assert shown(cleaned) == cleaned


@given(st.text(string.ascii_letters + string.digits + string.punctuation, max_size=200))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("one\r\ntwo\tthree", "one two three"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u202eb\u200bc\ufeff", "a\\u202eb\\u200bc\\ufeff"),
        ("a\U000e0041", "a\\U000e0041"),
        ("\0\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("é 授权码 ñ", "é 授权码 ñ"),
        ("   ", ""),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, cleaned: str) -> None:
    assert shown(text) == cleaned


def test_what_is_cut_says_so() -> None:
    assert shown("x" * 600) == "x" * (OUTSIDE_LIMIT - 1) + "…"
    assert shown("word " * 600, 11) == "word word…"
    assert shown("x" * OUTSIDE_LIMIT) == "x" * OUTSIDE_LIMIT


def test_megabytes_are_cut_before_they_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    original = unicodedata.category

    def counted(ch: str) -> str:
        nonlocal looked_at
        looked_at += 1
        return original(ch)

    monkeypatch.setattr(unicodedata, "category", counted)
    assert shown("\u200b" * 5_000_000).endswith("…")
    assert looked_at <= 4 * OUTSIDE_LIMIT


# --- secrets ---

WORD = "correct horse"


@pytest.mark.parametrize(
    "written",
    [
        repr(Secret(WORD)),
        str(Secret(WORD)),
        f"{Secret(WORD)}",
        f"{Secret(WORD)!r:>40}",
        f"{Secret(WORD):s}",
        "%s" % Secret(WORD),  # noqa: UP031  every way of writing it out is tried
        repr([Secret(WORD)]),
        repr({"password": Secret(WORD)}),
        repr(Secret),
        str(ValueError(Secret(WORD))),
    ],
)
def test_a_secret_is_never_written_out(written: str) -> None:
    assert WORD not in written


def test_a_secret_is_in_no_traceback_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(WORD)
    logging.getLogger("test").warning("tried %s, %r", secret, secret)
    assert WORD not in caplog.text
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError(secret)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert WORD not in "".join(told.format())


def test_a_secret_is_not_written_anywhere() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(WORD))
    with pytest.raises(TypeError):
        copy.copy(Secret(WORD))
    with pytest.raises(TypeError):
        json.dumps(Secret(WORD))
    with pytest.raises(TypeError):
        vars(Secret(WORD))


@given(st.text(), st.text())
def test_secrets_are_equal_when_they_are_the_same(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one) != one
    assert Secret(one).reveal() == one
    assert bool(Secret(one)) is bool(one)
    assert len(Secret(one)) == len(one)
    assert hash(Secret(one)) == hash(Secret(str(one)))


# --- words on screens ---


def test_every_kind_of_encryption_and_every_scope_has_a_word() -> None:
    assert [security.words for security in Security] == ["SSL/TLS", "STARTTLS", "no encryption"]
    assert [scope.words for scope in Scope] == ["General Emails Only", "For All Emails"]


@pytest.mark.parametrize(
    "text",
    [
        "E-Mail: ana@gmail.com",
        "email address: ana@gmail.com",
        "ana(at)gmail.com",
        "ana [at] gmail [dot] com",
        "Ana <x> <ana@gmail.com>",
    ],
)
def test_an_address_as_it_stands_on_cards_and_pages_is_understood(text: str) -> None:
    assert str(Address.parse(text)) == "ana@gmail.com"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ana <ana@gmail.com> <bob@gmx.de>", "Several addresses"),
        ("ana@gmail.com, bob@gmx.de", "Several addresses"),
        ("ssl://smtp.gmail.com:465", "names a server, which 'smtp-wizard check' tests"),
        ("smtps://ana@smtp.gmail.com:465", "names a server, which 'smtp-wizard check' tests"),
        ("ana@gmail,com", "ana@gmail.com?"),
        ("ana\n@gmail.com", "a character that cannot be seen"),
        ("ana b@gmail.com", "there is a blank"),
        ("ana@[192.0.2.1]", "no number in brackets"),
        ("ana@gmail", "a whole domain"),
        ("@gmail.com", "before the @ and after it"),
        ("ana@", "before the @ and after it"),
        ("gmail.com", "gmail.com is a domain"),
        ("ana@gmail..com", "two dots in a row; ana@gmail.com?"),
        ("ana@192.168.1.1", "and no number"),
        ("ana@x_y.com", "'_' cannot stand after the @"),
        ("ana@\u2603.com", "'\u2603' cannot stand after the @"),
        ("an(a@gmail.com", "'(' cannot stand before the @"),
        (".ana@gmail.com", "begins or ends with a dot"),
        (f"{'a' * 600}@gmail.com", "longer than 64"),
        (f"ana@{'x' * 64}.com", "too long to be one"),
        ("ana@-gmail.com", "a hyphen"),
        ("ana@gmail.invalid", "ends in '.invalid'"),
        ("ana maria@gmail.com", "there is a blank"),
    ],
)
def test_what_is_no_address_is_said_in_our_own_words(text: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        Address.parse(text)
    assert words in str(refused.value)
    assert "U+" not in str(refused.value)
