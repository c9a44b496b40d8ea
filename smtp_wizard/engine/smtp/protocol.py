"""The SMTP client's half of the dialogue, without any I/O: bytes in, replies out; commands in, bytes out.

RFC 5321 (SMTP), 3207 (STARTTLS), 4954 (AUTH), 2920 (PIPELINING), 2034 and 3463 (enhanced status codes), 6531
(SMTPUTF8).
The caller owns the socket and the clock. Secrets are encoded here and masked here, nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import HostError, parse_ehlo_name
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, cut, halves, join, phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.masking import MASK, Redactor
from smtp_wizard.engine.smtp.symptom import Fault

MAX_LINE = 4096
"""Octets of one reply line; RFC 5321 section 4.5.3.1.5 asks for 512, real servers send more."""
MAX_REPLY = 65536
MAX_LINES = 256
MAX_COMMAND = 512
"""Octets of a command line with its CRLF (RFC 5321 section 4.5.3.1.4). A longer SASL answer goes in its own step."""


class SmtpError(Exception):
    """The dialogue cannot go on. What went wrong travels as a value; the words are free of secrets."""

    def __init__(self, fault: Fault, words: Shown = NO_WORDS, *, reply: Reply | None = None, lacking: str = "") -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.words = words
        self.reply = reply
        self.lacking = lacking


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply (RFC 5321 section 4.2), its secrets already masked."""

    code: int
    lines: tuple[Shown, ...]
    """The text of each line, without the code."""

    @property
    def text(self) -> Shown:
        """All lines as one. The enhanced code, which stands before each line, is said once."""
        first, *rest = self.lines or (NO_WORDS,)
        return cut(join(" ", filter(None, [first, *map(self._without_enhanced, rest)])))

    def _without_enhanced(self, line: Shown) -> Shown:
        code, behind = halves(line, " ")
        return behind if code == self.enhanced else line

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code (RFC 2034), if its class agrees with the reply's."""
        found = _ENHANCED_CODE.match(self.lines[0]) if self.lines else None
        return found[1] if found and found[1][0] == str(self.code)[0] else None

    @property
    def shown(self) -> Shown:
        """Code and words, as a person quotes them."""
        return phrase("{} {}" if self.text else "{}", self.code, self.text)

    @property
    def refusal(self) -> bool:
        """Whether the server says no, or goodbye (221)."""
        return self.code >= 400 or self.code == 221

    @property
    def intermediate(self) -> bool:
        """An intermediate reply: 334, 354. Which of them is meant, the command says."""
        return 300 <= self.code < 400


# What lets a client go on, reply by reply (RFC 5321 section 4.3.2). A code that only begins with the right digit does
# not answer the command: somebody is out of step, or somebody else is speaking.
GREETED = frozenset({220})
EHLO_ACCEPTED = frozenset({250})
TLS_READY = frozenset({220})
"""RFC 3207 section 4."""
SIGNED_IN = frozenset({235})
"""RFC 4954 section 6."""
CHALLENGE = 334
"""The same section."""
SENDER_ACCEPTED = frozenset({250})
RECIPIENT_ACCEPTED = frozenset({250, 251, 252})
"""252: some servers say of a recipient what is meant for VRFY, and take the message."""
RESET = frozenset({250})
CONTENT_AWAITED = frozenset({354})
MESSAGE_ACCEPTED = frozenset({250})
NO_EHLO = frozenset({500, 502})
"""The command is not known (RFC 5321 section 3.2): HELO may be."""
NAME_REFUSED = frozenset({501, 504})
"""The command is known, and what stands behind it is not taken: the name (RFC 5321 section 4.2.2)."""


_ENHANCED_CODE = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")
_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)


class ReplyParser:
    """Bytes to replies, whatever way the bytes are cut. Bounded in line, lines and size; the code may not change."""

    def __init__(self, redactor: Redactor | None = None) -> None:
        self.redactor = redactor or Redactor()
        self._buffer = bytearray()
        self._code = 0
        self._lines: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take bytes as they come."""
        self._buffer += data

    @property
    def waiting(self) -> bool:
        """Whether anything is here that no reply has taken up."""
        return bool(self._buffer or self._lines)

    def drop(self) -> Shown:
        """Throw away, and return, what no reply has taken up."""
        dropped = self._words(bytes(self._buffer))
        self._buffer.clear()
        self._lines.clear()
        self._code = self._size = 0
        return dropped

    def _words(self, data: bytes) -> Shown:
        # Masked before it is cut and escaped, which could leave a part of the secret that is not known again.
        return shown(self.redactor.scrub(_decode(data)), 200)

    def next_reply(self) -> Reply | None:
        """Return the next whole reply, or None until more bytes come. Raises `SmtpError` (garbled)."""
        while (line := self._line()) is not None:
            found = _REPLY_LINE.fullmatch(line)
            if found is None or (self._lines and int(found[1]) != self._code):
                raise SmtpError(Fault.GARBLED, self._words(line))
            self._code = int(found[1])
            self._lines.append(self.redactor.scrub(_decode(found[3] or b"")))
            self._size += len(line)
            if len(self._lines) > MAX_LINES or self._size > MAX_REPLY:
                raise SmtpError(Fault.GARBLED, phrase("the reply does not end"))
            if found[2] != b"-":
                lines = self._masked_across(self._lines)
                reply = Reply(self._code, tuple(shown(line, MAX_LINE) for line in lines))
                self._lines.clear()
                self._size = 0
                return reply
        return None

    def _masked_across(self, lines: Sequence[str]) -> tuple[str, ...]:
        """The lines, all masked where a refusal spreads a secret over several of them.

        What a good reply offers is never touched: a secret may look like a capability's figures.
        """
        if self._code < 300 or len(lines) < 2:
            return tuple(lines)
        bare = [_ENHANCED_CODE.sub("", line, count=1).strip() for line in lines]  # each may begin with the same
        wholes = (" ".join(lines), "".join(lines), " ".join(bare), "".join(bare))
        return (MASK,) if any(self.redactor.scrub(whole) != whole for whole in wholes) else tuple(lines)

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n", 0, MAX_LINE + 1)
        if end < 0:
            if len(self._buffer) > MAX_LINE:
                raise SmtpError(Fault.GARBLED, phrase("a line does not end"))
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "replace")


class Capabilities(Mapping[str, Shown]):
    """What EHLO offered: keyword in capitals -> its parameters (RFC 5321 section 4.1.1.1)."""

    def __init__(self, offered: Mapping[str, Shown] | None = None) -> None:
        self._offered = dict(offered or {})

    @classmethod
    def parse(cls, reply: Reply) -> Capabilities:
        """Read the reply to EHLO. `AUTH=PLAIN LOGIN`, as old servers write it, counts as AUTH."""
        offered: dict[str, Shown] = {}
        for line in reply.lines[1:]:
            word, parameters = halves(cut(line), " ")
            keyword = word.upper()
            if keyword.startswith("AUTH="):
                parameters = join(" ", [halves(word, "=")[1], parameters])
                keyword = "AUTH"
            if keyword:
                offered[keyword] = join(" ", filter(None, [offered.get(keyword), parameters]))
        return cls(offered)

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """SASL mechanisms, in the server's order, each once."""
        return tuple(dict.fromkeys(self._offered.get("AUTH", NO_WORDS).upper().split()))

    def without(self, keyword: str) -> Capabilities:
        """Return the same without one of them."""
        return Capabilities({each: said for each, said in self._offered.items() if each != keyword})

    def __getitem__(self, keyword: str) -> Shown:
        return self._offered[keyword]

    def __iter__(self) -> Iterator[str]:
        return iter(self._offered)

    def __len__(self) -> int:
        return len(self._offered)


@dataclass(frozen=True, slots=True)
class Command:
    """What goes out, and the words shown for it. `repr` holds the shown words alone."""

    data: bytes
    shown: Shown
    replies: int = 1
    """How many replies it asks for: 0 for QUIT, which is not waited for."""

    def __repr__(self) -> str:
        return f"Command({self.shown!r})"


def _line_command(text: str) -> Command:
    if any(ch in text for ch in "\r\n\0"):
        raise ValueError("a command is one line")
    return Command(text.encode("utf-8") + b"\r\n", shown(text))


def ehlo_argument(name: str, local_address: str) -> str:
    """Return what EHLO says: the name that was given, else the address of this end as a literal.

    An IP address that was given goes out as a literal too (RFC 5321 section 4.1.3).
    """
    if not name:
        return address_literal(local_address)
    try:
        return parse_ehlo_name(name)
    except HostError:
        return name  # saved by hand, or by an older version: the server says what it thinks of it


def ehlo(name: str) -> Command:
    """EHLO with a domain name or an address literal (RFC 5321 section 4.1.4)."""
    return _line_command(f"EHLO {name}")


def address_literal(address: str) -> str:
    """Return an address as a name for EHLO (RFC 5321 section 4.1.3). A scoped IPv6 address loses its zone."""
    bare = address.split("%")[0]
    return f"[IPv6:{bare}]" if ":" in bare else f"[{bare}]"


def helo(name: str) -> Command:
    """HELO, for servers that know no EHLO."""
    return _line_command(f"HELO {name}")


def starttls() -> Command:
    """STARTTLS (RFC 3207)."""
    return _line_command("STARTTLS")


def rset() -> Command:
    """RSET: what was said of a message is forgotten (RFC 5321 section 4.1.1.5)."""
    return _line_command("RSET")


def quit_() -> Command:
    """QUIT; its reply is not waited for."""
    return Command(b"QUIT\r\n", phrase("QUIT"), replies=0)


def mail_from(
    sender: Address | None,
    offered: Mapping[str, str],
    *,
    size: int,
    utf8: bool,
    eight_bit: bool,
    envelope_id: str = "",
) -> Command:
    """MAIL with the parameters that the server offers: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531).

    `envelope_id`, letters and figures, goes along where the server offers DSN (RFC 3461 section 4.4).
    """
    parts = [f"MAIL FROM:<{sender.wire if sender else ''}>"]
    if "SIZE" in offered:
        parts.append(f"SIZE={size}")
    if eight_bit and "8BITMIME" in offered:
        parts.append("BODY=8BITMIME")
    if utf8:
        parts.append("SMTPUTF8")
    if envelope_id and "DSN" in offered:
        parts += ["RET=HDRS", f"ENVID={envelope_id}"]
    return _line_command(" ".join(parts))


def rcpt_to(recipient: Address, *, notify: bool = False) -> Command:
    """RCPT for one recipient. `notify`: a bounce is asked for (RFC 3461 section 4.1), which the server must offer."""
    asked = " NOTIFY=FAILURE,DELAY" if notify else ""
    return _line_command(f"RCPT TO:<{recipient.wire}>{asked}")


def data() -> Command:
    """DATA; the content follows the 354."""
    return _line_command("DATA")


def content(message: bytes) -> Command:
    """The message as it goes over the wire: CRLF line ends, dots doubled, the final dot (RFC 5321 section 4.5.2)."""
    lines = re.split(rb"\r\n|\r|\n", message)
    if lines and not lines[-1]:
        lines.pop()
    stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    body = stuffed + b"\r\n" if lines else b""
    return Command(body + b".\r\n", phrase("(the message, {} bytes, and the final dot)", len(message)))


def empty_content() -> Command:
    """The lone dot that ends a DATA which should not have been accepted (RFC 2920 section 3.1)."""
    return Command(b".\r\n", phrase("(the final dot alone: no recipient was accepted)"))


class Dialogue:
    """What is owed on a connection: every reply must have been asked for.

    A reply that comes before its command is a fault, never a success: a hostile or broken server could 'accept' a
    message that was never sent.
    """

    def __init__(self, redactor: Redactor | None = None) -> None:
        self._parser = ReplyParser(redactor)
        self._owed = 1
        """The greeting."""

    def send(self, *commands: Command) -> bytes:
        """Return the bytes of one command, or of several sent at once (PIPELINING).

        Raises `SmtpError`: unsolicited, or rejected when what came unasked is 421 (the server says that it closes).
        """
        if self._parser.waiting:
            early = self._parser.next_reply()
            if early is not None and early.code == 421:
                raise SmtpError(Fault.REJECTED, early.text, reply=early)
            words = early.shown if early else self._parser.drop()
            raise SmtpError(Fault.UNSOLICITED, words, reply=early)
        self._owed += sum(command.replies for command in commands)
        return b"".join(command.data for command in commands)

    def receive(self, data: bytes) -> None:
        """Take bytes as they come from the server."""
        self._parser.feed(data)

    def reply(self) -> Reply | None:
        """Return the next reply that is owed, or None until more bytes come."""
        if not self._owed:
            raise ValueError("no reply is owed")
        reply = self._parser.next_reply()
        if reply is not None:
            self._owed -= 1
        return reply

    @property
    def settled(self) -> bool:
        """Whether everything that was asked is answered."""
        return not self._owed

    def restart_under_tls(self) -> Shown:
        """Start again under TLS; return what had come in clear text after the 220, which is thrown away.

        RFC 3207 section 4.2; CVE-2011-0411 is what happens otherwise.
        """
        return self._parser.drop()

    @property
    def unread(self) -> Shown:
        """What came and is no reply: the other protocol's words."""
        return self._parser.drop()
