"""Whose a name is: of a server that answers, compared with the one that was asked for; of one that somebody names."""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import TYPE_CHECKING, Any

from smtp_wizard.engine.base.endpoint import HostError, ascii_host
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage, Verdict

if TYPE_CHECKING:
    from smtp_wizard.engine.checks.report import Report
    from smtp_wizard.engine.smtp.symptom import Symptom

_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


def foreign_server_name(host: str, report: Report, symptom: Symptom | None) -> str:
    """Return the name by which a server greets, where neither the host nor its certificate has to do with it; else ''.

    A certificate that was believed proves whose server it is, whatever it calls itself: a hoster's own name is usual.
    Names are compared by the domain that somebody registered (the Public Suffix List).
    """
    if any(each.tls is not None and each.verdict in (Verdict.PASS, Verdict.WARN) for each in report.results):
        return ""
    greeting = report.result(Stage.GREETING)
    words = greeting.detail if greeting is not None and greeting.verdict is Verdict.PASS else ""
    if not words and symptom is not None and symptom.stage is Stage.GREETING and symptom.code is not None:
        words = symptom.words
    name = words.partition(" ")[0].rstrip(".").lower()
    if not _NAME.fullmatch(name) or not _NAME.fullmatch(host):
        return ""
    theirs = registered_domain(name)
    related = [host, *(report.tls.names if report.tls else ())]
    if theirs is None or theirs in {registered_domain(each.removeprefix("*.")) for each in related}:
        return ""
    return shown(name, 100)


def registered_domain(name: str) -> str | None:
    """Return the domain that somebody registered to have this name, None where no registry gives such names."""
    found = _suffixes().privatesuffix(name.lower())
    return str(found) if found else None


def owner_domain(name: str) -> str | None:
    """As `registered_domain`, where names that a hoster gives its customers have owners of their own as well.

    That is the private part of the Public Suffix List: two customers of one hoster are strangers.
    """
    found = _owners().privatesuffix(name.lower(), accept_unknown=False)
    return str(found) if found else None


def owner_of(name: str) -> str:
    """As `owner_domain`, for any spelling of a name, in A-labels; '' for an IP address and for what nobody can own.

    Below an ending that no registry is known for, such as .internal, the last two labels count: the rule of the list's
    own algorithm for what it does not have.
    """
    plain = _plain(name)
    if not plain or _ends_in_a_number(plain):
        return ""
    return str(_owners().privatesuffix(plain) or "")


def belongs_to(host: str, domain: str) -> bool:
    """Return whether a host's name belongs to the owner of a domain."""
    owner = owner_of(domain)
    return (bool(owner) and owner == owner_of(host)) or (_plain(host) == _plain(domain) != "")


def whose_words(host: str, domain: str) -> str:
    """Say whose a server is, by its name, and that this is not the owner of a domain; '' where it is."""
    if belongs_to(host, domain):
        return ""
    owner, named = shown(owner_of(host), 100), shown(domain, 80)
    return f"this server belongs to {owner}, not to {named}" if owner else f"this server does not belong to {named}"


def _plain(name: str) -> str:
    """Return a name in A-labels, lower case, without a dot at its end; '' where it can be none."""
    try:
        return ascii_host(name.strip().removesuffix("."))
    except HostError:
        return ""


def _ends_in_a_number(name: str) -> bool:
    """Whether a name is an IP address, or is read as one by programs that read generously ('127.1', '0x7f000001')."""
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        last = name.rpartition(".")[2]
        return last.isdigit() or last.startswith("0x")
    return True


@functools.cache
def _owners() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


@functools.cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=False, only_icann=True)
