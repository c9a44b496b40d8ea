"""The dialogue without I/O: parsing, masking, what is owed."""

from __future__ import annotations

import base64
import smtplib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.smtp import protocol
from smtp_wizard.engine.smtp.masking import MASK, Redactor
from smtp_wizard.engine.smtp.protocol import Capabilities, Dialogue, Reply, ReplyParser, SmtpError
from smtp_wizard.engine.smtp.symptom import Fault

GOOD_LINES = (
    b"220 mail.example.test ESMTP\r\n"
    b"250-mail.example.test greets you\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 1000\r\n"
    b"334\r\n"
    b"535 5.7.8 no, \xc3\xa9 and \xff\n"
)


def replies(data: bytes, cuts: list[int]) -> list[Reply] | Fault:
    parser, found, start = ReplyParser(), [], 0
    try:
        for cut in [*sorted(cuts), len(data)]:
            parser.feed(data[start:cut])
            start = max(start, cut)
            while (reply := parser.next_reply()) is not None:
                found.append(reply)
    except SmtpError as error:
        return error.fault
    return found


@given(st.lists(st.integers(0, len(GOOD_LINES)), max_size=12))
def test_any_split_of_the_bytes_gives_the_same_replies(cuts: list[int]) -> None:
    whole = replies(GOOD_LINES, [])
    assert isinstance(whole, list)
    assert [reply.code for reply in whole] == [220, 250, 334, 535]
    assert replies(GOOD_LINES, cuts) == whole


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_any_split_of_any_bytes_comes_out_the_same(data: bytes, cuts: list[int]) -> None:
    assert replies(data, [cut for cut in cuts if cut <= len(data)]) == replies(data, [])


@pytest.mark.parametrize(
    "data",
    [
        b"+OK ready\r\n",
        b"250-one\r\n251 two\r\n",
        b"250-" + b"x" * 5000 + b"\r\n",
        b"x" * 5000,
        b"250-x\r\n" * 300,
        b"250-" + b"x" * 4000 + b"\r\n" + b"250-" + b"x" * 4000 + b"\r\n" * 20,
        b"199 no\r\n",
        b"2500 no\r\n",
        b"\r\n",
    ],
)
def test_what_is_no_reply_is_a_fault_however_it_is_cut(data: bytes) -> None:
    assert replies(data, []) is Fault.GARBLED
    assert replies(data, list(range(0, len(data), 7))) is Fault.GARBLED


def test_an_endless_reply_is_cut_at_sixty_four_kilobytes() -> None:
    parser = ReplyParser()
    for _ in range(65):
        parser.feed(b"250-" + b"y" * 1000 + b"\r\n")
        assert parser.next_reply() is None
    parser.feed(b"250-" + b"y" * 1000 + b"\r\n")
    with pytest.raises(SmtpError):
        parser.next_reply()


def test_enhanced_code_counts_only_when_its_class_agrees() -> None:
    assert Reply(535, (shown("5.7.8 bad"),)).enhanced == "5.7.8"
    assert Reply(250, (shown("5.7.8 bad"),)).enhanced is None
    assert Reply(535, (shown("5.7.8x bad"),)).enhanced is None
    assert Reply(535, (shown("bad 5.7.8"),)).enhanced is None


def test_the_enhanced_code_of_a_long_reply_is_said_once() -> None:
    assert (
        Reply(534, (shown("5.7.9 Application"), shown("5.7.9 password"), shown("5.7.8 other"))).shown
        == "534 5.7.9 Application password 5.7.8 other"
    )


def test_replies_are_shown_on_one_line_with_controls_escaped() -> None:
    assert Reply(550, (shown("a\x1b[2J"), shown("b\u202ec"))).shown == "550 a\\x1b[2J b\\u202ec"


def test_capabilities_know_the_old_way_of_writing_auth() -> None:
    offered = Capabilities.parse(
        Reply(
            250, (shown("hi"), shown("auth=LOGIN"), shown("AUTH plain login"), shown("SIZE 35882577"), shown("X-1\x07"))
        )
    )
    assert offered.mechanisms == ("LOGIN", "PLAIN")


@pytest.mark.parametrize("secret", ["PIPELINING SIZE", "SIZE 50000 AUTH", "offers PIPELINING"])
def test_what_a_good_reply_offers_is_never_masked_across_its_lines(secret: str) -> None:
    """A refusal is: there the secret may be spread over the lines. A capability that looks like it must be known."""
    offer = ["mail offers", "PIPELINING", "SIZE 50000", "AUTH PLAIN"]

    def read(code: int) -> tuple[str, ...]:
        parser = ReplyParser(Redactor(Secret(secret)))
        last = len(offer) - 1
        for number, line in enumerate(offer):
            parser.feed(f"{code}{' ' if number == last else '-'}{line}\r\n".encode())
        reply = parser.next_reply()
        assert reply is not None
        return reply.lines

    assert read(250) == tuple(offer)
    assert read(550) == (MASK,)


@pytest.mark.parametrize("text", ["a\r\nDATA", "a\nb", "a\0"])
def test_a_command_is_one_line(text: str) -> None:
    with pytest.raises(ValueError):
        protocol.ehlo(text)


def test_sender_and_recipient_go_with_what_the_server_offers() -> None:
    sender = Address.parse("ana@bücher.example")
    offered = {"SIZE": "1000", "8BITMIME": ""}
    assert protocol.mail_from(sender, offered, size=12, utf8=False, eight_bit=True).data == (
        b"MAIL FROM:<ana@xn--bcher-kva.example> SIZE=12 BODY=8BITMIME\r\n"
    )
    assert protocol.mail_from(None, {}, size=12, utf8=False, eight_bit=True).data == b"MAIL FROM:<>\r\n"
    assert protocol.rcpt_to(sender).data == b"RCPT TO:<ana@xn--bcher-kva.example>\r\n"


def test_a_bounce_is_asked_for_only_where_the_server_offers_it() -> None:
    """RFC 3461 sections 4.1, 4.3 and 4.4."""
    asked = {"size": 12, "utf8": False, "eight_bit": False}
    with_dsn = protocol.mail_from(None, {"DSN": ""}, **asked, envelope_id="abcd")  # type: ignore[arg-type]
    assert with_dsn.data == b"MAIL FROM:<> RET=HDRS ENVID=abcd\r\n"
    without = protocol.mail_from(None, {}, **asked, envelope_id="abcd")  # type: ignore[arg-type]
    assert without.data == b"MAIL FROM:<>\r\n"
    notified = protocol.rcpt_to(Address("ana", "example.com"), notify=True)
    assert notified.data == b"RCPT TO:<ana@example.com> NOTIFY=FAILURE,DELAY\r\n"


@given(st.text(alphabet="ab.\r\n", max_size=60))
def test_dots_are_doubled_as_the_standard_library_doubles_them(text: str) -> None:
    """The oracle is smtplib, which builds the same bytes for DATA."""

    class Recorder(smtplib.SMTP):
        sent = b""

        def putcmd(self, cmd: str, args: str = "") -> None:
            self.sent = b""

        def getreply(self) -> tuple[int, bytes]:
            return (354, b"")

        def send(self, s: object) -> None:
            assert isinstance(s, bytes)
            self.sent += s

    oracle = Recorder()
    oracle.data(text)
    expected = oracle.sent if text else b".\r\n"
    assert protocol.content(text.encode()).data == expected


def test_a_reply_that_nobody_asked_for_is_a_fault() -> None:
    dialogue = Dialogue()
    dialogue.receive(b"220 hi\r\n250 early\r\n")
    greeting = dialogue.reply()
    assert greeting is not None
    with pytest.raises(SmtpError) as caught:
        dialogue.send(protocol.ehlo("me"))
    assert caught.value.fault is Fault.UNSOLICITED
    assert caught.value.words == "250 early"


def test_a_server_that_says_it_closes_is_not_called_a_liar() -> None:
    dialogue = Dialogue()
    dialogue.receive(b"220 hi\r\n421 4.4.2 idle too long\r\n")
    dialogue.reply()
    with pytest.raises(SmtpError) as caught:
        dialogue.send(protocol.ehlo("me"))
    assert caught.value.fault is Fault.REJECTED
    assert caught.value.reply == Reply(421, (shown("4.4.2 idle too long"),))


def test_only_owed_replies_can_be_taken() -> None:
    dialogue = Dialogue()
    dialogue.receive(b"220 hi\r\n")
    dialogue.reply()
    with pytest.raises(ValueError):
        dialogue.reply()


def test_what_came_before_the_handshake_is_thrown_away_and_told() -> None:
    dialogue = Dialogue()
    dialogue.receive(b"220 hi\r\n")
    dialogue.reply()
    dialogue.send(protocol.starttls())
    dialogue.receive(b"220 go\r\n250 injected\x1b\r\n")
    dialogue.reply()
    assert dialogue.restart_under_tls() == "250 injected\\x1b"
    assert dialogue.send(protocol.ehlo("me")) == b"EHLO me\r\n"


def encodings(secret: str, username: str) -> list[tuple[str, int]]:
    """Ways of writing a secret down, each with the octets before it in the same Base64 text."""
    raw = secret.encode()
    found = [(secret, 0), (raw.hex(), 0), (raw.hex().upper(), 0), (base64.b64encode(raw).decode(), 0)]
    for before in ("", "x", "xy", "xyz", f"\0{username}\0"):
        for after in ("", "z"):
            text = before.encode() + raw + after.encode()
            found.append((base64.b64encode(text).decode(), len(before)))
    return found


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Zl", "Zp")), min_size=6, max_size=40))
def test_a_secret_is_masked_in_every_encoding(secret: str) -> None:
    """What stays of an encoding is what its neighbours in Base64 decide: a handful of letters at the ends."""
    redactor = Redactor(Secret(secret), "ana")
    for form, before in encodings(secret, "ana"):
        scrubbed = redactor.scrub(f"<<{form}>>")
        assert form not in scrubbed
        assert MASK in scrubbed
        left = scrubbed.replace(MASK, "").strip("<>")
        assert len(left) <= 8 + before * 2


WRITTEN_OTHERWISE = (
    "as a form sends it: Tr0ub4dor%263+xyz",
    "as a page has it: Tr0ub4dor&amp;3 xyz",
    "with every character escaped: &#84;&#114;0ub4dor&#x26;3&#32;xyz",
    "as mail has it: Tr0ub4dor=263=20xyz",
    "as a header has it: Tr0ub4dor=263_xyz",
    r"as JSON has it: Tr0ub4dor\u00263 xyz",
    r"in a shell: Tr0ub4dor\&3\ xyz",
    "in a dump: 54:72:30:75:62:34:64:6f:72:26:33:20:78:79:7a",
    "in another: 54 72 30 75 62 34 64 6F 72 26 33 20 78 79 7A",
)


@pytest.mark.parametrize("words", WRITTEN_OTHERWISE)
def test_a_secret_that_is_escaped_takes_its_whole_line_with_it(words: str) -> None:
    redactor = Redactor(Secret("Tr0ub4dor&3 xyz"), "ana")
    assert redactor.scrub(words) == MASK
    assert redactor.scrub(words.replace("4", "5")) != MASK


SPREAD = (
    b"535-Tr0ub4d\r\n535 or&3 xyz\r\n",
    b"535-5.7.8 you sent Tr0ub4d\r\n535 5.7.8 or&3 xyz\r\n",
    b"535-Tr0ub4dor&3\r\n535 xyz\r\n",
    b"535-VHIwdWI0\r\n535-ZG9yJjMg\r\n535 eHl6\r\n",
)


@pytest.mark.parametrize("data", SPREAD)
def test_a_refusal_that_spreads_a_secret_over_lines_is_masked_whole(data: bytes) -> None:
    parser = ReplyParser(Redactor(Secret("Tr0ub4dor&3 xyz"), "ana"))
    parser.feed(data)
    assert parser.next_reply() == Reply(535, (MASK,))
    parser.feed(data.replace(b"535", b"250"))
    assert parser.next_reply() != Reply(250, (MASK,)), "what a good reply offers is never touched"


@pytest.mark.parametrize("words", ["50%", "a=b &c; 100%zz", "\\", "\\u12", "\\ud83d", "=", "=\n", "&#xffffffff;", "+"])
def test_what_only_looks_escaped_stays(words: str) -> None:
    assert Redactor(Secret("Tr0ub4dor&3 xyz"), "ana").scrub(words) == words


def test_a_secret_too_short_to_be_found_asks_for_the_whole_to_be_masked() -> None:
    assert Redactor(Secret("abc")).whole
    assert not Redactor(Secret("abcdef")).whole
    assert not Redactor(None).whole
    assert Redactor(None).scrub("hello") == "hello"


def test_a_check_in_which_nobody_says_the_secret_back_compiles_no_pattern_for_it() -> None:
    """It took longer than all the rest of a check; a fleet has thousands."""
    redactor = Redactor(Secret("correct horse battery"), "ana")
    assert redactor.scrub("250-SIZE 10240000 a=b 30+40%") == "250-SIZE 10240000 a=b 30+40%"
    assert "_pattern" not in vars(redactor)
    assert redactor.scrub("no CORRECT Horse Battery here") == f"no {MASK} here"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("kiss kiss kiss", "\u212aiss Kiss ki\u017fs"),
        ("stra\u00dfe 1234", "STRA\u00dfE 1234"),
        ("pass-word", "PA\u017f\u017f-WORD"),
    ],
)
def test_what_is_the_same_but_for_upper_and_lower_case_is_masked_beyond_ascii_too(secret: str, said: str) -> None:
    assert said not in Redactor(Secret(secret), "ana").scrub(f"535 not {said}, no")
