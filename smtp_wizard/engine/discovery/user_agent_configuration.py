"""Settings that a domain publishes as JSON, whose digest stands in its DNS: "PACC".

It is a draft, and not the same in all its versions: the server for sending is `smtp` in draft-ietf-mailmaint-pacc-02,
and `submit` from -03 on; both are read. Read as two programs have it that write and read such files:
github.com/pimalaya/io-discovery (src/pacc) and github.com/croessner/automx.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable

from smtp_wizard.engine.base.endpoint import USUAL_PORTS, Endpoint, HostError, Security, parse_host
from smtp_wizard.engine.discovery.autoconfig import PublishedServer

_VERSION, _DIGEST = "uaac1", "sha256"
_NAMES = ("submit", "smtp")


def configuration_url(domain: str) -> str:
    """Return where the file of a domain lies, given in A-labels."""
    return f"https://ua-auto-config.{domain}/.well-known/user-agent-configuration.json"


def digest_name(domain: str) -> str:
    """Return the name in the DNS under which the digest of that file stands."""
    return f"_ua-auto-config.{domain}"


def digests(texts: Iterable[str]) -> tuple[bytes, ...]:
    """Return the digests in the texts of that name; what is no such record, or of another kind, is passed over."""
    found = []
    for text in texts:
        parts = [each.partition("=") for each in text.split(";")]
        tags = {key.strip().lower(): value.strip() for key, _, value in parts}
        if tags.get("v", "").lower() == _VERSION and tags.get("a", "").lower() == _DIGEST:
            try:
                found.append(base64.b64decode(tags.get("d", ""), validate=True))
            except (binascii.Error, ValueError):
                continue
    return tuple(each for each in found if len(each) == hashlib.sha256().digest_size)


def is_vouched_for(document: bytes, wanted: Iterable[bytes]) -> bool:
    """Whether one of the digests is the file's; a file in the middle of a change has two."""
    return hashlib.sha256(document).digest() in tuple(wanted)


def read_configuration(document: bytes) -> PublishedServer | None:
    """Return the server for sending that a file names; None where it names none. It has the port for TLS alone."""
    try:
        read = json.loads(document)
    except (ValueError, RecursionError):
        return None
    protocols, ways = _mapping(read, "protocols"), _mapping(read, "authentication")
    named = next((found for name in _NAMES if (found := _mapping(protocols, name))), {})
    try:
        host = parse_host(str(named.get("host", "")))
    except HostError:
        return None
    auth = [way for key, way in (("password", "password"), ("oauth-public", "xoauth2")) if ways.get(key)]
    return PublishedServer(Endpoint(host, USUAL_PORTS[Security.TLS], Security.TLS), "", tuple(auth) or ("password",))


def _mapping(value: object, key: str) -> dict[str, object]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}
