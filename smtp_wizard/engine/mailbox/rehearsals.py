"""Messages that the program itself sent to nobody, to see them come back: no customer stands behind such an address."""

from __future__ import annotations

import re

_BEGIN = "no-such-mailbox-"
_NOBODY = re.compile(rf"{_BEGIN}[a-z0-9]{{6,12}}", re.ASCII | re.IGNORECASE)


def nobodys_mailbox(code: str) -> str:
    """Return what stands before the @ of an address that is nobody's. `code`: the random word of the message."""
    return f"{_BEGIN}{code}"


def is_nobodys(address: str) -> bool:
    """Whether an address is one that `nobodys_mailbox` has made."""
    return _NOBODY.fullmatch(address.rpartition("@")[0]) is not None
