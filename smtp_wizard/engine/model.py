"""The nouns that several modules share. Nothing here talks to anything.

A raw string from a person is parsed once, here; below this border no strings are passed about: `Address`, `Endpoint`.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn, Self

OUTSIDE_LIMIT = 500
"""Characters of somebody else's words that are shown at most."""


class Security(StrEnum):
    """How a submission endpoint is encrypted (RFC 8314 section 3). Never inferred from the port."""

    TLS = "tls"
    """Implicit TLS: encrypted from the first byte."""
    STARTTLS = "starttls"
    """Begins in clear text and is upgraded by STARTTLS (RFC 3207)."""
    NONE = "none"

    @property
    def words(self) -> str:
        """What a screen calls it."""
        return {"tls": "SSL/TLS", "starttls": "STARTTLS", "none": "no encryption"}[self.value]


USUAL_WAYS = {465: Security.TLS, 587: Security.STARTTLS, 2525: Security.STARTTLS, 25: Security.STARTTLS}
"""How each usual port is usually spoken to (RFC 8314, RFC 6409), best first. What answers decides in the end."""


class Stage(StrEnum):
    """The stages of a check, in the order in which they can happen."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    """The command, its handshake and the second EHLO."""
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


class Verdict(StrEnum):
    """How a stage, or a whole check, came out."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """The connection was lost after the final dot: the message may or may not have been taken."""


class Depth(StrEnum):
    """How far a check goes. Only `SEND` ever sends a message."""

    SERVER = "server"
    LOGIN = "login"
    SEND = "send"


class Auth(StrEnum):
    """What a server is shown to let somebody send."""

    PASSWORD = "password"
    """Any password: the mailbox's own, an app password, a relay's key."""
    XOAUTH2 = "xoauth2"
    NONE = "none"


class Family(StrEnum):
    """Address family of a connection."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


class Who(StrEnum):
    """Who must act on a finding."""

    YOU = "you"
    PROVIDER = "provider"
    ADMIN = "admin"
    HOST = "host"
    NETWORK = "network"
    APP = "app"
    RECIPIENT = "recipient"


class Scope(StrEnum):
    """What an account is used for: the article's 'General Emails Only' and 'For All Emails'."""

    GENERAL = "general"
    ALL = "all"

    @property
    def words(self) -> str:
        """The article's words for it."""
        return {"general": "General Emails Only", "all": "For All Emails"}[self.value]


class InputError(ValueError):
    """What a person typed cannot be used. The text is one sentence that says why and what to do."""


class AddressError(InputError):
    """An e-mail address cannot be used."""


class HostError(InputError):
    """A server name cannot be used."""


class PortError(InputError):
    """A port cannot be used."""


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address, parsed once (RFC 5321 section 4.1.2; internationalised: RFC 6531)."""

    local: str
    domain: str
    """As people write it: Unicode, lower case."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take what a person typed; return the address.

        Raises `AddressError` with one sentence a person can act on. No DNS is asked.
        """
        import email_validator

        typed = text.strip()
        if not typed:
            raise AddressError("Type the e-mail address that you want to send from, for example ana@example.com.")
        if "@" not in typed:
            raise AddressError("An e-mail address has an @ in the middle, for example ana@example.com.")
        try:
            found = email_validator.validate_email(
                typed, check_deliverability=False, test_environment=True, allow_smtputf8=True
            )
        except email_validator.EmailNotValidError as problem:
            raise AddressError(f"This is not an e-mail address yet: {clean(str(problem), 160)}") from None
        return cls(found.local_part, found.domain.lower())

    @property
    def ascii_domain(self) -> str:
        """The domain as DNS and servers know it (A-labels, RFC 5890)."""
        return ascii_host(self.domain)

    @property
    def wire(self) -> str:
        """The form that goes into SMTP commands: the domain in A-labels, the local part as it is."""
        return f"{self.local}@{self.ascii_domain}"

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """Where mail is handed in: host (A-labels or an IP address), port, and how it is encrypted."""

    host: str
    port: int
    security: Security

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Oddity(StrEnum):
    """What is unusual in a password, and often came along when it was copied."""

    BLANK_AT_END = "blank-at-end"
    """A blank at its beginning or end."""
    LINE_END = "line-end"
    HARD_BLANK = "hard-blank"
    """A blank that is not the ordinary one, such as the no-break space of web pages."""
    INVISIBLE = "invisible"
    """Another control or format character."""


class Secret:
    """A password or token. Shows stars; never compares, hashes or pickles as text.

    `reveal()` is called where the secret is encoded for a server, in the stores, and where the person asks to see it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    @property
    def oddities(self) -> tuple[Oddity, ...]:
        """What is unusual in it. It may be part of the password, so it is asked about and never taken away."""
        kinds = {_oddity_of(ch) for ch in self._value}
        if self._value != self._value.strip(" "):
            kinds.add(Oddity.BLANK_AT_END)
        return tuple(each for each in Oddity if each in kinds)

    def __repr__(self) -> str:
        return "Secret(********)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


def _oddity_of(ch: str) -> Oddity | None:
    if ch in "\r\n\v\f\x85\u2028\u2029":
        return Oddity.LINE_END
    category = unicodedata.category(ch)
    if category in {"Cc", "Cf"}:
        return Oddity.INVISIBLE
    return Oddity.HARD_BLANK if category == "Zs" and ch != " " else None


# A label of a host name; the underscore is refused on purpose: it never stands in a mail server's name.
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")


def ascii_host(host: str) -> str:
    """Return a host or domain in A-labels, lower case (IDNA 2008, RFC 5891; UTS 46 mapping).

    Raises `HostError` where it cannot be written so.
    """
    if host.isascii():
        return host.lower()
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        raise HostError(f"'{clean(host, 80)}' has letters that a server name cannot have.") from None


# What the system's resolver, and browsers, take for an IP address, or for a part of one: decimal, octal, hexadecimal
# (inet_aton(3); WHATWG URL standard, section 3.5).
_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


def _numeric(host: str) -> bool:
    """Whether the last label of a host is a number: '993' would lead to 0.0.3.225, and no name ends so."""
    return bool(_NUMERIC.fullmatch(host.rstrip(".").rpartition(".")[2]))


def parse_host(text: str) -> str:
    """Take a server name as typed; return it in A-labels, or an IP address without brackets.

    Raises `HostError` with one sentence: a web address, blanks, a path, an underscore, an e-mail address, a number.
    """
    whole = text.strip()
    typed = whole.rstrip(".")
    if not typed:
        raise HostError("Type the name of the outgoing mail server, for example smtp.example.com.")
    if "://" in typed:
        raise HostError("Type the server's name alone, without http:// or anything like it: smtp.example.com.")
    if "@" in typed:
        raise HostError("That is an e-mail address. The server's name has no @: for example smtp.example.com.")
    bare = whole[1:-1] if whole.startswith("[") and whole.endswith("]") else whole
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    if any(ch.isspace() for ch in typed):
        raise HostError("A server name has no blanks in it: for example smtp.example.com.")
    if "/" in typed:
        raise HostError("Type the server's name alone, without a slash and what follows it: smtp.example.com.")
    if ":" in typed:
        raise HostError("Type the port in its own field; the server's name is only smtp.example.com.")
    host = ascii_host(typed)
    if _numeric(host):
        raise HostError(
            f"'{clean(whole, 80)}' ends in a number, which no server's name does. Type a name like smtp.example.com, "
            "or a whole IP address; the port has its own field."
        )
    if "_" in host:
        raise HostError("A server name has no underscore (_) in it. Please copy it again from your provider's page.")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise HostError(f"'{clean(typed, 80)}' is not a server name. It looks like smtp.example.com.")
    return host


def parse_ehlo_name(text: str) -> str:
    """Take the name by which this computer is introduced; return it as it goes into EHLO, '' for its own address.

    A host name, or an IP address, which becomes an address literal (RFC 5321 section 4.1.3). Raises `HostError`.
    """
    typed = text.strip()
    if not typed:
        return ""
    literal = _address_literal(typed)
    if literal:
        return literal
    try:
        return parse_host(typed)
    except HostError:
        raise HostError(
            f"'{clean(typed, 80)}' is no name for this computer: type one like pc.example.com, or an IP address like "
            "192.0.2.1."
        ) from None


def _address_literal(typed: str) -> str:
    """Return an IP address as an address literal, '' where the text is none. Raises `HostError` for half of one."""
    opened, closed = typed.startswith("["), typed.endswith("]")
    if opened != closed:
        raise HostError("An IP address has both its brackets, as in [192.0.2.1], or none.")
    inner = typed[1:-1] if opened else typed
    tagged = inner[:5].lower() == "ipv6:"
    bare = inner[5:] if tagged else inner
    if "%" in bare:
        raise HostError("Leave out the % and what follows it: that part of an IP address means something here alone.")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        if opened or tagged:
            raise HostError("Between the brackets stands an IP address, for example [192.0.2.1].") from None
        return ""
    if address.version == 6:
        return f"[IPv6:{address}]"
    if tagged:
        raise HostError(f"{address} is an IPv4 address: it is written [{address}].")
    return f"[{address}]"


def parse_port(text: str) -> int:
    """Take a port as typed; return it. Raises `PortError`."""
    typed = text.strip()
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 9 and 1 <= int(typed) <= 65535):
        raise PortError("A port is a number from 1 to 65535. Most servers use 587 or 465.")
    return int(typed)


def has_surrogate(text: str) -> bool:
    """Whether half a character stands in a text: bytes that were none came from the system so (PEP 383)."""
    return any("\ud800" <= ch <= "\udfff" for ch in text)


def has_control(text: str) -> bool:
    """Whether a control character (a line end, a NUL) or half a character (a surrogate) stands in a text.

    Neither may reach a line of SMTP, a header, a file or a terminal; the second cannot even be encoded.
    """
    return not text.isprintable() and any(unicodedata.category(ch) in {"Cc", "Cs"} for ch in text)


def clean(text: str, limit: int = OUTSIDE_LIMIT) -> str:
    """Make words from outside fit to show: one line, bounded, nothing that moves a cursor or turns text around.

    Line ends, tabs and odd spaces become a blank; control characters are escaped as \\xNN or \\uNNNN; what is invisible
    or turns the direction of text (Cf: bidi, zero width), surrogates, private and unassigned characters are as well.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    # Cut before the work as well as after it: the words may be megabytes.
    out: list[str] = []
    size = 0
    for ch in text[: limit * 4]:
        if ch in "\r\n\t\v\f\u2028\u2029\x85":
            piece = " "
        elif ch.isascii() and ch.isprintable():
            piece = ch
        elif (category := unicodedata.category(ch)) == "Zs":
            piece = " "  # whatever its width: a no-break space looks like one and is found by nobody
        elif category in {"Cc", "Cf", "Cs", "Co", "Cn"}:
            code = ord(ch)
            piece = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
        else:
            piece = ch
        if piece == " " and out and out[-1] == " ":
            continue
        out.append(piece)
        size += len(piece)
        if size > limit:
            break
    cleaned = "".join(out).strip()
    if len(cleaned) > limit or len(text) > limit * 4:
        return cleaned[: limit - 1].rstrip() + "…"
    return cleaned
