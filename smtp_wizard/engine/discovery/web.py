"""Fetching a small public document from the web: bounded in size and time, and never led elsewhere.

HTTP exceptions stop here; what a request ends in is a value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.discovery.egress_guard import allowed_peers
from smtp_wizard.engine.discovery.server_identity import belongs_to, owner_of
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.timeouts import listening_timeout
from smtp_wizard.engine.smtp.tls import Trust, verifying_context
from smtp_wizard.engine.smtp.transport import SocketWire
from smtp_wizard.engine.smtp.wire_error import WireError

LARGEST = 256 * 1024
"""Bytes of a document that are read."""
MOST_HOPS = 3
"""Redirects that are followed, within the same domain."""
PATIENCE = 5.0
"""Seconds that a document may take, redirects included."""


class WebProblem(StrEnum):
    """Why there is no document."""

    UNREACHABLE = "unreachable"
    """There is no such server, or none that answers."""
    SILENT = "silent"
    """It did not come in time."""
    NOT_TRUSTED = "not-trusted"
    """The server's certificate is not believed."""
    ABSENT = "absent"
    """The server has no such document."""
    LED_AWAY = "led-away"
    """The server sends one round and round, or to where nothing is encrypted."""
    TOO_LARGE = "too-large"


@dataclass(frozen=True, slots=True)
class FetchedDocument:
    """What was fetched."""

    content: bytes
    url: str
    """Where it lay in the end."""
    changed: str = ""
    """The day of its last change (ISO 8601), where the server says it."""


@dataclass(frozen=True, slots=True)
class LedElsewhere:
    """That the server sends one to another domain: only a person can say whether to go there."""

    url: str
    """Where to; https, without a user name in it."""


Fetched = FetchedDocument | LedElsewhere | WebProblem
"""What a request ends in."""


@dataclass(frozen=True, slots=True)
class _Redirect:
    """That the server sends one elsewhere."""

    location: str


class Web(Protocol):
    """What discovery needs of the web."""

    async def fetch(self, url: str) -> Fetched:
        """Fetch a document. Raises nothing; cancelling ends it at once."""
        ...


Locate = Callable[[str, int], tuple[str, int]]
"""From host and port to where that is reached."""


@dataclass(frozen=True, slots=True)
class HttpWeb:
    """The real web."""

    trust: Trust = field(default_factory=Trust)
    patience: float = PATIENCE
    locate: Locate | None = None
    """None: where the system's own names lead."""

    async def fetch(self, url: str) -> Fetched:
        """As `Web.fetch`."""
        import httpx2

        try:
            context = verifying_context(self.trust)
            async with (
                listening_timeout(self.patience),
                httpx2.AsyncClient(verify=context, trust_env=False, timeout=None) as client,
            ):
                return await self._followed(client, url)
        except (TimeoutError, httpx2.TimeoutException):
            return WebProblem.SILENT
        except httpx2.ConnectError as problem:
            return WebProblem.NOT_TRUSTED if "CERTIFICATE_VERIFY" in str(problem).upper() else WebProblem.UNREACHABLE
        except (httpx2.HTTPError, httpx2.InvalidURL, WireError, OSError, ValueError):
            return WebProblem.UNREACHABLE

    async def _followed(self, client: Any, url: str) -> Fetched:
        for _ in range(MOST_HOPS + 1):
            answer = await self._once(client, url)
            if not isinstance(answer, _Redirect):
                return answer
            following = urljoin(url, answer.location)
            if not may_fetch(url, following):
                return LedElsewhere(following) if may_be_asked_about(url, following) else WebProblem.LED_AWAY
            url = following
        return WebProblem.LED_AWAY

    async def _once(self, client: Any, url: str) -> FetchedDocument | WebProblem | _Redirect:
        """Ask once; return where to go instead, if the server says so."""
        target, host = await self._reached(url)
        # Packed content would be unpacked before it can be counted.
        headers = {"Host": host, "Accept": "application/xml, text/xml, application/json", "Accept-Encoding": "identity"}
        headers["User-Agent"] = "smtp-wizard"
        async with client.stream("GET", target, headers=headers, extensions={"sni_hostname": host}) as response:
            if response.is_redirect:
                return _Redirect(str(response.headers.get("location", "")))
            if response.status_code != 200:
                return WebProblem.ABSENT
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > LARGEST:
                    return WebProblem.TOO_LARGE
            return FetchedDocument(bytes(content), url, _day(response.headers.get("last-modified", "")))

    async def _reached(self, url: str) -> tuple[str, str]:
        """Return the URL by which to connect, and the host whose certificate is wanted there. Raises `WireError`.

        The name is looked up here: asyncio's own look-up, in its pool, would hold the end of the program as long as it
        hangs.
        """
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        if self.locate is not None:
            address, port = self.locate(host, port)
        else:
            peers = allowed_peers(await SocketWire().resolve(host, port, None))
            # A page is fetched over one address; IPv6 that swallows packets is the more usual fault.
            address = next((peer.address for peer in peers if peer.family is Family.IPV4), peers[0].address)
        there = parts._replace(netloc=f"[{address}]:{port}" if ":" in address else f"{address}:{port}")
        return there.geturl(), host


def _day(text: str) -> str:
    """Return the day that a Last-Modified names (RFC 9110 section 8.8.2), '' where it names none."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC).date().isoformat()
    except (ValueError, TypeError, OverflowError):
        return ""


def may_fetch(url: str, following: str) -> bool:
    """Return whether a redirect is followed: encrypted like before, and within what the same owner registered."""
    before, after = urlsplit(url), urlsplit(following)
    if after.scheme != "https" and after.scheme != before.scheme:
        return False
    if after.scheme not in ("http", "https") or after.username or not after.hostname or not before.hostname:
        return False
    return belongs_to(after.hostname, before.hostname)


def may_be_asked_about(url: str, following: str) -> bool:
    """Return whether a person may be asked to follow a redirect to another domain: from encrypted to encrypted."""
    before, after = urlsplit(url), urlsplit(following)
    if (
        (before.scheme, after.scheme) != ("https", "https")
        or after.username is not None
        or len(following) > LONGEST_URL
    ):
        return False
    return bool(owner_of(after.hostname or "")) and not belongs_to(after.hostname or "", before.hostname or "")


LONGEST_URL = 2000
"""Characters of a redirect's target that are kept."""
