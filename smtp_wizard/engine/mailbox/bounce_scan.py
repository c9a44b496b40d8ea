"""Finds returned mail in a mailbox: the server searches, and only what may be a bounce is fetched.

What was looked at is remembered by UID, so that the next time only what has come since is searched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import islice

from smtp_wizard.engine.base.mail_message import read_message
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.bounce_letters import LARGEST, BounceLetter, LetterKind, read_letter
from smtp_wizard.engine.mailbox.faults import ImapFailed, MailboxFault
from smtp_wizard.engine.mailbox.imap_session import INBOX, Fetched, Folder, ImapSession
from smtp_wizard.engine.mailbox.letter_addresses import ADDRESS_IN_TEXT
from smtp_wizard.engine.mailbox.mailbox_file import BounceWords
from smtp_wizard.engine.state.mailbox_marks import FolderMark

MOST_CANDIDATES = 2_000
"""Letters of a folder that are fetched at most, the newest first."""
MOST_FAILED = 5_000
"""Addresses of all letters together that are kept: one letter may name a hundred, as whoever sent it likes."""
MOST_HEADS = 5_000
"""Letters whose heads are looked at where the server cannot search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLetter:
    """A bounce, and where it lies."""

    folder: str
    uid: int
    key: str
    """Tells it from every other letter, wherever it lies. It says nothing of what is in it."""
    arrived: datetime | None
    letter: BounceLetter


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What was found in a mailbox."""

    letters: tuple[FoundLetter, ...]
    scanned: int
    """Letters that the server was asked about."""
    fetched: int
    """Octets of letters that were fetched."""
    auto_replies: int
    cut_off: bool
    """Whether letters were left out: there were too many, or the server stopped."""
    marks: Mapping[str, FolderMark]
    """What is to be remembered, by folder."""
    unread: tuple[str, ...] = ()
    """Folders that the server did not open, or how it calls its list of folders."""
    unknown: tuple[str, ...] = ()
    """Folders among which Junk may be, where none was found."""
    unreadable: tuple[FoundLetter, ...] = ()
    """Letters that report a failure, but not, or not for all, to which address."""
    not_handed_out: int = 0
    """Letters that the server was asked for and did not send."""
    replies: frozenset[int] = frozenset()
    """The UIDs of the automatic replies of one folder."""


def scan(
    session: ImapSession,
    since: date,
    words: BounceWords,
    marks: Mapping[str, FolderMark],
    own: Sequence[str],
) -> Scan:
    """Look for returned mail in the inbox and in Junk since a day. `own`: the account's addresses.

    Raises `ImapFailed` where the inbox cannot be read. Where Junk cannot, that is told.
    """
    parts = [_scan_folder(session, INBOX, since, words, marks.get(INBOX), own)]
    unread: list[str] = []
    unknown: tuple[str, ...] = ()
    try:
        junk = [each for each in session.special_folders("\\Junk") if each.casefold() != INBOX.casefold()]
        unknown = session.folders_of_unknown_use() if not junk else ()
    except ImapFailed:
        junk = []
        unread.append(JUNK)
    for name in junk:
        try:
            parts.append(_scan_folder(session, name, since, words, marks.get(name), own))
        except ImapFailed:  # what the inbox has is worth telling; nothing is remembered of a folder that was not read
            unread.append(name)
    return Scan(
        letters=tuple(letter for part in parts for letter in part.letters),
        scanned=sum(part.scanned for part in parts),
        fetched=session.fetched,
        auto_replies=sum(part.auto_replies for part in parts),
        cut_off=any(part.cut_off for part in parts),
        marks={name: mark for part in parts for name, mark in part.marks.items()},
        unread=tuple(unread),
        unknown=unknown,
        unreadable=tuple(letter for part in parts for letter in part.unreadable),
        not_handed_out=sum(part.not_handed_out for part in parts),
    )


JUNK = "Junk"
"""What the folder is called where the server's list of folders could not be read."""


def _scan_folder(
    session: ImapSession,
    name: str,
    since: date,
    words: BounceWords,
    mark: FolderMark | None,
    own: Sequence[str],
) -> Scan:
    folder = session.examine(name)
    known = _still_valid(mark, folder, since)
    window = session.search(["SINCE", since]) if folder.messages else []
    fresh = [uid for uid in window if known is None or uid > known.highest]
    remembered = [uid for uid in window if known is not None and uid in known.bounces]
    candidates, all_looked_at = _candidates(session, since, words, fresh) if fresh else ([], True)
    wanted = sorted({*candidates[:MOST_CANDIDATES], *remembered}, reverse=True)
    read = _read_letters(session, name, wanted, own)
    cut_off = read.cut_off or len(candidates) > MOST_CANDIDATES or not all_looked_at
    # What was left out must be looked at the next time, so nothing is remembered then.
    lasting = folder.validity and not cut_off and not read.not_handed_out
    reached = _reached(folder, since, window, known, read) if lasting else None
    again = len(known.replies.intersection(window)) if known is not None else 0
    marks = {name: reached} if reached is not None else {}
    return replace(read, scanned=len(fresh), cut_off=cut_off, marks=marks, auto_replies=len(read.replies) + again)


def _still_valid(mark: FolderMark | None, folder: Folder, since: date) -> FolderMark | None:
    """Return what is remembered of a folder, where the server's numbers are still the same and it reaches back far
    enough; a server that says no validity may number its letters anew at any time (RFC 3501 section 2.3.1.1).
    """
    if mark is None or not folder.validity or mark.validity != folder.validity:
        return None
    return mark if mark.since <= since else None


def _read_letters(session: ImapSession, name: str, wanted: Sequence[int], own: Sequence[str]) -> Scan:
    """Fetch and read letters of the folder that is open, until there are too many addresses or the server stops.

    Raises `ImapFailed` where not one letter was read.
    """
    letters: list[FoundLetter] = []
    unreadable: list[FoundLetter] = []
    replies: set[int] = set()
    failed = sent = 0
    cut_off = False
    try:
        for each in session.fetch(wanted, LARGEST):
            sent += 1
            letter = read_letter(each.octets, own)
            if letter.kind is LetterKind.AUTO_REPLY:
                replies.add(each.uid)
            failed += len(letter.recipients)
            if failed > MOST_FAILED:
                cut_off = True
                break
            if letter.recipients:
                letters.append(_found(name, each, letter))
            if letter.unreadable:
                unreadable.append(_found(name, each, letter))
    except ImapFailed:
        if not letters and not unreadable:
            raise
        cut_off = True  # what was read until then is worth telling; the time may be up
    return Scan(
        letters=tuple(letters),
        scanned=0,
        fetched=0,
        auto_replies=len(replies),
        cut_off=cut_off,
        marks={},
        unreadable=tuple(unreadable),
        not_handed_out=0 if cut_off else len(wanted) - sent,
        replies=frozenset(replies),
    )


def _reached(folder: Folder, since: date, window: Sequence[int], known: FolderMark | None, read: Scan) -> FolderMark:
    """Return what is to be remembered of a folder that was looked at whole."""
    bounces = frozenset(each.uid for each in (*read.letters, *read.unreadable))
    before = known or FolderMark(validity=folder.validity, since=since, highest=0)
    return FolderMark(
        validity=folder.validity,
        since=min(before.since, since),
        highest=max([*window, before.highest]),
        bounces=bounces | before.bounces,
        replies=read.replies | before.replies,
    )


def _found(folder: str, fetched: Fetched, letter: BounceLetter) -> FoundLetter:
    digest = hashlib.blake2b(digest_size=16, person=b"smtp-wizard")
    digest.update(f"{letter.message_id}\n{letter.at}\n".encode("utf-8", "replace"))
    digest.update(_body(fetched.octets)[:4096])
    return FoundLetter(folder=folder, uid=fetched.uid, key=digest.hexdigest(), arrived=fetched.arrived, letter=letter)


def _body(octets: bytes) -> bytes:
    """Return what stands below the head of a letter: on the way to another folder a head may get further fields."""
    return octets.replace(b"\r\n", b"\n").partition(b"\n\n")[2]


# --- what may be a bounce ---

NDR = "X-MS-Exchange-Message-Is-Ndr"
"""The field that Exchange puts into its reports about mail that failed; empty."""


def _candidates(session: ImapSession, since: date, words: BounceWords, fresh: Sequence[int]) -> tuple[list[int], bool]:
    """Return the UIDs among `fresh` that may be bounces, the newest first, and whether all of these were looked at."""
    begin: list[object] = ["UID", f"{min(fresh)}:*", "SINCE", since]
    try:
        found = session.search([*begin, *_any_of(_criteria(words))])
    except ImapFailed as problem:
        if problem.fault is not MailboxFault.GARBLED:
            raise
        return _by_heads(session, words, fresh)
    among = set(fresh)
    return [uid for uid in found if uid in among], True


def _criteria(words: BounceWords) -> list[list[object]]:
    return [
        ["HEADER", "Content-Type", "delivery-status"],
        ["HEADER", "X-Failed-Recipients", "@"],
        ["HEADER", NDR, ""],
        *_each("FROM", words.senders),
        *_each("SUBJECT", words.subjects),
    ]


def _each(key: str, words: Sequence[str]) -> list[list[object]]:
    return [[key, word] for word in words]


def _any_of(criteria: Sequence[list[object]]) -> list[object]:
    """Return a search for letters to which one of these applies; OR takes two (RFC 3501 section 6.4.4)."""
    if len(criteria) == 1:
        return criteria[0]
    half = len(criteria) // 2
    return ["OR", _any_of(criteria[:half]), _any_of(criteria[half:])]


def _by_heads(session: ImapSession, words: BounceWords, fresh: Sequence[int]) -> tuple[list[int], bool]:
    """As the search, for a server that cannot do it: the heads of the newest letters are fetched and looked at."""
    fits = _head_matcher(words)
    heads = list(session.heads(fresh[:MOST_HEADS], HEAD_FIELDS))
    return [uid for uid, head in heads if fits(head)], len(heads) == len(fresh)


HEAD_FIELDS = ("From", "Subject", "Content-Type", "X-Failed-Recipients", NDR)


def _head_matcher(words: BounceWords) -> Callable[[str], bool]:
    sought = (*words.senders, *words.subjects, "delivery-status", "x-failed-recipients", NDR.lower())

    def fits(head: str) -> bool:
        lower = head.lower()
        return any(each in lower for each in sought)

    return fits


# --- whom was written to ---


MOST_SENT = 1_000
"""Letters in Sent whose recipients are read, the newest."""
MOST_WRITTEN_TO = 10_000
"""Recipients of these that are kept: each address that failed is compared with them."""


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Between whom mail went out, as far as the folder Sent has it; all in small letters."""

    recipients: frozenset[str] = frozenset()
    senders: frozenset[str] = frozenset()
    """The addresses that it was sent from."""


def correspondence(session: ImapSession, since: date) -> Correspondence:
    """Return whom was written to since a day, and from which addresses. Raises `ImapFailed`."""
    heads: list[str] = []
    for name in session.special_folders("\\Sent"):
        if session.examine(name).messages:
            uids = session.search(["SINCE", since])[: MOST_SENT - len(heads)]
            heads += [head for _, head in session.heads(uids, ("From", "To", "Cc"))]
    return Correspondence(
        _addresses(heads, lambda name: name in ("to", "cc")), _addresses(heads, lambda name: name == "from")
    )


def _addresses(heads: Iterable[str], wanted: Callable[[str], bool]) -> frozenset[str]:
    """Return the addresses in some of the fields of heads."""
    fields = (field for head in heads for field in read_message(head + "\n").head.fields)
    named = (each.lower() for name, value in fields if wanted(name.lower()) for each in ADDRESS_IN_TEXT.findall(value))
    return frozenset(islice(named, MOST_WRITTEN_TO))
