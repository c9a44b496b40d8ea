"""Whose server answers: the names that it gives itself, compared with the one that was asked for."""

from __future__ import annotations

import functools
import re
from typing import Any

from smtp_wizard.engine.check import Report
from smtp_wizard.engine.model import Stage, Verdict, clean
from smtp_wizard.engine.symptom import Symptom

_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


def stranger(host: str, report: Report, symptom: Symptom | None) -> str:
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
    theirs = registered(name)
    related = [host, *(report.tls.names if report.tls else ())]
    if theirs is None or theirs in {registered(each.removeprefix("*.")) for each in related}:
        return ""
    return clean(name, 100)


def registered(name: str) -> str | None:
    """Return the domain that somebody registered to have this name, None where no registry gives such names."""
    found = _suffixes().privatesuffix(name.lower())
    return str(found) if found else None


def owned(name: str) -> str | None:
    """As `registered`, where names that a hoster gives its customers have owners of their own as well.

    That is the private part of the Public Suffix List: two customers of one hoster are strangers.
    """
    found = _owners().privatesuffix(name.lower())
    return str(found) if found else None


@functools.cache
def _owners() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=False)


@functools.cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=False, only_icann=True)
