"""The stages on a scripted wire: order, verdicts, round trips, transcript, secrets."""

from __future__ import annotations

import asyncio
import base64
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.events import Event, Line, RunFinished, StageStarted, fold
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.checks.runner import run_checks
from smtp_wizard.engine.checks.target import Mail, Target, TimeLimits, planned_stages
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.smtp.symptom import Fault, Symptom, TlsFault
from smtp_wizard.engine.smtp.tls import TlsFacts
from smtp_wizard.engine.smtp.transport import Peer
from smtp_wizard.engine.smtp.wire_error import WireError
from tests.support.nouns import with_fields
from tests.support.scripted import (
    FACTS,
    Client,
    Early,
    Eof,
    Fails,
    ScriptedStream,
    ScriptedWire,
    Server,
    Silence,
    Step,
    Tls,
    Until,
)

TLS = Endpoint("mail.example.test", 465, Security.TLS)
STARTTLS = Endpoint("mail.example.test", 587, Security.STARTTLS)
PLAIN = Endpoint("mail.example.test", 25, Security.NONE)
SECRET = Secret("correct horse")
ANSWER = b"AUTH PLAIN " + base64.b64encode(b"\0ana\0correct horse") + b"\r\n"
EHLO = Client(b"EHLO [127.0.0.1]\r\n")
GREETING = Server(b"220 mail.example.test ESMTP\r\n")
OFFER = Server(b"250-mail.example.test\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250 AUTH PLAIN LOGIN\r\n")
SLOW_OFFER = Server(b"250-mail.example.test\r\n250 AUTH PLAIN LOGIN\r\n")
BARE_OFFER = Server(b"250-mail.example.test\r\n250 STARTTLS\r\n")
SIGNED_IN = Server(b"235 2.7.0 welcome\r\n")
TO_TLS: list[Step] = [Tls(), GREETING, EHLO, OFFER]
TO_STARTTLS: list[Step] = [
    GREETING,
    EHLO,
    BARE_OFFER,
    Client(b"STARTTLS\r\n"),
    Server(b"220 go\r\n"),
    Tls(),
    EHLO,
    OFFER,
]
MAIL = Mail(Address("ana", "example.test"), Address("bob", "example.test"), b"Subject: hi\r\n\r\n.dot\r\n")
FAST = TimeLimits(
    **dict.fromkeys(("dns", "connect", "tls", "greeting", "ehlo", "starttls", "auth", "data"), 0.2), silence=0.02
)


class Mirror:
    """A diagnosis that says back what it was asked, so that a test sees the symptom."""

    def __init__(self) -> None:
        self.symptoms: list[Symptom] = []

    def explain(self, symptom: Symptom) -> Finding:
        self.symptoms.append(symptom)
        said = f"{symptom.code} {symptom.words}" if symptom.code else ""
        return Finding(
            code=symptom.fault.value,
            title=shown(symptom.fault.value),
            explanation=symptom.words,
            who=Who.YOU,
            steps=(shown("look"),),
            server_said=shown(said),
            fix=symptom.other,
            warning=symptom.fault is Fault.INJECTED,
        )


class Checked:
    """One run: events, report, and what the diagnosis was asked."""

    def __init__(self, wire: ScriptedWire, events: list[Event], report: Report, symptoms: list[Symptom]) -> None:
        self.wire, self.events, self.report, self.symptoms = wire, events, report, symptoms

    @property
    def rows(self) -> list[tuple[str, str]]:
        return [(r.stage.value, r.verdict.value) for r in self.report.results if r.verdict is not Verdict.SKIPPED]

    @property
    def last(self) -> CheckResult:
        return [r for r in self.report.results if r.verdict is not Verdict.SKIPPED][-1]

    @property
    def transcript(self) -> list[str]:
        return [f"{e.way.value}: {e.text}" for e in self.events if isinstance(e, Line)]


async def checked(
    endpoint: Endpoint,
    *scripts: Sequence[Step],
    depth: Depth = Depth.LOGIN,
    secret: Secret | None = SECRET,
    wire: ScriptedWire | None = None,
    **options: object,
) -> Checked:
    wire = wire or ScriptedWire(*scripts)
    mirror, events = Mirror(), list[Event]()
    target = with_fields(Target(connection=Connection(endpoint=endpoint, username="ana")), **options)
    # Only silence is to end at its limit; a busy computer must not.
    steps = [step for script in wire.scripts for step in script]
    slow = (
        replace(TimeLimits(), silence=FAST.silence) if any(isinstance(step, Until) for step in steps) else TimeLimits()
    )
    limits = FAST if any(isinstance(step, Silence) for step in steps) else slow
    report = await run_checks(
        target, secret, depth=depth, wire=wire, diagnosis=mirror, emit=events.append, limits=limits
    )
    wire.finished()
    assert fold(endpoint, events) == report
    assert events[-1] == RunFinished(report)
    return Checked(wire, events, report, mirror.symptoms)


async def test_sign_in_over_tls_takes_five_round_trips() -> None:
    done = await checked(TLS, [*TO_TLS, Client(ANSWER), SIGNED_IN])
    assert done.report.verdict is Verdict.PASS
    assert done.wire.round_trips == 5
    assert done.wire.said_quit
    assert [stage for stage, _ in done.rows] == ["dns", "connect", "tls", "greeting", "ehlo", "auth"]
    assert done.report.mechanism == "PLAIN"
    assert done.report.tls == FACTS
    assert done.report.capabilities["SIZE"] == "1000000"


async def test_sign_in_over_starttls_takes_seven_round_trips() -> None:
    done = await checked(STARTTLS, [*TO_STARTTLS, Client(ANSWER), SIGNED_IN])
    assert done.report.verdict is Verdict.PASS
    assert done.wire.round_trips == 7
    assert [stage for stage, _ in done.rows] == ["dns", "connect", "greeting", "ehlo", "starttls", "auth"]


async def test_a_test_message_takes_two_more_with_pipelining() -> None:
    batch = Client(b"MAIL FROM:<ana@example.test> SIZE=21\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n")
    body = Client(b"Subject: hi\r\n\r\n..dot\r\n.\r\n")
    done = await checked(
        TLS,
        [
            *TO_TLS,
            Client(ANSWER),
            SIGNED_IN,
            batch,
            Server(b"250 a\r\n250 b\r\n354 go\r\n"),
            body,
            Server(b"250 2.0.0 ok\r\n"),
        ],
        depth=Depth.SEND,
        mail=MAIL,
    )
    assert done.report.verdict is Verdict.PASS
    assert done.wire.round_trips == 5 + 2
    assert done.last.detail == "250 2.0.0 ok"


async def test_a_test_message_takes_four_more_without_pipelining() -> None:
    done = await checked(
        TLS,
        [
            *[Tls(), GREETING, EHLO, SLOW_OFFER, Client(ANSWER), SIGNED_IN],
            *[Client(b"MAIL FROM:<ana@example.test>\r\n"), Server(b"250 a\r\n")],
            *[Client(b"RCPT TO:<bob@example.test>\r\n"), Server(b"251 b\r\n")],
            *[
                Client(b"DATA\r\n"),
                Server(b"354 go\r\n"),
                Client(re.compile(rb"(?s).*\r\n\.\r\n")),
                Server(b"250 ok\r\n"),
            ],
        ],
        depth=Depth.SEND,
        mail=MAIL,
    )
    assert done.report.verdict is Verdict.PASS
    assert done.wire.round_trips == 5 + 4


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
async def test_how_the_bytes_are_cut_changes_nothing(chunk: int) -> None:
    script = [*TO_STARTTLS, Client(ANSWER), Server(b"535-5.7.8 no\r\n535 5.7.8 really\r\n")]
    whole = await checked(STARTTLS, script)
    cut = await checked(STARTTLS, wire=ScriptedWire(script, chunk=chunk))
    assert cut.rows == whole.rows
    assert cut.transcript == whole.transcript
    assert cut.symptoms == whole.symptoms


async def test_one_wrong_password_is_one_attempt() -> None:
    done = await checked(TLS, [*TO_TLS, Client(ANSWER), Server(b"535 5.7.8 wrong\r\n")])
    assert done.rows[-1] == ("auth", "fail")
    assert (done.symptoms[0].code, done.symptoms[0].enhanced, done.symptoms[0].words) == (535, "5.7.8", "5.7.8 wrong")
    assert sum(text.startswith("C: AUTH") for text in done.transcript) == 1
    assert done.wire.said_quit


async def test_login_is_used_where_plain_is_not_offered() -> None:
    done = await checked(
        TLS,
        [
            *[Tls(), GREETING, EHLO, Server(b"250-x\r\n250 AUTH LOGIN CRAM-MD5\r\n")],
            *[Client(b"AUTH LOGIN\r\n"), Server(b"334 VXNlcm5hbWU6\r\n")],
            *[Client(base64.b64encode(b"ana") + b"\r\n"), Server(b"334 UGFzc3dvcmQ6\r\n")],
            *[Client(base64.b64encode(b"correct horse") + b"\r\n"), SIGNED_IN],
        ],
    )
    assert done.report.mechanism == "LOGIN"
    assert [text for text in done.transcript if "334" in text] == ["S: 334 ********"] * 2
    assert "C: ********" in done.transcript


async def test_a_server_that_only_knows_others_mechanisms_is_told_apart_from_one_that_knows_none() -> None:
    other = await checked(TLS, [Tls(), GREETING, EHLO, Server(b"250-x\r\n250 AUTH GSSAPI\r\n")])
    tokens = await checked(TLS, [Tls(), GREETING, EHLO, Server(b"250-x\r\n250 AUTH XOAUTH2\r\n")])
    none = await checked(TLS, [Tls(), GREETING, EHLO, Server(b"250 x\r\n")])
    assert (other.symptoms[0].fault, other.symptoms[0].lacking) == (Fault.NOT_OFFERED, "MECHANISM")
    assert other.symptoms[0].facts["mechanisms"] == "GSSAPI"
    assert (tokens.symptoms[0].fault, tokens.symptoms[0].lacking) == (Fault.NOT_OFFERED, "PASSWORD")
    assert (none.symptoms[0].fault, none.symptoms[0].lacking) == (Fault.NOT_OFFERED, "AUTH")


async def test_no_password_goes_over_a_bare_line_unless_the_person_said_yes() -> None:
    offer = Server(b"250-x\r\n250 AUTH PLAIN\r\n")
    refused = await checked(PLAIN, [GREETING, EHLO, offer])
    assert refused.symptoms[0].fault is Fault.UNENCRYPTED
    allowed = await checked(PLAIN, [GREETING, EHLO, offer, Client(ANSWER), SIGNED_IN], allow_cleartext=True)
    assert allowed.report.verdict is Verdict.PASS


@pytest.mark.parametrize(
    "answer",
    [
        [BARE_OFFER, Client(b"STARTTLS\r\n"), Server(b"454 4.7.0 TLS not available\r\n")],
        [Server(b"250-x\r\n250 AUTH PLAIN\r\n")],
        [
            BARE_OFFER,
            Client(b"STARTTLS\r\n"),
            Server(b"220 go\r\n"),
            Tls(WireError(Fault.TLS_FAILED, shown("x"), TlsFault.OTHER)),
        ],
    ],
)
async def test_no_password_goes_out_after_starttls_failed_even_with_a_yes(answer: list[Step]) -> None:
    done = await checked(STARTTLS, [GREETING, EHLO, *answer], allow_cleartext=True)
    assert done.rows[-1] == ("starttls", "fail")
    assert not any("AUTH" in text for text in done.transcript if text.startswith("C:"))


async def test_what_comes_before_the_handshake_is_thrown_away_and_reported() -> None:
    script = [
        GREETING,
        EHLO,
        BARE_OFFER,
        Client(b"STARTTLS\r\n"),
        Server(b"220 go\r\n250 evil\r\n"),
        Tls(),
        EHLO,
        OFFER,
    ]
    done = await checked(STARTTLS, [*script, Client(ANSWER), SIGNED_IN])
    assert done.report.verdict is Verdict.WARN
    assert done.symptoms[0].fault is Fault.INJECTED
    assert "evil" in done.symptoms[0].words
    assert done.rows[-1] == ("auth", "pass")


async def test_replies_sent_before_they_are_asked_for_never_count() -> None:
    done = await checked(
        TLS,
        [
            *[Tls(), GREETING, EHLO, SLOW_OFFER, Client(ANSWER), SIGNED_IN],
            *[Client(b"MAIL FROM:<ana@example.test>\r\n"), Server(b"250 a\r\n250 b\r\n354 c\r\n250 sent\r\n")],
        ],
        depth=Depth.SEND,
        mail=MAIL,
    )
    assert done.rows[-1] == ("rcpt", "fail")
    assert done.symptoms[0].fault is Fault.UNSOLICITED


async def test_a_success_said_before_the_message_was_sent_never_counts() -> None:
    done = await checked(
        TLS,
        [
            *[*TO_TLS, Client(ANSWER), SIGNED_IN, Client(re.compile(rb"(?s)MAIL.*DATA\r\n"))],
            *[Server(b"250 a\r\n250 b\r\n354 go\r\n"), Early(b"250 sent\r\n")],
        ],
        depth=Depth.SEND,
        mail=MAIL,
    )
    assert done.rows[-1] == ("data", "fail")
    assert done.symptoms[0].fault is Fault.UNSOLICITED


@pytest.mark.parametrize(
    "end", [Eof(), Silence(), Fails(WireError(Fault.RESET, shown("reset"))), Server(b"garbage\r\n")]
)
async def test_a_reply_lost_after_the_final_dot_is_unknown(end: Step) -> None:
    done = await checked(
        TLS,
        [
            *[*TO_TLS, Client(ANSWER), SIGNED_IN, Client(re.compile(rb"(?s)MAIL.*DATA\r\n"))],
            *[Server(b"250 a\r\n250 b\r\n354 go\r\n"), Client(re.compile(rb"(?s).*\r\n\.\r\n")), end],
        ],
        depth=Depth.SEND,
        mail=MAIL,
    )
    assert done.rows[-1] == ("data", "unknown")
    assert done.report.verdict is Verdict.UNKNOWN
    assert done.symptoms[0].fault is Fault.OUTCOME_UNKNOWN


async def test_a_refused_recipient_sends_nothing_even_where_the_server_takes_data() -> None:
    done = await checked(
        TLS,
        [
            *[*TO_TLS, Client(ANSWER), SIGNED_IN, Client(re.compile(rb"(?s)MAIL.*DATA\r\n"))],
            *[Server(b"250 a\r\n550 5.1.1 nobody\r\n354 go\r\n"), Client(b".\r\n"), Server(b"554 none\r\n")],
        ],
        depth=Depth.SEND,
        mail=MAIL,
    )
    assert done.rows[-1] == ("rcpt", "fail")
    assert done.symptoms[0].enhanced == "5.1.1"


async def test_silence_where_a_greeting_is_due_asks_whether_the_port_speaks_tls() -> None:
    done = await checked(STARTTLS, [Silence()], [Tls()])
    assert done.rows[-1] == ("greeting", "fail")
    assert done.symptoms[0].fault is Fault.SPEAKS_TLS
    assert done.symptoms[0].other == replace(STARTTLS, security=Security.TLS)


async def test_silence_on_a_port_that_speaks_no_tls_stays_silence() -> None:
    done = await checked(
        STARTTLS, [Silence()], [Tls(WireError(Fault.CLOSED, shown("closed")))], alternatives=(STARTTLS, TLS)
    )
    assert done.symptoms[0].fault is Fault.SILENT
    assert done.symptoms[0].other == TLS


@pytest.mark.parametrize("ends", [Eof(), Fails(WireError(Fault.RESET, shown("reset")))], ids=["closed", "reset"])
@pytest.mark.parametrize(
    ("tls", "fault"), [(FACTS, Fault.SPEAKS_TLS), (WireError(Fault.CLOSED, shown("closed")), None)], ids=["tls", "none"]
)
async def test_a_server_that_hangs_up_while_it_is_asked_whether_it_speaks_tls(
    ends: Step, tls: TlsFacts | WireError, fault: Fault | None
) -> None:
    """It has waited for a handshake for long enough; the other connection still tells why."""
    begun = asyncio.Event()
    done = await checked(STARTTLS, [Until(begun), ends], [Tls(tls, begun)], alternatives=(STARTTLS, TLS))
    assert done.rows[-1] == ("greeting", "fail")
    assert done.symptoms[0].fault is (fault or (Fault.CLOSED if ends == Eof() else Fault.RESET))
    assert done.symptoms[0].other == (replace(STARTTLS, security=Security.TLS) if fault else TLS)


async def test_a_tls_alert_in_place_of_a_greeting_is_known() -> None:
    done = await checked(PLAIN, [Server(b"\x15\x03\x01\x00\x02\x02\x46")])
    assert done.symptoms[0].fault is Fault.SPEAKS_TLS


async def test_a_greeting_in_place_of_tls_is_known() -> None:
    done = await checked(TLS, [Tls(WireError(Fault.SPEAKS_PLAIN, shown("220 hi")))])
    assert done.rows[-1] == ("tls", "fail")
    assert done.symptoms[0].other == replace(TLS, security=Security.STARTTLS)


@pytest.mark.parametrize("words", [b"+OK POP3 ready\r\n", b"* OK IMAP4\r\n", b"HTTP/1.1 400 Bad\r\n", b"<html>\r\n"])
async def test_another_protocol_is_named(words: bytes) -> None:
    done = await checked(STARTTLS, [Server(words)])
    assert done.symptoms[0].fault is Fault.OTHER_PROTOCOL
    assert done.symptoms[0].words


async def test_a_certificate_that_is_not_believed_is_looked_at_over_a_second_connection_without_sign_in() -> None:
    wrong = Tls(WireError(Fault.TLS_FAILED, shown("hostname mismatch"), TlsFault.WRONG_NAME))
    first = [GREETING, EHLO, BARE_OFFER, Client(b"STARTTLS\r\n"), Server(b"220 go\r\n"), wrong]
    second = [GREETING, EHLO, BARE_OFFER, Client(b"STARTTLS\r\n"), Server(b"220 go\r\n"), Tls()]
    done = await checked(STARTTLS, first, second)
    assert done.symptoms[0].tls is TlsFault.WRONG_NAME
    assert done.symptoms[0].facts["certificate_names"] == "mail.example.test"


@pytest.mark.parametrize("code", [500, 502])
async def test_helo_is_tried_where_the_command_is_not_known(code: int) -> None:
    refused = Server(f"{code} what?\r\n".encode())
    script = [GREETING, EHLO, refused, Client(b"HELO [127.0.0.1]\r\n"), Server(b"250 hi\r\n")]
    done = await checked(PLAIN, script, depth=Depth.SERVER)
    assert (done.report.verdict, done.report.capabilities) == (Verdict.PASS, {})


@pytest.mark.parametrize("code", [501, 504, 550, 421])
async def test_helo_is_not_tried_where_something_else_is_at_fault(code: int) -> None:
    """After 501 and 504 it is the name that is not taken: HELO would say the same one."""
    done = await checked(PLAIN, [GREETING, EHLO, Server(f"{code} no\r\n".encode())], depth=Depth.SERVER)
    (symptom,) = done.symptoms
    assert (symptom.stage, symptom.code, symptom.facts["ehlo_name"]) == (Stage.EHLO, code, "[127.0.0.1]")
    assert symptom.lacking == ("NAME" if code in (501, 504) else "")


@pytest.mark.parametrize("code", [501, 504])
async def test_the_name_may_also_be_refused_with_helo(code: int) -> None:
    script = [GREETING, EHLO, Server(b"502 what?\r\n"), Client(b"HELO [127.0.0.1]\r\n"), Server(b"%d no\r\n" % code)]
    done = await checked(PLAIN, script, depth=Depth.SERVER)
    assert [(each.stage, each.lacking) for each in done.symptoms] == [(Stage.EHLO, "NAME")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("192.0.2.1", b"[192.0.2.1]"),
        ("2001:db8::1", b"[IPv6:2001:db8::1]"),
        ("[192.0.2.1]", b"[192.0.2.1]"),
        ("[IPv6:2001:db8::1]", b"[IPv6:2001:db8::1]"),
        ("[2001:db8::1]", b"[IPv6:2001:db8::1]"),
        ("pc.example.test", b"pc.example.test"),
        ("old name", b"old name"),
    ],
)
async def test_an_address_is_said_as_a_literal(name: str, said: bytes) -> None:
    """RFC 5321 section 4.1.3; whatever a saved account has that is neither name nor address is said as it is."""
    script = [GREETING, Client(b"EHLO " + said + b"\r\n"), OFFER]
    assert (await checked(PLAIN, script, depth=Depth.SERVER, ehlo_name=name)).report.verdict is Verdict.PASS


async def test_servers_without_sign_in_are_not_signed_in_to() -> None:
    assert Stage.AUTH not in planned_stages(Target(connection=Connection(endpoint=PLAIN, auth=Auth.NONE)), Depth.SEND)
    done = await checked(PLAIN, [GREETING, EHLO, Server(b"250 x\r\n")], auth=Auth.NONE, secret=None)
    assert done.report.verdict is Verdict.PASS


async def test_a_name_for_ehlo_is_used() -> None:
    done = await checked(
        PLAIN,
        [GREETING, Client(b"EHLO shop.example.test\r\n"), OFFER],
        depth=Depth.SERVER,
        ehlo_name="shop.example.test",
    )
    assert done.report.verdict is Verdict.PASS


async def test_stages_that_were_not_reached_are_skipped_and_said_so() -> None:
    done = await checked(
        TLS, wire=ScriptedWire(connect=WireError(Fault.REFUSED, shown("refused"))), alternatives=(STARTTLS,)
    )
    verdicts = [(r.stage, r.verdict) for r in done.report.results]
    assert verdicts[1] == (Stage.CONNECT, Verdict.FAIL)
    assert all(verdict is Verdict.SKIPPED for _, verdict in verdicts[2:])
    assert [stage for stage, _ in verdicts] == list(
        planned_stages(Target(connection=Connection(endpoint=TLS)), Depth.LOGIN)
    )
    assert done.symptoms[0].other == STARTTLS


async def test_a_server_that_drips_is_cut_at_the_time_limit_of_the_stage() -> None:
    done = await checked(TLS, [Tls(), GREETING, EHLO, Server(b"250-slow\r\n"), Silence()])
    assert done.rows[-1] == ("ehlo", "fail")
    assert done.symptoms[0].fault is Fault.SILENT
    assert done.symptoms[0].facts["seconds"] == "0.2"


async def test_letters_outside_ascii_in_an_address_need_smtputf8() -> None:
    mail = replace(MAIL, recipient=Address("zoë", "example.test"))
    done = await checked(TLS, [*TO_TLS, Client(ANSWER), SIGNED_IN], depth=Depth.SEND, mail=mail)
    assert done.symptoms[0].lacking == "SMTPUTF8"


async def test_cancelling_closes_the_connection() -> None:
    wire = ScriptedWire([Tls(), Silence()])
    started = asyncio.Event()

    def emit(event: Event) -> None:
        if event == StageStarted(Stage.GREETING):
            started.set()

    task = asyncio.ensure_future(
        run_checks(
            Target(connection=Connection(endpoint=TLS)),
            None,
            depth=Depth.SERVER,
            wire=wire,
            diagnosis=Mirror(),
            emit=emit,
        )
    )
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wire.streams[0].closed


@pytest.mark.parametrize(
    ("depth", "target", "secret"),
    [
        (Depth.SEND, Target(connection=Connection(endpoint=TLS)), SECRET),
        (Depth.LOGIN, Target(connection=Connection(endpoint=TLS)), None),
        (Depth.LOGIN, Target(connection=Connection(endpoint=TLS, auth=Auth.XOAUTH2)), None),
    ],
)
async def test_a_check_that_lacks_what_it_needs_is_a_bug_not_a_finding(
    depth: Depth, target: Target, secret: Secret | None
) -> None:
    with pytest.raises(ValueError):
        await run_checks(target, secret, depth=depth, wire=ScriptedWire(), diagnosis=Mirror(), emit=lambda event: None)


def texts(value: object) -> Iterator[str]:
    """Every text in events and symptoms, however deep; numbers may look like a secret by chance."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from (*texts(key), *texts(each))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)
    elif is_dataclass(value):
        for each in fields(value):
            yield from texts(getattr(value, each.name))


ECHOES = (
    "{0}",
    "bad password '{0}' for ana",
    "{1}",
    "got {2}",
    "{3}",
)


def refused(said: str, secret: str) -> Checked:
    """Sign in to a server that answers so."""
    ending = [Client(b"*\r\n"), Server(b"501 given up\r\n")] if said.startswith("334") else []
    script = [*TO_TLS, Client(re.compile(rb"AUTH PLAIN .*\r\n")), Server(f"{said}\r\n".encode()), *ending]
    return asyncio.run(checked(TLS, script, secret=Secret(secret)))


@functools.cache
def words_of_our_own() -> str:
    """All that is said in a run, whatever the secret is."""
    runs = [refused(f"{code} no", "☃ ☃ ☃ ☃ ☃ ☃") for code in (235, 334, 535)]
    return "\n".join(text for run in runs for text in [*texts(run.events), *texts(run.symptoms)])


@given(
    secret=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), min_size=1, max_size=24),
    echo=st.sampled_from(ECHOES),
    code=st.sampled_from([235, 334, 432, 535]),
)
def test_no_secret_is_in_any_event(secret: str, echo: str, code: int) -> None:
    """Whatever a hostile server says back, in whatever encoding, neither events nor symptoms hold the secret."""
    raw = secret.encode()
    forms = (secret, base64.b64encode(raw).decode(), base64.b64encode(b"\0ana\0" + raw).decode(), raw.hex())
    # A secret that is a piece of what we say ourselves would be found there.
    assume(not any(form in words_of_our_own() for form in forms))
    done = refused(f"{code} {echo.format(*forms)}", secret)
    shown = "\n".join([*texts(done.events), *texts(done.symptoms)])
    if len(secret.strip()) >= 6:
        for form in forms:
            assert form not in shown
    else:
        answers = [e.text for e in done.events if isinstance(e, Line) and e.stage is Stage.AUTH and e.way.value == "S"]
        assert answers[0] == f"{code} ********"
        assert all(symptom.words == "" for symptom in done.symptoms)


BATCH = Client(re.compile(rb"MAIL FROM:.*\r\nRCPT TO:.*\r\nDATA\r\n"))


async def test_no_goodbye_is_said_while_replies_to_a_batch_are_owed() -> None:
    """The sender is refused, and two replies are still to come: QUIT would be the answer to nothing (RFC 2920)."""
    refused = Server(b"550 5.7.1 not you\r\n")
    script = [*TO_TLS, Client(ANSWER), SIGNED_IN, BATCH, refused]
    done = await checked(TLS, script, depth=Depth.SEND, mail=MAIL)
    assert (done.last.stage, done.last.verdict) == (Stage.MAIL, Verdict.FAIL)
    assert not done.wire.said_quit
    assert b"QUIT\r\n" not in done.wire.streams[0].sent


async def test_goodbye_is_said_where_the_whole_batch_was_answered() -> None:
    answers = [Server(b"250 sender\r\n"), Server(b"550 5.1.1 nobody\r\n"), Server(b"503 no recipient\r\n")]
    script = [*TO_TLS, Client(ANSWER), SIGNED_IN, BATCH, *answers]
    done = await checked(TLS, script, depth=Depth.SEND, mail=MAIL)
    assert (done.last.stage, done.last.verdict) == (Stage.RCPT, Verdict.FAIL)
    assert done.wire.said_quit


class OneAtATime(ScriptedWire):
    """A server that lets nobody in twice at the same time."""

    async def connect(self, peers: Sequence[Peer]) -> ScriptedStream:
        if any(not stream.closed for stream in self.streams):
            raise WireError(Fault.REFUSED, shown("one connection at a time"))
        return await super().connect(peers)


async def test_the_first_connection_is_closed_before_a_certificate_is_looked_at_over_a_second() -> None:
    wrong = Tls(WireError(Fault.TLS_FAILED, shown("hostname mismatch"), TlsFault.WRONG_NAME))
    wire = OneAtATime([wrong], [Tls(), GREETING])
    done = await checked(TLS, wire=wire)
    assert len(wire.streams) == 2
    assert done.symptoms[0].facts["certificate_names"] == "mail.example.test"
