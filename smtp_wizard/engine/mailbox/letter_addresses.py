"""Mail addresses as they stand in letters that came back."""

from __future__ import annotations

import re

ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]\\\x00-\x1f\x7f]{1,64}@[^\s<>@,;:\"()\[\]\\\x00-\x1f\x7f]{1,253}")
UNUSUAL_ADDRESS = re.compile(
    r"(?:\"[ !#-\[\]-~]{1,62}\"|[\w.!#$%&*+/=?^{|}~-]{1,64})@(?:\[[\w:.]{2,60}\]|[\w.-]{1,253})", re.ASCII
)
"""With a name in quotation marks, or a number for a domain (RFC 5321 section 4.1.2): only servers write such ones."""
MAILBOX_ALONE = re.compile(r"[\w.+-]{1,64}", re.ASCII)
"""A mailbox of the server's own (RFC 5321 section 4.5.1: 'postmaster')."""
ADDRESS_IN_TEXT = re.compile(
    r"(?<!\x1b\[)(?<![^\s<>,;:\"'(\[])[\w.!#$%&*+/=?^{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
)


def tidy(address: str) -> str:
    """Return an address without angle brackets, its domain in small letters and without a dot behind it."""
    local, at, domain = address.strip("<>").rpartition("@")
    return f"{local}@{domain.lower().rstrip('.')}" if at else domain


def first_address(field: str) -> str:
    """Return the address of a From field; in angle brackets before one that stands in the name."""
    inside = field.rpartition("<")[2]
    found = ADDRESS_IN_TEXT.search(inside) or ADDRESS_IN_TEXT.search(field)
    return tidy(found[0]) if found is not None else ""


def domain_of(field: str) -> str:
    """Return the domain of the first address in a field; '' where there is none."""
    found = ADDRESS_IN_TEXT.search(field)
    return found[0].rpartition("@")[2].lower() if found is not None else ""


def is_torn(address: str, text: str) -> bool:
    """Whether what looks like an address is what a control character leaves of another one."""
    at = text.find(address)
    while at >= 0:
        before = text[max(0, at - 80) : at].rpartition("\n")[2].rpartition(" ")[2]
        if _CONTROL.search(before) is not None:
            return True
        at = text.find(address, at + 1)
    return False


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
