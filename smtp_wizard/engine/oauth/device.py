"""The device code (RFC 8628): a short code that the person types on a page, on any device."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeGuard

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.oauth.client import OAuthClient, host_of, seconds_in, token_in
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault, garbled, meaning_of
from smtp_wizard.engine.oauth.grants import SignedIn
from smtp_wizard.engine.oauth.server import is_safe_url

USUAL_INTERVAL = 5.0
"""Seconds between two questions where the server names none (RFC 8628 section 3.2)."""
SLOWER = 5.0
"""What 'slow_down' adds (RFC 8628 section 3.5)."""
LONGEST_INTERVAL = 60.0
USUAL_LIFE = timedelta(minutes=15)
LONGEST_CODE = 40

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What the person is shown, and what we wait with."""

    user_code: str
    """What is typed on the page."""
    page: str
    """The page's address."""
    whole_page: str
    """The same with the code in it, for a QR code; empty where the server gives none."""
    ends: datetime
    interval: float
    """Seconds between two questions."""
    device_code: Secret


async def ask_for_code(exchange: OAuthClient, now: Callable[[], datetime]) -> DeviceCode:
    """Ask the server for a code (RFC 8628 section 3.1). Raises `OAuthError`."""
    url = exchange.server.device
    if not url:
        raise OAuthError(
            OAuthFault.FORBIDDEN, phrase("{} gives out no codes; use the browser.", shown(exchange.server.name))
        )
    answer = await exchange.post(url, {"scope": " ".join(exchange.server.scopes)})
    code, device = answer.get("user_code"), token_in(answer, "device_code")
    page = answer.get("verification_uri") or answer.get("verification_url")
    whole = answer.get("verification_uri_complete")
    if device is None or not _is_code(code) or not _is_page(page):
        raise garbled(host_of(url))
    life = seconds_in(answer, "expires_in") or USUAL_LIFE
    pause = seconds_in(answer, "interval")
    return DeviceCode(
        user_code=code,
        page=page,
        whole_page=whole if _is_page(whole) else "",
        ends=now() + min(life, timedelta(hours=1)),
        interval=min(pause.total_seconds() if pause else USUAL_INTERVAL, LONGEST_INTERVAL),
        device_code=device,
    )


async def wait_for_person(
    exchange: OAuthClient, code: DeviceCode, now: Callable[[], datetime], sleep: Sleep = asyncio.sleep
) -> SignedIn:
    """Ask every few seconds until the person has typed the code. Raises `OAuthError`."""
    interval = code.interval
    while True:
        await sleep(interval)
        if now() >= code.ends:
            raise meaning_of("expired_token")
        try:
            answer = await exchange.poll(code.device_code)
        except OAuthError as problem:
            if problem.fault is not OAuthFault.UNREACHABLE:
                raise
            # RFC 8628 section 3.5: a lost connection is no answer; ask again, less often.
            interval = min(interval * 2, LONGEST_INTERVAL)
            continue
        if isinstance(answer, SignedIn):
            return answer
        interval += SLOWER if answer == "slow_down" else 0.0


def _is_code(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_CODE and shown(value) == value


def _is_page(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and is_safe_url(value)
