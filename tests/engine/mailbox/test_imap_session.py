"""A session with an IMAP server: signing in, folders, searching, fetching; and servers that mean harm."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import date

import pytest

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.mailbox.bounded_imap import ImapLimits, ImapStream
from smtp_wizard.engine.mailbox.faults import ImapFailed, MailboxFault
from smtp_wizard.engine.mailbox.findings import MailboxDescription, finding_of
from smtp_wizard.engine.mailbox.imap_session import LOGIN_COMMAND, ImapSession, _encoded
from smtp_wizard.engine.smtp.tls import Trust
from tests.support.certs import Authority
from tests.support.imapserver import PASSWORD, USER, ImapServer, StoredFolder
from tests.support.misbehaving import Close, Hold, MisbehavingServer, Send, Step
from tests.support.patience import PATIENCE
from tests.support.returned import ORDINARY

SECRET = Secret(PASSWORD)
QUICK = ImapLimits(connect=5.0, quiet=0.5, total=20.0)
"""For servers that fall silent."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def session_with(endpoint: Endpoint, authority: Authority, limits: ImapLimits | None = None) -> ImapSession:
    return ImapSession(ImapStream(endpoint, limits or ImapLimits()), Trust(str(authority.file)))


def signed_in(session: ImapSession) -> ImapSession:
    session.connect()
    session.sign_in(USER, SECRET, session.way_in(Auth.PASSWORD))
    return session


async def in_session(
    server: ImapServer, authority: Authority, work: Callable[[ImapSession], object], limits: ImapLimits | None = None
) -> None:
    session = session_with(server.endpoint, authority, limits)
    try:
        await asyncio.to_thread(lambda: work(session))
    finally:
        session.close()


def server(authority: Authority, **settings: object) -> ImapServer:
    return ImapServer(authority.issue("127.0.0.1").context(), **settings)  # type: ignore[arg-type]


async def test_a_letter_is_found_and_fetched_and_nothing_that_could_change_it_is_asked(authority: Authority) -> None:
    async with server(authority) as imap:
        imap.inbox.add(ORDINARY)
        before = imap.flags()

        def work(session: ImapSession) -> None:
            signed_in(session)
            assert session.examine("INBOX").messages == 1
            uids = session.search(["SINCE", date(2026, 11, 1), "SUBJECT", "lunch"])
            (letter,) = session.fetch(uids, 100)
            assert letter.octets == ORDINARY.replace(b"\n", b"\r\n")[:100]
            assert letter.arrived is not None
            session.log_out()

        await in_session(imap, authority, work)
        assert imap.flags() == before
        verbs = {each.partition(" ")[0] if not each.startswith("UID") else each[:10] for each in imap.commands}
        assert verbs <= {"CAPABILITY", "AUTHENTICATE", "ID", "EXAMINE", "UID SEARCH", "UID FETCH ", "LOGOUT"}
        assert imap.sent == 100


@pytest.mark.parametrize(
    ("capabilities", "auth", "way"),
    [
        (("AUTH=PLAIN",), Auth.PASSWORD, "PLAIN"),
        ((), Auth.PASSWORD, LOGIN_COMMAND),
        (("AUTH=XOAUTH2",), Auth.XOAUTH2, "XOAUTH2"),
    ],
    ids=["plain", "login command", "token"],
)
async def test_each_way_to_sign_in(capabilities: tuple[str, ...], auth: Auth, way: str, authority: Authority) -> None:
    token = "token-of-ana"
    async with server(authority, capabilities=capabilities, password=token) as imap:

        def work(session: ImapSession) -> None:
            session.connect()
            assert session.way_in(auth) == way
            session.sign_in(USER, Secret(token), way)

        await in_session(imap, authority, work)
        assert imap.sign_ins == 1


@pytest.mark.parametrize(
    ("refusal", "fault"),
    [
        ("NO [AUTHENTICATIONFAILED] Invalid credentials", MailboxFault.REFUSED),
        ("NO [ALERT] Your account is not enabled for IMAP use. Please visit your settings", MailboxFault.SWITCHED_OFF),
        ("NO IMAP access is disabled for your domain", MailboxFault.SWITCHED_OFF),
        ("NO please enable IMAP in the settings", MailboxFault.SWITCHED_OFF),
        ("NO [UNAVAILABLE] Try again later", MailboxFault.BUSY),
        ("NO [UNAVAILABLE] IMAP is disabled for an hour", MailboxFault.BUSY),
        ("NO [ALERT] IMAP is not allowed without an app password", MailboxFault.APP_PASSWORD),
        ("NO [ALERT] Application-specific password required: https://help.example/", MailboxFault.APP_PASSWORD),
        ("NO [AUTHENTICATIONFAILED] Please use an app password", MailboxFault.APP_PASSWORD),
        ("NO [EXPIRED] Your password expired", MailboxFault.EXPIRED),
        ("NO [ALERT] Please log in via your web browser: https://support.example/", MailboxFault.WEB_SIGN_IN),
        ("NO [WEBALERT https://accounts.example/] Web login required.", MailboxFault.WEB_SIGN_IN),
        ("NO LOGIN failed. Basic authentication is disabled.", MailboxFault.NO_PASSWORDS),
        ("NO [CONTACTADMIN] Account disabled", MailboxFault.ACCOUNT_CLOSED),
        ("NO Mailbox is disabled for IMAP", MailboxFault.SWITCHED_OFF),
        ("NO Account locked, too many tries", MailboxFault.REFUSED),
        ("NO [PRIVACYREQUIRED] use tls", MailboxFault.PRIVACY_REQUIRED),
    ],
)
async def test_a_refusal_is_told_apart_and_never_says_the_password(
    refusal: str, fault: MailboxFault, authority: Authority
) -> None:
    async with server(authority, refusal=f"{refusal} {PASSWORD}", password="another one") as imap:

        def work(session: ImapSession) -> None:
            with pytest.raises(ImapFailed) as caught:
                signed_in(session)
            assert caught.value.fault is fault
            assert PASSWORD not in caught.value.server
            assert refusal.split(" ", 2)[2][:20] in caught.value.server

        await in_session(imap, authority, work)
        assert imap.sign_ins == 1, "one wrong try is one try"


async def test_without_a_way_to_sign_in_no_password_is_sent(authority: Authority) -> None:
    async with server(authority, capabilities=("LOGINDISABLED",)) as imap:

        def work(session: ImapSession) -> None:
            session.connect()
            with pytest.raises(ImapFailed) as caught:
                session.way_in(Auth.PASSWORD)
            assert caught.value.fault is MailboxFault.NO_SIGN_IN

        await in_session(imap, authority, work)
        assert imap.sign_ins == 0


@pytest.mark.parametrize("flag", ["\\Junk", ""])
async def test_a_special_folder_is_found_by_its_flag_and_else_by_its_usual_name(
    flag: str, authority: Authority
) -> None:
    async with server(authority) as imap:
        imap.folders["Bulk Mail" if not flag else "Strange"] = type(imap.inbox)(special=flag)

        def work(session: ImapSession) -> None:
            assert signed_in(session).special_folders("\\Junk") == ("Strange" if flag else "Bulk Mail",)
            assert session.special_folders("\\Sent") == ()

        await in_session(imap, authority, work)


# --- servers that are not trusted ---


async def test_a_certificate_for_another_name_gets_no_password(authority: Authority) -> None:
    context = authority.issue("elsewhere.example").context()
    async with ImapServer(context) as imap:

        def work(session: ImapSession) -> None:
            with pytest.raises(ImapFailed) as caught:
                session.connect()
            assert caught.value.fault is MailboxFault.NOT_TRUSTED

        await in_session(imap, authority, work)
        assert imap.commands == []


async def misbehaving(
    script: list[Step],
    authority: Authority,
    work: Callable[[ImapSession], object],
) -> MisbehavingServer:
    async with MisbehavingServer(script) as fake:
        session = session_with(fake.endpoint(Security.STARTTLS), authority, QUICK)
        try:
            await asyncio.to_thread(lambda: work(session))
        finally:
            session.close()
        return fake


def fails(fault: MailboxFault) -> Callable[[ImapSession], object]:
    def work(session: ImapSession) -> None:
        with pytest.raises(ImapFailed) as caught:
            session.connect()
        assert caught.value.fault is fault

    return work


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ([Hold()], MailboxFault.SILENT),
        ([Send(b"* BYE go away\r\n"), Hold()], MailboxFault.BUSY),
        ([Send(b"+OK POP3 ready\r\n"), Hold()], MailboxFault.POP3_SERVER),
        ([Send(b"220 mail.example.com ESMTP\r\n"), Hold()], MailboxFault.NOT_IMAP),
        ([Close()], MailboxFault.CLOSED),
        ([Send(b"* OK " + b"x" * 5_000_000), Hold()], MailboxFault.TOO_MUCH),
        ([Send(b"* OK {99999999999999999999}\r\n"), Hold()], MailboxFault.TOO_MUCH),
        ([Send(b"* 1 FETCH {4000000000}\r\n"), Hold()], MailboxFault.TOO_MUCH),
    ],
    ids=["silent", "bye", "pop3", "smtp", "closed", "endless line", "huge literal", "large literal"],
)
async def test_a_greeting_without_end_or_sense_is_given_up(
    script: list[Step], fault: MailboxFault, authority: Authority
) -> None:
    await misbehaving(script, authority, fails(fault))


LIES: dict[str, tuple[bytes, MailboxFault]] = {
    "endless lists": (b'* LIST () "/" a\r\n' * 600_000, MailboxFault.TOO_MUCH),
    "deep parentheses": (b"* LIST " + b"(" * 100_000 + b"\r\nTAG OK\r\n", MailboxFault.GARBLED),
    "open string": (b'* LIST () "/" "abc\r\nTAG OK\r\n', MailboxFault.GARBLED),
    "nul": (b'* LIST (\0) "\0" \0\r\nTAG OK\r\n', MailboxFault.GARBLED),
    "literal bomb": (b'* LIST () "/" {3999999999}\r\n', MailboxFault.TOO_MUCH),
    "no": (b"TAG NO never\r\n", MailboxFault.GARBLED),
    "no permission": (b"TAG NO [NOPERM] Access denied\r\n", MailboxFault.NOT_ALLOWED),
    "not able": (b"TAG NO [CANNOT] no list\r\n", MailboxFault.NOT_ALLOWED),
    "busy": (b"TAG NO [UNAVAILABLE] later\r\n", MailboxFault.BUSY),
    "another tag": (b"XX99 OK done\r\n", MailboxFault.GARBLED),
    "no tag": (b"\r\n", MailboxFault.GARBLED),
    "bye": (b"* BYE go away\r\n", MailboxFault.CLOSED),
}


@pytest.mark.parametrize("name", LIES)
async def test_an_answer_that_lies_is_bounded(name: str, authority: Authority) -> None:
    answer, fault = LIES[name]
    lie = lambda tag, command, words: answer.replace(b"TAG", tag.encode()) if command == "LIST" else None  # noqa: E731
    async with server(authority, lies=lie) as imap:

        def work(session: ImapSession) -> None:
            signed_in(session)
            with pytest.raises(ImapFailed) as caught:
                session.special_folders("\\Junk")
            assert caught.value.fault is fault

        await in_session(imap, authority, work, QUICK)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"TAG BAD unknown command\r\n", "unknown command"),
        (b"TAG NO [CANNOT] it's b'odd'\r\n", "[CANNOT] it's b'odd'"),
        (b"* BYE \xc3\xbcberlastet\r\n", "\u00fcberlastet"),
        (b"* SEARCH a b\r\nTAG OK done\r\n", ""),
        (b"* SEARCH 0\r\nTAG OK\r\n", ""),
        (b"no grammar\r\n", "no grammar"),
        (b"", ""),
    ],
    ids=["bad", "no", "bye", "no numbers", "a mark of ours", "no grammar", "nothing"],
)
async def test_only_what_the_server_sent_is_quoted(answer: bytes, said: str, authority: Authority) -> None:
    """The libraries put words of their own beside it."""
    lie = lambda tag, command, words: answer.replace(b"TAG", tag.encode()) if command == "UID SEARCH" else None  # noqa: E731
    async with server(authority, lies=lie) as imap:
        imap.inbox.add(ORDINARY)

        def work(session: ImapSession) -> None:
            signed_in(session).examine("INBOX")
            with pytest.raises(ImapFailed) as caught:
                session.search(["TEXT", "a"])
            assert caught.value.server == said

        await in_session(imap, authority, work, QUICK)


@pytest.mark.parametrize(
    ("greeting", "said"), [(b"* BYE too many\r\n", "too many"), (b"+OK\r\n", "+OK"), (b"220 hello\r\n", "220 hello")]
)
async def test_a_greeting_is_quoted_as_it_came(greeting: bytes, said: str, authority: Authority) -> None:
    def work(session: ImapSession) -> None:
        with pytest.raises(ImapFailed) as caught:
            session.connect()
        assert caught.value.server == said

    await misbehaving([Send(greeting), Hold()], authority, work)


@pytest.mark.parametrize(
    ("place", "fault", "title"),
    [
        ("localhost:993", MailboxFault.SILENT, "localhost:993 does not answer in time"),
        ("", MailboxFault.POP3_ONLY, "Your e-mail provider is known for POP3 alone"),
    ],
)
def test_a_sentence_begins_with_the_name_of_a_server_as_it_is(place: str, fault: MailboxFault, title: str) -> None:
    described = MailboxDescription(server=shown(place), address=shown(USER))
    assert finding_of(ImapFailed(fault), described).title == title


async def test_letters_that_were_not_asked_for_and_are_too_long_are_cut(authority: Authority) -> None:
    def lie(tag: str, command: str, words: str) -> bytes | None:
        if command != "UID FETCH":
            return None
        unasked = b"* 2 FETCH (UID 99 BODY[]<0> {2}\r\nhi)\r\n"
        return b"* 1 FETCH (UID 1 BODY[]<0> {5}\r\nhello)\r\n" + unasked + tag.encode() + b" OK done\r\n"

    async with server(authority, lies=lie) as imap:
        imap.inbox.add(ORDINARY)

        def work(session: ImapSession) -> None:
            signed_in(session).examine("INBOX")
            assert [(each.uid, each.octets) for each in session.fetch([1], 3)] == [(1, b"hel")]

        await in_session(imap, authority, work)


async def test_starttls_encrypts_before_anybody_signs_in(authority: Authority) -> None:
    context = authority.issue("127.0.0.1").context()
    async with ImapServer(context, starttls=True) as imap:
        imap.inbox.add(ORDINARY)

        def work(session: ImapSession) -> None:
            assert signed_in(session).examine("INBOX").messages == 1

        await in_session(imap, authority, work)
        assert imap.commands[:2] == ["CAPABILITY", "STARTTLS"]
        assert imap.signed_in_encrypted == [True]


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"capabilities": ("AUTH=PLAIN",)}, MailboxFault.NOT_ENCRYPTED),
        ({"injected": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"}, MailboxFault.NOT_ENCRYPTED),
        ({"greeting": b"* PREAUTH come in\r\n"}, MailboxFault.NOT_ENCRYPTED),
    ],
    ids=["not offered", "words behind STARTTLS in clear text", "signed in already"],
)
async def test_where_nothing_gets_encrypted_nobody_signs_in(
    settings: dict[str, object], fault: MailboxFault, authority: Authority
) -> None:
    context = authority.issue("127.0.0.1").context()
    async with ImapServer(context, starttls=True, **settings) as imap:  # type: ignore[arg-type]
        await in_session(imap, authority, fails(fault))
        assert imap.sign_ins == 0


async def test_closing_from_elsewhere_ends_a_read_that_waits(authority: Authority) -> None:
    async with MisbehavingServer([Hold()]) as fake:
        session = session_with(fake.endpoint(Security.STARTTLS), authority)
        waiting = asyncio.ensure_future(asyncio.to_thread(session.connect))
        while not fake.connections:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        session.close()
        with pytest.raises(ImapFailed):
            await asyncio.wait_for(waiting, PATIENCE)


NAMES: dict[bytes, str] = {
    b'"&bad"': "&bad",
    b'"&!!!-"': "&!!!-",
    b'"&2D0-"': "&2D0-",
    b'"Entw&APw-rfe"': "Entw\u00fcrfe",
    b'"a \\"quote\\" b"': 'a "quote" b',
    b'"back\\\\slash"': "back\\slash",
    b'{5}\r\nab"cd': 'ab"cd',
    b'"\xff\xfe"': "\\xff\\xfe",
    b"INBOX.Spam": "INBOX.Spam",
}


@pytest.mark.parametrize("raw", NAMES, ids=repr)
async def test_a_folder_is_opened_by_the_name_that_the_server_gave_it(raw: bytes, authority: Authority) -> None:
    """However odd it is, and whatever parts names (RFC 3501 sections 5.1.3 and 7.2.2)."""

    def lie(tag: str, command: str, words: str) -> bytes | None:
        if command != "LIST":
            return None
        return b'* LIST () "" INBOX\r\n* LIST (\\Junk) "" %s\r\n%s OK done\r\n' % (raw, tag.encode())

    async with server(authority, lies=lie) as imap:

        def work(session: ImapSession) -> None:
            signed_in(session)
            (name,) = session.special_folders("\\Junk")
            assert name == NAMES[raw]
            with suppress(ImapFailed):  # the server of the test has no such folder
                session.examine(name)

        await in_session(imap, authority, work)
        opened = [each for each in imap.commands if each.startswith("EXAMINE")]
        as_said = (
            raw.decode("latin-1")
            if raw.startswith(b'"')
            else '"' + raw.split(b"\n")[-1].decode().replace('"', '\\"') + '"'
        )
        assert opened == ([f"EXAMINE {as_said}"] if raw.isascii() else []), "what is no ASCII cannot be sent"


@pytest.mark.parametrize(
    ("junk", "sent"),
    [
        ("Junk-E-Mail", "Gesendete Elemente"),
        ("Spamverdacht", "Gesendet"),
        ("Courrier indésirable", "Éléments envoyés"),
        ("Courrier inde\u0301sirable", "E\u0301le\u0301ments envoye\u0301s"),
        ("Correo no deseado", "Elementos enviados"),
        ("Posta indesiderata", "Posta inviata"),
        ("Lixo Eletrônico", "Itens Enviados"),
        ("Ongewenste e-mail", "Verzonden items"),
        ("INBOX/spam", "INBOX/Sent"),
        ("垃圾邮件", "已发送"),
    ],
)
async def test_folders_are_known_by_what_they_are_called_in_the_mailboxs_language(
    junk: str, sent: str, authority: Authority
) -> None:
    async with server(authority) as imap:
        for name in (junk, sent, "Kunden"):
            imap.folders[_encoded(name).decode()] = StoredFolder()

        def work(session: ImapSession) -> None:
            signed_in(session)
            assert (session.special_folders("\\Junk"), session.special_folders("\\Sent")) == ((junk,), (sent,))

        await in_session(imap, authority, work)


async def test_of_several_folders_of_a_use_all_are_told_the_marked_ones_first(authority: Authority) -> None:
    async with server(authority) as imap:
        imap.folders.update({"Sent": StoredFolder(), "Post": StoredFolder(special="\\Sent")})
        imap.folders.update({"Copies": StoredFolder(special="\\Sent"), "Spam": StoredFolder(special="\\Trash")})

        def work(session: ImapSession) -> None:
            assert signed_in(session).special_folders("\\Sent") == ("Post", "Copies", "Sent")
            assert session.special_folders("\\Junk") == (), "it is marked as something else"

        await in_session(imap, authority, work)


@pytest.mark.parametrize(
    ("folders", "unknown"),
    [
        ({}, ()),
        ({"Sent": "", "Entw&APw-rfe": "", "Archiv": ""}, ()),
        ({"Sent": "", "Kunden": "", "Zbytky": ""}, ("Kunden", "Zbytky")),
        ({"Sent": "\\Sent", "Kunden": ""}, ()),
    ],
    ids=["none", "all are known", "some are unknown", "the server marks them"],
)
async def test_where_nothing_is_marked_folders_of_unknown_use_are_told(
    folders: dict[str, str], unknown: tuple[str, ...], authority: Authority
) -> None:
    async with server(authority) as imap:
        imap.folders.update({name: StoredFolder(special=flag) for name, flag in folders.items()})

        def work(session: ImapSession) -> None:
            assert signed_in(session).folders_of_unknown_use() == unknown

        await in_session(imap, authority, work)


async def test_a_special_folder_is_found_among_any_number_and_the_server_is_asked_once(authority: Authority) -> None:
    async with server(authority) as imap:
        for number in range(2_000):
            imap.folders[f"f{number}"] = StoredFolder()
        imap.folders["Zspam"] = StoredFolder(special="\\Junk")

        def work(session: ImapSession) -> None:
            signed_in(session)
            assert [session.special_folders("\\Junk") for _ in range(3)] == [("Zspam",)] * 3
            assert session.special_folders("\\Sent") == ()

        await in_session(imap, authority, work)
        assert sum(each.startswith("LIST") for each in imap.commands) == 1
