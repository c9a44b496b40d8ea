"""What a domain says by Microsoft's autodiscover, version 2: JSON that is answered without a sign-in.

The other versions want the password, and are never asked. The address in the question is the domain's postmaster
(RFC 5321 section 4.5.1): whose mailbox is being set up is told to nobody. The answer names a web address; its host says
whose mailbox server that is.

Source: MS-OXDSCLI section 1.3; question and answer: gist.github.com/razorsedge/398cb8125c426b3ac2d3464857e01a59.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from smtp_wizard.engine.base.endpoint import HostError, parse_host

PROTOCOL = "AutodiscoverV1"
"""What every such server can name: where its settings are, for who signs in."""


def autodiscover_url(domain: str) -> str:
    """Return where a domain, given in A-labels, answers."""
    return (
        f"https://autodiscover.{domain}/autodiscover/autodiscover.json"
        f"?Email=postmaster%40{domain}&Protocol={PROTOCOL}&RedirectCount=1"
    )


def read_autodiscover(document: bytes) -> str:
    """Return the host of the mailbox server that an answer names, '' where it names none."""
    try:
        answer = json.loads(document)
    except (ValueError, RecursionError):
        return ""
    url = answer.get("Url") if isinstance(answer, dict) else None
    if not isinstance(url, str) or not url.lower().startswith("https://"):
        return ""
    try:
        return parse_host(urlsplit(url).hostname or "")
    except (HostError, ValueError):
        return ""
