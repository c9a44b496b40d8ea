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
_COMMENT = re.compile(r"\([^()]{0,1000}\)")
_PROOFS = {
    "pass": AuthenticationState.PASS,
    "bestguesspass": AuthenticationState.PASS,
    **dict.fromkeys(("fail", "softfail", "hardfail", "permerror", "policy"), AuthenticationState.FAIL),
    **dict.fromkeys(("none", "neutral"), AuthenticationState.NONE),
    "temperror": AuthenticationState.UNKNOWN,
}


def read_authentication(fields: Iterable[str]) -> Authentication:
    """Return what the first field says: the receiver's own stands above what came with the message.

    Of several signatures one that is good is enough. RFC 8601 section 2.7.
    """
    first = next(iter(fields), "")[:LONGEST]
    found: dict[str, list[AuthenticationState]] = {}
    for method, result in _RESULT.findall(_COMMENT.sub(" ", first)):
        found.setdefault(method.lower(), []).append(_PROOFS.get(result.lower(), AuthenticationState.UNKNOWN))
    return Authentication(spf=_best(found, "spf"), dkim=_best(found, "dkim"), dmarc=_best(found, "dmarc"))


_ORDER = (AuthenticationState.PASS, AuthenticationState.FAIL, AuthenticationState.NONE, AuthenticationState.UNKNOWN)


def _best(found: dict[str, list[AuthenticationState]], method: str) -> AuthenticationState:
    return min(found.get(method, [AuthenticationState.UNKNOWN]), key=_ORDER.index)
