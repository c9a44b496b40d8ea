"""Opening the mailbox of an account: the sign-in counts, and a secret goes to a confirmed server alone."""

from __future__ import annotations

import asyncio
import errno
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED, UNANSWERED
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.mailbox.bounded_imap import ImapLimits, ImapStream
from smtp_wizard.engine.mailbox.faults import MailboxFault
from smtp_wizard.engine.mailbox.findings import MailboxError
from smtp_wizard.engine.services import mailboxes
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.services import Services
from tests.commands.test_send import RELAY
from tests.support.certs import Authority
from tests.support.imapserver import PASSWORD, USER, ImapServer
from tests.support.misbehaving import Hold, MisbehavingServer
from tests.support.walk import make_services

SECRET = Secret(PASSWORD)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path / "config")


def account(authority: Authority, **connection: object) -> Account:
    there = replace(RELAY.connection, username=USER, auth=Auth.PASSWORD, ca_file=str(authority.file))
    return replace(RELAY, connection=replace(there, **connection))  # type: ignore[arg-type]


async def fault_of(services: Services, wanted: Account, named: Endpoint | None = None, secret: Secret = SECRET) -> str:
    with pytest.raises(MailboxError) as caught:
        async with services.mailboxes.opened(wanted, secret, named=named):
            raise AssertionError("it was opened")
    assert PASSWORD not in str(caught.value) + "".join(caught.value.finding.steps)
    return caught.value.finding.code


async def test_a_mailbox_is_opened_and_read(services: Services, authority: Authority) -> None:
    async with ImapServer(authority.issue("127.0.0.1").context()) as imap:
        async with services.mailboxes.opened(account(authority), SECRET, named=imap.endpoint) as mailbox:
            assert await mailbox.do(lambda session: session.examine("INBOX").messages) == 0
        assert imap.commands[-1] == "LOGOUT"


async def test_a_server_that_was_named_and_took_the_sign_in_is_not_asked_for_again(
    services: Services, authority: Authority, tmp_path: Path
) -> None:
    saved = replace(account(authority), id="0123456789abcdef")
    async with ImapServer(authority.issue("127.0.0.1").context()) as imap:
        assert await fault_of(services, saved, imap.endpoint, Secret("wrong")) == MailboxFault.REFUSED
        assert remembered(services, saved) is None, "it has not taken the sign-in"
        async with services.mailboxes.opened(saved, SECRET, named=imap.endpoint):
            pass
        async with services.mailboxes.opened(saved, SECRET) as mailbox:
            assert mailbox.server.endpoint == imap.endpoint
        await asyncio.to_thread(services.saved_accounts.state.flush)
        later = make_services(tmp_path / "config")
        async with later.mailboxes.opened(saved, SECRET) as mailbox:
            assert mailbox.server.endpoint == imap.endpoint
    elsewhere = replace(saved, connection=replace(saved.connection, username="somebody else"))
    assert remembered(later, elsewhere) is None, "a password of another sign-in does not go there"


def remembered(services: Services, saved: Account) -> Endpoint | None:
    return services.saved_accounts.state.named_servers.of(mailboxes.place_of(saved))


async def test_sign_ins_that_fail_are_held_back_with_those_for_sending(
    services: Services, authority: Authority
) -> None:
    wrong = Secret("another password")
    async with ImapServer(authority.issue("127.0.0.1").context()) as imap:
        wanted = account(authority)
        codes = [await fault_of(services, wanted, imap.endpoint, wrong) for _ in range(4)]
        assert codes == [MailboxFault.REFUSED] * 3 + [PAUSED]
        assert imap.sign_ins == 3
        opened = services.mailboxes.opened(
            wanted, SECRET, named=imap.endpoint, options=CheckOptions(ignore_lockout=True)
        )
        async with opened:
            assert imap.sign_ins == 4


@pytest.mark.parametrize(
    ("refusal", "code", "cause"),
    [
        ("NO [AUTHENTICATIONFAILED] no", MailboxFault.REFUSED, "bad_credentials"),
        ("NO IMAP access is disabled", MailboxFault.SWITCHED_OFF, "smtp_access_off"),
    ],
)
async def test_a_sign_in_that_failed_counts_under_a_cause_that_those_to_send_have(
    refusal: str, code: str, cause: str, services: Services, authority: Authority
) -> None:
    """So that a pause says why, whichever way it came about."""
    wanted = account(authority)
    context = authority.issue("127.0.0.1").context()
    async with ImapServer(context, refusal=refusal, password="another") as imap:
        assert await fault_of(services, wanted, imap.endpoint) == code
    assert services.lockout_guard.counted(USER, wanted.connection.endpoint.host) == (cause,)


async def test_a_sign_in_that_is_answered_by_nonsense_goes_unanswered(services: Services, authority: Authority) -> None:
    def lie(tag: str, command: str, words: str) -> bytes | None:
        return b"what?\r\n" if command == "AUTHENTICATE" else None

    wanted = account(authority)
    async with ImapServer(authority.issue("127.0.0.1").context(), lies=lie) as imap:
        assert await fault_of(services, wanted, imap.endpoint) == MailboxFault.GARBLED
    assert services.lockout_guard.counted(USER, wanted.connection.endpoint.host) == (UNANSWERED,)


@pytest.mark.parametrize(
    ("connection", "code"),
    [
        ({"provider": "sendgrid"}, MailboxFault.NO_MAILBOX),
        ({"auth": Auth.NONE}, MailboxFault.NO_MAILBOX),
        ({"sandbox": "accept", "provider": "sandbox"}, MailboxFault.NO_MAILBOX),
        ({"provider": "rediff"}, MailboxFault.POP3_ONLY),
    ],
    ids=["relay", "no sign-in", "practice", "POP3 alone"],
)
async def test_where_there_is_no_mailbox_to_be_read_nobody_is_asked(
    connection: dict[str, object], code: str, services: Services, authority: Authority
) -> None:
    assert await fault_of(services, account(authority, **connection)) == code


async def test_a_server_that_does_not_answer_says_which_one_it_was(services: Services, authority: Authority) -> None:
    with pytest.raises(MailboxError) as caught:
        async with services.mailboxes.opened(account(authority), SECRET, named=Endpoint("127.0.0.1", 1, Security.TLS)):
            raise AssertionError("it was opened")
    assert caught.value.finding.code == MailboxFault.UNREACHED
    assert "127.0.0.1:1" in caught.value.finding.title


async def test_who_gives_up_leaves_no_connection(services: Services, authority: Authority) -> None:
    async with MisbehavingServer([Hold()]) as fake:

        async def work() -> None:
            async with services.mailboxes.opened(account(authority), SECRET, named=fake.endpoint(Security.STARTTLS)):
                raise AssertionError("it was opened")

        task = asyncio.ensure_future(work())
        while not fake.connections:
            await asyncio.sleep(0.005)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()


async def test_what_is_waited_for_is_not_counted_as_the_servers_time(services: Services, authority: Authority) -> None:
    services.mailboxes._limits = ImapLimits(total=0.0)
    async with ImapServer(authority.issue("127.0.0.1").context()) as imap:
        wanted = account(authority)
        assert await fault_of(services, wanted, imap.endpoint) in (MailboxFault.SILENT, MailboxFault.UNREACHED)
        opened = services.mailboxes.opened(wanted, SECRET, named=imap.endpoint, patience=timedelta(seconds=900))
        async with opened as mailbox:
            assert await mailbox.do(lambda session: session.examine("INBOX").messages) == 0


@pytest.mark.parametrize("after", ["nothing", "the sign-in"])
async def test_where_no_thread_is_to_be_had_that_is_said(
    after: str, services: Services, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(work: object) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    async with ImapServer(authority.issue("127.0.0.1").context()) as imap:
        if after == "nothing":
            monkeypatch.setattr(mailboxes, "in_thread", none)
            assert await fault_of(services, account(authority), imap.endpoint) == MailboxFault.NO_ROOM
            return
        async with services.mailboxes.opened(account(authority), SECRET, named=imap.endpoint) as mailbox:
            monkeypatch.setattr(mailboxes, "in_thread", none)
            with pytest.raises(MailboxError, match="no room for another connection"):
                await mailbox.do(lambda session: session.examine("INBOX"))


async def test_a_connection_that_finds_no_file_free_is_not_laid_to_the_server(
    services: Services, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(ImapStream, "_reached", full)
    there = Endpoint("127.0.0.1", 993, Security.TLS)
    assert await fault_of(services, account(authority), there) == MailboxFault.NO_ROOM
