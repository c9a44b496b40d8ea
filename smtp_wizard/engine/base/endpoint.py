"""Where mail is handed in: host, port and encryption, parsed once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Self

from smtp_wizard.engine.base.characters import visible
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.records import AsText, Range
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass


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

USUAL_PORTS = {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 25}
"""The port to begin with where only the security is known (RFC 8314 section 3.3, RFC 6409 section 3.1, RFC 5321)."""


def following_port(port: int, before: Security, after: Security) -> int:
    """Return the port to go on with where a server's security is changed: it follows while it is one of the usual ones.

    Another one was chosen by somebody, and stays.
    """
    return USUAL_PORTS[after] if after is not before and port in USUAL_PORTS.values() else port


class HostError(InputError):
    """A server name cannot be used."""


class PortError(InputError):
    """A port cannot be used."""


def _saved_host(text: str) -> str:
    """Return a host that is written as `parse_host` writes it. Raises `ValueError`."""
    if parse_host(text) != text:
        raise ValueError("written otherwise")
    return text


Port = Annotated[int, Range(1, 65535)]


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """Where mail is handed in: host (A-labels or an IP address), port, and how it is encrypted."""

    host: Annotated[str, AsText(_saved_host, str, "a server's name")]
    port: Port
    security: Security

    def with_security(self, security: Security) -> Self:
        """Return the endpoint with another security; the port follows as `following_port` says."""
        return replace(self, port=following_port(self.port, self.security, security), security=security)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


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
        raise HostError(phrase("'{}' has letters that a server name cannot have.", shown(host, 80))) from None


def unicode_host(host: str) -> str:
    """Return a host or domain as people write it; '' where it has no other letters than it shows (RFC 5891)."""
    if "xn--" not in host:
        return ""
    import idna

    try:
        return str(idna.decode(host))
    except idna.IDNAError:
        return ""


# The zone of an IPv6 address (RFC 6874), which `ipaddress` takes with anything in it, line ends and NUL too.
_ZONE = re.compile(r"[A-Za-z0-9._~-]{1,64}")

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
        raise HostError(phrase("Type the name of the outgoing mail server, for example smtp.example.com."))
    if "://" in typed:
        raise HostError(phrase("Type the server's name alone, without http:// or anything like it: smtp.example.com."))
    if "@" in typed:
        raise HostError(phrase("That is an e-mail address. The server's name has no @: for example smtp.example.com."))
    bare = whole[1:-1] if whole.startswith("[") and whole.endswith("]") else whole
    try:
        address = str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    else:
        return _with_usual_zone(address)
    if any(ch.isspace() for ch in typed):
        raise HostError(phrase("A server name has no blanks in it: for example smtp.example.com."))
    if "/" in typed:
        raise HostError(phrase("Type the server's name alone, without a slash and what follows it: smtp.example.com."))
    if ":" in typed:
        raise HostError(phrase("Type the port in its own field; the server's name is only smtp.example.com."))
    host = ascii_host(typed)
    if _numeric(host):
        raise HostError(
            phrase(
                "'{}' ends in a number, which no server's name does. Type a name like smtp.example.com, "
                "or a whole IP address; the port has its own field.",
                shown(whole, 80),
            )
        )
    if "_" in host:
        raise HostError(
            phrase("A server name has no underscore (_) in it. Please copy it again from your provider's page.")
        )
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise HostError(phrase("'{}' is not a server name. It looks like smtp.example.com.", shown(typed, 80)))
    return host


@dataclass(frozen=True, slots=True)
class PastedServer:
    """A server as a person typed or pasted it: its name, and what else the text says of it."""

    host: str
    """As `parse_host` returns it."""
    port: int | None = None
    security: Security | None = None


_SCHEMES: Mapping[str, Security | None] = {
    **dict.fromkeys(("ssl", "tls", "smtps", "submissions", "smtp+ssl", "smtp+tls"), Security.TLS),
    **dict.fromkeys(("starttls", "smtp+starttls"), Security.STARTTLS),
    **dict.fromkeys(("smtp", "submission"), None),
}
"""What applications write before a server's name, and the encryption that it says."""
_WEB_SCHEMES = ("http", "https")
_AFTER_HOST = re.compile(r"(?P<host>[^\s,;:]{1,300})[\s,;:]{1,9}(?:port[\s:=]{1,9})?(?P<port>\d{1,9})", re.IGNORECASE)
"""'smtp.example.com:587', 'smtp.example.com 587', 'smtp.example.com, port 587'."""


def parse_server(text: str) -> PastedServer:
    """Take a server as typed, or pasted from a page or another program's settings: 'ssl://smtp.example.com:465'.

    A user name and a password in it are passed over, and never said again. Raises `HostError`, `PortError` with one
    sentence.
    """
    typed = visible(text).rstrip(".,;").strip()
    scheme, found, rest = typed.partition("://")
    if not found:
        return _split(typed)
    scheme = scheme.lower()
    if scheme in _WEB_SCHEMES:
        raise HostError(_web_address_words(rest))
    if scheme not in _SCHEMES:
        raise HostError(phrase("Type the server's name alone, without {}:// before it.", shown(scheme, 20)))
    there, *behind = re.split(r"[/?#]", rest, maxsplit=1)
    if "@" not in there and ":" in there and "@" in "".join(behind):  # a password with such a sign in it
        raise HostError(phrase("Type the server's name alone, without a user name and a password before it."))
    there = there.rpartition("@")[2]
    split, security = _split(there), _SCHEMES[scheme]
    if (
        scheme == "tls" and split.port == USUAL_PORTS[Security.STARTTLS]
    ):  # many mean the encryption after STARTTLS by it
        security = Security.STARTTLS
    return PastedServer(split.host, split.port or (USUAL_PORTS[security] if security else None), security)


def _split(typed: str) -> PastedServer:
    """Part a name from its port, where it has one."""
    bracketed = re.fullmatch(r"(\[[^\]]{0,120}\]):(\d{1,9})", typed)
    if bracketed is not None:
        return PastedServer(parse_host(bracketed[1]), parse_port(bracketed[2]))
    found = _AFTER_HOST.fullmatch(typed)
    if found is not None and typed.count(":") < 2:  # else it is an IPv6 address
        return PastedServer(parse_host(found["host"]), parse_port(found["port"]))
    if typed.count(":") == 1 or re.match(r"\[[^\]]{0,120}\]:", typed):  # what is wrong is the port
        host, _, port = typed.rpartition(":")
        return PastedServer(parse_host(host), parse_port(port))
    return PastedServer(parse_host(typed))


def _web_address_words(rest: str) -> Shown:
    if "config-v1.1.xml" in rest or "/autoconfig/" in rest:
        return phrase(
            "That is the address of a file with settings. Go back to your e-mail address and paste it there: "
            "the file is read then."
        )
    return phrase("Type the server's name alone, without http:// or anything like it: smtp.example.com.")


def _with_usual_zone(address: str) -> str:
    """Return an IP address as it is. Raises `HostError` where its zone is no name of an interface."""
    _, percent, zone = address.partition("%")
    if percent and not _ZONE.fullmatch(zone):
        raise HostError(phrase("After the % of an IP address stands the name of a network interface, such as eth0."))
    return address


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
            phrase(
                "'{}' is no name for this computer: type one like pc.example.com, or an IP address like 192.0.2.1.",
                shown(typed, 80),
            )
        ) from None


def _address_literal(typed: str) -> str:
    """Return an IP address as an address literal, '' where the text is none. Raises `HostError` for half of one."""
    opened, closed = typed.startswith("["), typed.endswith("]")
    if opened != closed:
        raise HostError(phrase("An IP address has both its brackets, as in [192.0.2.1], or none."))
    inner = typed[1:-1] if opened else typed
    tagged = inner[:5].lower() == "ipv6:"
    bare = inner[5:] if tagged else inner
    if "%" in bare:
        raise HostError(
            phrase("Leave out the % and what follows it: that part of an IP address means something here alone.")
        )
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        if opened or tagged:
            raise HostError(phrase("Between the brackets stands an IP address, for example [192.0.2.1].")) from None
        return ""
    if address.version == 6:
        return f"[IPv6:{address}]"
    if tagged:
        raise HostError(phrase("{} is an IPv4 address: it is written [{}].", shown(str(address)), shown(str(address))))
    return f"[{address}]"


def parse_port(text: str) -> int:
    """Take a port as typed; return it. Raises `PortError`."""
    typed = text.strip()
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 9 and 1 <= int(typed) <= 65535):
        raise PortError(phrase("A port is a number from 1 to 65535. Most servers use 587 or 465."))
    return int(typed)


def parse_imap(text: str) -> Endpoint:
    """Take an IMAP server as typed: 'imap.example.com', or with a port. Raises `InputError`.

    Port 143 begins in clear text and is encrypted by STARTTLS; any other is encrypted from the first byte.
    """
    # The scheme of a pasted server would say a port to send through.
    server = parse_server(text) if "://" not in text else PastedServer(parse_host(text))
    number = server.port or 993
    return Endpoint(server.host, number, Security.STARTTLS if number == 143 else Security.TLS)
