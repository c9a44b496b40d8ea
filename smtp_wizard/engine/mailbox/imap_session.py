"""One session with an IMAP server: signing in, finding folders, searching and fetching. Nothing is ever changed.

Folders are opened by EXAMINE and letters fetched by BODY.PEEK, so that no flag is set (RFC 3501 sections 6.3.2, 6.4.5).
What IMAPClient and `imaplib` raise about what a server says is translated here, into `ImapFailed`.
"""

from __future__ import annotations

import base64
import binascii
import errno
import imaplib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from smtp_wizard.engine.base.characters import has_control
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.bounded_imap import BoundedImap, ImapStream, TooMuch, in_clear
from smtp_wizard.engine.mailbox.faults import ImapFailed, MailboxFault
from smtp_wizard.engine.mailbox.mailbox_file import comparable, load_mailboxes
from smtp_wizard.engine.mailbox.moments import usable
from smtp_wizard.engine.mailbox.refusals import command_fault, sign_in_fault
from smtp_wizard.engine.smtp.masking import MASK, Redactor
from smtp_wizard.engine.smtp.protocol import SmtpError
from smtp_wizard.engine.smtp.sasl import begin_exchange, choose_mechanism
from smtp_wizard.engine.smtp.tls import Trust

if TYPE_CHECKING:
    from smtp_wizard.engine.smtp.sasl import Exchange

INBOX = "INBOX"
BATCH = 20
"""Letters that are fetched at once."""
HEADS = 250
"""Heads that are fetched at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder as it was opened."""

    name: str
    validity: int
    """The UIDs below hold as long as this is the same (RFC 3501 section 2.3.1.1)."""
    messages: int


@dataclass(frozen=True, slots=True)
class _ListedFolder:
    """A folder as LIST names it (RFC 3501 section 7.2.2)."""

    name: str
    """As a person reads it."""
    raw: bytes
    """As the server says it."""
    flags: frozenset[bytes]
    """In small letters."""
    delimiter: str
    """What parts it from the folder above it; '' where there is none above."""

    @property
    def last_part(self) -> str:
        """What it is called within the folder above it."""
        return self.name.rpartition(self.delimiter)[2] if self.delimiter else self.name

    @property
    def usual_name(self) -> str:
        """Its last part, as it is compared with the usual names."""
        return comparable(self.last_part)


def _listed_folder(flags: object, delimiter: object, name: object) -> _ListedFolder | None:
    """Return a folder as it was listed, None where that is no name."""
    raw = name.encode("latin-1", "replace") if isinstance(name, str) else name
    if not isinstance(raw, bytes) or not raw:
        return None
    said = flags if isinstance(flags, tuple) else ()
    return _ListedFolder(
        _decoded_name(raw),
        raw,
        frozenset(each.lower() for each in said if isinstance(each, bytes)),
        delimiter.decode("latin-1") if isinstance(delimiter, bytes) else "",
    )


def _decoded_name(raw: bytes) -> str:
    """Return the name of a folder in clear (RFC 3501 section 5.1.3); as it stands where it is not encoded so."""
    from imapclient.imap_utf7 import decode

    with suppress(ValueError):  # base64 that is none, UTF-16 that is none
        name = decode(raw)
        if isinstance(name, str) and _encoded(name) == raw:
            return name
    return raw.decode("utf-8", "backslashreplace")


def _encoded(name: str) -> bytes:
    """Return the name of a folder as it goes over the wire. Raises `ValueError`."""
    from imapclient.imap_utf7 import encode

    encoded = encode(name)
    assert isinstance(encoded, bytes)
    return encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The beginning of a letter."""

    uid: int
    arrived: datetime | None
    """Aware, where the server says it."""
    octets: bytes


class ImapSession:
    """A session, in one thread; `close` may come from any."""

    def __init__(self, line: ImapStream, trust: Trust) -> None:
        self._line = line
        self._trust = trust
        self._client: Any = None
        self._redactor = Redactor(None, "")
        self._listed: tuple[_ListedFolder, ...] | None = None
        self._raw_names: dict[str, bytes] = {}
        """How the server calls the folders that it has listed."""
        self.fetched = 0
        """Octets of letters that were fetched."""

    # -- the beginning ----------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Connect, encrypted. Raises `ImapFailed`."""
        with self._translated(MailboxFault.NOT_IMAP):
            self._client = _client_over(self._line.connect(self._trust))

    def way_in(self, auth: Auth) -> str:
        """Return the SASL mechanism for a password or a token; 'LOGIN command' for the command of that name.

        Raises `ImapFailed` where there is none.
        """
        offered = self._offered()
        mechanism = choose_mechanism([each[5:] for each in offered if each.startswith("AUTH=")], auth)
        if mechanism is None and auth is Auth.PASSWORD and "LOGINDISABLED" not in offered:
            return LOGIN_COMMAND
        if mechanism is None:
            raise ImapFailed(MailboxFault.NO_SIGN_IN)
        return mechanism

    def sign_in(self, username: str, secret: Secret, mechanism: str) -> None:
        """Sign in by a way that `way_in` has found. Raises `ImapFailed`."""
        self._redactor = Redactor(secret, username)
        try:
            exchange = begin_exchange("LOGIN" if mechanism == LOGIN_COMMAND else mechanism, username, secret)
        except SmtpError:
            raise ImapFailed(MailboxFault.NO_SIGN_IN) from None
        with self._translated(MailboxFault.GARBLED):
            try:
                if mechanism == LOGIN_COMMAND:
                    self._client.login(*_login_words(exchange))
                else:
                    self._client.sasl_login(mechanism, _Answers(exchange))
                    exchange.accepted()
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as problem:
                if isinstance(problem.__context__, imaplib.IMAP4.abort):  # no refusal: the line broke, or nonsense came
                    raise problem.__context__ from None
                if not self._line.refused:  # the libraries gave up: no server has refused anything
                    raise
                raise self._refusal(exchange.added) from None
            self._introduce()

    def _refusal(self, added: Shown) -> ImapFailed:
        """Say what a refused sign-in means. The words are the server's, and may have the password in them."""
        words = self._said()
        return ImapFailed(sign_in_fault(f"{words} {added}"), server=words)

    def _introduce(self) -> None:
        """Say who asks (RFC 2971): some servers open no folder before."""
        if "ID" in self._offered():
            with suppress(imaplib.IMAP4.error, ValueError, LookupError):
                self._client.id_({"name": "smtp-wizard"})

    def _offered(self) -> list[str]:
        with self._translated(MailboxFault.GARBLED):
            return [each.decode("ascii", "replace").upper() for each in self._client.capabilities()]

    # -- reading ----------------------------------------------------------------------------------------------------

    def special_folders(self, flag: str) -> tuple[str, ...]:
        r"""Return the folders of a special use ('\Junk', '\Sent', RFC 6154), and those that are usually called so.

        A server may mark several, and a mail program may have made one of its own name beside it. Raises `ImapFailed`.
        The server is asked once for its folders.
        """
        wanted, usual = flag.encode("ascii").lower(), load_mailboxes().folders.of(flag)
        marked = [each.name for each in self._folders() if wanted in each.flags]
        named = [each.name for each in self._folders() if not each.flags & _SPECIAL and each.usual_name in usual]
        return tuple(dict.fromkeys((*marked, *named)))[:_MOST_OF_A_KIND]

    def folders_of_unknown_use(self) -> tuple[str, ...]:
        """Return the folders of which nobody knows what they are for, where the server marks none. Raises `ImapFailed`.

        Where it marks some, it marks Junk too, if there is one.
        """
        if any(each.flags & _SPECIAL for each in self._folders()):
            return ()
        known = load_mailboxes().folders.known
        return tuple(each.name for each in self._folders() if each.usual_name not in known)

    def _folders(self) -> tuple[_ListedFolder, ...]:
        """Return the folders that letters may lie in."""
        if self._listed is None:
            self._listed = tuple(each for each in self._list_folders() if _NO_LETTERS not in each.flags)
        return self._listed

    def _list_folders(self) -> tuple[_ListedFolder, ...]:
        with self._translated(MailboxFault.GARBLED):
            # Names stay as the server says them: one that is none would hide all the others.
            self._client.folder_encode = False
            listed = [_listed_folder(*each) for each in self._client.list_folders()]
        found = tuple(each for each in listed if each is not None)
        for each in found:
            self._raw_names.setdefault(each.name, each.raw)
        return found

    def examine(self, name: str) -> Folder:
        """Open a folder for reading alone. Raises `ImapFailed`."""
        with self._translated(MailboxFault.GARBLED):
            self._client.folder_encode = False
            raw = self._raw_names.get(name) or _encoded(name)
            said: Mapping[bytes, object] = self._client.select_folder(raw, readonly=True)
        return Folder(name=name, validity=_number(said.get(b"UIDVALIDITY")), messages=_number(said.get(b"EXISTS")))

    def search(self, criteria: Sequence[object]) -> list[int]:
        """Return the UIDs of the letters in the open folder that fit, the newest first. Raises `ImapFailed`."""
        with self._translated(MailboxFault.GARBLED):
            found = self._client.search(list(criteria))
        return sorted({each for each in found if _number(each)}, reverse=True)

    def fetch(self, uids: Sequence[int], octets: int) -> Iterator[Fetched]:
        """Yield the beginnings of letters of the open folder, a few at a time, in the order of `uids`.

        Raises `ImapFailed`.
        """
        item = f"BODY.PEEK[]<0.{octets}>"
        for at in range(0, len(uids), BATCH):
            batch = list(uids[at : at + BATCH])
            with self._translated(MailboxFault.GARBLED):
                self._client.normalise_times = False
                found: Mapping[int, Mapping[bytes, object]] = self._client.fetch(batch, ["INTERNALDATE", item])
            for uid in batch:
                parts = found.get(uid, {})
                letter = next((value for key, value in parts.items() if key.startswith(b"BODY[]")), None)
                if isinstance(letter, bytes):
                    self.fetched += len(letter)
                    yield Fetched(uid=uid, arrived=_aware(parts.get(b"INTERNALDATE")), octets=letter[:octets])

    def heads(self, uids: Sequence[int], fields: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield these fields of the heads of letters, as they stand, in the order of `uids`. Raises `ImapFailed`."""
        item = f"BODY.PEEK[HEADER.FIELDS ({' '.join(fields)})]"
        for at in range(0, len(uids), HEADS):
            batch = list(uids[at : at + HEADS])
            with self._translated(MailboxFault.GARBLED):
                found: Mapping[int, Mapping[bytes, object]] = self._client.fetch(batch, [item])
            for uid in batch:
                said = next((value for key, value in found.get(uid, {}).items() if key.startswith(b"BODY[")), None)
                if isinstance(said, bytes):
                    self.fetched += len(said)
                    yield uid, said.decode("latin-1")

    def log_out(self) -> None:
        """Say goodbye; that it is not heard hurts nobody."""
        with suppress(imaplib.IMAP4.error, OSError, ValueError, LookupError):
            self._client.logout()

    def close(self) -> None:
        """Close at once, from whatever thread."""
        self._line.close()

    # -- what is raised ---------------------------------------------------------------------------------------------

    @contextmanager
    def _translated(self, garbled: MailboxFault) -> Iterator[None]:
        """Translate what is raised about a server's answers. `garbled`: the fault where an answer makes no sense."""
        try:
            yield
        except TooMuch:
            raise ImapFailed(MailboxFault.TOO_MUCH) from None
        except TimeoutError:
            raise ImapFailed(MailboxFault.SILENT) from None
        except OSError as problem:
            full = problem.errno in (errno.EMFILE, errno.ENFILE)
            raise ImapFailed(MailboxFault.NO_ROOM if full else MailboxFault.CLOSED) from None
        except imaplib.IMAP4.abort as problem:
            senseless = "unexpected" in str(problem) or "unterminated" in str(problem)
            words = self._said(last=senseless)
            raise ImapFailed(garbled if senseless else MailboxFault.CLOSED, server=words) from None
        except imaplib.IMAP4.error:
            words = self._said()
            raise ImapFailed(command_fault(words) or garbled, server=words) from None
        except SmtpError:
            raise ImapFailed(MailboxFault.GARBLED) from None
        except _TRIPPED_OVER:
            raise ImapFailed(garbled) from None

    def _said(self, *, last: bool = False) -> Shown:
        """Return what the server refused with, without the secret; '' where it said nothing.

        `last`: its last line, where it did not refuse, and that line makes no sense. The libraries are never quoted.
        """
        said = self._line.refused or (_TAGGED.sub(b"", self._line.last, count=1) if last else b"")
        if not said:
            return NO_WORDS
        return MASK if self._redactor.whole else shown(self._redactor.scrub(in_clear(said)), 300)


_TAGGED = re.compile(rb"\A[A-Z]+[0-9]+ (?:OK\b)?\s*", re.IGNORECASE)
"""The end of an answer, with our own mark for the command, which is nothing that the server wanted to say."""
LOGIN_COMMAND = "LOGIN command"
"""The command of RFC 3501 section 6.2.3, which is no SASL mechanism."""
_SPECIAL = frozenset({b"\\all", b"\\archive", b"\\drafts", b"\\flagged", b"\\junk", b"\\sent", b"\\trash"})
"""The special uses of RFC 6154, in small letters."""
_NO_LETTERS = b"\\noselect"
_MOST_OF_A_KIND = 4
"""Folders of one use that are looked into."""
_TRIPPED_OVER = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, MemoryError)
"""What the libraries raise over answers that follow no grammar."""


class _Answers:
    """Gives the answers of a SASL exchange, whose commands are SMTP's, to the challenges of an IMAP server."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        first = exchange.start().data.split()
        self._initial = _decoded(first[2]) if len(first) > 2 else None

    def __call__(self, challenge: bytes) -> bytes | None:
        initial, self._initial = self._initial, None
        if initial is not None and not challenge:
            return initial
        command = self._exchange.answer(base64.b64encode(challenge).decode("ascii"))
        return _decoded(command.data.strip()) if command is not None else None


def _decoded(word: bytes) -> bytes:
    with suppress(binascii.Error):
        return base64.b64decode(word)
    return b""


def _login_words(exchange: Exchange) -> tuple[str, str]:
    """Return user name and password for the command. Raises `ImapFailed` where it cannot carry them."""
    exchange.start()
    words = [_decoded(command.data.strip()) for command in (exchange.answer(""), exchange.answer("")) if command]
    name, password = (word.decode("utf-8") for word in words)
    if not (name + password).isascii() or has_control(name + password):
        raise ImapFailed(MailboxFault.NO_SIGN_IN)
    # imaplib quotes the password, and not the name.
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"', password


def _client_over(imap: BoundedImap) -> Any:
    """Return IMAPClient over a connection that is there already."""
    from imapclient import IMAPClient

    class OverBounded(IMAPClient):  # type: ignore[misc]  # it has no types
        def _create_IMAP4(self) -> BoundedImap:
            return imap

    client = OverBounded(imap.host, imap.port, ssl=True)
    imap.debug = 0  # it would hand every command to the log
    return client


def _number(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**32 else 0


def _aware(value: object) -> datetime | None:
    return usable(value) if isinstance(value, datetime) and value.tzinfo is not None else None
