"""Servers that mean ill, or are broken beyond manners: bounded in bytes and time, never believed, never shown raw."""

from __future__ import annotations

import asyncio
import base64
import socket
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trustme

from smtp_wizard.engine.base.connection import Connection, Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.events import Event, StageStarted
from smtp_wizard.engine.checks.runner import run_checks
from smtp_wizard.engine.checks.target import Target
from smtp_wizard.engine.smtp import protocol
from smtp_wizard.engine.smtp.masking import MASK
from smtp_wizard.engine.smtp.tls import Trust
from smtp_wizard.engine.smtp.transport import CHUNK, MOST_UNREADABLE, SocketStream, SocketWire
from tests.support.checking import (
    AUTH,
    DATA,
    EHLO,
    GO_AHEAD,
    GREETING,
    MAIL,
    MAIL_FROM,
    MESSAGE,
    OFFER,
    OK,
    PLAIN_UP_TO_AUTH,
    RCPT_TO,
    SIGNED_IN,
    Checked,
    check,
    diagnosis,
    hurried,
    starttls_up_to_auth,
    starttls_up_to_handshake,
    texts,
    tls_up_to_auth,
)
from tests.support.misbehaving import (
    IPV4,
    IPV6,
    Close,
    Deaf,
    Drip,
    Expect,
    Flood,
    Hold,
    MisbehavingServer,
    Reset,
    Script,
    Send,
    StartTls,
    Step,
    cn_only,
    good,
    make_ca,
    self_signed,
    swallowing_port,
)
from tests.support.patience import PATIENCE

ENOUGH = protocol.MAX_REPLY + 2 * CHUNK
"""Bytes after which nobody may go on reading: the longest reply, and what the last look at the socket brought."""


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return make_ca()


@pytest.fixture(scope="module")
def trust(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Trust:
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return Trust(str(file))


@pytest.fixture
def taken_in(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of all that is read from sockets."""
    sizes: list[int] = []
    original = SocketStream._receive

    async def counted(self: SocketStream) -> bytes:
        data = await original(self)
        sizes.append(len(data))
        return data

    monkeypatch.setattr(SocketStream, "_receive", counted)
    return sizes


async def played(*script: Step, **options: Any) -> Checked:
    """Check, in clear text and with a yes to it, a server that plays this."""
    async with MisbehavingServer(script, strict=False) as server:
        return await check(server.endpoint(Security.NONE), allow_cleartext=True, **options)


# --- too much ---

FLOODS: tuple[tuple[str, bytes, int], ...] = (
    ("lines without end", b"250-and another\r\n" * 1000, 2000),
    ("two million short lines", b"250-\r\n" * 1000, 2000),
    ("one line without end", b"2" * 65536, 1000),
    ("one long line of a reply", b"250-" + b"x" * 65536, 1000),
    ("nothing but line ends", b"\r\n" * 10_000, 1000),
)


@pytest.mark.parametrize("stage", [Stage.GREETING, Stage.EHLO, Stage.AUTH])
@pytest.mark.parametrize(("data", "times"), [flood[1:] for flood in FLOODS], ids=[flood[0] for flood in FLOODS])
async def test_a_flood_is_cut(taken_in: list[int], stage: Stage, data: bytes, times: int) -> None:
    played_before: dict[Stage, Script] = {
        Stage.GREETING: [],
        Stage.EHLO: [GREETING, EHLO],
        Stage.AUTH: PLAIN_UP_TO_AUTH,
    }
    if stage is Stage.GREETING:
        data = data.replace(b"250-", b"220-")
    done = await played(*played_before[stage], Flood(data, times))
    assert done.row == (stage, Verdict.FAIL, "garbled_reply")
    assert sum(taken_in) <= ENOUGH
    assert len(done.everything) < 20_000


async def test_a_flood_under_tls_is_cut(taken_in: list[int], ca: trustme.CA, trust: Trust) -> None:
    script: Script = [StartTls(good(ca)), GREETING, EHLO, Flood(b"250-and another\r\n" * 100, 20_000)]
    async with MisbehavingServer(script) as server:
        done = await check(server.endpoint(Security.TLS), trust=trust)
    assert done.row == (Stage.EHLO, Verdict.FAIL, "garbled_reply")
    assert sum(taken_in) <= ENOUGH


async def test_a_flood_in_place_of_a_handshake_is_cut(taken_in: list[int], trust: Trust) -> None:
    async with MisbehavingServer([Flood(b"\x16\x03\x03\x40\x00" + b"\0" * 0x4000, 5000)]) as server:
        done = await check(server.endpoint(Security.TLS), trust=trust)
    assert done.row == (Stage.TLS, Verdict.FAIL, "tls_failed")
    assert sum(taken_in) <= MOST_UNREADABLE + CHUNK


async def test_a_flood_behind_the_reply_to_starttls_is_thrown_away_or_ends_it(
    taken_in: list[int], ca: trustme.CA, trust: Trust
) -> None:
    before = starttls_up_to_handshake()
    async with MisbehavingServer([*before, Flood(b"250 evil\r\n" * 1000, 5000)]) as server:
        done = await check(server.endpoint(Security.STARTTLS), trust=trust)
        assert b"AUTH" not in server.received
    assert done.row[:2] == (Stage.STARTTLS, Verdict.FAIL)
    assert sum(taken_in) <= ENOUGH


async def test_replies_by_the_thousand_are_a_fault_at_the_next_command(taken_in: list[int]) -> None:
    done = await played(GREETING, EHLO, Flood(b"250 x\r\n" * 1000, 5000))
    assert done.row == (Stage.AUTH, Verdict.FAIL, "auth_method_unavailable")
    assert sum(taken_in) <= ENOUGH


async def test_a_thousand_names_in_a_certificate_are_not_all_shown() -> None:
    names = [f"host-{number}.{'x' * 40}.example" for number in range(1000)]
    async with MisbehavingServer([StartTls(self_signed(*names)), Hold()]) as server:
        done = await check(server.endpoint(Security.TLS))
    assert done.row == (Stage.TLS, Verdict.FAIL, "cert_self_signed")
    assert len(done.everything) < 20_000


# --- too slow ---

LIMIT = 0.3
SLOW = 0.02
"""Seconds between two bytes: a limit that begins again with each of them never ends."""


@pytest.mark.parametrize(
    ("script", "stage"),
    [
        ([Drip(b"220-" + b"x" * 4000, SLOW)], Stage.GREETING),
        ([GREETING, EHLO, Drip(b"250-x\r\n" * 200, SLOW)], Stage.EHLO),
        ([*PLAIN_UP_TO_AUTH, Drip(b"535-" + b"x" * 4000, SLOW)], Stage.AUTH),
        ([*PLAIN_UP_TO_AUTH, Drip(b"235-ok\r\n" * 200, SLOW)], Stage.AUTH),
        ([*PLAIN_UP_TO_AUTH, SIGNED_IN, MAIL_FROM, Drip(b"250-" + b"x" * 4000, SLOW)], Stage.MAIL),
    ],
    ids=["greeting", "EHLO", "AUTH", "AUTH, line by line", "MAIL"],
)
async def test_a_byte_now_and_then_is_no_reason_to_wait_longer(
    taken_in: list[int], script: Script, stage: Stage
) -> None:
    limits = hurried(**{stage.value: LIMIT})
    done = await played(*script, limits=limits, depth=Depth.SEND)
    assert done.row[:2] == (stage, Verdict.FAIL)
    assert done.symptoms[0].facts["seconds"] == f"{LIMIT:g}"
    assert sum(taken_in) < 1000


async def test_a_handshake_that_drips_is_cut(trust: Trust) -> None:
    async with MisbehavingServer([Drip(b"\x16\x03\x03\x40\x00" + b"\0" * 4000, SLOW)]) as server:
        done = await check(server.endpoint(Security.TLS), trust=trust, limits=hurried(tls=LIMIT))
    assert done.row == (Stage.TLS, Verdict.FAIL, "wrong_host_or_port")


async def test_replies_byte_by_byte_are_understood() -> None:
    def slowly(step: Step) -> Step:
        return Drip(step.data, 0.0) if isinstance(step, Send) else step

    script: Script = [GREETING, EHLO, OFFER, AUTH, SIGNED_IN, Expect(rb"QUIT")]
    done = await played(*map(slowly, script))
    assert done.verdict is Verdict.PASS


# --- nonsense ---


@pytest.mark.parametrize(
    "junk",
    [bytes(range(256)) * 8, b"\0" * 5000, b"\xff\xfe2\x002\x000\x00\r\n", b"220\r\n\r\n220 hi\r\n", b"9" * 50 + b"\n"],
    ids=["all bytes", "nothing but NUL", "UTF-16", "an empty line", "digits"],
)
@pytest.mark.parametrize("security", [Security.NONE, Security.TLS])
async def test_junk_is_a_finding_and_no_exception(junk: bytes, security: Security, trust: Trust) -> None:
    async with MisbehavingServer([Send(junk), Hold()]) as server:
        done = await check(server.endpoint(security), trust=trust)
    assert done.verdict is Verdict.FAIL
    assert done.finding.steps
    assert invisible(done) == set()


async def test_a_code_that_changes_within_a_reply_is_nonsense() -> None:
    done = await played(GREETING, EHLO, Send(b"250-mail\r\n550 AUTH PLAIN\r\n"), Hold())
    assert done.row == (Stage.EHLO, Verdict.FAIL, "garbled_reply")


# --- what comes unasked ---


@pytest.mark.parametrize(
    "injected",
    [b"250 evil\r\n", b"250-evil\r\n250 AUTH PLAIN\r\n", b"235 2.7.0 welcome\r\n", b"\xff\0\x1b[2J", b"half a li"],
)
async def test_what_comes_before_the_handshake_is_never_a_reply(injected: bytes, ca: trustme.CA, trust: Trust) -> None:
    script = starttls_up_to_auth(good(ca), go=b"220 go\r\n" + injected)
    async with MisbehavingServer([*script, SIGNED_IN]) as server:
        done = await check(server.endpoint(Security.STARTTLS), trust=trust)
    assert done.verdict is Verdict.WARN
    assert done.finding.code == "injected_before_tls"
    assert done.report.capabilities["SIZE"] == "50000", "what was offered under TLS"
    assert "evil" not in done.report.capabilities
    assert done.last.stage is Stage.AUTH
    assert done.last.verdict is Verdict.PASS


async def test_words_before_the_first_command_are_a_fault() -> None:
    done = await played(Send(b"220 hi\r\n250 AUTH PLAIN\r\n"), Hold())
    assert done.row == (Stage.EHLO, Verdict.FAIL, "unsolicited_reply")


async def test_a_sign_in_that_is_accepted_before_it_was_tried_is_a_fault() -> None:
    offer = Send(b"250-x\r\n250 AUTH PLAIN\r\n235 2.7.0 welcome\r\n")
    async with MisbehavingServer([GREETING, EHLO, offer, Hold()]) as server:
        done = await check(server.endpoint(Security.NONE), allow_cleartext=True)
        assert b"AUTH" not in server.received
    assert done.row == (Stage.AUTH, Verdict.FAIL, "unsolicited_reply")


@pytest.mark.parametrize(
    ("script", "stage"),
    [
        ([MAIL_FROM, Send(b"250 a\r\n250 b\r\n354 c\r\n250 sent\r\n"), Hold()], Stage.RCPT),
        ([MAIL_FROM, OK, RCPT_TO, Send(b"250 b\r\n354 c\r\n250 sent\r\n"), Hold()], Stage.DATA),
        ([MAIL_FROM, OK, RCPT_TO, OK, DATA, Send(b"354 c\r\n250 sent\r\n"), Hold()], Stage.DATA),
    ],
    ids=["at MAIL", "at RCPT", "at DATA"],
)
async def test_a_message_is_never_called_sent_before_it_was(script: Script, stage: Stage) -> None:
    """Other clients say 'sent' here, and the 554 that follows is lost."""
    async with MisbehavingServer([*PLAIN_UP_TO_AUTH, SIGNED_IN, *script]) as server:
        done = await check(server.endpoint(Security.NONE), allow_cleartext=True, depth=Depth.SEND)
        assert b"Subject:" not in server.received
    assert done.row == (stage, Verdict.FAIL, "unsolicited_reply")


# --- the secret said back ---

PASSWORD = "pässwörd  {%}' 4711"
RAW = PASSWORD.encode()
ECHOES: dict[str, str] = {
    "as it is": PASSWORD,
    "without blanks": "".join(PASSWORD.split()),
    "with single blanks": " ".join(PASSWORD.split()),
    "in capitals": PASSWORD.upper(),
    "backwards": PASSWORD[::-1],
    "Base64": base64.b64encode(RAW).decode(),
    "Base64 of what was sent": base64.b64encode(b"\0alice@example.test\0" + RAW).decode(),
    "Base64 inside more": base64.b64encode(b"user=alice&password=" + RAW + b"&x=1").decode(),
    "Base64 for the web": base64.urlsafe_b64encode(RAW).decode(),
    "hexadecimal": RAW.hex(),
    "percent signs": quote(PASSWORD),
    "backslashes": repr(RAW)[2:-1],
}


def core(echo: str) -> str:
    """What of an echo must not be seen anywhere: all but the ends, at which Base64 mixes with its neighbours."""
    return echo[4:-6] if len(echo) > 40 else echo


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES.keys())
@pytest.mark.parametrize(
    "form",
    [
        "535 5.7.8 wrong password '{}' for alice",
        "535-5.7.8 wrong password\r\n535 5.7.8 {}",
        "235 welcome, {}",
        "334 {}",
        "535 {",
        "{}",
        "535{}",
        "235 ok\r\n250 {}",
        "235 ok\r\n{",
    ],
)
async def test_a_secret_said_back_is_seen_nowhere(form: str, echo: str) -> None:
    """Answered, answered unasked, answered in nonsense, or cut off in the middle: '{' alone means that no end comes."""
    cut_off = form.endswith("{")
    said = form.replace("{}", echo).replace("{", echo) + ("" if cut_off else "\r\n")
    done = await played(
        *[*PLAIN_UP_TO_AUTH, Send(said.encode()), Close() if cut_off else Hold()],
        secret=Secret(PASSWORD),
        depth=Depth.SEND,
        limits=hurried(auth=0.1, mail=0.1),
    )
    assert done.said[1].startswith("AUTH")
    assert core(echo).casefold() not in done.everything.casefold()


async def test_a_secret_spread_over_two_lines_is_seen_nowhere() -> None:
    done = await played(*PLAIN_UP_TO_AUTH, Send(b"535-no: correct\r\n535 horse, really\r\n"), Hold())
    assert done.finding.code == "bad_credentials"
    assert "correct" not in done.everything


async def test_a_secret_said_back_after_the_sign_in_is_seen_nowhere() -> None:
    refused = Send(b"550 sender correct horse refused\r\n")
    done = await played(*PLAIN_UP_TO_AUTH, SIGNED_IN, MAIL_FROM, refused, Hold(), depth=Depth.SEND)
    assert done.last.stage is Stage.MAIL
    assert "correct horse" not in done.everything
    assert MASK in done.finding.server_said


@pytest.mark.parametrize(
    "said", [b"535 bad zebra\r\n", b"334 zebra\r\n", b"235 ok\r\n550 zebra\r\n", b"235 ok\r\nzebra"]
)
async def test_a_secret_too_short_to_be_found_hides_every_answer_to_it(said: bytes) -> None:
    """Five letters may be part of any word: the answers to the sign-in are hidden whole."""
    done = await played(
        *PLAIN_UP_TO_AUTH,
        Send(said),
        Hold(),
        secret=Secret("zebra"),
        depth=Depth.SEND,
        limits=hurried(auth=0.2, mail=0.2),
    )
    assert "zebra" not in done.everything


async def test_the_secret_is_not_in_what_we_say(ca: trustme.CA, trust: Trust) -> None:
    async with MisbehavingServer([*tls_up_to_auth(good(ca)), SIGNED_IN]) as server:
        done = await check(server.endpoint(Security.TLS), trust=trust, secret=Secret(PASSWORD))
    assert done.verdict is Verdict.PASS
    assert f"AUTH PLAIN {MASK}" in done.said
    assert PASSWORD not in done.everything
    assert base64.b64encode(b"\0alice@example.test\0" + RAW).decode() not in done.everything


async def test_challenges_without_end_are_given_up() -> None:
    """PLAIN has said all with its first line; whoever goes on asking, even after the star, gets no third answer."""
    more = Send(b"334 YW5kPw==\r\n")
    async with MisbehavingServer([*PLAIN_UP_TO_AUTH, more, Expect(rb"\*"), more, Hold()]) as server:
        done = await check(server.endpoint(Security.NONE), allow_cleartext=True)
    assert done.row == (Stage.AUTH, Verdict.FAIL, "garbled_reply")


# --- words that would move the cursor ---

NASTY = "\x1b[2J\x1b]0;title\x07\x9b31m\x00\x08\x7f\u202e\u2066\u200b\ufeff\ue000\U000e0041"


def invisible(done: Checked) -> set[str]:
    """The characters that must not reach a terminal, found in any text. A letter to forward has lines."""
    letters = {finding.forward for finding in done.report.findings}
    shown = "".join(
        text.replace("\n", "") if text in letters else text
        for text in [*texts(done.events), *texts(done.report), *texts(done.symptoms)]
    )
    return {ch for ch in shown if unicodedata.category(ch) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}}


def nasty(code: str) -> Send:
    """A reply of several lines, full of them."""
    return Send(f"{code}-{NASTY} one\r\n{code}-\u2028{NASTY}\r\n{code} SIZE{NASTY} {NASTY}\r\n".encode())


@pytest.mark.parametrize(
    "script",
    [
        [nasty("220"), EHLO, OFFER, AUTH, SIGNED_IN],
        [nasty("554"), Close()],
        [GREETING, EHLO, nasty("250"), Hold()],
        [GREETING, EHLO, nasty("550"), Hold()],
        [*PLAIN_UP_TO_AUTH, nasty("235"), Expect(rb"QUIT|MAIL .*")],
        [*PLAIN_UP_TO_AUTH, nasty("535"), Hold()],
        [*PLAIN_UP_TO_AUTH, SIGNED_IN, MAIL_FROM, nasty("550"), Hold()],
        [*PLAIN_UP_TO_AUTH, SIGNED_IN, MAIL_FROM, OK, RCPT_TO, OK, DATA, GO_AHEAD, MESSAGE, nasty("250")],
        [Send(NASTY.encode() + b"\r\n"), Hold()],
        [Send(b"+OK " + NASTY.encode() + b"\r\n"), Hold()],
        [Send(b"220 hi\r\n250 " + NASTY.encode() + b"\r\n"), Hold()],
        [Send("220 \ud800 \udfff\r\n".encode("utf-8", "surrogatepass")), EHLO, OFFER, AUTH, SIGNED_IN],
    ],
)
async def test_nothing_that_a_server_says_moves_the_cursor(script: Script) -> None:
    done = await played(*script, depth=Depth.SEND, limits=hurried(mail=0.3))
    assert invisible(done) == set()


async def test_the_names_in_a_certificate_do_not_either(ca: trustme.CA, trust: Trust) -> None:
    for context in (self_signed("evil\x1b[2J\x07.example"), cn_only(ca, f"evil{NASTY}".replace("\0", ""))):
        async with MisbehavingServer([StartTls(context), Hold()]) as server:
            done = await check(server.endpoint(Security.TLS), trust=trust)
        assert done.verdict is Verdict.FAIL
        assert "evil\\x1b[2J" in done.symptoms[0].facts["certificate_names"]
        assert invisible(done) == set()


async def test_neither_does_a_file_of_certificates_with_an_odd_name(tmp_path: Path) -> None:
    async with MisbehavingServer([Hold()]) as server:
        done = await check(server.endpoint(Security.TLS), trust=Trust(str(tmp_path / "ca\x1b[2J.pem")))
    assert done.row == (Stage.TLS, Verdict.FAIL, "ca_file_unusable")
    assert invisible(done) == set()


# --- leaving ---


@pytest.mark.parametrize(
    ("script", "stage"),
    [
        ([Hold()], Stage.GREETING),
        ([GREETING, EHLO, Hold()], Stage.EHLO),
        ([*PLAIN_UP_TO_AUTH, Hold()], Stage.AUTH),
        ([*PLAIN_UP_TO_AUTH, SIGNED_IN, MAIL_FROM, OK, RCPT_TO, OK, DATA, GO_AHEAD, MESSAGE, Hold()], Stage.DATA),
    ],
    ids=["greeting", "EHLO", "AUTH", "DATA"],
)
async def test_cancelling_closes_the_socket_at_once(script: Script, stage: Stage) -> None:
    reached = asyncio.Event()

    def emit(event: Event) -> None:
        if event == StageStarted(stage):
            reached.set()

    async with MisbehavingServer(script) as server:
        target = Target(
            connection=Connection(endpoint=server.endpoint(Security.NONE), username="alice@example.test"), mail=MAIL
        )
        running = asyncio.create_task(
            run_checks(
                replace(target, connection=replace(target.connection, allow_cleartext=True)),
                Secret("correct horse"),
                depth=Depth.SEND,
                wire=SocketWire(),
                diagnosis=diagnosis(),
                emit=emit,
            )
        )
        await reached.wait()
        while not server.conversations or server.conversations[0].played < len(script) - 1:
            await asyncio.sleep(0.001)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.wait_for(server.conversations[0].ended.wait(), PATIENCE)
        assert all(conversation.hung_up for conversation in server.conversations)


async def test_cancelling_while_the_port_is_asked_for_tls_closes_both_sockets() -> None:
    async with MisbehavingServer([Hold()]) as server:
        running = asyncio.create_task(check(server.endpoint(Security.STARTTLS), limits=hurried(silence=0.01)))
        while server.connections < 2 or not server.conversations[1].plain:
            await asyncio.sleep(0.001)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        for conversation in server.conversations:
            await asyncio.wait_for(conversation.ended.wait(), PATIENCE)
            assert conversation.hung_up


@pytest.mark.parametrize("end", [Hold(), Close(), Reset(), Deaf()], ids=["silent", "closed", "reset", "deaf"])
async def test_what_becomes_of_the_goodbye_changes_nothing(end: Step) -> None:
    done = await played(*PLAIN_UP_TO_AUTH, SIGNED_IN, end)
    assert done.verdict is Verdict.PASS
    assert done.said[-1] == "QUIT"


# --- a server that ends while we still speak ---

LARGE = replace(MAIL, content=b"Subject: large\r\n\r\n" + (b"x" * 900 + b"\r\n") * 20_000)
"""More than the kernel keeps for us."""
UP_TO_DATA: Sequence[Step] = (
    GREETING,
    EHLO,
    Send(b"250-x\r\n250 AUTH PLAIN\r\n"),
    AUTH,
    SIGNED_IN,
    MAIL_FROM,
    OK,
    RCPT_TO,
    OK,
    DATA,
)


@pytest.mark.parametrize("end", [Close(), Reset()], ids=["close", "reset"])
async def test_a_refusal_is_heard_though_the_line_goes_down_while_we_write(end: Step) -> None:
    refused = Send(b"354 go ahead\r\n")
    too_large = Send(b"552 5.3.4 Message size exceeds fixed limit\r\n")
    # The refusal comes while the message is on its way; what else is under way is never read.
    script = [*UP_TO_DATA, refused, Expect(rb"Subject: large"), too_large, end]
    done = await played(*script, depth=Depth.SEND, mail=LARGE)
    assert done.last.stage is Stage.DATA
    if isinstance(end, Close):
        assert done.row == (Stage.DATA, Verdict.FAIL, "message_too_large")
    else:
        assert done.row[2] in ("message_too_large", "outcome_unknown"), "what was said may have gone down with the line"


async def test_a_server_that_takes_no_more_is_told_from_one_that_may_have_taken_all() -> None:
    """The final dot has not left us, so nothing can have been sent."""
    done = await played(*UP_TO_DATA, GO_AHEAD, Deaf(), depth=Depth.SEND, mail=LARGE, limits=hurried(data=0.5))
    assert done.row == (Stage.DATA, Verdict.FAIL, "server_silent")


async def test_a_recipient_refused_while_data_is_accepted_sends_nothing() -> None:
    """The lone dot ends what should not have begun (RFC 2920 section 3.1)."""
    answers = Send(b"250 a\r\n550 5.1.1 nobody\r\n354 go\r\n")
    begin: Script = [GREETING, EHLO, OFFER, AUTH, SIGNED_IN, MAIL_FROM, RCPT_TO, DATA, answers]
    async with MisbehavingServer([*begin, Expect(rb"\."), Send(b"554 no\r\n")]) as server:
        done = await check(server.endpoint(Security.NONE), allow_cleartext=True, depth=Depth.SEND)
        assert b"Subject:" not in server.received
    assert done.row == (Stage.RCPT, Verdict.FAIL, "recipient_rejected")


# --- both families of addresses ---


@pytest.fixture
def both_families(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a name have an IPv6 and an IPv4 address, or those that are said; the first is what the system likes best."""

    def have(*addresses: str) -> None:
        def look_up(host: str, port: int, **_: Any) -> list[Any]:
            families = {True: socket.AF_INET6, False: socket.AF_INET}
            return [(families[":" in each], socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    have(IPV6, IPV4)
    return have


def at(port: int) -> Endpoint:
    return Endpoint("mail.example.test", port, Security.NONE)


def answering(host: str, port: int = 0) -> AbstractAsyncContextManager[MisbehavingServer]:
    return MisbehavingServer([*PLAIN_UP_TO_AUTH, SIGNED_IN], host=host, port=port, strict=False)


async def test_ipv6_that_swallows_every_packet_costs_a_moment_and_no_more(both_families: Any) -> None:
    async with swallowing_port(IPV6) as port, answering(IPV4, port):
        done = await check(at(port), allow_cleartext=True)
    assert done.verdict is Verdict.PASS
    assert (done.report.family, done.report.address) == (Family.IPV4, IPV4)
    assert f"*: connected to {IPV4} port {port} (IPv4)" in done.transcript


async def test_ipv6_that_is_refused_costs_nothing(both_families: Any) -> None:
    async with answering(IPV4) as server:
        done = await check(at(server.port), allow_cleartext=True)
    assert done.verdict is Verdict.PASS
    assert done.report.family is Family.IPV4


async def test_the_family_that_the_system_likes_best_wins_where_both_answer(both_families: Any) -> None:
    async with answering(IPV6) as six, answering(IPV4, six.port) as four:
        done = await check(at(six.port), allow_cleartext=True)
        assert (done.report.family, done.report.address) == (Family.IPV6, IPV6)
        assert four.connections == 0
        both_families(IPV4, IPV6)
        done = await check(at(six.port), allow_cleartext=True)
        assert done.report.family is Family.IPV4


@pytest.mark.parametrize(("family", "address"), [(Family.IPV4, IPV4), (Family.IPV6, IPV6)])
async def test_only_the_family_that_is_asked_for_is_tried(both_families: Any, family: Family, address: str) -> None:
    async with answering(IPV6) as six, answering(IPV4, six.port):
        done = await check(at(six.port), allow_cleartext=True, family=family)
    assert (done.report.family, done.report.address) == (family, address)


async def test_a_name_without_an_address_of_the_family_that_is_asked_for(both_families: Any) -> None:
    both_families(IPV4)
    done = await check(at(587), family=Family.IPV6)
    assert done.row == (Stage.DNS, Verdict.FAIL, "dns_host_not_found")
    assert "no IPv6 address" in done.symptoms[0].words


async def test_of_two_failures_the_one_that_tells_more_is_told(both_families: Any) -> None:
    async with swallowing_port(IPV6) as port:
        done = await check(at(port), limits=hurried(connect=0.5))
    assert done.row == (Stage.CONNECT, Verdict.FAIL, "port_blocked")
    with socket.socket() as held:
        held.bind((IPV4, 0))
        done = await check(at(held.getsockname()[1]))
    assert done.row == (Stage.CONNECT, Verdict.FAIL, "wrong_host_or_port")


async def test_the_loser_of_the_race_leaves_no_socket_behind(both_families: Any) -> None:
    async with swallowing_port(IPV6) as port, answering(IPV4, port) as server:
        before = open_files()
        done = await check(at(port), allow_cleartext=True)
        await server.conversations[0].ended.wait()
        assert open_files() == before
    assert done.report.family is Family.IPV4


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
