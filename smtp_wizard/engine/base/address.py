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
        if "@" not in typed:
            raise AddressError(phrase("An e-mail address has an @ in the middle, for example ana@example.com."))
        try:
            found = email_validator.validate_email(
                typed, check_deliverability=False, test_environment=True, allow_smtputf8=True
            )
        except email_validator.EmailNotValidError as problem:
            why = _what_is_wrong(typed) or shown(str(problem), 160)
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


def _what_is_wrong(typed: str) -> Shown:
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
