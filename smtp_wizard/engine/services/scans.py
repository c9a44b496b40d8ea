"""Which ports of a host serve, and who blocks one: found out without a password."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.checks.target import ExplainsSymptoms, TimeLimits
from smtp_wizard.engine.discovery.egress_guard import GuardedWire
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.smtp.transport import Wire

if TYPE_CHECKING:
    from smtp_wizard.engine.scan.blocked_ports import ControlAnswer
    from smtp_wizard.engine.scan.control_host import ControlHost
    from smtp_wizard.engine.scan.ports import ScanRequest
    from smtp_wizard.engine.scan.results import EmitScanEvent as Tell
    from smtp_wizard.engine.scan.results import ScanResult


class Scans:
    """Tries whole hosts."""

    def __init__(
        self, *, catalog: Catalog, diagnosis: ExplainsSymptoms, wire: Wire, limits: TimeLimits | None = None
    ) -> None:
        """`limits`: how long each step may take; the usual ones where left out."""
        self._catalog = catalog
        self._diagnosis = diagnosis
        self._wire = wire
        self._limits = limits

    async def probe(
        self,
        host: str,
        emit: Tell,
        *,
        port: int | None = None,
        security: Security | None = None,
        ca_file: str | None = None,
        options: CheckOptions | None = None,
        found: bool = False,
    ) -> ScanResult:
        """Try every port of a host that may serve, all at once, without a password; tell what is seen as it happens.

        `port` keeps to that one, usual or not; `security` to one way of encrypting. `ca_file` is believed where
        `options` names none. `found`: a stranger named the host, so it is left alone where it leads inside.
        """
        from smtp_wizard.engine.scan.known_host import scan_request_for

        said = options or CheckOptions()
        question = scan_request_for(
            self._catalog,
            host,
            port=port,
            security=security,
            family=said.family,
            ehlo_name=said.ehlo_name,
            ca_file=said.ca_file or ca_file,
        )
        return await self._probed(question, emit, GuardedWire(self._wire) if found else self._wire)

    async def _probed(self, question: ScanRequest, emit: Tell, wire: Wire | None = None) -> ScanResult:
        from smtp_wizard.engine.scan.scan import SCAN_LIMITS, probe

        limits = self._limits or SCAN_LIMITS
        return await probe(question, wire=wire or self._wire, diagnosis=self._diagnosis, emit=emit, limits=limits)

    def propose_neutral(self, host: str, ports: Collection[int]) -> ControlHost | None:
        """Return whom to propose for the question whether this network blocks ports; it is not spoken to yet."""
        from smtp_wizard.engine.scan.control_host import load_control_hosts, proposed_host

        return proposed_host(host, ports, load_control_hosts())

    async def ask_neutral(
        self,
        neutral: str,
        host: str,
        ports: Collection[int],
        *,
        instead: Sequence[Endpoint] | None = None,
        options: CheckOptions | None = None,
    ) -> tuple[ControlAnswer, ...]:
        """Try ports of a neutral host, which the person has agreed to; return what that tells of the same of `host`.

        `instead`: other ports of `host` that are known to serve, best first; None: that is found out beside.
        """
        from smtp_wizard.engine.scan.blocked_ports import control_answers
        from smtp_wizard.engine.scan.known_host import scan_request_for_control_host

        said = options or CheckOptions()
        question = scan_request_for_control_host(
            self._catalog, neutral, ports, family=said.family, ca_file=said.ca_file
        )
        asked = [self._probed(question, _unheard)]
        if instead is None:
            asked.append(self.probe(host, _unheard, options=options))
        seen, *own = await asyncio.gather(*asked)
        serving = [each.report.endpoint for probe in own for each in probe.serving]
        every = (each.endpoint for provider in self._catalog.providers for each in provider.endpoints)
        return control_answers(host, seen, {each.port for each in every if each.host == neutral}, instead or serving)


def _unheard(_: object) -> None:
    """What happens on the way is of no interest."""
