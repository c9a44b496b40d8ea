"""The terms of an SPF record: what each says, which no receiver can read, and what a slip means (RFC 7208)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from smtp_wizard.engine.base.endpoint import HostError, ascii_host
from smtp_wizard.engine.domain.dkim import unquoted
from smtp_wizard.engine.lazy_dataclass import dataclass

MOST_TERMS = 200
"""Terms of one record that are read. A record of 450 bytes, which is the advice of section 3.4, has far fewer."""

_LOOKING_UP = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
_READABLE = re.compile(r"[!-~]+")
"""The characters of a term: visible ASCII (section 7.1). A receiver reads no other, and nobody is to publish one."""
MECHANISMS = frozenset({"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"})
_WIDEST = {4: 8, 6: 16}
"""The shortest prefix of a network that is one owner's, by the version of IP: nobody was given more."""
_WIDEST_HOST = {4: 16, 6: 32}
"""The same for the network around a host that is named: a university has one of 16 bits, and nobody a larger one."""
_TERM = re.compile(r"([-+~?]?)([a-z][a-z0-9._-]*)(?:([:=])([^ ]*?))?((?:/[0-9]{1,3})?(?://[0-9]{1,3})?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a record: a mechanism with its qualifier, or a modifier."""

    text: str
    qualifier: str
    """'+', '-', '~' or '?'; '' for a modifier."""
    name: str
    """In lower case."""
    value: str = ""
    mask: str = ""
    """'/24', '//64' or both, of 'a' and 'mx'."""

    @property
    def looks_up(self) -> bool:
        """Whether a receiver must ask the DNS for it."""
        return self.name in _LOOKING_UP

    @property
    def is_wide(self) -> bool:
        """Whether it allows so large a part of all addresses that nobody can own it."""
        if self.qualifier != "+" or self.name not in ("ip4", "ip6", "a", "mx"):
            return False
        if self.name in ("a", "mx"):
            four, _, six = self.mask.partition("//")
            return (bool(four) and int(four[1:]) < _WIDEST_HOST[4]) or (bool(six) and int(six) < _WIDEST_HOST[6])
        network = ipaddress.ip_network(self.value, strict=False)
        return network.prefixlen < _WIDEST[network.version]

    @property
    def has_macro(self) -> bool:
        """Whether what it names depends on the message (section 7)."""
        return "%" in self.value


def is_spf(text: str) -> bool:
    """Whether a TXT record is one for SPF: the version, and a blank or the end (section 4.5)."""
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def parse_terms(record: str) -> tuple[tuple[Term, ...], tuple[str, ...]]:
    """Return the terms of a record (section 4.6.1), and those that are none."""
    good: list[Term] = []
    bad: list[str] = []
    for text in record.split(" ")[1 : MOST_TERMS + 1]:
        term = parse_term(text) if text else None
        if term is not None:
            good.append(term)
        elif text:
            bad.append(text)
    return tuple(good), tuple(bad)


def before_all(terms: Sequence[Term]) -> Sequence[Term]:
    """Return the terms that are looked at: what stands behind 'all' is ignored (section 5.1)."""
    end = next((number for number, each in enumerate(terms) if each.name == "all"), len(terms))
    return terms[:end]


def parse_term(text: str) -> Term | None:
    """Return what a term says; None where no receiver can read it."""
    found = _TERM.fullmatch(text) if _READABLE.fullmatch(text) else None
    if found is None:
        return None
    qualifier, name, sign, value, mask = (each or "" for each in found.groups())
    name = name.lower()
    if sign == "=":
        return Term(text, "", name, value + mask) if not qualifier and name not in MECHANISMS else None
    if name not in MECHANISMS or not _may_stand(name, sign, value, mask):
        return None
    return Term(text, qualifier or "+", name, value + mask if name in ("ip4", "ip6") else value, mask)


def _may_stand(name: str, sign: str, value: str, mask: str) -> bool:
    if name == "all":
        return not sign and not mask
    if name in ("ip4", "ip6"):
        return _is_network(value + mask, 4 if name == "ip4" else 6)
    if name in ("include", "exists"):
        return bool(value) and not mask and _names_a_domain(value)
    return (not sign or bool(value)) and (not value or _names_a_domain(value)) and _is_mask(mask)


def _is_network(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_network(text, strict=False).version == version
    except ValueError:
        return False


def _is_mask(mask: str) -> bool:
    four, _, six = mask.partition("//")
    return (not four or int(four[1:]) <= 32) and (not six or int(six) <= 128)


def _names_a_domain(value: str) -> bool:
    if "%" in value:
        return re.fullmatch(r"(?:[^%]|%[%_-]|%\{[a-z][0-9]*r?[-.+,/_=]*\})*", value, re.IGNORECASE) is not None
    return domain_of(value) != ""


def domain_of(value: str) -> str:
    """Return a domain in A-labels, '' where it can be none. Names with an underscore are domains here."""
    plain = value.rstrip(".").lower()
    try:
        ascii_host(plain.replace("_", "x"))
    except HostError:
        return ""
    return plain


_SLIPS = (
    (re.compile(r"^([-+~?]?)ipv?4?[:=](?=[0-9.]+(?:/[0-9]+)?$)", re.IGNORECASE), r"\1ip4:"),
    (re.compile(r"^([-+~?]?)ipv?6?[:=](?=[0-9a-f:]+(?:/[0-9]+)?$)", re.IGNORECASE), r"\1ip6:"),
    (re.compile(r"^([-+~?]?)(include|includes|inlcude|a|mx|exists)[:=]", re.IGNORECASE), r"\1\2:"),
    (re.compile(r"^([-+~?]?)(?:includes|inlcude):", re.IGNORECASE), r"\1include:"),
    (re.compile(r"^redirect:", re.IGNORECASE), "redirect="),
    (re.compile(r"^(?=[0-9]+(?:\.[0-9]+){3}(?:/[0-9]+)?$)"), "ip4:"),
)
"""How terms are misspelt, and how they are right."""


def respelt(text: str) -> str:
    """Return what a part of a record is meant as, where it has a slip that is common; any other as it stands.

    Two parts, with a blank, where that was lost between two strings.
    """
    joined = _JOINED.fullmatch(text) if parse_term(text) is None else None
    if joined is not None and parse_term(respelt(joined[1])) is not None:
        return f"{respelt(joined[1])} {joined[2]}"
    for slip, right in _SLIPS:
        text = slip.sub(right, text)
    return text.rstrip(",;")


_JOINED = re.compile(r"([^ ]+?)([-~?]all)", re.IGNORECASE)


def meant_as_spf(text: str) -> str:
    """Return the record that a text which is none is meant as; '' where it is meant as something else."""
    text = unquoted(text)
    found = _ALMOST.match(text)
    return "" if found is None else f"v=spf1 {text[found.end() :].strip()}".rstrip()


_ALMOST = re.compile(r"[\"' ]*v ?[=:] ?spf ?1?(?![0-9.])[;,\"']?", re.IGNORECASE)
