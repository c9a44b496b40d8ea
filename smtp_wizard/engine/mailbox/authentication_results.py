"""What a receiver says of a message's origin: the field Authentication-Results (RFC 8601), read tolerantly.

Servers of large providers leave out the server's id, end with a semicolon, or write words that no grammar allows. So
each method is looked for by itself, and what cannot be understood is unknown; nothing is raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.outcomes import Proof

LONGEST = 4_000
"""Characters of a field that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """What the receiver found."""

    spf: Proof = Proof.UNKNOWN
    dkim: Proof = Proof.UNKNOWN
    dmarc: Proof = Proof.UNKNOWN

    @property
    def known(self) -> bool:
        """Whether the receiver says anything."""
        return any(each is not Proof.UNKNOWN for each in (self.spf, self.dkim, self.dmarc))


_RESULT = re.compile(r"(?<![\w.-])(spf|dkim|dmarc)(?:/\d{1,4})?[ \t]{0,20}=[ \t]{0,20}([a-z]{1,20})", re.IGNORECASE)
"""A method and its result, wherever they stand; 'header.d=' and the like have a dot before them."""
_COMMENT = re.compile(r"\([^()]{0,1000}\)")
_PROOFS = {
    "pass": Proof.PASS,
    "bestguesspass": Proof.PASS,
    **dict.fromkeys(("fail", "softfail", "hardfail", "permerror", "policy"), Proof.FAIL),
    **dict.fromkeys(("none", "neutral"), Proof.NONE),
    "temperror": Proof.UNKNOWN,
}


def read_authentication(fields: Iterable[str]) -> Authentication:
    """Return what the first field says: the receiver's own stands above what came with the message.

    Of several signatures one that is good is enough. RFC 8601 section 2.7.
    """
    first = next(iter(fields), "")[:LONGEST]
    found: dict[str, list[Proof]] = {}
    for method, result in _RESULT.findall(_COMMENT.sub(" ", first)):
        found.setdefault(method.lower(), []).append(_PROOFS.get(result.lower(), Proof.UNKNOWN))
    return Authentication(spf=_best(found, "spf"), dkim=_best(found, "dkim"), dmarc=_best(found, "dmarc"))


_ORDER = (Proof.PASS, Proof.FAIL, Proof.NONE, Proof.UNKNOWN)


def _best(found: dict[str, list[Proof]], method: str) -> Proof:
    return min(found.get(method, [Proof.UNKNOWN]), key=_ORDER.index)
