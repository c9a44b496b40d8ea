"""What is found out without a password: the settings for an address, which ports of a host serve, who blocks one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection, Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.checks.runner import run_checks
from smtp_wizard.engine.checks.target import Explains, Limits, Target
from smtp_wizard.engine.discovery.autoconfig import load_database
from smtp_wizard.engine.discovery.dns import Resolver
from smtp_wizard.engine.discovery.egress_guard import OutwardWire
from smtp_wizard.engine.discovery.search import DEADLINE, Asking, Discovery, discover
from smtp_wizard.engine.discovery.web import HttpWeb, Web
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import AccessPath, Provider
from smtp_wizard.engine.smtp.transport import Trust, Wire
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.server_confirmation import Doubt, Standing, doubt_about, not_before, standing
from smtp_wizard.engine.wizard.steps import Step

if TYPE_CHECKING:
    from smtp_wizard.engine.scan.control_host import Answer, Neutral
    from smtp_wizard.engine.scan.question import Question
    from smtp_wizard.engine.scan.results import Emit as Tell
    from smtp_wizard.engine.scan.results import Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a command may say beside the draft or the account."""

    family: Family | None = None
    ehlo_name: str = ""
    ca_file: str | None = None
    ignore_lockout: bool = False
    """Sign in although so many sign-ins were refused that the account may get locked. Only ever a person's own word."""

    def over(self, connection: Connection[Endpoint]) -> Connection[Endpoint]:
        """Return a connection with what was said in the place of its own."""
        ca_file, ehlo_name = self.ca_file or connection.ca_file, self.ehlo_name or connection.ehlo_name
        return replace(connection, ca_file=ca_file, ehlo_name=ehlo_name)


TRYING = Limits(dns=5.0, connect=4.0, tls=5.0, greeting=8.0, ehlo=5.0, starttls=8.0)
"""What a server has time for that is tried because a source names it; the search has a deadline of its own."""


class Finder:
    """The part of the engine that needs neither account nor secret."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        diagnosis: Explains,
        wire: Wire,
        limits: Limits | None = None,
        resolver: Resolver | None = None,
        web: Web | None = None,
    ) -> None:
        """`resolver` and `web` are asked for settings: the system's name servers, and the web, where left out."""
        self.catalog = catalog
        self.diagnosis = diagnosis
        self.wire = wire
        self.limits = limits
        self.resolver = resolver or Resolver()
        self.web = web

    def path(self, provider: str | None, path: str | None) -> AccessPath | None:
        """Return an access path by the ids of provider and path, or None."""
        known = self.provider(provider)
        return known.path(path) if known and path else None

    def provider(self, provider: str | None) -> Provider | None:
        """Return a provider by its id, or None."""
        return self.catalog.get(provider) if provider else None

    def doubt_about(self, draft: Draft) -> Doubt | None:
        """As `confirmation.doubt_about`."""
        return doubt_about(draft, self.catalog)

    def was_found(self, draft: Draft) -> bool:
        """Whether a stranger named the server of a draft, and the person has not taken it up as their own."""
        return standing(draft, self.catalog) in (Standing.OWN, Standing.UNKNOWN)

    def not_before(self, draft: Draft, wanted: Step) -> Step:
        """As `confirmation.not_before`."""
        return not_before(draft, wanted, self.catalog)

    # -- finding the settings ---------------------------------------------------------------------------------------

    async def discover(
        self,
        address: Address,
        *,
        public_list: bool = False,
        plain_http: bool = False,
        options: Options | None = None,
        deadline: float = DEADLINE,
        tell: Callable[[str], None] = lambda line: None,
    ) -> Discovery:
        """Find the provider and the server of an address; every server that is named is tried, without a password.

        `public_list` and `plain_http`: the person said yes to that. Raises nothing but `DataError`.
        """
        trust = Trust(options.ca_file if options else None)
        asking = Asking(
            resolver=self.resolver,
            web=self.web or HttpWeb(trust),
            verify=partial(self._tried, options or Options()),
            database=load_database() if public_list else None,
            plain_http=plain_http,
            deadline=deadline,
        )
        return await discover(address, self.catalog, asking, tell)

    async def _tried(self, options: Options, endpoint: Endpoint) -> Report:
        """Try a server as deep as the EHLO after TLS; one that leads inside is left alone, and nothing is reported."""
        wire = OutwardWire(self.wire)
        target = Target(
            connection=options.over(Connection(endpoint=endpoint)),
            family=options.family,
        )
        report = await run_checks(
            target,
            None,
            depth=Depth.SERVER,
            wire=wire,
            diagnosis=self.diagnosis,
            emit=lambda event: None,
            limits=TRYING,
        )
        return Report(endpoint) if wire.refused else report

    # -- whole hosts ------------------------------------------------------------------------------------------------

    async def probe(
        self,
        host: str,
        emit: Tell,
        *,
        security: Security | None = None,
        ca_file: str | None = None,
        options: Options | None = None,
        found: bool = False,
    ) -> Probe:
        """Try every port of a host that may serve, all at once, without a password; tell what is seen as it happens.

        `security` keeps to one way of encrypting; `ca_file` is believed where `options` names none. `found`: a stranger
        named the host, so it is left alone where it leads inside.
        """
        from smtp_wizard.engine.scan.known_host import question_about

        said = options or Options()
        question = question_about(
            self.catalog,
            host,
            security=security,
            family=said.family,
            ehlo_name=said.ehlo_name,
            ca_file=said.ca_file or ca_file,
        )
        return await self._probed(question, emit, OutwardWire(self.wire) if found else self.wire)

    async def _probed(self, question: Question, emit: Tell, wire: Wire | None = None) -> Probe:
        from smtp_wizard.engine.scan.scan import PROBE_LIMITS, probe

        limits = self.limits or PROBE_LIMITS
        return await probe(question, wire=wire or self.wire, diagnosis=self.diagnosis, emit=emit, limits=limits)

    def neutral_for(self, host: str, ports: Collection[int]) -> Neutral | None:
        """Return whom to propose for the question whether this network blocks ports; it is not spoken to yet."""
        from smtp_wizard.engine.scan.control_host import load_neutrals, proposed

        return proposed(host, ports, load_neutrals())

    async def ask_neutral(
        self,
        neutral: str,
        host: str,
        ports: Collection[int],
        *,
        instead: Sequence[Endpoint] | None = None,
        options: Options | None = None,
    ) -> tuple[Answer, ...]:
        """Try ports of a neutral host, which the person has agreed to; return what that tells of the same of `host`.

        `instead`: other ports of `host` that are known to serve, best first; None: that is found out beside.
        """
        from smtp_wizard.engine.scan.control_host import answers
        from smtp_wizard.engine.scan.known_host import question_about_neutral

        said = options or Options()
        question = question_about_neutral(self.catalog, neutral, ports, family=said.family, ca_file=said.ca_file)
        asked = [self._probed(question, _unheard)]
        if instead is None:
            asked.append(self.probe(host, _unheard, options=options))
        seen, *own = await asyncio.gather(*asked)
        serving = [each.report.endpoint for probe in own for each in probe.serving]
        every = (each.endpoint for provider in self.catalog.providers for each in provider.endpoints)
        return answers(host, seen, {each.port for each in every if each.host == neutral}, instead or serving)


def _unheard(_: object) -> None:
    """What happens on the way is of no interest."""
