"""Finding returned mail: the server searches, little is fetched, and the second time only what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.mailbox import bounce_scan, imap_session
from smtp_wizard.engine.mailbox.bounce_letters import LARGEST, read_letter
from smtp_wizard.engine.mailbox.bounce_scan import Correspondence, Scan, correspondence, scan
from smtp_wizard.engine.mailbox.bounded_imap import ImapLimits, ImapStream
from smtp_wizard.engine.mailbox.imap_session import ImapSession
from smtp_wizard.engine.mailbox.mailbox_file import load_mailboxes
from smtp_wizard.engine.smtp.tls import Trust
from smtp_wizard.engine.state import mailbox_marks
from smtp_wizard.engine.state.mailbox_marks import FolderMark, MailboxMarks
from smtp_wizard.engine.state.storage import Storage
from tests.support.certs import Authority
from tests.support.imapserver import PASSWORD, USER, ImapServer, StoredFolder
from tests.support.returned import (
    BY_EXCHANGE_IN_HTML,
    BY_QMAIL,
    IN_WORDS,
    ORDINARY,
    OUT_OF_OFFICE,
    QUOTED_BY_A_PERSON,
    WITHOUT_ADDRESS,
    report,
)

NOVEMBER = date(2026, 11, 1)
HERE = "imap.example.com:993"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def looked_at(
    server: ImapServer, authority: Authority, marks: Mapping[str, FolderMark] | None = None, since: date = NOVEMBER
) -> Scan:
    session = ImapSession(ImapStream(server.endpoint, ImapLimits()), Trust(str(authority.file)))
    try:
        session.connect()
        session.sign_in(USER, Secret(PASSWORD), session.way_in(Auth.PASSWORD))
        return scan(session, since, load_mailboxes().returned, marks or {}, (USER,))
    finally:
        session.close()


def server(authority: Authority, **settings: object) -> ImapServer:
    return ImapServer(authority.issue("127.0.0.1").context(), **settings)  # type: ignore[arg-type]


async def test_of_many_letters_only_those_that_may_be_bounces_are_fetched(authority: Authority) -> None:
    async with server(authority) as imap:
        for number in range(300):
            imap.inbox.add(ORDINARY + b"x" * 5_000 + str(number).encode())
        for octets in (report(), IN_WORDS, BY_QMAIL, OUT_OF_OFFICE, QUOTED_BY_A_PERSON):
            imap.inbox.add(octets)
        before = imap.flags()
        found = await asyncio.to_thread(looked_at, imap, authority)
        assert sorted(each.letter.recipients[0].address for each in found.letters) == [
            "bob@elsewhere.example",
            "carla@gmial.com",
            "dora@elsewhere.example",
        ]
        assert (found.scanned, found.auto_replies) == (305, 1)
        assert found.fetched == imap.sent < 10_000, "no ordinary letter is fetched, not even its head"
        assert imap.flags() == before


async def test_the_second_time_only_what_is_new_is_searched_and_the_bounces_are_still_there(
    authority: Authority,
) -> None:
    async with server(authority) as imap:
        for _ in range(50):
            imap.inbox.add(ORDINARY)
        imap.inbox.add(report())
        first = await asyncio.to_thread(looked_at, imap, authority)
        imap.inbox.add(ORDINARY)
        imap.inbox.add(report("eva@elsewhere.example", number=2))
        imap.commands.clear()
        second = await asyncio.to_thread(looked_at, imap, authority, first.marks)
        assert second.scanned == 2
        assert len(second.letters) == 2
        searches = [each for each in imap.commands if "DELIVERY-STATUS" in each.upper()]
        assert all("UID 52:*" in each for each in searches), searches
        third = await asyncio.to_thread(looked_at, imap, authority, second.marks)
        assert (third.scanned, len(third.letters)) == (0, 2)


@pytest.mark.parametrize("change", ["another UIDVALIDITY", "a longer time"])
async def test_what_is_remembered_holds_only_as_long_as_it_is_about_the_same(change: str, authority: Authority) -> None:
    async with server(authority) as imap:
        imap.inbox.add(report(), datetime(2026, 11, 20, tzinfo=UTC))
        imap.inbox.add(report("old@elsewhere.example", number=2), datetime(2026, 9, 20, tzinfo=UTC))
        first = await asyncio.to_thread(looked_at, imap, authority)
        assert first.scanned == 1
        if change == "a longer time":
            found = await asyncio.to_thread(looked_at, imap, authority, first.marks, date(2026, 9, 1))
            assert (found.scanned, len(found.letters)) == (2, 2)
        else:
            imap.inbox.validity = 8
            found = await asyncio.to_thread(looked_at, imap, authority, first.marks)
            assert (found.scanned, len(found.letters)) == (1, 1)


async def test_where_there_are_more_bounces_than_are_read_nothing_is_remembered(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else those that were left out would never be looked at."""
    monkeypatch.setattr(bounce_scan, "MOST_CANDIDATES", 1)
    async with server(authority) as imap:
        imap.inbox.add(report())
        imap.inbox.add(report("eva@elsewhere.example", number=2))
        found = await asyncio.to_thread(looked_at, imap, authority)
        assert (len(found.letters), found.cut_off, found.marks) == (1, True, {})


async def test_junk_is_looked_into_as_well(authority: Authority) -> None:
    async with server(authority) as imap:
        imap.folders["Spam folder"] = StoredFolder(special="\\Junk")
        imap.folders["Spam folder"].add(report())
        (found,) = (await asyncio.to_thread(looked_at, imap, authority)).letters
        assert found.folder == "Spam folder"


async def test_junk_is_looked_into_by_its_name_and_where_it_may_be_elsewhere_that_is_told(authority: Authority) -> None:
    async with server(authority) as imap:
        imap.folders["Junk-E-Mail"] = StoredFolder()
        imap.folders["Junk-E-Mail"].add(report())
        found = await asyncio.to_thread(looked_at, imap, authority)
        assert ([each.folder for each in found.letters], found.unknown) == (["Junk-E-Mail"], ())
        imap.folders["Zbytky"] = imap.folders.pop("Junk-E-Mail")
        found = await asyncio.to_thread(looked_at, imap, authority)
        assert (found.letters, found.unknown) == ((), ("Zbytky",))


async def test_automatic_replies_are_counted_again_and_not_fetched_again(authority: Authority) -> None:
    async with server(authority) as imap:
        imap.inbox.add(OUT_OF_OFFICE)
        first = await asyncio.to_thread(looked_at, imap, authority)
        imap.inbox.add(OUT_OF_OFFICE)
        sent = imap.sent
        second = await asyncio.to_thread(looked_at, imap, authority, first.marks)
        third = await asyncio.to_thread(looked_at, imap, authority, second.marks)
        assert [each.auto_replies for each in (first, second, third)] == [1, 2, 2]
        assert imap.sent == 2 * sent


@pytest.mark.parametrize("said", [b"<>", b"<the same@mx.example>", b""])
async def test_letters_that_say_the_same_of_themselves_are_told_from_each_other(
    said: bytes, authority: Authority
) -> None:
    async with server(authority) as imap:
        for name in ("carla", "dora"):
            imap.inbox.add(report(f"{name}@elsewhere.example").replace(b"<bounce1@mail.example.com>", said))
        found = await asyncio.to_thread(looked_at, imap, authority)
        assert len({each.key for each in found.letters}) == 2


async def test_a_letter_is_the_same_in_another_folder_whatever_was_put_into_its_head(authority: Authority) -> None:
    async with server(authority) as imap:
        imap.folders["Junk"] = StoredFolder()
        imap.inbox.add(report())
        imap.folders["Junk"].add(b"X-Spam: yes\n" + report())
        found = await asyncio.to_thread(looked_at, imap, authority)
        assert (len(found.letters), len({each.key for each in found.letters})) == (2, 1)


async def test_a_server_that_cannot_search_for_words_is_asked_for_heads(authority: Authority) -> None:
    def lie(tag: str, command: str, words: str) -> bytes | None:
        return f"{tag} BAD too complicated\r\n".encode() if command == "UID SEARCH" and "OR" in words.split() else None

    async with server(authority, lies=lie) as imap:
        for _ in range(300):
            imap.inbox.add(ORDINARY)
        imap.inbox.add(report())
        found = await asyncio.to_thread(looked_at, imap, authority)
        assert len(found.letters) == 1
        fetches = [each for each in imap.commands if "BODY.PEEK[]" in each]
        assert len(fetches) == 1, "only the bounce itself is fetched"


async def test_where_a_server_cannot_search_letters_beyond_those_looked_at_are_told_and_not_passed_over_for_ever(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lie(tag: str, command: str, words: str) -> bytes | None:
        return f"{tag} BAD too complicated\r\n".encode() if command == "UID SEARCH" and "OR" in words.split() else None

    monkeypatch.setattr(bounce_scan, "MOST_HEADS", 2)
    async with server(authority, lies=lie) as imap:
        imap.inbox.add(report())
        imap.inbox.add(ORDINARY)
        imap.inbox.add(ORDINARY)
        found = await asyncio.to_thread(looked_at, imap, authority)
        assert (found.letters, found.cut_off, found.marks) == ((), True, {})
        imap.inbox.letters.pop()
        found = await asyncio.to_thread(looked_at, imap, authority, found.marks)
        assert (len(found.letters), found.cut_off, len(found.marks)) == (1, False, 1)


async def test_of_a_large_letter_only_the_beginning_is_fetched(authority: Authority) -> None:
    async with server(authority) as imap:
        imap.inbox.add(report() + b"x" * 400_000)
        (found,) = (await asyncio.to_thread(looked_at, imap, authority)).letters
        assert found.letter.recipients[0].address == "bob@elsewhere.example"
        assert imap.sent == LARGEST


async def test_whom_was_written_to_and_from_where_is_read_from_all_folders_of_sent_mail(authority: Authority) -> None:
    async with server(authority) as imap:
        imap.folders["Sent"] = StoredFolder(special="\\Sent")
        imap.folders["Sent"].add(b"To: Bob <bob@elsewhere.example>, eva@elsewhere.example\nSubject: x\n\nSecret\n")
        imap.folders["Gesendete Elemente"] = StoredFolder()
        imap.folders["Gesendete Elemente"].add(b"From: Shop <Shop@firmshop.example>\nCc: zoe@elsewhere.example\n\nx\n")
        session = ImapSession(ImapStream(imap.endpoint, ImapLimits()), Trust(str(authority.file)))

        def work() -> Correspondence:
            session.connect()
            session.sign_in(USER, Secret(PASSWORD), session.way_in(Auth.PASSWORD))
            return correspondence(session, NOVEMBER)

        try:
            found = await asyncio.to_thread(work)
            assert found.recipients == {"bob@elsewhere.example", "eva@elsewhere.example", "zoe@elsewhere.example"}
            assert found.senders == {"shop@firmshop.example"}
        finally:
            session.close()
        assert imap.sent < 200


# --- what is remembered ---


def test_what_is_kept_of_a_mailbox_comes_back_and_goes_with_the_account(tmp_path: Path) -> None:
    storage = Storage(tmp_path, 5.0)
    marks = MailboxMarks(storage)
    mark = FolderMark(validity=7, since=NOVEMBER, highest=52, bounces=frozenset({51, 3}), replies=frozenset({9}))
    marks.keep("a" * 16, HERE, {"INBOX": mark}, ["key one"], datetime(2026, 11, 30, tzinfo=UTC))
    marks.keep("b" * 16, HERE, {"INBOX": mark}, ["key two"], datetime(2026, 11, 30, tzinfo=UTC))
    storage.flush()
    assert marks.folders("a" * 16, HERE) == {"INBOX": mark}
    assert marks.shown("a" * 16) == {"key one"}
    marks.forget("a" * 16)
    storage.flush()
    assert (marks.folders("a" * 16, HERE), marks.shown("a" * 16)) == ({}, frozenset())
    marks.tidy(frozenset(), datetime(2026, 12, 1, tzinfo=UTC))
    storage.flush()
    assert marks.shown("b" * 16) == frozenset()


def test_what_was_read_on_one_server_says_nothing_of_another(tmp_path: Path) -> None:
    """Both may have the same UIDVALIDITY: 1 is a common one."""
    storage, now = Storage(tmp_path, 5.0), datetime(2026, 11, 30, tzinfo=UTC)
    marks = MailboxMarks(storage)
    here, there = (FolderMark(validity=1, since=NOVEMBER, highest=highest) for highest in (52, 7))
    marks.keep("a", HERE, {"INBOX": here}, [], now)
    storage.flush()
    assert marks.folders("a", "imap.example.net:993") == {}
    marks.keep("a", "imap.example.net:993", {"INBOX": there}, [], now)
    storage.flush()
    assert marks.folders("a", HERE) == {"INBOX": here}
    assert marks.folders("a", "imap.example.net:993") == {"INBOX": there}
    assert marks.folders("a", HERE.upper()) == {"INBOX": here}


def test_of_more_letters_than_are_kept_the_oldest_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox_marks, "MOST_BOUNCES", 3)
    storage, now = Storage(tmp_path, 5.0), datetime(2026, 11, 30, tzinfo=UTC)
    marks = MailboxMarks(storage)
    marks.keep("a", HERE, {}, ["z", "y", "x", "w"], now)
    storage.flush()
    assert marks.shown("a") == {"z", "y", "x"}
    marks.keep("a", HERE, {}, ["b", "y"], now + timedelta(hours=1))
    storage.flush()
    assert marks.shown("a") == {"b", "y", "z"}, "one that is shown again is not among the oldest"


async def test_one_letter_names_no_more_addresses_than_are_kept(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounce_scan, "MOST_FAILED", 3)
    async with server(authority) as imap:
        for number in range(5):
            imap.inbox.add(report(f"u{number}@elsewhere.example", number=number))
        found = await asyncio.to_thread(looked_at, imap, authority)
        assert (len(found.letters), found.cut_off, found.marks) == (3, True, {})


async def test_what_was_read_before_the_server_hung_up_is_told_and_nothing_is_remembered(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = 0

    def lie(tag: str, command: str, words: str) -> bytes | None:
        nonlocal fetched
        fetched += command == "UID FETCH"
        return b"* BYE too much\r\n" if fetched == 2 else None

    monkeypatch.setattr(imap_session, "BATCH", 2)
    async with server(authority, lies=lie) as imap:
        for number in range(5):
            imap.inbox.add(report(f"u{number}@elsewhere.example", number=number))
        found = await asyncio.to_thread(looked_at, imap, authority)
        assert (len(found.letters), found.cut_off, found.marks) == (2, True, {})


async def test_a_server_that_says_no_uidvalidity_is_searched_anew_each_time(authority: Authority) -> None:
    """RFC 3501 section 2.3.1.1: it may number its letters anew at any time."""
    async with server(authority) as imap:
        imap.inbox.validity = 0
        imap.inbox.add(report())
        mark = FolderMark(validity=0, since=NOVEMBER, highest=900)
        found = await asyncio.to_thread(looked_at, imap, authority, {"INBOX": mark})
        assert (len(found.letters), found.marks) == (1, {})


def test_whom_a_letter_names_a_hundred_of_is_told_in_few_words() -> None:
    """Each is explained by itself: what one letter costs must not grow with what it says, a hundred times."""
    more = "".join(f"\nFinal-Recipient: rfc822; u{number}@d.example\nAction: failed\n" for number in range(99))
    octets = report(more=more, diagnostic="").replace(b"This is the mail system", b"word " * 2_000)
    letter = read_letter(octets)
    assert len(letter.recipients) == 100
    assert sum(len(each.words) for each in letter.recipients) < 100_000


async def test_letters_that_cannot_be_read_are_found_and_told_again_the_next_time(authority: Authority) -> None:
    async with server(authority) as imap:
        for octets in (WITHOUT_ADDRESS, BY_EXCHANGE_IN_HTML, report()):
            imap.inbox.add(octets)
        first = await asyncio.to_thread(looked_at, imap, authority)
        assert (len(first.letters), len(first.unreadable), len(first.marks)) == (1, 2, 1)
        second = await asyncio.to_thread(looked_at, imap, authority, first.marks)
        assert (second.scanned, len(second.letters), len(second.unreadable)) == (0, 1, 2)


async def test_letters_that_the_server_does_not_send_do_not_count_as_read(authority: Authority) -> None:
    """It answers OK, and hands out nothing."""
    silent = True

    def lie(tag: str, command: str, words: str) -> bytes | None:
        return f"{tag} OK done\r\n".encode() if silent and command == "UID FETCH" else None

    async with server(authority, lies=lie) as imap:
        imap.inbox.add(report())
        found = await asyncio.to_thread(looked_at, imap, authority)
        assert (found.letters, found.not_handed_out, found.marks) == ((), 1, {})
        silent = False
        found = await asyncio.to_thread(looked_at, imap, authority, found.marks)
        assert (len(found.letters), found.not_handed_out, len(found.marks)) == (1, 0, 1)


async def test_heads_that_the_server_does_not_send_do_not_count_as_looked_at(authority: Authority) -> None:
    def lie(tag: str, command: str, words: str) -> bytes | None:
        if command == "UID SEARCH" and "OR" in words.split():
            return f"{tag} BAD too complicated\r\n".encode()
        return f"{tag} OK done\r\n".encode() if command == "UID FETCH" else None

    async with server(authority, lies=lie) as imap:
        imap.inbox.add(report())
        found = await asyncio.to_thread(looked_at, imap, authority)
        assert (found.letters, found.cut_off, found.marks) == ((), True, {})
