"""The test message: what mail programs find in it, and what nobody can smuggle into it."""

from __future__ import annotations

import email
import email.policy
import email.utils
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.checks import test_message
from smtp_wizard.engine.checks.code_words import CODE_WORDS, is_word, new_word
from smtp_wizard.engine.checks.recipient import OwnMailbox, refuse_own_mailbox

ANA = Address("ana", "example.com")
BOB = Address("bob", "example.org")
NOON = datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC)


def write(
    sender: Address = ANA,
    recipient: Address = BOB,
    *,
    sender_name: str = "Ana",
    reply_to: Address | None = None,
    company: str = "",
    now: datetime = NOON,
    token: str = "k7m2p9xw",
    host_words: str = "smtp.example.com (port 587)",
) -> bytes:
    """Write a message of which a test changes one thing."""
    return test_message.test_message(
        sender,
        recipient,
        sender_name=sender_name,
        reply_to=reply_to,
        company=company,
        now=now,
        token=token,
        host_words=host_words,
    )


def parse(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def text(raw: bytes) -> str:
    """Return the text as one line, so that where it was wrapped does not matter."""
    content = parse(raw).get_content()
    assert isinstance(content, str)
    return " ".join(content.split())


def test_a_mail_program_finds_everything_in_it() -> None:
    parsed = parse(write(reply_to=Address("office", "example.com")))
    assert parsed.defects == []
    assert str(parsed["From"]) == "Ana <ana@example.com>"
    assert str(parsed["To"]) == "bob@example.org"
    assert str(parsed["Reply-To"]) == "office@example.com"
    assert parsed["Subject"] == "smtp-wizard test k7m2p9xw"
    assert email.utils.parsedate_to_datetime(parsed["Date"]) == NOON
    assert parsed["Message-ID"] == f"<k7m2p9xw.{NOON.timestamp():.0f}@example.com>"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed.get_content_type() == "text/plain"


def test_the_text_says_who_sent_it_through_which_server_and_when() -> None:
    said = text(write(company="Clean & Co", now=datetime(2026, 11, 24, 7, 0, tzinfo=timezone(timedelta(hours=-5)))))
    assert "for ana@example.com of Clean & Co, through the mail server smtp.example.com (port 587)" in said
    assert "on 2026-11-24 at 07:00 (UTC-05:00)" in said
    assert "k7m2p9xw" in said
    assert "at 12:00 (UTC)" in text(write())


def test_the_company_stands_in_for_a_sender_without_a_name() -> None:
    assert str(parse(write(sender_name="", company="Clean & Co"))["From"]) == "Clean & Co <ana@example.com>"
    assert str(parse(write(sender_name=""))["From"]) == "ana@example.com"


def test_every_line_ends_in_crlf_and_is_short() -> None:
    raw = write(sender_name="Ana " * 40, company="Grüße " * 20, reply_to=Address("o" * 60, "example.com"))
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78


def test_words_that_cannot_be_broken_stay_within_what_a_server_takes() -> None:
    host = ".".join(["a" * 60] * 4) + ".example"
    raw = write(Address("x" * 64, host), sender_name="w" * 300, company="Ж" * 300, host_words=host)
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert parse(raw)["From"].addresses[0].addr_spec == f"{'x' * 64}@{host}"
    assert parse(raw)["Message-ID"].endswith(f"@{host}>")


def test_names_in_other_letters_go_out_in_ascii_and_come_back_whole() -> None:
    raw = write(Address("ana", "bücher.example"), sender_name='Ana Müller, "Chefin"', company="Grüße GmbH 東京")
    assert raw.isascii()
    sender = parse(raw)["From"].addresses[0]
    assert sender.display_name == 'Ana Müller, "Chefin"'
    assert sender.addr_spec == "ana@xn--bcher-kva.example"
    assert parse(raw)["Message-ID"].endswith("@xn--bcher-kva.example>")
    assert "ana@bücher.example of Grüße GmbH 東京" in text(raw)


def test_a_name_that_looks_like_an_address_stays_a_name() -> None:
    sender = parse(write(sender_name="Bank <info@bank.example>, x"))["From"].addresses
    assert [(one.display_name, one.addr_spec) for one in sender] == [("Bank <info@bank.example>, x", "ana@example.com")]


def test_only_what_stands_before_the_at_needs_smtputf8() -> None:
    assert test_message.needs_smtputf8(ANA, Address("büro", "example.com"))
    assert not test_message.needs_smtputf8(ANA, Address("ana", "bücher.example"))
    assert not test_message.needs_smtputf8()
    raw = write(Address("büro", "bücher.example"))
    assert "From: Ana <büro@xn--bcher-kva.example>\r\n".encode() in raw
    assert raw.partition(b"\r\n\r\n")[2].isascii()


BREAKS = ["\r", "\n", "\r\nBcc: x@example.net", "\0", "\x1b[2J", "\x85", "\u2028", "\ud800", "=?utf-8?q?=0d=0aBcc:_x?="]


@pytest.mark.parametrize("words", BREAKS)
@pytest.mark.parametrize(
    "call",
    [
        lambda words: write(sender_name=f"Ana{words}"),
        lambda words: write(company=f"Clean{words}"),
        lambda words: write(host_words=f"smtp{words}"),
        lambda words: write(token=f"abc{words}"),
    ],
    ids=["sender_name", "company", "host_words", "token"],
)
def test_nothing_breaks_out_of_its_line(call: Callable[[str], bytes], words: str) -> None:
    with pytest.raises(InputError) as caught:
        call(words)
    assert str(caught.value).isprintable()


def test_words_without_end_are_refused() -> None:
    with pytest.raises(InputError, match="too long"):
        write(company="x" * 301)


@given(name=st.text(max_size=300), company=st.text(max_size=300))
def test_whatever_is_typed_is_refused_or_arrives(name: str, company: str) -> None:
    try:
        raw = write(sender_name=name, company=company)
    except InputError:
        return
    parsed = parse(raw)
    assert [one.addr_spec for one in parsed["From"].addresses] == ["ana@example.com"]
    assert set(parsed.keys()) == set(parse(write()).keys())
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.isascii()


def test_a_time_without_its_zone_is_a_bug() -> None:
    with pytest.raises(ValueError, match="time zone"):
        write(now=NOON.replace(tzinfo=None))


def test_tokens_are_short_readable_and_never_the_same() -> None:
    tokens = {test_message.new_token() for _ in range(200)}
    assert len(tokens) == 200
    assert all(len(one) == 8 and one.isascii() and one.isalnum() and not set(one) & set("01ilo") for one in tokens)
    assert all(one in parse(write(token=one))["Subject"] for one in tokens)


# --- the code word ---


def test_code_words_are_told_apart_by_ear() -> None:
    """Five plain letters; two words differ in two letters or more, so that a slip is no other word."""
    assert len(set(CODE_WORDS)) == len(CODE_WORDS) > 200
    assert all(len(word) == 5 and word.isascii() and word.islower() for word in CODE_WORDS)
    pairs = itertools.combinations(CODE_WORDS, 2)
    assert [pair for pair in pairs if sum(a != b for a, b in zip(*pair, strict=True)) < 2] == []


def test_a_code_word_is_another_one_than_those_before() -> None:
    assert {new_word(CODE_WORDS[1:]) for _ in range(20)} == {CODE_WORDS[0]}
    assert new_word(CODE_WORDS) in CODE_WORDS
    assert len({new_word() for _ in range(200)}) > 50


@pytest.mark.parametrize("typed", ["amber", " Amber ", "'AMBER'", "The code word of this test is amber."])
def test_a_code_word_may_come_with_what_stands_around_it(typed: str) -> None:
    assert is_word(typed, "amber")


@pytest.mark.parametrize(("typed", "word"), [("", "amber"), ("ambers", "amber"), ("mango", "amber"), ("", "")])
def test_another_word_is_not_the_code_word(typed: str, word: str) -> None:
    assert not is_word(typed, word)


# --- where it may go ---

SENDER = Address("Ana", "bücher.example")


@pytest.mark.parametrize("same", ["ana@bücher.example", "ANA@xn--bcher-kva.example"])
def test_the_senders_own_mailbox_is_refused_however_it_is_spelt(same: str) -> None:
    with pytest.raises(OwnMailbox, match="is the mailbox that sends"):
        refuse_own_mailbox(Address.parse(same), None, SENDER)


def test_any_other_mailbox_may_get_the_test_message() -> None:
    refuse_own_mailbox(Address("ben", "bücher.example"), None, SENDER)
