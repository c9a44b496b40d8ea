"""An IMAP server on loopback that keeps its letters in memory, and records each command: what RFC 3501 asks of reading.

It speaks TLS from the first byte. It refuses every command that could change something, and counts what is fetched. A
test that wants it to misbehave gives `lies`: what is answered, byte by byte, in the place of the true answer.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from typing import Self

from smtp_wizard.engine.base.endpoint import Endpoint, Security

USER, PASSWORD = "ana@example.com", "correct horse battery"


@dataclass
class StoredLetter:
    """A letter in a folder."""

    uid: int
    octets: bytes
    arrived: datetime = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    flags: frozenset[str] = frozenset()

    def has(self, name: str) -> bool:
        """Whether the field is there: an empty word to search for fits all that it may say (RFC 3501 section 6.4.4)."""
        return name in BytesHeaderParser().parsebytes(self.octets)

    def header(self, name: str) -> str:
        return str(BytesHeaderParser().parsebytes(self.octets).get(name, ""))


@dataclass
class StoredFolder:
    """A folder, with the flags that LIST shows."""

    letters: list[StoredLetter] = field(default_factory=list)
    special: str = ""
    validity: int = 7

    def add(self, octets: bytes, arrived: datetime | None = None) -> StoredLetter:
        """Put a letter into the folder."""
        uid = max((each.uid for each in self.letters), default=0) + 1
        letter = StoredLetter(uid, octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        letter.arrived = arrived or letter.arrived
        self.letters.append(letter)
        return letter


_USUAL = ("AUTH=PLAIN", "AUTH=XOAUTH2", "SASL-IR", "ID")
Lie = Callable[[str, str, str], bytes | None]
"""Takes tag, command and its words; returns what is answered instead, or None for the truth."""


class ImapServer:
    """The server. Used with `async with`."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        capabilities: Sequence[str] = _USUAL,
        greeting: bytes = b"* OK ready\r\n",
        refusal: str = "NO [AUTHENTICATIONFAILED] Authentication failed.",
        password: str = PASSWORD,
        lies: Lie = lambda tag, command, words: None,
        starttls: bool = False,
        injected: bytes = b"",
    ) -> None:
        self.folders: dict[str, StoredFolder] = {"INBOX": StoredFolder()}
        self.commands: list[str] = []
        """Every command that came, without its tag; what signs in without the secret."""
        self.sign_ins = 0
        self.signed_in_encrypted: list[bool] = []
        """Of each sign-in, whether it came encrypted."""
        self.sent = 0
        """Octets of letters that were sent."""
        self._context = context
        self._capabilities = capabilities
        self._greeting = greeting
        self._refusal = refusal
        self._password = password
        self._lies = lies
        self._starttls = starttls
        self._injected = injected
        if starttls and capabilities == _USUAL:
            self._capabilities = ("STARTTLS", *capabilities)
        self._ends: set[asyncio.Task[None]] = set()

    @property
    def inbox(self) -> StoredFolder:
        return self.folders["INBOX"]

    @property
    def endpoint(self) -> Endpoint:
        security = Security.STARTTLS if self._starttls else Security.TLS
        return Endpoint("127.0.0.1", self._server.sockets[0].getsockname()[1], security)

    async def __aenter__(self) -> Self:
        context = None if self._starttls else self._context
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._ends:
            task.cancel()
        await asyncio.gather(*self._ends, return_exceptions=True)

    def flags(self) -> list[frozenset[str]]:
        """Return the flags of all letters, to be compared."""
        return [each.flags for folder in self.folders.values() for each in folder.letters]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._ends.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            writer.write(self._greeting)
            await _Conversation(self, reader, writer).go_on()
        writer.close()
        self._ends.discard(task)


class _Conversation:
    def __init__(self, server: ImapServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.folder = StoredFolder()
        self.tag = ""

    async def go_on(self) -> None:
        while line := await self.reader.readline():
            self.tag, _, rest = line.decode("latin-1").rstrip("\r\n").partition(" ")
            command, _, words = rest.partition(" ")
            command = command.upper()
            if command == "UID":
                sub, _, words = words.partition(" ")
                command = f"UID {sub.upper()}"
            self.server.commands.append(
                command if command in ("LOGIN", "AUTHENTICATE") else f"{command} {words}".strip()
            )
            lie = self.server._lies(self.tag, command, words)
            if lie is not None:
                self.writer.write(lie)
                await self.writer.drain()
                continue
            work = getattr(self, f"do_{command.lower().replace(' ', '_')}", None)
            if work is None:
                self.say(f"{self.tag} BAD {command} is not allowed here")
            else:
                await work(words)
            await self.writer.drain()
            if command == "LOGOUT":
                return

    def say(self, line: str) -> None:
        self.writer.write(line.encode("latin-1") + b"\r\n")

    def ok(self, words: str = "done") -> None:
        self.say(f"{self.tag} OK {words}")

    async def do_capability(self, _: str) -> None:
        self.say(f"* CAPABILITY IMAP4rev1 {' '.join(self.server._capabilities)}")
        self.ok()

    async def do_id(self, _: str) -> None:
        self.say("* ID NIL")
        self.ok()

    async def do_starttls(self, _: str) -> None:
        self.ok()
        self.writer.write(self.server._injected)
        await self.writer.drain()
        await self.writer.start_tls(self.server._context)

    async def do_noop(self, _: str) -> None:
        self.ok()

    async def do_login(self, words: str) -> None:
        name, password = re.findall(r'"((?:[^"\\]|\\.)*)"', words)
        self.signed_in(name, password)

    async def do_authenticate(self, words: str) -> None:
        mechanism, _, initial = words.partition(" ")
        if not initial:
            self.say("+ ")
            await self.writer.drain()
            initial = (await self.reader.readline()).decode("latin-1").strip()
        said = base64.b64decode(initial).decode("utf-8")
        if mechanism.upper() == "PLAIN":
            _, name, password = said.split("\0")
        else:
            name, password = re.findall("user=([^\x01]*)\x01auth=Bearer ([^\x01]*)", said)[0]
        self.signed_in(name, password)

    def signed_in(self, name: str, password: str) -> None:
        self.server.sign_ins += 1
        self.server.signed_in_encrypted.append(self.writer.get_extra_info("ssl_object") is not None)
        good = (name, password) == (USER, self.server._password)
        self.say(f"{self.tag} {'OK signed in' if good else self.server._refusal}")

    async def do_list(self, _: str) -> None:
        for name, folder in self.server.folders.items():
            self.say(f'* LIST (\\HasNoChildren {folder.special}) "/" "{name}"')
        self.ok()

    async def do_examine(self, words: str) -> None:
        name = words.strip('"')
        if name not in self.server.folders:
            self.say(f"{self.tag} NO no such folder")
            return
        self.folder = self.server.folders[name]
        self.say("* FLAGS (\\Seen)")
        self.say(f"* {len(self.folder.letters)} EXISTS")
        self.say("* 0 RECENT")
        self.say(f"* OK [UIDVALIDITY {self.folder.validity}] valid")
        self.ok("[READ-ONLY] opened")

    async def do_uid_search(self, words: str) -> None:
        asked = _Search(words, self.folder.letters)
        found = [str(each.uid) for each in self.folder.letters if asked.fits(each)]
        self.say(" ".join(["* SEARCH", *found]))
        self.ok()

    async def do_uid_fetch(self, words: str) -> None:
        uids, _, items = words.partition(" ")
        wanted = _uids(uids, self.folder.letters)
        partial = re.search(r"BODY\.PEEK\[\]<0\.(\d+)>", items)
        fields = re.search(r"BODY\.PEEK\[HEADER\.FIELDS \(([^)]*)\)\]", items)
        for number, letter in enumerate(self.folder.letters, 1):
            if letter.uid not in wanted:
                continue
            if partial:
                octets, name = letter.octets[: int(partial[1])], "BODY[]<0>"
            elif fields:
                lines = [f"{each}: {letter.header(each)}\r\n" for each in fields[1].split() if letter.has(each)]
                octets = ("".join(lines) + "\r\n").encode("latin-1", "replace")
                name = f"BODY[HEADER.FIELDS ({fields[1]})]"
            else:
                raise AssertionError(items)
            self.server.sent += len(octets)
            date = letter.arrived.strftime("%d-%b-%Y %H:%M:%S +0000")
            self.writer.write(
                f'* {number} FETCH (UID {letter.uid} INTERNALDATE "{date}" {name} {{{len(octets)}}}\r\n'.encode(
                    "latin-1"
                )
            )
            self.writer.write(octets + b")\r\n")
        self.ok()

    async def do_logout(self, _: str) -> None:
        self.say("* BYE")
        self.ok()


def _uids(text: str, letters: Sequence[StoredLetter]) -> set[int]:
    highest = max((each.uid for each in letters), default=0)
    found: set[int] = set()
    for part in text.split(","):
        begin, _, end = part.partition(":")
        last = highest if end == "*" else int(end or begin)
        low, high = sorted((int(begin), last))
        found |= {each.uid for each in letters if low <= each.uid <= high}
    return found


class _Search:
    """A search, as far as it is used here: UID, SINCE, FROM, SUBJECT, HEADER, TEXT, OR, and parentheses."""

    def __init__(self, words: str, letters: Sequence[StoredLetter]) -> None:
        self._tokens = re.findall(r'"(?:[^"\\]|\\.)*"|[()]|[^\s()]+', words)
        self._letters = letters
        self._keys: list[Callable[[StoredLetter], bool]] = []
        while self._tokens:
            self._keys.append(self._key())

    def fits(self, letter: StoredLetter) -> bool:
        return all(key(letter) for key in self._keys)

    def _word(self) -> str:
        token: str = self._tokens.pop(0)
        return token.strip('"')

    def _key(self) -> Callable[[StoredLetter], bool]:
        match self._word().upper():
            case "(":
                inner = []
                while self._tokens[0] != ")":
                    inner.append(self._key())
                self._tokens.pop(0)
                return lambda letter: all(key(letter) for key in inner)
            case "OR":
                one, other = self._key(), self._key()
                return lambda letter: one(letter) or other(letter)
            case "UID":
                uids = _uids(self._word(), self._letters)
                return lambda letter: letter.uid in uids
            case "SINCE":
                day = datetime.strptime(self._word(), "%d-%b-%Y").replace(tzinfo=UTC)
                return lambda letter: letter.arrived >= day
            case "FROM" | "SUBJECT" as name:
                return self._header(name, self._word())
            case "HEADER":
                return self._header(self._word(), self._word())
            case "TEXT":
                sought = self._word().encode().lower()
                return lambda letter: sought in letter.octets.lower()
            case other_key:
                raise AssertionError(other_key)

    def _header(self, name: str, sought: str) -> Callable[[StoredLetter], bool]:
        return lambda letter: letter.has(name) and sought.lower() in letter.header(name).lower()
