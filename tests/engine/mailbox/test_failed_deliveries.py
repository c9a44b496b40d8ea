"""From letters to addresses: grouped, the newest first, explained, with what was probably meant."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

import pytest

from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.explain.explain import Explainer
from smtp_wizard.engine.explain.factory import load_explainer
from smtp_wizard.engine.mailbox import failed_deliveries as failed_deliveries_module
from smtp_wizard.engine.mailbox.bounce_letters import LetterKind, read_letter
from smtp_wizard.engine.mailbox.bounce_scan import FoundLetter
from smtp_wizard.engine.mailbox.failed_deliveries import FailedDelivery, failed_deliveries, one_letter_off
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.text.areas.bounces import delivery_lines
from tests.support.returned import BY_QMAIL, IN_WORDS, SEVERAL_IN_WORDS, in_words, report

LATE = "temporary_try_later"
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


@functools.cache
def explainer() -> Explainer:
    return load_explainer(load_catalog())


def found(octets: bytes, day: int, key: str = "") -> FoundLetter:
    arrived = BEGIN + timedelta(days=day)
    return FoundLetter(folder="INBOX", uid=day, key=key or str(day), arrived=arrived, letter=read_letter(octets))


def told(*letters: FoundLetter, seen: frozenset[str] = frozenset()) -> list[FailedDelivery]:
    return list(failed_deliveries(letters, explainer(), lambda address: "", seen, BEGIN))


def test_letters_are_grouped_by_address_and_the_newest_group_comes_first() -> None:
    deliveries = told(
        found(report("old@elsewhere.example"), 5),
        found(report("Bob@elsewhere.example", number=2), 3),
        found(report("bob@elsewhere.example", number=3), 9),
    )
    assert [(each.address.casefold(), each.at.day if each.at else 0) for each in deliveries] == [
        ("bob@elsewhere.example", 10),
        ("bob@elsewhere.example", 4),
        ("old@elsewhere.example", 6),
    ]


@pytest.mark.parametrize(
    ("octets", "cause", "words"),
    [
        (report(), "recipient_rejected", "does not take mail"),
        (IN_WORDS, "recipient_rejected", "does not take mail"),
        (BY_QMAIL, "recipient_rejected", "mailbox is full"),
        (
            report(
                status="5.7.26",
                diagnostic="smtp; 550-5.7.26 Unauthenticated email from example.com is not accepted due to domain's "
                "DMARC policy.",
            ),
            "spf_dmarc_fail",
            "forgery",
        ),
    ],
    ids=["unknown", "unknown, in words", "full, in words", "forged"],
)
def test_each_is_explained_with_what_to_do_with_the_customers_record(octets: bytes, cause: str, words: str) -> None:
    (delivery,) = told(found(octets, 5))
    assert (delivery.cause, delivery.final) == (cause, True)
    assert words in delivery.why
    assert any("customer" in step or "lists" in step for step in delivery.steps)


def test_a_delay_that_ended_in_a_failure_is_not_told_and_of_delays_only_the_last() -> None:
    late = report(action="delayed", status="4.4.1", diagnostic="X-Postfix; connection timed out")
    other = report("eva@elsewhere.example", action="delayed", status="4.4.1", number=2)
    deliveries = told(found(late, 1), found(report(), 6), found(other, 2), found(other, 4, "again"))
    assert [(each.address, each.kind, each.final) for each in deliveries] == [
        ("bob@elsewhere.example", LetterKind.FAILED, True),
        ("eva@elsewhere.example", LetterKind.DELAYED, False),
    ]
    assert deliveries[1].at == BEGIN + timedelta(days=4)


def test_the_same_letter_in_two_folders_is_told_once_and_what_was_shown_is_not_new() -> None:
    deliveries = told(found(report(), 5, "k"), found(report(), 5, "k"), seen=frozenset({"k"}))
    assert [each.new for each in deliveries] == [False]


def test_what_is_older_than_was_asked_for_is_left_out() -> None:
    assert told(found(report(), -2)) == []


def test_words_of_a_letter_are_fit_to_show() -> None:
    odd = report("bob@elsewhere.example", subject="Invoice \x1b[31m17\u202e")
    (delivery,) = told(found(odd, 5))
    assert "\x1b" not in delivery.subject
    assert "Invoice" in delivery.subject


WRITTEN = {"anna@firm.example", "bob@firm.example", "bert@other.example"}


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("ana@firm.example", "anna@firm.example"),
        ("annna@firm.example", "anna@firm.example"),
        ("anma@firm.example", "anna@firm.example"),
        ("nana@firm.example", "anna@firm.example"),
        ("obb@firm.example", "bob@firm.example"),
        ("bob@frim.example", "bob@firm.example"),
        ("bob@firm.example", ""),
        ("zoe@firm.example", ""),
    ],
)
def test_an_address_one_letter_off_is_offered_back(address: str, meant: str) -> None:
    assert one_letter_off(WRITTEN)(address) == meant


def test_where_two_are_one_letter_off_nobody_guesses() -> None:
    assert one_letter_off({"anna@firm.example", "anne@firm.example"})("ann@firm.example") == ""


def test_an_address_that_failed_often_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    is_close = failed_deliveries_module._is_close

    def counted(one: str, other: str) -> bool:
        compared.append(other)
        return is_close(one, other)

    monkeypatch.setattr(failed_deliveries_module, "_is_close", counted)
    near = one_letter_off(WRITTEN)
    assert {near("ana@firm.example"), near("Ana@firm.example")} == {"anna@firm.example"}
    assert sorted(compared) == ["anna@firm.example", "bob@firm.example"], "one of another length is none"


FULL = "smtp; 552 5.2.2 <bob@elsewhere.example>: box at its end"


@pytest.mark.parametrize(
    ("octets", "code", "title"),
    [
        (report(), "recipient_rejected", "does not take mail"),
        (report(status="5.2.2", diagnostic=FULL), "mailbox_full", "mailbox is full"),
        (report(status="4.2.2", diagnostic="smtp; 452 4.2.2 Mailbox full"), "mailbox_full", "mailbox is full"),
        (BY_QMAIL, "mailbox_full", "mailbox is full"),
        (report(status="5.4.7", diagnostic="smtp; 550 delivery expired (message too old)"), "delivery_expired", "time"),
        (report(status="4.4.7", diagnostic="smtp; 421 4.4.7 Delivery time expired"), "delivery_expired", "time"),
        (
            report(status="4.4.7", diagnostic="smtp;550 4.4.7 QUEUE.Expired; message expired"),
            "delivery_expired",
            "time",
        ),
        (report(status="4.2.2", diagnostic="smtp;550 4.2.2 STOREDRV; mailbox full"), "mailbox_full", "mailbox is full"),
        (report(status="4.2.0", diagnostic="smtp; 450 4.2.0 Try later"), "temporary_try_later", "could not be"),
    ],
    ids=[
        "gone",
        "full",
        "full for now",
        "full, in words",
        "expired",
        "expired, 4.4.7",
        "expired, as Exchange says it",
        "full, as Exchange says it",
        "put off",
    ],
)
def test_the_code_tells_gone_from_full_from_expired_and_only_who_is_gone_leaves_the_lists(
    octets: bytes, code: str, title: str
) -> None:
    (delivery,) = told(found(octets, 5))
    assert delivery.code == code
    assert title in delivery.why
    advice = " ".join(delivery.steps)
    assert ("out of your lists" in advice) is (code == "recipient_rejected")
    assert ("Leave the customer's record as it is." in delivery.steps) is (code != "recipient_rejected")
    assert "yet" not in delivery.why
    assert "takes no mail" not in advice


@pytest.mark.parametrize(
    ("status", "diagnostic", "title"),
    [
        ("5.4.14", "smtp;554 5.4.14 Hop count exceeded - possible mail loop", "round in circles"),
        ("5.4.6", "smtp; 554 5.4.6 Too many hops", "round in circles"),
        ("5.1.1", "smtp; 550 5.1.1 Mailbox temporarily disabled", "closed for now"),
        ("5.2.1", "smtp; 550 5.2.1 User account suspended temporarily", "closed for now"),
        ("5.7.133", "smtp;550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", "no mail from outside"),
    ],
)
def test_what_is_no_fault_of_the_address_takes_nobody_out_of_a_list(status: str, diagnostic: str, title: str) -> None:
    (delivery,) = told(found(report(status=status, diagnostic=diagnostic), 5))
    assert title in delivery.why
    assert delivery.who is Who.RECIPIENT
    advice = " ".join(delivery.steps)
    assert "Leave the customer's record as it is" in advice
    assert "out of your lists" not in advice
    assert "the test" not in advice


@pytest.mark.parametrize(
    "diagnostic",
    [
        "smtp; 551 5.1.6 User has moved; please try <bob.new@elsewhere.example>",
        "smtp; 551 <bob@elsewhere.example> not local; please try <bob.new@elsewhere.example>",
        "smtp; 550 5.1.1 bob@elsewhere.example has a new e-mail address: bob.new@elsewhere.example.",
    ],
)
def test_a_new_address_that_a_server_names_is_told_and_not_believed(diagnostic: str) -> None:
    (delivery,) = told(found(report(status="5.1.6", diagnostic=diagnostic), 5))
    assert delivery.steps[0] == "The server names a new address: bob.new@elsewhere.example."
    assert "whether it is theirs" in delivery.steps[1]
    assert delivery.did_you_mean == "", "Enter copies it, and whoever runs the server may have made it up"


def test_no_new_address_is_read_out_of_a_refusal_that_names_none() -> None:
    (delivery,) = told(found(report(), 5))
    assert not any("new address" in step for step in delivery.steps)


def test_what_was_sent_to_nobody_on_purpose_is_no_customer() -> None:
    assert told(found(report("no-such-mailbox-abcd2345@gone.example"), 5)) == []
    assert [each.address for each in told(found(report("no-such-mailbox@gone.example"), 5))] == [
        "no-such-mailbox@gone.example"
    ]


@pytest.mark.parametrize("form", SEVERAL_IN_WORDS)
def test_of_several_addresses_in_a_letter_each_has_its_own_reason(form: str) -> None:
    deliveries = told(found(SEVERAL_IN_WORDS[form], 5))
    assert {each.address: each.code for each in deliveries} == {
        "gone@elsewhere.example": "recipient_rejected",
        "full@elsewhere.example": "mailbox_full",
    }


def test_what_stands_below_an_address_and_names_another_is_the_others_reason() -> None:
    listed = "Your message could not be delivered to:\n\n  full@elsewhere.example\n  other@elsewhere.example\n"
    letter = in_words(f"{listed}\n552 5.2.2 full@elsewhere.example: mailbox full\n")
    codes = {each.address: each.code for each in told(found(letter, 5))}
    assert codes == {"full@elsewhere.example": "mailbox_full", "other@elsewhere.example": "unknown"}


def test_of_an_address_of_which_a_letter_says_no_reason_none_is_made_up() -> None:
    listed = in_words(
        "The following address(es) failed:\n\n  full@elsewhere.example\n    mailbox is full\n",
        head="X-Failed-Recipients: full@elsewhere.example, other@elsewhere.example\n",
    )
    codes = {each.address: each.code for each in told(found(listed, 5))}
    assert codes == {"full@elsewhere.example": "mailbox_full", "other@elsewhere.example": "unknown"}


@pytest.mark.parametrize(
    ("status", "diagnostic", "code"),
    [
        ("4.2.0", "smtp; 450 4.2.0 <bob@elsewhere.example>: Recipient address rejected: Greylisted", LATE),
        ("4.4.1", "X-Postfix; connect to mx.elsewhere.example[192.0.2.1]:25: Connection timed out", LATE),
        ("4.2.2", "smtp; 452 4.2.2 Mailbox full", "mailbox_full"),
    ],
)
def test_a_delay_is_no_refusal_and_no_blocked_port(status: str, diagnostic: str, code: str) -> None:
    (delivery,) = told(found(report(action="delayed", status=status, diagnostic=diagnostic), 5))
    assert (delivery.code, delivery.final) == (code, False)


def test_what_the_steps_point_at_is_there_and_bounded() -> None:
    blocked = "smtp; 554 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.spamhaus.org\x1b " + 900 * "x"
    (delivery,) = told(found(report(status="5.7.1", diagnostic=blocked), 5))
    assert any("message below" in step for step in delivery.steps)
    assert delivery.forward
    assert "zen.spamhaus.org" in delivery.server_said
    assert "\x1b" not in delivery.server_said
    assert len(delivery.server_said) <= 300
    lines = "\n".join(delivery_lines([delivery]))
    assert "The message to send:" in lines
    assert "The server said: 554 5.7.1 Service unavailable" in lines


def test_nobody_is_quoted_where_a_report_has_no_words_of_the_server() -> None:
    letter = b"\n".join(line for line in report().split(b"\n") if not line.lower().startswith(b"diagnostic-code"))
    [delivery] = told(found(letter, 1))
    assert (delivery.status, delivery.server_said) == ("5.1.1", "")


@pytest.mark.parametrize(
    ("own", "strange"),
    [
        (("ana@example.com",), False),
        (("ana@mail.example.com",), False),
        (("ana@other.example",), True),
        (("ana@notexample.com",), True),
        (("ana",), False),
    ],
)
def test_what_others_sent_in_the_accounts_name_is_told_apart(own: tuple[str, ...], strange: bool) -> None:
    letters = [found(report(), 5)]
    (delivery,) = failed_deliveries(letters, explainer(), lambda address: "", frozenset(), BEGIN, own)
    assert (delivery.backscatter, delivery.code == "backscatter") == (strange, strange)
    assert any("no customer of yours" in step for step in delivery.steps) is strange


def test_an_address_that_mail_is_sent_from_is_ones_own_whatever_its_domain() -> None:
    also = frozenset({"ana@example.com"})
    own, letters = ("shop@firm.example",), [found(report(), 5)]
    (delivery,) = failed_deliveries(letters, explainer(), lambda address: "", frozenset(), BEGIN, own, also)
    assert (delivery.backscatter, delivery.code) == (False, "recipient_rejected")


def test_of_a_message_from_an_unknown_domain_is_told_what_it_would_mean_if_it_is_ones_own() -> None:
    letters = [found(report(), 5)]
    (delivery,) = failed_deliveries(letters, explainer(), lambda address: "", frozenset(), BEGIN, ("x@firm.example",))
    assert delivery.why.startswith("Probably not your message: it is from ana@example.com")
    assert delivery.steps[1].startswith("Unless ana@example.com is an address of your own")
    assert "This address does not take mail. Compare bob@elsewhere.example" in delivery.steps[1]
