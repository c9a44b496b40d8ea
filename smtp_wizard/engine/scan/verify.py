"""Whether what the catalogue says of a server still holds: it is spoken to, as far as goes without a password."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.providers.provider import Provider, ProviderKind
from smtp_wizard.engine.smtp.sasl import choose_mechanism

_NOBODY_S = (ProviderKind.CUSTOM, ProviderKind.SANDBOX)
"""Entries without a server out there."""


@dataclass(frozen=True, slots=True)
class ListedSmtpServer:
    """A server, and the providers that offer it."""

    endpoint: Endpoint
    providers: tuple[Provider, ...]

    @property
    def wants_password(self) -> bool:
        """Whether somebody is told to sign in here with a password, an app password or a key."""
        return any(
            path.auth.needs is Auth.PASSWORD and not path.closed for each in self.providers for path in each.paths
        )


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of speaking to one server."""

    place: ListedSmtpServer
    report: Report
    misfits: tuple[str, ...]
    """What no longer fits, each as one line; empty where everything does."""


def listed_servers(providers: Iterable[Provider]) -> tuple[ListedSmtpServer, ...]:
    """Return every server that is offered, each once, in the providers' order."""
    found: dict[Endpoint, list[Provider]] = {}
    for provider in providers:
        if provider.kind not in _NOBODY_S:
            for each in provider.offered():
                found.setdefault(each.endpoint, []).append(provider)
    return tuple(ListedSmtpServer(endpoint, tuple(dict.fromkeys(owners))) for endpoint, owners in found.items())


async def verify(
    wanted: Sequence[ListedSmtpServer], check: Callable[[Endpoint], Awaitable[Report]], *, at_once: int
) -> tuple[Verified, ...]:
    """Speak to the servers, so many at a time; return what came of it, in their order.

    `check` goes through the stages of a server check (dns, connect, TLS, greeting, EHLO) and returns its report.
    """
    turns = asyncio.Semaphore(at_once)

    async def one(place: ListedSmtpServer) -> Verified:
        async with turns:
            report = await check(place.endpoint)
        return Verified(place, report, misfits(place, report))

    return tuple(await asyncio.gather(*(one(place) for place in wanted)))


def misfits(place: ListedSmtpServer, report: Report) -> tuple[str, ...]:
    """Return what a report shows that does not fit the catalogue, each as one line."""
    bad = [result for result in report.results if result.verdict in (Verdict.FAIL, Verdict.UNKNOWN)]
    if bad:
        return tuple(
            f"{result.stage.value}: {result.finding.title if result.finding else result.detail}" for result in bad
        )
    if report.verdict is Verdict.SKIPPED:
        return ("nothing was tried",)
    offered = report.capabilities.get("AUTH", "").upper().split()
    if place.wants_password and choose_mechanism(offered) is None:
        return (f"ehlo: no sign-in with a password is offered (AUTH: {' '.join(offered) or 'none'})",)
    return ()
