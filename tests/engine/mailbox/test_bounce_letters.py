"""What a letter says about mail that came back: address, finality, the returned message; and what is no bounce."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_wizard.engine.mailbox.bounce_letters import MOST_RECIPIENTS, LetterKind, read_letter
from tests.support.returned import (
    BY_EXCHANGE_IN_HTML,
    BY_QMAIL,
    IN_WORDS,
    ORDINARY,
    OUT_OF_OFFICE,
    QUOTED_BY_A_PERSON,
    READ_RECEIPT,
    WITHOUT_ADDRESS,
    in_words,
    of_no_address,
    report,
)

OWN = ("ana@example.com",)


def test_a_report_names_the_address_the_cause_and_the_message_that_came_back() -> None:
    letter = read_letter(report(), OWN)
    (recipient,) = letter.recipients
    assert (letter.kind, recipient.address, recipient.status) == (
        LetterKind.FAILED,
        "bob@elsewhere.example",
        "5.1.1",
    )
    assert "User unknown" in recipient.words
    assert (letter.subject, letter.returned_id) == ("Invoice 17", "<sent1@example.com>")
    assert letter.sent_at is not None
    assert letter.sent_at.isoformat() == "2026-11-20T09:29:00+00:00"
    assert letter.reported_by == "mail.example.com"


def test_each_recipient_of_a_report_is_told_and_who_was_reached_is_not() -> None:
    more = (
        "\nFinal-Recipient: rfc822; carla@elsewhere.example\nAction: delayed\nStatus: 4.2.2\n"
        "\nFinal-Recipient: rfc822; dora@elsewhere.example\nAction: delivered\nStatus: 2.0.0\n"
    )
    letter = read_letter(report(more=more), OWN)
    assert [(each.address, each.kind) for each in letter.recipients] == [
        ("bob@elsewhere.example", LetterKind.FAILED),
        ("carla@elsewhere.example", LetterKind.DELAYED),
    ]
    assert letter.kind is LetterKind.FAILED


def test_a_delay_is_no_failure() -> None:
    letter = read_letter(report(action="delayed", status="4.4.1", diagnostic="X-Postfix; connection timed out"), OWN)
    assert (letter.kind, letter.recipients[0].kind) == (LetterKind.DELAYED, LetterKind.DELAYED)


def test_the_address_is_the_one_that_was_written_to() -> None:
    """Behind a forwarding the final recipient is an address that the sender has never seen."""
    found = report().replace(b"Final-Recipient: rfc822; bob@", b"Final-Recipient: rfc822; robert@")
    (recipient,) = read_letter(found, OWN).recipients
    assert recipient.address == "bob@elsewhere.example"
    assert "robert@" not in recipient.words.partition("\n")[0], "the steps speak of it"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ('"john doe"@odd.example', '"john doe"@odd.example'),
        ("x@[192.0.2.1]", "x@[192.0.2.1]"),
        ("x@[IPv6:2001:db8::1]", "x@[ipv6:2001:db8::1]"),
        ("postmaster", "postmaster"),
    ],
)
def test_an_address_of_which_only_servers_speak_is_read(said: str, read: str) -> None:
    octets = report().replace(b"Original-Recipient: rfc822;bob@elsewhere.example\n", b"")
    found = octets.replace(
        b"Final-Recipient: rfc822; bob@elsewhere.example", b"Final-Recipient: rfc822; " + said.encode()
    )
    assert found != octets
    assert [each.address for each in read_letter(found, OWN).recipients] == [read]


def test_of_an_address_with_a_control_sequence_no_part_is_taken_for_one() -> None:
    found = report().replace(b"bob@elsewhere.example", b"evil\x1b[31m@elsewhere.example")
    assert read_letter(found, OWN).recipients == ()


@pytest.mark.parametrize("in_text", [b"evil\x1b[31m@elsewhere.example", b"evil\x07m@elsewhere.example"])
def test_an_address_that_a_control_character_tears_apart_is_nobodys_in_any_part_of_the_letter(in_text: bytes) -> None:
    """What stands behind it looks like an address, and may be a customer's."""
    torn = report().replace(b"bob@elsewhere.example", in_text)
    in_prose = in_words(f"550 5.1.1 Delivery failed permanently for:\n\n  {in_text.decode()}\n")
    for octets in (torn, torn.replace(b"message/delivery-status", b"text/plain"), in_prose):
        letter = read_letter(octets, OWN)
        assert (letter.recipients, letter.unreadable) == ((), True)


FORGED = report().replace(b"MAILER-DAEMON@mail.example.com (Mail Delivery System)", b"Evil <evil@bad.example>")
PHISH = in_words(
    "5 messages could not be delivered to you. Ask help@bad.example.",
    sender="Mail Delivery System <postmaster@bad.example>",
    subject="Undelivered Mail: 5 messages could not be delivered",
    path="<evil@bad.example>",
)


@pytest.mark.parametrize("octets", [FORGED.replace(b"Return-Path: <>", b"Return-Path: <evil@bad.example>"), PHISH])
def test_what_a_person_has_written_names_no_address_that_failed_and_is_not_passed_over(octets: bytes) -> None:
    letter = read_letter(octets, OWN)
    assert (letter.recipients, letter.unreadable) == ((), True)


@pytest.mark.parametrize(
    "path", [b"<>", b"<MAILER-DAEMON@mx.example>", b"<bounces+17@mx.example>", b"<ana@example.com>"]
)
def test_a_report_counts_whose_envelope_names_a_server_nobody_or_oneself(path: bytes) -> None:
    letter = read_letter(report().replace(b"Return-Path: <>", b"Return-Path: " + path, 1), OWN)
    assert [each.address for each in letter.recipients] == ["bob@elsewhere.example"]


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Undeliverable: Invoice 9", "The sheep of bob@elsewhere.example have eaten it."),
        ("VIRUS in your mail - message not delivered", "A virus was in your mail to bob@elsewhere.example. 550 5.7.1"),
        ("Unzustellbar: Rechnung 9", "Das geht so nicht."),
    ],
)
def test_a_servers_letter_that_is_called_a_bounce_is_never_passed_over(subject: str, body: str) -> None:
    letter = read_letter(in_words(body, sender="System Administrator <postmaster@firm.example>", subject=subject), OWN)
    assert letter.unreadable or letter.recipients


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Delivery Status Notification (Relay)", "Your message was successfully relayed to: bob@elsewhere.example"),
        ("Zugestellt: Rechnung 17", "Ihre Nachricht wurde zugestellt: bob@elsewhere.example"),
        ("Re: Undeliverable: Invoice 9", "Yes, I have seen it."),
    ],
)
def test_a_receipt_and_an_answer_are_no_failure(subject: str, body: str) -> None:
    letter = read_letter(in_words(body, sender="postmaster@elsewhere.example", subject=subject), OWN)
    assert (letter.recipients, letter.unreadable) == ((), False)


def test_what_waits_for_a_release_is_not_final() -> None:
    body = "Your message to bob@elsewhere.example has been quarantined and may be released. It was not delivered yet."
    letter = read_letter(in_words(body, sender="postmaster@elsewhere.example", subject="Quarantine"), OWN)
    assert letter.kind is LetterKind.DELAYED


@pytest.mark.parametrize("head", ["", "Auto-Submitted: auto-replied\n"])
@pytest.mark.parametrize("subject", ["Vacation rental 17", "Absence of Eva", "Abwesenheit", "Out of office hours"])
def test_a_word_in_the_returned_messages_subject_makes_a_bounce_no_automatic_reply(subject: str, head: str) -> None:
    body = (
        "Delivery to the following recipient failed permanently:\n\n     bob@elsewhere.example\n\n550 5.1.1 unknown\n"
    )
    bounce = in_words(body, sender="noreply@mx.example", subject=f"Undeliverable: {subject}", head=head)
    assert [each.address for each in read_letter(bounce, OWN).recipients] == ["bob@elsewhere.example"]
    away = in_words(
        "Back on Monday.", sender="eva@elsewhere.example", subject=f"Automatic reply: Undeliverable {subject}"
    )
    assert read_letter(away, OWN).kind is LetterKind.AUTO_REPLY


def test_a_sentence_that_names_two_addresses_says_that_one_was_not_read() -> None:
    body = "550 5.1.1 Your message could not be delivered to one@elsewhere.example and two@elsewhere.example.\n"
    letter = read_letter(in_words(body), OWN)
    named = {each.address for each in letter.recipients}
    assert letter.unreadable or named == {"one@elsewhere.example", "two@elsewhere.example"}
    help_line = "\n\nFor help write to help@provider.example.\n"
    alone = in_words(f"550 5.1.1 Your message could not be delivered to one@elsewhere.example.{help_line}")
    assert not read_letter(alone, OWN).unreadable


@pytest.mark.parametrize("action", ["delivered", "relayed", "Expanded (to the list)"])
def test_a_report_that_all_were_reached_is_no_bounce(action: str) -> None:
    letter = read_letter(report(action=action, status="2.0.0", diagnostic="smtp; 250 2.0.0 Ok"), OWN)
    assert (letter.kind, letter.recipients) == (LetterKind.OTHER, ())


@pytest.mark.parametrize(
    ("octets", "address", "subject", "words"),
    [
        (IN_WORDS, "carla@gmial.com", "Offer 3", "No such user here"),
        (BY_QMAIL, "dora@elsewhere.example", "Reminder", "over quota"),
    ],
    ids=["exim", "qmail"],
)
def test_a_letter_in_words_alone_is_understood(octets: bytes, address: str, subject: str, words: str) -> None:
    letter = read_letter(octets, OWN)
    assert [each.address for each in letter.recipients] == [address]
    assert (letter.kind, letter.subject) == (LetterKind.FAILED, subject)
    assert words in letter.recipients[0].words


def test_a_warning_in_words_that_the_server_goes_on_trying_is_a_delay() -> None:
    warning = IN_WORDS.replace(
        b"This is a permanent error. The following address(es) failed:",
        b"has been delayed; the server will continue to try. The following address(es) could not be delivered to yet:",
    )
    assert read_letter(warning, OWN).kind is LetterKind.DELAYED


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (OUT_OF_OFFICE, LetterKind.AUTO_REPLY),
        (QUOTED_BY_A_PERSON, LetterKind.OTHER),
        (READ_RECEIPT, LetterKind.OTHER),
        (ORDINARY, LetterKind.OTHER),
        (b"", LetterKind.OTHER),
        (b"\0\xff" * 50, LetterKind.OTHER),
    ],
    ids=["out of office", "quoted by a person", "read receipt", "ordinary", "empty", "no text"],
)
def test_what_is_no_bounce_is_none(octets: bytes, kind: LetterKind) -> None:
    letter = read_letter(octets, OWN)
    assert (letter.kind, letter.recipients) == (kind, ())


def test_a_report_about_any_number_of_recipients_is_bounded() -> None:
    each = "\nFinal-Recipient: rfc822; c{}@x.example\nAction: failed\nStatus: 5.1.1\n"
    more = "".join(each.format(number) for number in range(500))
    assert len(read_letter(report(more=more), OWN).recipients) == MOST_RECIPIENTS


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(report())), st.binary(max_size=40))
def test_whatever_is_in_a_letter_nothing_is_raised(at: int, noise: bytes) -> None:
    octets = report()
    read_letter(octets[:at] + noise + octets[at + len(noise) :], OWN)


# --- what cannot be read ---


@pytest.mark.parametrize(
    ("octets", "subject"),
    [
        (WITHOUT_ADDRESS, "Undeliverable: Invoice 55"),
        (BY_EXCHANGE_IN_HTML, "Invoice 56"),
        (WITHOUT_ADDRESS.replace(b"To:", b"Auto-Submitted: auto-replied\nTo:"), "Undeliverable: Invoice 55"),
        (of_no_address().replace(b"Action: failed\n", b""), "Undelivered Mail Returned to Sender"),
        (of_no_address(), "Undelivered Mail Returned to Sender"),
    ],
)
def test_a_letter_that_reports_a_failure_of_no_readable_address_is_told(octets: bytes, subject: str) -> None:
    letter = read_letter(octets, OWN)
    assert (letter.recipients, letter.unreadable, letter.own_subject) == ((), True, subject)
    assert letter.at is not None


def test_a_report_of_which_one_address_cannot_be_read_tells_of_the_others_and_that_it_is_not_whole() -> None:
    more = "\nFinal-Recipient: rfc822; eva@elsewhere.example\nAction: failed\nStatus: 5.1.1\n"
    letter = read_letter(of_no_address(more), OWN)
    assert [each.address for each in letter.recipients] == ["eva@elsewhere.example"]
    assert letter.unreadable


@pytest.mark.parametrize(
    "octets",
    [
        report(),
        report(action="delivered", status="2.0.0"),
        report(action="delivered", status="2.0.0").replace(b"rfc822; bob@", b"rfc822; ?? "),
        IN_WORDS,
        BY_QMAIL,
        ORDINARY,
        OUT_OF_OFFICE,
        QUOTED_BY_A_PERSON,
        READ_RECEIPT,
    ],
)
def test_no_other_letter_counts_as_one_that_cannot_be_read(octets: bytes) -> None:
    letter = read_letter(octets, OWN)
    assert (letter.unreadable, letter.has_more) == (False, False)


@pytest.mark.parametrize("count", [MOST_RECIPIENTS, 2 * MOST_RECIPIENTS + 50, 5_000])
def test_a_letter_that_names_more_addresses_than_are_read_says_so(count: int) -> None:
    more = "".join(
        f"\nFinal-Recipient: rfc822; u{number}@d.example\nAction: failed\nStatus: 5.1.1\n" for number in range(count)
    )
    letter = read_letter(report(more=more), OWN)
    assert (len(letter.recipients), letter.has_more) == (MOST_RECIPIENTS, True)


def test_a_report_that_is_cut_off_within_its_recipients_says_so() -> None:
    long = "x" * 900
    more = "".join(
        f"\nFinal-Recipient: rfc822; u{number}@d.example\nAction: failed\nDiagnostic-Code: smtp; 550 {long}\n"
        for number in range(90)
    )
    letter = read_letter(report(more=more), OWN)
    assert len(letter.recipients) < 90
    assert letter.has_more
