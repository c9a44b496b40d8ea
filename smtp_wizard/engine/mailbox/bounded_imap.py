"""A connection to an IMAP server, encrypted and bounded: in octets, in the length of a line and a literal, and in time.

`imaplib` reads whatever a server announces, for as long as it is sent. Here each read has an end, whoever is on the
other side. It is used in a thread of its own; `close` may be called from any thread, and ends a read that waits.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.faults import ImapFailed, MailboxFault
from smtp_wizard.engine.smtp.tls import Trust, verifying_context
from smtp_wizard.engine.smtp.wire_error import WireError

Allowed = Callable[[str, int], bool]
"""Whether an address and a port may be spoken to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapLimits:
    """What a server may cost."""

    connect: float = 10.0
    """Seconds for each address of the server."""
    quiet: float = 20.0
    """Seconds without an octet."""
    total: float = 120.0
    """Seconds for everything."""
    line: int = 4 * 1024 * 1024
    """Octets of a line: the longest is the answer to a search, seven or eight for each message."""
    literal: int = 512 * 1024
    """Octets of a literal: no more of a letter is ever asked for."""
    command: int = 8 * 1024 * 1024
    """Octets in answer to one command."""
    lines: int = 16 * 1024 * 1024
    """Octets of all lines: what is no literal is looked at octet by octet."""
    most_lines: int = 50_000


class TooMuch(OSError):
    """The server sends more than the limits allow."""


class BoundedImap(imaplib.IMAP4):
    """The protocol (RFC 3501) over a bounded connection. Made by `connect`."""

    def __init__(self, line: ImapStream) -> None:
        self._line = line
        super().__init__(line.endpoint.host, line.endpoint.port)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Take the connection that is there already."""
        self.host, self.port = host, port
        self.sock = self._line.sock

    def read(self, size: int) -> bytes:
        """Read a literal of this size."""
        return self._line.read(size)

    def readline(self) -> bytes:
        """Read a line with its end."""
        return self._line.readline()

    def send(self, data: Any) -> None:
        """Send all of `data`. What it may be answered with is bounded anew."""
        self._line.send(bytes(data))

    def shutdown(self) -> None:
        """Close the connection."""
        self._line.close()

    def start_tls(self, trust: Trust) -> None:
        """Encrypt the connection (RFC 3501 section 6.2.1). Raises `ImapFailed`."""
        if "STARTTLS" not in self.capabilities:
            raise ImapFailed(MailboxFault.NOT_ENCRYPTED)
        kind, _ = self.xatom("STARTTLS")
        if kind != "OK":
            raise ImapFailed(MailboxFault.NOT_ENCRYPTED)
        self._line.start_tls(trust)
        self.sock = self._line.sock
        # What was said before may have been written by anybody on the way.
        self.untagged_responses.clear()
        kind, said = self.capability()
        if kind != "OK" or not said or not isinstance(said[-1], bytes):
            raise ImapFailed(MailboxFault.GARBLED)
        self.capabilities = tuple(said[-1].decode("ascii", "replace").upper().split())


class ImapStream:
    """The stream of octets to an IMAP server, as imaplib reads and writes it."""

    def __init__(
        self,
        endpoint: Endpoint,
        limits: ImapLimits,
        *,
        family: Family | None = None,
        allowed: Allowed = lambda address, port: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`allowed`: which addresses may be spoken to."""
        self.endpoint = endpoint
        self._limits = limits
        self._family = family
        self._allowed = allowed
        self._clock = clock
        self._deadline = clock() + limits.total
        self._lines = limits.lines
        self._count = 0
        self._room = limits.command
        self._pending = bytearray()
        """What came and was not read yet."""
        self._closed = False
        self.last = b""
        """The last line that the server sent."""
        self.refused = b""
        """What the server said with BYE, NO or BAD in answer to the last command (RFC 3501 section 7.1)."""
        self.sock: Any = None

    def connect(self, trust: Trust) -> BoundedImap:
        """Connect, encrypted, and hear the greeting. Raises `ImapFailed`."""
        try:
            context = verifying_context(trust)
        except WireError as problem:
            raise ImapFailed(MailboxFault.NOT_TRUSTED, problem.words) from None
        self._adopt(self._reached())
        if self.endpoint.security is Security.TLS:
            self._encrypt(context)
        imap = self._greeted()
        if imap.state != "NONAUTH":  # PREAUTH: nobody has signed in, and then STARTTLS is not to be had any more
            raise ImapFailed(MailboxFault.NOT_ENCRYPTED)
        if self.endpoint.security is not Security.TLS:
            imap.start_tls(trust)
        return imap

    def _greeted(self) -> BoundedImap:
        """Hear the greeting (RFC 3501 section 7.1). Raises `ImapFailed`, what `imaplib` raises."""
        try:
            return BoundedImap(self)
        except imaplib.IMAP4.error:
            if self.refused:
                raise ImapFailed(MailboxFault.BUSY, server=shown(in_clear(self.refused), 300)) from None
            if _POP3.match(self.last) is not None:
                raise ImapFailed(MailboxFault.POP3_SERVER, server=shown(in_clear(self.last), 300)) from None
            raise

    def _reached(self) -> socket.socket:
        """Connect to the first address that answers. Raises `ImapFailed`."""
        wanted = {None: socket.AF_UNSPEC, Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}[self._family]
        host, port = self.endpoint.host, self.endpoint.port
        try:
            found = socket.getaddrinfo(host, port, wanted, socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise ImapFailed(MailboxFault.UNREACHED, phrase("the name has no address")) from None
        allowed = [each for each in found if self._allowed(str(each[4][0]), port)]
        if not allowed:
            raise ImapFailed(
                MailboxFault.UNREACHED, phrase("the name leads to a place inside, where it is not followed")
            )
        why = phrase("nothing answers there")
        for family, kind, protocol, _, address in allowed[:_MOST_ADDRESSES]:
            sock = socket.socket(family, kind, protocol)
            self._adopt(sock)
            try:
                sock.settimeout(max(0.001, min(self._limits.connect, self._deadline - self._clock())))
                sock.connect(address)
            except OSError as problem:
                sock.close()
                why = shown(problem.strerror or "", 80) or why
                continue
            return sock
        raise ImapFailed(MailboxFault.UNREACHED, why)

    def _adopt(self, sock: Any) -> None:
        """Take a socket; one that comes after `close` is closed at once."""
        self.sock = sock
        if self._closed:
            sock.close()
            raise ImapFailed(MailboxFault.CLOSED)

    def _encrypt(self, context: ssl.SSLContext) -> None:
        """Shake hands. Raises `ImapFailed`."""
        self.sock.settimeout(max(0.001, min(self._limits.quiet, self._deadline - self._clock())))
        try:
            self._adopt(context.wrap_socket(self.sock, server_hostname=self.endpoint.host))
        except ssl.SSLCertVerificationError as problem:
            raise ImapFailed(MailboxFault.NOT_TRUSTED, shown(problem.verify_message, 160)) from None
        except TimeoutError:
            raise ImapFailed(MailboxFault.SILENT) from None
        except ssl.SSLError as problem:
            raise ImapFailed(self._handshake_fault(problem), shown(str(problem.reason or ""), 80)) from None
        except OSError:
            raise ImapFailed(MailboxFault.CLOSED) from None

    def _handshake_fault(self, problem: ssl.SSLError) -> MailboxFault:
        """Say what a failed handshake means. Something in clear text is met by 'wrong version'."""
        if problem.reason != "WRONG_VERSION_NUMBER":
            return MailboxFault.NOT_TRUSTED
        return MailboxFault.NOT_IMAP if self.endpoint.security is Security.TLS else MailboxFault.NOT_ENCRYPTED

    def start_tls(self, trust: Trust) -> None:
        """Shake hands on a connection that began in clear text. Raises `ImapFailed`."""
        if self._pending:  # put in by somebody on the way, to be taken for what the server says later
            raise ImapFailed(MailboxFault.NOT_ENCRYPTED)
        self._encrypt(verifying_context(trust))

    # -- what imaplib asks for --------------------------------------------------------------------------------------

    def readline(self) -> bytes:
        """Read a line with its end. Raises `OSError`, `TooMuch`."""
        end = self._pending.find(b"\n")
        while end < 0:
            seen = len(self._pending)
            if seen > self._limits.line:
                raise TooMuch
            if not self._fill():
                break
            end = self._pending.find(b"\n", seen)
        line = self._cut(end + 1 if end >= 0 else len(self._pending))
        self._lines -= len(line)
        self._count += 1
        if self._lines < 0 or self._count > self._limits.most_lines:
            raise TooMuch
        announced = _LITERAL.search(line)
        # Refused before it is read: imaplib makes room for all of it at once.
        if announced is not None and (len(announced[1]) > _DIGITS or int(announced[1]) > self._limits.literal):
            raise TooMuch
        self._keep(line)
        return line

    def _keep(self, line: bytes) -> None:
        """Keep what the server says, to quote it: what the libraries raise has their own words in it."""
        self.last = line or self.last
        found = _REFUSED.match(line[:_QUOTED])
        if found is not None:
            self.refused = found[1].strip() or self.refused

    def read(self, size: int) -> bytes:
        """Read so many octets, or as many as there are. Raises `OSError`, `TooMuch`."""
        if size > self._limits.literal:
            raise TooMuch
        while len(self._pending) < size and self._fill():
            pass
        return self._cut(size)

    def _cut(self, size: int) -> bytes:
        taken = bytes(self._pending[:size])
        del self._pending[:size]
        return taken

    def _fill(self) -> bool:
        """Wait for more; return whether any came before the end."""
        self.sock.settimeout(self._patience())
        came: bytes = self.sock.recv(_CHUNK)
        self._room -= len(came)
        if self._room < 0:
            raise TooMuch
        self._pending += came
        return bool(came)

    def _patience(self) -> float:
        """Return for how many seconds something may be waited for. Raises `TimeoutError` where the time is up."""
        left = self._deadline - self._clock()
        if left <= 0:
            raise TimeoutError
        return min(left, self._limits.quiet)

    def send(self, data: bytes) -> None:
        """Send all of `data`. Raises `OSError`."""
        self._room = self._limits.command
        self.refused = b""
        self.sock.settimeout(self._patience())
        self.sock.sendall(data)

    def close(self) -> None:
        """Close at once, whoever waits for what; never fails."""
        self._closed = True
        sock = self.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                sock.close()


def in_clear(said: bytes) -> str:
    """Return what a server said as text: as UTF-8, and what is none so that it can be told."""
    return said[:_QUOTED].decode("utf-8", "backslashreplace").strip()


_QUOTED = 2_000
"""Octets of a line that may be quoted."""
_REFUSED = re.compile(rb"(?:\* BYE|[A-Z]+[0-9]+ (?:NO|BAD))(?![A-Z])([^\r\n]*)", re.IGNORECASE)
_POP3 = re.compile(rb"\+OK(?![A-Z])|-ERR(?![A-Z])")
_MOST_ADDRESSES = 8
_CHUNK = 64 * 1024
_LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n\Z")
_DIGITS = 10
"""Digits of a literal's size (RFC 3501 section 9, number)."""
