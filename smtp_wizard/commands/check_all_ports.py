"""Every port of a host for `check HOST`, and the question whether this network blocks one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from smtp_wizard.commands.check_run import Transcript, cut_off, held_reader, report_line, report_width
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.connection import ConnectionOptions
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.checks.events import Emit
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.scan.blocked_ports import ControlAnswer
from smtp_wizard.engine.scan.control_host import ControlHost
from smtp_wizard.engine.scan.ports import ScanRequest
from smtp_wizard.engine.scan.results import (
    AttemptEvent,
    PortAttempt,
    PortScanned,
    ScanEvent,
    ScanResult,
    ScanStarted,
    fold_scan,
)
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.plain_lines import finding_lines, paragraph
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.questions import can_ask, confirm
from smtp_wizard.runtime.running import Stopwatch, run
from smtp_wizard.text.network import (
    answer_lines,
    conclusion,
    control_host_hint,
    families_words,
    port_row_words,
    ports_table,
    unreached_ports,
)

if TYPE_CHECKING:
    from smtp_wizard.flows.server_questions import NetworkQuestion


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep has found."""

    probe: ScanResult
    outcomes: list[CheckOutcome]
    """One a port: those that serve first, best first; then those for which there was no time left."""

    @property
    def unreached(self) -> list[int]:
        """The ports at which nobody has spoken."""
        return unreached_ports(self.probe)


class Sweep:
    """Tries every port at once; tells of each as it comes."""

    def __init__(
        self,
        invocation: Invocation,
        host: str,
        security: Security | None,
        connection: ConnectionOptions,
        watch: Stopwatch,
    ) -> None:
        self.invocation = invocation
        self.out = invocation.out
        self.host = host
        self.security = security
        self.connection = connection
        self.watch = watch
        self._question: ScanRequest | None = None
        self._events: list[ScanEvent] = []
        self._watched: dict[PortAttempt, CheckProgress] = {}
        self._lines: dict[PortAttempt, list[str]] = {}
        self._readers: dict[PortAttempt, Emit] = {}

    async def found(self, transcript: Transcript) -> SweepResult:
        """Try them; what was seen until the time was up is found, too."""

        def take(event: ScanEvent) -> None:
            self._take(event, transcript)

        try:
            async with self.watch.bound():
                probe = await self.invocation.services.scans.probe(
                    self.host, take, security=self.security, options=self.connection
                )
        except TimeoutError:
            question = self._question or ScanRequest(host=self.host, endpoints=())
            probe = fold_scan(question, self._events)
        for attempt, lines in self._lines.items():
            over = f", {families_words([attempt.family])}" if attempt.family else ""
            transcript.block(shown(f"{attempt.endpoint}, {attempt.endpoint.security.words}{over}"), lines)
        seen = [CheckOutcome(None, each.report) for each in probe.ranked]
        return SweepResult(probe, [*seen, *self._cut_off(probe)])

    def _take(self, event: ScanEvent, transcript: Transcript) -> None:
        self._events.append(event)
        match event:
            case ScanStarted(question):
                self._question = question
            case AttemptEvent(attempt, inner):
                if attempt not in self._watched:
                    self._watched[attempt] = CheckProgress()
                    self._lines[attempt] = []
                    self._readers[attempt] = held_reader(transcript, self._lines[attempt])
                self._watched[attempt].take(inner)
                self._readers[attempt](inner)
            case PortScanned(result) if self.out.form is Form.TEXT:
                self.out.narrate(port_row_words(result))

    def _cut_off(self, probe: ScanResult) -> list[CheckOutcome]:
        """What became of the ports that had not answered when the time was up."""
        done = {each.port for each in probe.ports}
        outcomes: list[CheckOutcome] = []
        for endpoint in probe.question.endpoints:
            if endpoint.port not in done:
                attempts = [seen for attempt, seen in self._watched.items() if attempt.endpoint.port == endpoint.port]
                seen = max(attempts, key=lambda each: len(each.results), default=CheckProgress())
                cut = cut_off(seen, self.watch.limit or 0.0)
                outcomes.append(CheckOutcome(None, Report(endpoint, (*seen.results, cut))))
        return outcomes

    def show(self, found: SweepResult) -> None:
        """Write the table, what follows from it, and where nothing serves what can be done."""
        out = self.out
        for line in ports_table(found.probe):
            report_line(out, line)
        for sentence in conclusion(found.probe):
            for line in paragraph(sentence, width=report_width(self.out)):
                out.data(line)
        if found.probe.best is not None:
            return
        # Every way was tried, so the findings offer none of them; what is said of four ports is said once.
        findings = [replace(finding, fix=None) for outcome in found.outcomes for finding in outcome.findings]
        for finding in {finding.title: finding for finding in reversed(findings)}.values():
            out.data(finding.title)
            for line in finding_lines(finding, report_width(self.out)):
                report_line(out, line)


@dataclass(frozen=True, slots=True)
class ControlHostResult:
    """What a neutral host has told, or whom one may ask."""

    answers: tuple[ControlAnswer, ...] = ()
    proposal: ControlHost | None = None


class ControlHostCheck:
    """Does this network block a port? Nobody is contacted whom the person has not named or agreed to."""

    def __init__(
        self, invocation: Invocation, host: str, server: str, connection: ConnectionOptions, watch: Stopwatch
    ) -> None:
        """`server`: how the person wrote it, for the hint."""
        self.invocation = invocation
        self.out = invocation.out
        self.host = host
        self.server = server
        self.connection = connection
        self.watch = watch

    def settled(
        self,
        named: str | None,
        ports: Sequence[int],
        serving: Sequence[Endpoint] | None,
        undone: Callable[[], str],
    ) -> ControlHostResult:
        """Ask the host that was named, or the proposed one after a yes; show what it tells.

        `serving`: other ports that are known to serve; None: that is found out beside.
        """
        from smtp_wizard.flows.server_questions import NetworkQuestion

        question = NetworkQuestion(self.invocation.services.scans)
        question.wonder_at(self.host, ports, serving, named or "")
        if not ports and named is not None and self.out.form is Form.TEXT:
            self.out.narrate(f"{shown(named, 100)} was not asked: no port was found to be unreachable.")
        if question.unreached is None:
            return ControlHostResult()
        if question.agreed:
            return ControlHostResult(self._asked(question, undone))
        proposal = question.unreached.neutral
        if self.out.form is not Form.TEXT:
            return ControlHostResult(proposal=proposal)
        if not question.urgent or not can_ask():
            self.out.narrate(control_host_hint(proposal, self.server))
            return ControlHostResult(proposal=proposal)
        asking = question.asking()
        if not confirm("\n".join(paragraph(" ".join((*asking.lines, asking.title))))):
            return ControlHostResult(proposal=proposal)
        return ControlHostResult(self._asked(question, undone), proposal)

    def _asked(self, question: NetworkQuestion, undone: Callable[[], str]) -> tuple[ControlAnswer, ...]:
        answers = run(self._ask(question), self.watch, undone)
        if self.out.form is Form.TEXT:
            for sentence in answer_lines(answers):
                for line in paragraph(sentence, width=report_width(self.out)):
                    self.out.data(line)
        return answers

    async def _ask(self, question: NetworkQuestion) -> tuple[ControlAnswer, ...]:
        try:
            async with self.watch.bound():
                return await question.answers(self.connection)
        except TimeoutError:
            assert question.unreached is not None, "it was asked"
            self.out.narrate(f"There was no time left to ask {question.unreached.neutral.host}.")
            return ()
