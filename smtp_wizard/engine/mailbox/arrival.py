"""Where a message lies that was sent: its copy in Sent, itself in the inbox or in Junk; and the bounce of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from smtp_wizard.engine.base.mail_message import in_charset, read_message
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, SentCopy
from smtp_wizard.engine.mailbox.authentication_results import Authentication, read_authentication
from smtp_wizard.engine.mailbox.bounce_letters import LARGEST, BounceLetter, FailedRecipient, LetterKind, read_letter
from smtp_wizard.engine.mailbox.imap_session import INBOX, ImapSession

HEAD = 32 * 1024
"""Octets of a message that are fetched: its head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What was found where the message went."""

    where: ArrivalState
    authentication: Authentication = Authentication()
    unknown: tuple[str, ...] = ()
    """Folders among which Junk may be, where the message was not found and no Junk either."""


def sent_copy(session: ImapSession, code: str, since: date) -> SentCopy:
    """Look in the folder Sent for the message with a code word. Raises `ImapFailed`."""
    names = session.special_folders("\\Sent")
    if not names:
        return SentCopy.UNKNOWN
    return SentCopy.FOUND if any(_uids(session, name, code, since) for name in names) else SentCopy.ABSENT


def arrival(session: ImapSession, code: str, since: date) -> Arrival:
    """Look in the inbox and in Junk for the message with a code word. Raises `ImapFailed`."""
    for name, where in _folders(session):
        for found in session.fetch(_uids(session, name, code, since)[:1], HEAD):
            head = read_message(found.octets.decode("latin-1"), octets=True).head
            return Arrival(where=where, authentication=read_authentication(head.all("authentication-results")))
    return Arrival(where=ArrivalState.NO, unknown=_without_junk(session))


def arrived_from(session: ImapSession, codes: Iterable[str], since: date) -> dict[str, str]:
    """Return what stands in From of the messages with these code words, as far as they lie in the inbox or in Junk.

    Raises `ImapFailed`.
    """
    wanted, found = list(codes), dict[str, str]()
    for name, _ in _folders(session):
        for code in [each for each in wanted if each not in found]:
            for letter in session.fetch(_uids(session, name, code, since)[:1], HEAD):
                found[code] = sender_in(letter.octets)
    return found


def sender_in(octets: bytes) -> str:
    """Return the address in From of a message (RFC 5322 section 3.6.2, RFC 6532); '' where none can be told."""
    raw = read_message(octets[:HEAD].decode("latin-1"), octets=True).head.get("from")
    field = in_charset(raw.encode("latin-1", "replace"), "utf-8")
    at = field.rfind("<")
    return field[at + 1 :].partition(">")[0].strip() if at >= 0 else field.strip()


def _folders(session: ImapSession) -> Iterator[tuple[str, ArrivalState]]:
    """Yield where a message may have arrived. The folders are listed only where it is not in the inbox."""
    yield INBOX, ArrivalState.INBOX
    for name in session.special_folders("\\Junk"):
        yield name, ArrivalState.JUNK


def _without_junk(session: ImapSession) -> tuple[str, ...]:
    """Return the folders among which Junk may be, where none was found. Raises `ImapFailed`."""
    return () if session.special_folders("\\Junk") else session.folders_of_unknown_use()


def _uids(session: ImapSession, folder: str, code: str, since: date) -> list[int]:
    """Return the messages of a folder with a code word: by Message-ID, or by subject where a server changes that."""
    if not session.examine(folder).messages:
        return []
    return session.search(["SINCE", since, "OR", ["HEADER", "Message-ID", f"<{code}."], ["SUBJECT", code]])


# --- a bounce that is waited for ---


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedBounce:
    """A bounce that was waited for, and came."""

    folder: ArrivalState
    letter: BounceLetter
    recipient: FailedRecipient
    """Whom it says that the message did not reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComeBack:
    """What has come back of a message, so far."""

    bounce: AwaitedBounce | None = None
    """That it has failed."""
    delayed: AwaitedBounce | None = None
    """That it is late."""
    delivered: bool = False
    """Whether the message itself lies here."""
    unknown: tuple[str, ...] = ()
    """Folders among which Junk may be, where no bounce was found and no Junk either."""


def come_back(session: ImapSession, code: str, since: date) -> ComeBack:
    """Look in the inbox and in Junk for what came back of the message with a code word. Raises `ImapFailed`.

    It is known by the message that it returns, by the envelope id, or by the address, which has the code in it.
    """
    delayed: AwaitedBounce | None = None
    delivered = False
    for name, where in _folders(session):
        uids = session.search(["SINCE", since, "TEXT", code])[:MOST_LOOKED_AT] if session.examine(name).messages else []
        for found in session.fetch(uids, LARGEST):
            bounce = _awaited(found.octets, code, where)
            if bounce is not None and bounce.recipient.kind is LetterKind.FAILED:
                return ComeBack(bounce=bounce)
            delayed = delayed or bounce
            delivered = delivered or _is_itself(found.octets, code)
    return ComeBack(delayed=delayed, delivered=delivered, unknown=_without_junk(session))


MOST_LOOKED_AT = 20
"""Letters with the code word in them that are read."""


def _awaited(octets: bytes, code: str, where: ArrivalState) -> AwaitedBounce | None:
    """Return what a letter says of the message with a code word: of several recipients the worst, best known first."""
    letter = read_letter(octets)
    named = [each for each in letter.recipients if code in each.address]
    of_it = named or (letter.recipients if _is_about(letter, code) else ())
    if not of_it:
        return None
    recipient = next((each for each in of_it if each.kind is LetterKind.FAILED), of_it[0])
    return AwaitedBounce(folder=where, letter=letter, recipient=recipient)


def _is_about(letter: BounceLetter, code: str) -> bool:
    return any(code in each for each in (letter.returned_id, letter.envelope_id, letter.subject))


def _is_itself(octets: bytes, code: str) -> bool:
    """Whether a letter is the message with a code word."""
    head = read_message(octets[:HEAD].decode("latin-1"), octets=True).head
    return head.get("message-id").strip().startswith(f"<{code}.")
