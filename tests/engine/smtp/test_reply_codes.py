"""Which codes let a conversation go on (RFC 5321 section 4.3.2): the first digit alone is no answer to a command."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trustme

from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.smtp.tls import Trust
from tests.support.checking import (
    AUTH,
    DATA,
    EHLO,
    GO_AHEAD,
    GREETING,
    MAIL_FROM,
    MESSAGE,
    OK,
    RCPT_TO,
    SIGNED_IN,
    SLOW_OFFER,
    Checked,
    check,
    starttls_up_to_handshake,
)
from tests.support.misbehaving import Expect, Hold, MisbehavingServer, Script, Send, StartTls, Step, good, make_ca


def says(code: int) -> Send:
    return Send(f"{code} 2.0.0 words\r\n".encode())


UP_TO_AUTH: Sequence[Step] = (GREETING, EHLO, SLOW_OFFER, AUTH)
BEFORE: dict[Stage, Sequence[Step]] = {
    Stage.GREETING: (),
    Stage.EHLO: (GREETING, EHLO),
    Stage.AUTH: UP_TO_AUTH,
    Stage.MAIL: (*UP_TO_AUTH, SIGNED_IN, MAIL_FROM),
    Stage.RCPT: (*UP_TO_AUTH, SIGNED_IN, MAIL_FROM, OK, RCPT_TO),
    Stage.DATA: (*UP_TO_AUTH, SIGNED_IN, MAIL_FROM, OK, RCPT_TO, OK, DATA),
}
"""What is said before the reply of each stage."""
GOOD: dict[Stage, set[int]] = {
    Stage.GREETING: {220},
    Stage.EHLO: {250},
    Stage.AUTH: {235},
    Stage.MAIL: {250},
    Stage.RCPT: {250, 251, 252},
    Stage.DATA: {354},
}
NEXT = {
    Stage.GREETING: b"EHLO",
    Stage.EHLO: b"AUTH",
    Stage.AUTH: b"MAIL",
    Stage.MAIL: b"RCPT",
    Stage.RCPT: b"DATA",
    Stage.DATA: b"Subject",
}
"""What must not be said after a reply of the stage that does not answer it."""
LOOKALIKES = (200, 220, 221, 235, 250, 251, 252, 299, 300, 334, 354, 399)
WRONG = [(stage, code) for stage in BEFORE for code in LOOKALIKES if code not in GOOD[stage]]


async def played(*script: Step) -> tuple[Checked, MisbehavingServer]:
    async with MisbehavingServer(script, strict=False) as server:
        done = await check(server.endpoint(Security.NONE), allow_cleartext=True, depth=Depth.SEND)
    return done, server


@pytest.mark.parametrize(("stage", "code"), [each for each in WRONG if each != (Stage.AUTH, 334)])
async def test_a_code_that_answers_another_command_ends_it(stage: Stage, code: int) -> None:
    """221 is a goodbye, whatever was asked; any other belongs to another command, and nothing is concluded from it."""
    done, server = await played(*BEFORE[stage], says(code), Hold())
    assert done.row == (stage, Verdict.FAIL, "server_closed" if code == 221 else "garbled_reply")
    assert done.finding.server_said.startswith(str(code))
    assert NEXT[stage] not in server.received, "nothing more is asked for"


@pytest.mark.parametrize("code", [250, 251, 252])
async def test_a_recipient_is_taken_by_three_codes(code: int) -> None:
    """251: the server forwards; 252: it cannot check, and takes the message all the same."""
    done, _ = await played(*BEFORE[Stage.RCPT], says(code), DATA, GO_AHEAD, MESSAGE, OK)
    assert done.row == (Stage.DATA, Verdict.PASS, "")


@pytest.mark.parametrize("code", [220, 221, 235, 251, 334, 354])
async def test_after_the_final_dot_a_code_of_another_command_leaves_it_open(code: int) -> None:
    """Neither taken nor refused: it may have been sent."""
    done, _ = await played(*BEFORE[Stage.DATA], GO_AHEAD, MESSAGE, says(code), Hold())
    assert done.row == (Stage.DATA, Verdict.UNKNOWN, "outcome_unknown")


async def test_a_challenge_without_end_is_given_up_and_counts_as_refused() -> None:
    more = Send(b"334 \r\n")
    script: Script = [*UP_TO_AUTH, more, Expect(rb"\*"), Send(b"501 given up\r\n"), Hold()]
    done, _ = await played(*script)
    assert done.row[:2] == (Stage.AUTH, Verdict.FAIL)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return make_ca()


@pytest.mark.parametrize("code", [200, 221, 235, 250, 334, 354])
async def test_no_handshake_is_begun_after_another_code_than_220(
    code: int, ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    *before, _ = starttls_up_to_handshake()
    async with MisbehavingServer([*before, says(code), Hold()], strict=False) as server:
        done = await check(server.endpoint(Security.STARTTLS), trust=Trust(str(file)))
        assert b"\x16\x03" not in server.received
    assert done.row[:2] == (Stage.STARTTLS, Verdict.FAIL)


async def test_the_second_look_at_a_certificate_asks_for_the_same_codes(ca: trustme.CA) -> None:
    """It believes no certificate, and no reply that is none: nothing is read out of what follows."""
    *before, go = starttls_up_to_handshake()
    first: Script = [*before, go, StartTls(good(ca)), Hold()]
    second: Script = [*before, says(250), StartTls(good(ca)), Hold()]
    async with MisbehavingServer(first, second, strict=False) as server:
        done = await check(server.endpoint(Security.STARTTLS))
        assert server.connections == 2
        assert b"\x16\x03" not in server.conversations[1].received
    assert done.last.tls is None


async def test_the_name_that_was_refused_is_told_with_the_option_that_gives_another() -> None:
    done, server = await played(GREETING, EHLO, Send(b"504 5.5.2 <[127.0.0.1]>: no\r\n"), Hold())
    assert done.row == (Stage.EHLO, Verdict.FAIL, "helo_rejected")
    assert "introduced as [127.0.0.1]" in done.finding.explanation
    assert any("--ehlo-name mail.example.com" in each for each in done.finding.steps)
    assert b"HELO [" not in server.received.replace(b"EHLO [", b"")
