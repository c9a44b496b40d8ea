"""`test --on`: the same check here and on the computer that will send, side by side, with what differs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from smtp_wizard.commands.check_run import TIME_IS_UP, Check, exit_code, observed, report_line, stage_exit_code
from smtp_wizard.commands.testing.account_secrets import fault_finding
from smtp_wizard.commands.testing.request import TestRequest
from smtp_wizard.commands.testing.result_printer import result_json
from smtp_wizard.commands.testing.tester import Tester, obstacle
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.remote.ssh import RemoteError, SshHost
from smtp_wizard.engine.sandbox.errors import SandboxError
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.plain_lines import STAGE_WORDS, VERDICT_WORDS, WIDTH, finding_lines, paragraph
from smtp_wizard.runtime.exit_codes import CommandError, Interrupted
from smtp_wizard.runtime.questions import can_ask
from smtp_wizard.runtime.running import run
from smtp_wizard.runtime.tables import table

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.accounts.account import Account
    from smtp_wizard.engine.base.endpoint import Endpoint
    from smtp_wizard.engine.base.secret import Secret
    from smtp_wizard.engine.checks.events import Emit
    from smtp_wizard.output.documents.checks import TestedJson
    from smtp_wizard.runtime.running import Stopwatch

HERE = "here"
_GOOD = (Verdict.PASS, Verdict.WARN)


class RemoteComparison:
    """One account tested from two places."""

    def __init__(self, invocation: Invocation, asked: TestRequest, account: Account) -> None:
        assert asked.on is not None
        self.invocation = invocation
        self.out = invocation.out
        self.asked = asked
        self.account = account
        self.tester = Tester(invocation, asked, [account])
        self.there = SshHost(asked.on, asked.ssh_options, environ=invocation.stores.for_children(), asks=can_ask())

    def run(self) -> int:
        """Test here, then there; print both; return the exit code: of there, where it works here."""
        self.tester.run(lambda index, outcome: None)
        refusal = self.tester.secrets.refusal()
        if refusal is not None:
            raise refusal
        (here,) = self.tester.done()
        try:
            there = run(self._there(), self.tester.watch, lambda: f"Not tested from {self.there.host}.")
        except Interrupted:
            self._print_here(here)
            raise
        differs = differences(here.report, there.report)
        if self.asked.form == "plain":
            for line in side_by_side(here, there, self.there.host, self.out.width):
                report_line(self.out, line)
        else:
            self._print_json(self._tested(here, there, differs))
        both = [here, there]
        return stage_exit_code(both) if self.asked.by_stage else exit_code(both)

    async def _there(self) -> CheckOutcome:
        """Test there; whatever is wrong with that, the result of here is printed."""
        name, endpoint = self.account.name, self.account.connection.endpoint
        held = await self.tester.secrets.read(self.account)
        if isinstance(held, Finding):
            return CheckOutcome(name, Report(endpoint), held)
        return await outcome_there(
            lambda emit: self._check(held, emit), endpoint, name, self.tester.watch, self.invocation
        )

    async def _check(self, secret: Secret | None, emit: Emit) -> Report:
        return await self.invocation.services.checks.check_account(
            self.account,
            secret,
            self.asked.depth,
            emit,
            options=self.asked.connection,
            keep=False,
            remote=self.there,
        )

    # -- printing ----------------------------------------------------------------------------------------------------

    def _tested(self, here: CheckOutcome, there: CheckOutcome, differs: tuple[Stage, ...]) -> tuple[TestedJson, ...]:
        return tuple(
            result_json(0, outcome, place=place, differs=differs)
            for place, outcome in ((HERE, here), (self.there.host, there))
        )

    def _print_json(self, results: tuple[TestedJson, ...]) -> None:
        from smtp_wizard.output.documents.checks import AccountsTested, LineOfTest

        if self.asked.form == "jsonl":
            for each in results:
                self.out.data(LineOfTest(each).json_text(indent=None, ascii_only=False))
        else:
            self.out.document(AccountsTested(results, (), (), ()))

    def _print_here(self, here: CheckOutcome) -> None:
        """Print what was done, where a signal has ended the rest."""
        if self.asked.form != "plain":
            self._print_json((result_json(0, here, place=HERE, differs=()),))
            return
        for line in here_alone(here, self.out.width):
            report_line(self.out, line)


async def outcome_there(
    check: Check, endpoint: Endpoint, name: Shown | None, watch: Stopwatch, invocation: Invocation
) -> CheckOutcome:
    """Run the check that another computer makes. Whatever goes wrong with it, the result of here is to be printed."""
    try:
        return await observed(check, endpoint, name, watch, lambda _: None)
    except RemoteError as problem:
        return CheckOutcome(name, Report(endpoint), unreached(problem))
    except (SandboxError, InputError) as problem:
        return CheckOutcome(name, Report(endpoint), obstacle(problem))
    except CommandError:  # of the whole command: its output cannot be written
        raise
    except Exception as problem:
        return CheckOutcome(name, Report(endpoint), fault_finding(problem, invocation))


def here_alone(here: CheckOutcome, width: int | None) -> Iterator[str]:
    """Yield the check that was made here as lines, where a signal has ended the other."""
    yield f"{here.title} ({here.report.endpoint})"
    yield from table([("", HERE), *((STAGE_WORDS[each.stage], _cell(each)) for each in here.report.results)], width)


def side_by_side(here: CheckOutcome, there: CheckOutcome, host: str, width: int | None) -> Iterator[str]:
    """Yield both checks as lines: a row a stage, what differs in a sentence, and what is to be done."""
    name = shown(host, 60)
    yield f"{here.title} ({here.report.endpoint})"
    rows = [("", HERE, f"on {name}")]
    for stage in Stage:
        one, other = here.report.result(stage), there.report.result(stage)
        if one is not None or other is not None:
            rows.append((STAGE_WORDS[stage], _cell(one), _cell(other)))
    yield from table(rows, width)
    yield ""
    columns = min(WIDTH, width or WIDTH)
    yield from paragraph(verdict_words(here, there, name), width=columns)
    for outcome in (here, there):
        for finding in outcome.findings:
            if outcome is there or finding.code not in {each.code for each in there.findings}:
                yield ""
                yield from paragraph(finding.title, "      ", columns)
                yield from finding_lines(finding, columns)


def _cell(result: CheckResult | None) -> str:
    if result is None or result.verdict is Verdict.SKIPPED:
        return VERDICT_WORDS[Verdict.SKIPPED]
    return f"{VERDICT_WORDS[result.verdict]} {result.took * 1000:.0f} ms"


def differences(here: Report, there: Report) -> tuple[Stage, ...]:
    """Return the stages that came out otherwise there, as far as both came; good with and without a remark is alike."""
    found = []
    for stage in Stage:
        one, other = here.result(stage), there.result(stage)
        if one is None or other is None or Verdict.SKIPPED in (one.verdict, other.verdict):
            continue
        if TIME_IS_UP in (_kind(one), _kind(other)):  # nobody knows how it would have come out
            continue
        if _kind(one) != _kind(other):
            found.append(stage)
    return tuple(found)


def _kind(result: CheckResult) -> str:
    if result.verdict in _GOOD:
        return "good"
    return result.finding.code if result.finding is not None else result.verdict.value


def verdict_words(here: CheckOutcome, there: CheckOutcome, host: Shown) -> Shown:
    """Say in a sentence or two how the two places differ, and whom to ask."""
    if there.obstacle is not None and there.obstacle.code != TIME_IS_UP:
        return phrase("From {} it could not be tested: {}", host, there.obstacle.explanation)
    late = [TIME_IS_UP in {each.code for each in outcome.findings} for outcome in (here, there)]
    if any(late):
        both, one = phrase("here and on {}", host), phrase("here") if late[0] else phrase("on {}", host)
        return phrase(
            "The time allowed was up before the check was done {}: how the two places differ is not known.",
            both if all(late) else one,
        )
    works = [outcome.obstacle is None and outcome.report.verdict in _GOOD for outcome in (here, there)]
    port = there.report.endpoint.port
    if works == [True, True]:
        return phrase("It works here and on {}.", host)
    if works == [False, True]:
        return phrase("It works on {}, and not here: an application there can send.", host)
    if works == [False, False]:
        alike = {each.code for each in here.findings} == {each.code for each in there.findings}
        return phrase(
            "It fails here and on {}, {}.", host, shown("in the same way" if alike else "each in its own way")
        )
    reached = there.report.result(Stage.CONNECT)
    if reached is not None and reached.verdict is Verdict.FAIL:
        return phrase(
            "It works here; from {} port {} cannot be reached: ask whoever runs that computer, or its network, to let "
            "connections out to port {}.",
            host,
            port,
            port,
        )
    return phrase("It works here, and not on {}; what differs there is below.", host)


def unreached(problem: RemoteError) -> Finding:
    """Return the finding for a check that another computer could not make."""
    return Finding(
        code="remote",
        title=phrase("The other computer could not make the check"),
        explanation=problem.words,
        who=Who.YOU,
        steps=(problem.step,),
    )
