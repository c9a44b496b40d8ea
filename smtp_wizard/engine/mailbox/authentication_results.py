"""What a receiver says of a message's origin: the field Authentication-Results (RFC 8601), read tolerantly.

Servers of large providers leave out the server's id, end with a semicolon, or write words that no grammar allows. So
each method is looked for by itself, and what cannot be understood is unknown; nothing is raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.arrival_states import AuthenticationState

LONGEST = 4_000
"""Characters of a field that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """What the receiver found."""

    spf: AuthenticationState = AuthenticationState.UNKNOWN
    dkim: AuthenticationState = AuthenticationState.UNKNOWN
    dmarc: AuthenticationState = AuthenticationState.UNKNOWN

    @property
    def known(self) -> bool:
        """Whether the receiver says anything."""
        return any(each is not AuthenticationState.UNKNOWN for each in (self.spf, self.dkim, self.dmarc))


_RESULT = re.compile(r"(?<![\w.-])(spf|dkim|dmarc)(?:/\d{1,4})?[ \t]{0,20}=[ \t]{0,20}([a-z]{1,20})", re.IGNORECASE)
"""A method and its result, wherever they stand; 'header.d=' and the like have a dot before them."""
_ASIDE = re.compile(r'"(?:[^"\\]|\\.){0,200}"|\([^()]{0,1000}\)', re.DOTALL)
"""Words in quotation marks or brackets: a reason, a comment. What looks like a result there is none."""
_OF_HOST = "smtp.helo"
"""Marks a result about the name that the server greeted with: the sender's domain is another matter (section 2.7.2)."""
_PROOFS = {
    "pass": AuthenticationState.PASS,
    **dict.fromkeys(("fail", "softfail", "hardfail", "permerror", "policy"), AuthenticationState.FAIL),
    # Microsoft's 'bestguesspass': the domain has no DMARC record, and would pass if it had one.
    **dict.fromkeys(("none", "neutral", "bestguesspass"), AuthenticationState.NONE),
    "temperror": AuthenticationState.UNKNOWN,
}


def read_authentication(fields: Iterable[str]) -> Authentication:
    """Return what the first field says: the receiver's own stands above what came with the message.

    Of several signatures one that is good is enough. RFC 8601 section 2.7.
    """
    first = next(iter(fields), "")[:LONGEST]
    found: dict[str, list[AuthenticationState]] = {}
    for method, result in _results(_ASIDE.sub(" ", _ASIDE.sub(" ", first))):
        found.setdefault(method, []).append(_PROOFS.get(result, AuthenticationState.UNKNOWN))
    return Authentication(spf=_best(found, "spf"), dkim=_best(found, "dkim"), dmarc=_best(found, "dmarc"))


def _results(field: str) -> list[tuple[str, str]]:
    """Return each method with its result; of SPF what was found of the sender, and of the host only without that."""
    matches = list(_RESULT.finditer(field))
    ends = [*(each.start() for each in matches[1:]), len(field)]
    told = [
        (each[1].lower(), each[2].lower(), field[each.end() : end])
        for each, end in zip(matches, ends, strict=False)  # where there is none, nothing ends
    ]
    of_sender = [
        (method, result) for method, result, about in told if _OF_HOST not in about or "smtp.mailfrom" in about
    ]
    methods = {method for method, _ in of_sender}
    return of_sender + [(method, result) for method, result, _ in told if method not in methods]


_ORDER = (AuthenticationState.PASS, AuthenticationState.FAIL, AuthenticationState.NONE, AuthenticationState.UNKNOWN)


def _best(found: dict[str, list[AuthenticationState]], method: str) -> AuthenticationState:
    return min(found.get(method, [AuthenticationState.UNKNOWN]), key=_ORDER.index)
