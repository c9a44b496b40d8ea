"""Many mail servers that let everybody in who has the password, near or far, for little work of the processor."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from smtp_wizard.engine.accounts.account import Account, new_id
from smtp_wizard.engine.accounts.account_file import FILE_SCHEMAS, FILE_VERSION, account_to_json
from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.secrets import vault as vault_store
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.vault_format import new_key, seal
from tests.support.certs import Authority

PASSWORD = "a password for practice"
USER = "ana"
"""What all user names begin with."""


@dataclass
class Totals:
    """What all servers have seen."""

    connections: int = 0
    signed_in: int = 0
    open: int = 0
    most_open: int = 0


class Late:
    """Lets what passes arrive later, in order."""

    def __init__(self, seconds: float, arrive: Callable[[bytes], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._arrive = arrive
        self._last = 0.0

    def send(self, data: bytes, not_before: float = 0.0) -> None:
        """Let it arrive, no sooner than what was sent before."""
        when = max(self._loop.time(), not_before) + self._seconds
        self._last = max(when, self._last + 1e-6)
        self._loop.call_at(self._last, self._arrive, data)


class Server(asyncio.Protocol):
    """One connection to one server: the dialogue up to a sign-in, with STARTTLS, and no more."""

    def __init__(self, round_trip: float, context: ssl.SSLContext, totals: Totals) -> None:
        self._half = round_trip / 2
        self._context = context
        self._totals = totals
        self._tls: ssl.SSLObject | None = None
        self._shaken = False
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._line = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        loop = asyncio.get_running_loop()
        # Loopback has connected at once: the opening's three packets are still under way.
        self._opened = loop.time() + 2 * self._half
        self._in, self._out = Late(self._half, self._heard), Late(self._half, self._write)
        loop.call_at(self._opened + self._half, self._say, b"220 far.example ESMTP\r\n")
        totals = self._totals
        totals.connections += 1
        totals.open += 1
        totals.most_open = max(totals.open, totals.most_open)

    def connection_lost(self, exc: Exception | None) -> None:
        self._totals.open -= 1

    def data_received(self, data: bytes) -> None:
        self._in.send(data, self._opened)

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def _heard(self, data: bytes) -> None:
        if self._tls is None:
            self._understand(data)
            return
        self._incoming.write(data)
        try:
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
            while text := self._tls.read(65536):
                self._understand(text)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._transport.close()
        self._flush()

    def _understand(self, data: bytes) -> None:
        self._line += data
        while (end := self._line.find(b"\n")) >= 0:
            line = bytes(self._line[:end]).rstrip()
            del self._line[: end + 1]
            self._obey(line)

    def _obey(self, line: bytes) -> None:
        match line.split():
            case [b"EHLO", _] if self._tls is None:
                self._say(b"250-far.example\r\n250-SIZE 10240000\r\n250 STARTTLS\r\n")
            case [b"EHLO", _]:
                self._say(b"250-far.example\r\n250-SIZE 10240000\r\n250 AUTH PLAIN LOGIN\r\n")
            case [b"STARTTLS"]:
                self._say(b"220 go\r\n")
                self._tls = self._context.wrap_bio(self._incoming, self._outgoing, server_side=True)
            case [b"AUTH", b"PLAIN", answer] if _is_right(answer):
                self._totals.signed_in += 1
                self._say(b"235 2.7.0 welcome\r\n")
            case [b"AUTH", *_]:
                self._say(b"535 5.7.8 no\r\n")
            case [b"QUIT"]:
                self._transport.close()
            case _:
                self._say(b"500 what?\r\n")

    def _say(self, data: bytes) -> None:
        if self._tls is None:
            self._out.send(data)
        else:
            self._tls.write(data)
            self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._out.send(self._outgoing.read())


def _is_right(answer: bytes) -> bool:
    """Whether somebody whose name begins as that of all accounts here has given the password (RFC 4616)."""
    _, user, password = base64.b64decode(answer).split(b"\0")
    return user.startswith(USER.encode()) and password == PASSWORD.encode()


def addresses(count: int) -> list[str]:
    """Return loopback addresses, one a server."""
    return [f"127.0.{1 + number // 250}.{1 + number % 250}" for number in range(count)]


@dataclass(frozen=True)
class Many:
    """Servers that listen."""

    places: Sequence[tuple[str, int]]
    """Address and port of each."""
    ca_file: Path
    totals: Totals = field(default_factory=Totals)


@asynccontextmanager
async def many_servers(
    folder: Path, count: int = 1, round_trip: float = 0.0, names: Sequence[str] = ()
) -> AsyncIterator[Many]:
    """Listen on a loopback address for each server, `round_trip` seconds away. `folder` takes the certificates.

    `names`: what the certificate is good for besides.
    """
    authority = Authority(folder)
    where = addresses(count)
    context = authority.issue(*where, *names).context()
    totals, loop = Totals(), asyncio.get_running_loop()
    servers = [
        await loop.create_server(lambda: Server(round_trip, context, totals), address, 0, backlog=1000)
        for address in where
    ]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    try:
        yield Many(list(zip(where, ports, strict=True)), authority.file, totals)
    finally:
        for server in servers:
            server.close()


# --- accounts on them ---


def account_at(host: str, port: int, number: int, *, ca_file: str, secret: Path) -> Account:
    """Return an account, whose password a file gives."""
    return Account(
        name=shown(f"Account {number:05}"),
        address=Address(f"ana{number}", "example.test"),
        connection=Connection(
            endpoint=Endpoint(host, port, Security.STARTTLS),
            username=f"{USER}{number}",
            auth=Auth.PASSWORD,
            provider=None,
            path=None,
            allow_cleartext=False,
            ehlo_name="",
            ca_file=ca_file,
            sandbox=None,
        ),
        identity=Identity(sender=None, sender_name="", company_name="", reply_to=None, update_company=False),
        scope=Scope.GENERAL,
        store=StoreRef(StoreKind.FILE, str(secret)),
        created=datetime.now(UTC),
        id=new_id(),
    )


def save_fleet(
    folder: Path, places: Sequence[tuple[str, int]], ca_file: str, count: int, *, passphrase: str = ""
) -> list[Account]:
    """Write so many accounts, spread over servers, as if each had been saved in the config folder; return them.

    Their passwords are in one file, or where a passphrase is given in a vault that it opens, an entry each.
    """
    folder.mkdir(mode=0o700)
    secret = folder / "secret"
    secret.touch(0o600)
    secret.write_text(PASSWORD, "utf-8")
    accounts = [
        account_at(*places[number % len(places)], number, ca_file=ca_file, secret=secret) for number in range(count)
    ]
    if passphrase:
        accounts = [replace(each, store=StoreRef(StoreKind.VAULT, f"{each.name}/password")) for each in accounts]
        vault = folder / vault_store.FILE_NAME
        vault.touch(0o600)
        entries = {each.store.where: PASSWORD for each in accounts if each.store is not None}
        vault.write_bytes(seal(entries, new_key(Secret(passphrase), vault_store.USUAL)))
    document = {"schema": FILE_SCHEMAS[FILE_VERSION], "version": FILE_VERSION}
    file = folder / FILE_NAME
    file.touch(0o600)
    file.write_text(
        json.dumps({**document, "accounts": [account_to_json(each) for each in accounts]}, indent=2), "utf-8"
    )
    return accounts
