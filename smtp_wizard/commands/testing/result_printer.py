"""How the results of `test` are printed, in each of its forms, and what it exits with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from smtp_wizard.commands.check_run import exit_code, report_line, report_width, stage_exit_code
from smtp_wizard.commands.testing.request import TestRequest
from smtp_wizard.engine.accounts.account_warnings import AccountWarning
from smtp_wizard.engine.accounts.changes import Change
from smtp_wizard.engine.base.shown import Shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.plain_lines import plain_report, summary
from smtp_wizard.runtime.exit_codes import Exit

if TYPE_CHECKING:
    from smtp_wizard.output.documents.checks import TestedJson
    from smtp_wizard.runtime.output import Output


@dataclass(frozen=True, slots=True)
class PrintedResult:
    """A result that is printed."""

    index: int
    """The account's place among those that were asked for."""
    outcome: CheckOutcome
    change: Change | None = None
    """What differs from what was told last, where changes alone are wanted."""
    warnings: tuple[AccountWarning, ...] = ()
    """What is said to end: with changes alone what is new of it."""
    news: frozenset[str] = frozenset()
    """With changes alone: which warnings are new, those of single stages too."""


class ResultPrinter:
    """Prints the results of one run."""

    def __init__(
        self, out: Output, asked: TestRequest, unread: Sequence[tuple[str, Shown]], *, alone: bool, now: datetime
    ) -> None:
        """`unread`: accounts that were asked for too and cannot be used, each with its name and why.

        `alone`: one account was asked for.
        """
        self._out = out
        self._asked = asked
        self._unread = unread
        self._alone = alone
        self._now = now

    def line(self, told: PrintedResult) -> None:
        """Print one line of JSON Lines."""
        from smtp_wizard.output.documents.checks import LineOfTest

        self._out.data(LineOfTest(_tested(told)).json_text(indent=None, ascii_only=False))

    def print(self, results: Sequence[PrintedResult], untested: Sequence[PrintedResult] = ()) -> int:
        """Print them all but for what was printed line by line; return the exit code.

        `untested`: what a signal has left undone. Documents have it in its place; a person is told how much it is.
        """
        if self._asked.form in ("json", "junit", "prometheus"):
            results = sorted((*results, *untested), key=lambda told: told.index)
        outcomes = [told.outcome for told in results]
        match self._asked.form:
            case "json":
                self._document(results)
            case "junit":
                from smtp_wizard.output.junit import junit

                self._out.data(junit(outcomes, self._unread))
            case "prometheus":
                from smtp_wizard.output.prometheus import prometheus

                self._out.data(prometheus(outcomes, self._now, self._unread))
            case "nagios":
                return self._nagios(outcomes)
            case "jsonl":
                self._unread_lines()
            case "plain" if self._asked.changed is not None:
                self._changes(results)
            case "plain":
                self._plain(outcomes, len(untested))
        self._say_warnings(results)
        return self._code(results)

    # -- documents ---------------------------------------------------------------------------------------------------

    def _document(self, results: Sequence[PrintedResult]) -> None:
        from smtp_wizard.output.documents.checks import AccountsTested, EndingJson, NoticeJson, UnreadJson

        warnings = [(told.outcome.title, each) for told in results for each in told.warnings]
        notices = tuple(NoticeJson(name, each.notice) for name, each in warnings if each.notice is not None)
        unread = tuple(map(UnreadJson.of, self._unread))
        endings = tuple(EndingJson(name, each.words) for name, each in warnings if each.notice is None)
        self._out.document(AccountsTested(tuple(map(_tested, results)), notices, endings, unread))

    def _unread_lines(self) -> None:
        """Print a line for each account of which there is no result, and never will be."""
        from smtp_wizard.output.documents.document import Failed, ProblemJson

        for _, why in self._unread:
            self._out.data(Failed(ProblemJson("accounts", why, "")).json_text(indent=None, ascii_only=False))

    def _nagios(self, outcomes: Sequence[CheckOutcome]) -> int:
        from smtp_wizard.output.nagios import nagios

        text, code = nagios(outcomes, self._now, self._unread)
        self._out.data(text)
        return code

    # -- for a person ------------------------------------------------------------------------------------------------

    def _plain(self, outcomes: Sequence[CheckOutcome], untested: int) -> None:
        if not outcomes:
            self._out.narrate("No account is to be tested.")
            return
        width = report_width(self._out)
        for number, outcome in enumerate(outcomes):
            if not self._alone:
                self._out.data(("\n" if number else "") + f"{outcome.title} ({outcome.report.endpoint})")
            if not self._alone or outcome.obstacle is not None:
                self._lines(plain_report(outcome, width))
            self._lines(summary(outcome.report, self._asked.depth, width))
        if not self._alone:
            bad = [outcome.title for outcome in outcomes if exit_code([outcome])]
            said = f"\n{len(outcomes) - len(bad)} of {len(outcomes) + untested} well."
            said += f" Not well: {', '.join(bad)}." if bad else ""
            self._out.data(said + (f" {untested:,} not tested." if untested else ""))

    def _lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            report_line(self._out, line)

    def _changes(self, results: Sequence[PrintedResult]) -> None:
        for told in results:
            self._out.data(change_line(told))

    def _say_warnings(self, results: Sequence[PrintedResult]) -> None:
        """Say what will end, on stderr; in a list of changes it is in the line of its account."""
        if self._asked.changed is not None and self._asked.form == "plain":
            return
        every = [(told.outcome.title, each) for told in results for each in told.warnings]
        for name, each in sorted(every, key=lambda found: found[1].notice is None):
            self._out.narrate(f"{name}: {each.words}")

    # -- the end -----------------------------------------------------------------------------------------------------

    def _code(self, results: Sequence[PrintedResult]) -> int:
        bad = [told.outcome for told in results if told.change in (None, Change.NEW, Change.OTHER_CAUSE)]
        code = stage_exit_code(bad) if self._asked.by_stage else exit_code(bad)
        return Exit.SECRET if self._unread and code is not Exit.BUG else code


CHANGE_WORDS = {
    Change.NEW: "new failure",
    Change.OTHER_CAUSE: "other cause",
    Change.RECOVERED: "recovered",
    Change.WARNING: "warning",
}
_WIDTH = max(map(len, CHANGE_WORDS.values()))


def change_line(told: PrintedResult) -> str:
    """Return what has changed about an account as one line: 'new failure  Office: The password was refused. ...'."""
    assert told.change is not None
    words = " ".join(_sentence(each) for each in _said(told) if each)
    return f"{CHANGE_WORDS[told.change]:<{_WIDTH}}  {told.outcome.title}{f': {words}' if words else ''}"


def _said(told: PrintedResult) -> Iterator[str]:
    """Yield why an account fails, where that is new, and every warning that is."""
    failure = told.outcome.failure
    if failure is not None and told.change in (Change.NEW, Change.OTHER_CAUSE):
        yield failure.title
        yield failure.explanation
    for each in told.outcome.remarks:
        if each.code in told.news:
            yield each.title
    for warning in told.warnings:
        yield warning.words


def _sentence(words: str) -> str:
    words = " ".join(words.split())
    return words if words.endswith((".", "?", "!")) else f"{words}."


def _tested(told: PrintedResult) -> TestedJson:
    return result_json(told.index, told.outcome, change=told.change, warnings=told.warnings)


def result_json(
    index: int,
    outcome: CheckOutcome,
    *,
    change: Change | None = None,
    warnings: Sequence[AccountWarning] = (),
    place: str = "here",
    differs: tuple[Stage, ...] = (),
) -> TestedJson:
    """Return a result as JSON has it. `place`: where it was tested from; `differs`: in which stages from the other."""
    from smtp_wizard.output.documents.checks import ResultJson, TestedJson, WarningJson

    told = tuple(WarningJson(each.kind, each.words) for each in warnings)
    return TestedJson(ResultJson.of(outcome), index, change, told, place, differs)
