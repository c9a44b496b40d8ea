"""An e-mail address, parsed once."""

from __future__ import annotations

import re
from typing import Annotated, Self

from smtp_wizard.engine.base.characters import has_control, visible
from smtp_wizard.engine.base.endpoint import ascii_host, parse_host
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.records import AsText
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass


class AddressError(InputError):
    """An e-mail address cannot be used."""


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address, parsed once (RFC 5321 section 4.1.2; internationalised: RFC 6531)."""

    local: str
    domain: str
    """As people write it: Unicode, lower case."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take what a person typed or pasted; return the address.

        'Ana <ana@example.com>', 'mailto:ana@example.com', and the address of a settings file that names one are
        understood, as are dots, commas and blanks behind it. Raises `AddressError` with one sentence a person can act
        on. No DNS is asked.
        """
        return cls.parse_bare(_bare(text))

    @classmethod
    def parse_bare(cls, text: str) -> Self:
        """Take an address and nothing else. Raises `AddressError`."""
        import email_validator

        typed = text.strip()
        if not typed:
            raise AddressError(
                phrase("Type the e-mail address that you want to send from, for example ana@example.com.")
            )
        if len(_named(typed)) > 1:
            raise AddressError(phrase("Several addresses stand there; type the one that you want to send from."))
        if "@" not in typed and _DOMAIN.fullmatch(typed):
            raise AddressError(
                phrase("{0} is a domain: your name and an @ are missing before it, as in ana@{0}.", shown(typed, 100))
            )
        if "@" not in typed:
            raise AddressError(phrase("An e-mail address has an @ in the middle, for example ana@example.com."))
        try:
            found = email_validator.validate_email(
                typed, check_deliverability=False, test_environment=True, allow_smtputf8=True
            )
        except email_validator.EmailNotValidError:
            why = _what_is_wrong(typed)
            raise AddressError(phrase("This is not an e-mail address yet: {}", why)) from None
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


def settings_file(text: str) -> str:
    """Return the web address of a settings file that was pasted in the place of an e-mail address; '' where none is.

    Only one that is encrypted, and without the e-mail address that may stand in it: that is told to nobody.
    """
    from urllib.parse import quote, urlsplit

    typed = visible(text)
    if not typed.lower().startswith("https://") or len(typed) > _LONGEST_URL:
        return ""
    try:
        parts = urlsplit(typed)
        host = parse_host(parts.hostname or "")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"https://{host}{port}{quote(parts.path, safe=_PATH)}"


_BETWEEN = str.maketrans(dict.fromkeys('<>,;"', " "))


def _named(typed: str) -> set[str]:
    """Return what may be an address in a text that should be one."""
    words = typed[:_LONGEST_URL].lower().translate(_BETWEEN).split()
    return {word for word in words if 0 < word.find("@") < len(word) - 1}


_LONGEST_LOCAL, _LONGEST_DOMAIN, _LONGEST_PART = 64, 253, 63
"""Characters of an address (RFC 5321 section 4.5.3.1) and of a part of a domain (RFC 1035 section 2.3.4)."""
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,63}", re.IGNORECASE)
_NOWHERE = frozenset({"arpa", "invalid", "local", "localhost", "onion"})
"""Endings that no mail server on the internet has (RFC 6761, RFC 6762, RFC 7686)."""
_STRANGE = re.compile(r"[^\w.!#$%&'*+/=?^`{|}~-]")
"""What no part of an address is made of, in any alphabet (RFC 5322 section 3.2.3, RFC 6531 section 3.3)."""
_STRANGE_IN_DOMAIN = re.compile(r"[^\w.-]|_")


def _what_is_wrong(typed: str) -> Shown:
    """Say why a text is no address."""
    return _what_is_missing(typed) or _what_is_too_much(typed)


def _what_is_missing(typed: str) -> Shown:
    """Say why a text is no address, for the mistakes that are made most; empty for any other."""
    local, _, domain = typed.rpartition("@")
    if not local or not domain:
        return phrase("something must stand before the @ and after it, as in ana@example.com.")
    if has_control(typed) or any(ch.isspace() for ch in typed):
        return phrase("there is a blank, a line end, or a character that cannot be seen in it.")
    if "," in domain:
        return phrase("there is a comma where a dot belongs; {}?", shown(f"{local}@{domain.replace(',', '.')}", 100))
    if "[" in domain:
        return phrase("after the @ stands a domain, such as example.com, and no number in brackets.")
    if "." not in domain.strip("."):
        return phrase("after the @ stands a whole domain, such as example.com.")
    return NO_WORDS


def _what_is_too_much(typed: str) -> Shown:
    """Say which part of an address cannot be so."""
    local, _, domain = typed.rpartition("@")
    if ".." in typed:
        return phrase("there are two dots in a row; {}?", shown(re.sub(r"\.{2,}", ".", typed), 100))
    if strange := _STRANGE_IN_DOMAIN.search(domain):
        return phrase("'{}' cannot stand after the @.", shown(strange[0], 20))
    if strange := _STRANGE.search(local):
        return phrase("'{}' cannot stand before the @.", shown(strange[0], 20))
    if local.startswith(".") or local.endswith("."):
        return phrase("what stands before the @ begins or ends with a dot.")
    if len(local.encode()) > _LONGEST_LOCAL:
        return phrase("what stands before the @ is longer than {} characters.", _LONGEST_LOCAL)
    parts = domain.strip(".").split(".")
    if len(domain) > _LONGEST_DOMAIN or max(map(len, parts)) > _LONGEST_PART:
        return phrase("the domain after the @ is too long to be one.")
    if parts[-1].lower() in _NOWHERE:
        return phrase("no mail goes to a domain that ends in '.{}'.", shown(parts[-1], 63))
    if parts[-1].isdigit():
        return phrase("after the @ stands a domain, such as example.com, and no number.")
    if domain.startswith(".") or any(each.startswith("-") or each.endswith("-") for each in parts):
        return phrase("no part of a domain begins or ends with a hyphen, nor the whole with a dot.")
    return phrase("no server would take it in this form. Is every letter as your provider has it?")


_LONGEST_URL = 2000
_PATH = "/%:@!$&'()*+,;=~-._"
_WEB = re.compile(r"https?://", re.IGNORECASE)
_SERVER = re.compile(r"(?:ssl|tls|starttls|smtps?|submissions?|imaps?|pop3s?)://", re.IGNORECASE)
_LABEL = re.compile(r"(?:e-?mail|mail)(?:[ -]?address)?\s*:\s*", re.IGNORECASE)
"""What stands before an address on a card or in a form."""
_AT_IN_WORDS = re.compile(r" {0,3}[(\[{] ?at ?[)\]}] {0,3}", re.IGNORECASE)
_DOT_IN_WORDS = re.compile(r" {0,3}[(\[{] ?dot ?[)\]}] {0,3}", re.IGNORECASE)
"""How an address is written where programs that collect them should not find it."""
_BEHIND = ".,;: \t\u3002\uff0e"
"""What is pasted along from the end of a sentence or of a list."""
_QUOTES = (("'", "'"), ('"', '"'), ("\u201c", "\u201d"), ("\u2018", "\u2019"), ("\u00ab", "\u00bb"), ("(", ")"))


def _bare(text: str) -> str:
    """Return the address in a text that was pasted; the text as it is, where it is of no form that is known."""
    typed = visible(text).replace("\uff20", "@").rstrip(_BEHIND)  # the @ of a Chinese or Japanese keyboard
    if _WEB.match(typed):
        return _named_in_url(typed)
    if _SERVER.match(typed):
        raise AddressError(
            phrase("That names a server, which 'smtp-wizard check' tests. Type your e-mail address: ana@example.com.")
        )
    labelled = _LABEL.match(typed)
    typed = typed[labelled.end() :] if labelled is not None else typed
    typed = _together(typed)
    typed = typed if "@" in typed else _DOT_IN_WORDS.sub(".", _AT_IN_WORDS.sub("@", typed))
    if typed.count("<") > 1 and typed.count("@") > 1:
        return typed  # several: which is meant is asked
    if typed.endswith(">") and "<" in typed:  # a name before it (RFC 5322 section 3.4)
        typed = typed[typed.rindex("<") + 1 : -1].strip()
    if typed[:7].lower() == "mailto:":  # RFC 6068 section 2
        from urllib.parse import unquote

        typed = unquote(typed[7:].partition("?")[0])
    for opened, closed in _QUOTES:
        if len(typed) > 2 and typed[0] == opened and typed[-1] == closed:
            typed = typed[1:-1]
    return typed.strip().rstrip(_BEHIND)


_IN_PIECES = re.compile(r"[^\s@<>]{1,64} ?@ ?[^\s@.<>]{1,63}(?: ?\. ?[^\s@.<>]{1,63}){1,8}")
"""An address with a blank on a side of its @ or of a dot behind it, as it is read aloud or kept from programs."""
_DOTS = re.compile(r" ?\. ?")
"""A dot and its blanks: of one that is unlike the others, another word may come behind the address."""
_BEHIND_WORDS = re.compile(r"[^@<>]{1,200}(?:[)\]:;|]|\s[\u2013\u2014-])\s{1,8}([^\s@<>,;]{1,64}@[^\s@<>,;]{1,253})")
"""An address behind what says whose it is, parted from it by more than a blank, or a hyphen in a word: either may be a
slip within it."""


_BEFORE_WORDS = re.compile(r"([^\s@<>]{1,64}@[^\s@<>]{1,253}) \([^()@<>]{1,100}\)")
"""An address with a remark in brackets behind it (RFC 5322 section 3.2.2)."""


def _together(typed: str) -> str:
    """Return an address in one piece that was pasted in several, without what stands before it or around it."""
    if _IN_PIECES.fullmatch(typed) and len(set(_DOTS.findall(typed.partition("@")[2]))) < 2:
        return typed.replace(" ", "")
    behind = _BEHIND_WORDS.fullmatch(typed) or _BEFORE_WORDS.fullmatch(typed)
    typed = behind[1] if behind is not None else typed
    if typed.endswith(">") and "<" not in typed:
        return typed[:-1]
    return typed[1:] if typed.startswith("<") and ">" not in typed else typed


def _named_in_url(url: str) -> str:
    """Return the e-mail address that the address of a settings file asks for. Raises `AddressError`."""
    from urllib.parse import parse_qs, urlsplit

    try:
        parts = urlsplit(url)
        asked = parse_qs(parts.query)
        host = parts.hostname or ""
    except ValueError:
        asked, host = {}, ""
    named = next((values[0] for name, values in asked.items() if name.lower() in ("emailaddress", "email")), "")
    if named:
        return named
    if "config-v1.1.xml" in url:
        domain = host.removeprefix("autoconfig.")
        raise AddressError(
            phrase("That is the address of a settings file of {}. Type your e-mail address.", shown(domain, 80))
        )
    raise AddressError(phrase("That is a web address. Type your e-mail address, for example ana@example.com."))


def saved_address(text: str) -> Address:
    """Return an address that was parsed before it was saved; email-validator need not be loaded for it again.

    Raises `InputError` for what no address says.
    """
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or has_control(text) or any(ch.isspace() or ch in "<>" for ch in domain):
        raise AddressError(phrase("not an address"))
    ascii_host(domain)  # what cannot be written for the DNS would be found out in the middle of a check
    return Address(local, domain)


AddressText = Annotated[Address, AsText(saved_address, str, "an e-mail address")]
"""An address as it is saved and printed."""
