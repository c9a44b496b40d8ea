"""Finds the settings for an address: its provider and its server, without a password."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.checks.runner import run_checks
from smtp_wizard.engine.checks.target import ExplainsSymptoms, Target, TimeLimits
from smtp_wizard.engine.discovery.egress_guard import GuardedWire
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.smtp.tls import Trust
from smtp_wizard.engine.smtp.transport import Wire

if TYPE_CHECKING:
    from smtp_wizard.engine.base.address import Address
    from smtp_wizard.engine.base.endpoint import Endpoint
    from smtp_wizard.engine.discovery.dns import Resolver
    from smtp_wizard.engine.discovery.search import DiscoveryResult
    from smtp_wizard.engine.discovery.web import Web
    from smtp_wizard.engine.providers.catalog import Catalog

TRYING = TimeLimits(dns=5.0, connect=4.0, tls=5.0, greeting=8.0, ehlo=5.0, starttls=8.0)
"""What a server has time for that is tried because a source names it; the search has a deadline of its own."""


class Discovery:
    """Asks the catalogue, the name servers and the web who serves an address."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        diagnosis: ExplainsSymptoms,
        wire: Wire,
        resolver: Resolver | None = None,
        web: Web | None = None,
    ) -> None:
        """`resolver` and `web` are asked for settings: the system's name servers, and the web, where left out."""
        self._catalog = catalog
        self._diagnosis = diagnosis
        self._wire = wire
        self._resolver = resolver
        self._web = web

    async def find_settings(
        self,
        address: Address,
        *,
        public_list: bool = False,
        plain_http: bool = False,
        file: str = "",
        options: CheckOptions | None = None,
        deadline: float | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> DiscoveryResult:
        """Find the provider and the server of an address; every server that is named is tried, without a password.

        `public_list` and `plain_http`: the person said yes to that; `file`: the address of a settings file that they
        named. Raises nothing but `DataError`.
        """
        from smtp_wizard.engine.discovery.autoconfig import load_database
        from smtp_wizard.engine.discovery.dns import Resolver
        from smtp_wizard.engine.discovery.search import DEADLINE, DiscoverySources, discover
        from smtp_wizard.engine.discovery.web import HttpWeb

        trust = Trust(options.ca_file if options else None)
        asking = DiscoverySources(
            resolver=self._resolver or Resolver(),
            web=self._web or HttpWeb(trust),
            verify=partial(self._tried, options or CheckOptions()),
            database=await in_thread(load_database) if public_list else None,
            plain_http=plain_http,
            file=file,
            deadline=DEADLINE if deadline is None else deadline,
        )
        return await discover(address, self._catalog, asking, tell)

    async def mail_hosts(self, address: Address) -> tuple[str, ...]:
        """Return the hosts that receive the mail of an address's domain, most preferred first; none where unknown.

        Raises nothing.
        """
        from smtp_wizard.engine.discovery.dns import Resolver
        from smtp_wizard.engine.discovery.mail_keepers import look_up_mail_hosts

        found = await look_up_mail_hosts(address.ascii_domain, self._catalog, self._resolver or Resolver())
        return found.hosts

    async def _tried(self, options: CheckOptions, endpoint: Endpoint) -> Report:
        """Try a server as deep as the EHLO after TLS; one that leads inside is left alone, and nothing is reported."""
        wire = GuardedWire(self._wire)
        target = Target(
            connection=options.over(Connection(endpoint=endpoint)),
            family=options.family,
        )
        report = await run_checks(
            target,
            None,
            depth=Depth.SERVER,
            wire=wire,
            diagnosis=self._diagnosis,
            emit=lambda event: None,
            limits=TRYING,
        )
        return Report(endpoint) if wire.refused else report
