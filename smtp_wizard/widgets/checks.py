"""How a check comes out: the stages, what is wrong, what was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, assert_never

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer

from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.checks.events import Event, Line, RunFinished, StageFinished, StageStarted
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.output.lines import STAGE_WORDS
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.text import Plain, wrapped

MARKS = {
    Verdict.PASS: "ok  ",
    Verdict.WARN: "note",
    Verdict.FAIL: "FAIL",
    Verdict.UNKNOWN: "??  ",
    Verdict.SKIPPED: "-   ",
}
"""Four letters for every verdict: readable without colour."""

STYLES = {
    Verdict.PASS: "$text-success",
    Verdict.WARN: "$text-warning",
    Verdict.FAIL: "bold $text-error",
    Verdict.UNKNOWN: "bold $text-warning",
    Verdict.SKIPPED: "$foreground-muted",
}


class CheckList(FaultContained, Vertical):
    """The stages of a check as they come out. Those that passed fold into one line when one failed."""

    GATHER: ClassVar[float] = 0.12
    """Seconds within which events are painted together."""

    def __init__(self, *, of_interest: Sequence[Stage] = tuple(Stage), id: str | None = None) -> None:
        """Stages that are not `of_interest` are folded even while all goes well."""
        super().__init__(id=id, classes="checklist")
        self.of_interest = frozenset(of_interest)
        self.results: list[CheckResult] = []
        self.running: Stage | None = None
        self.lines: list[Line] = []
        self.over = False
        self._rows = Plain("", classes="check-rows")
        self._waited = 0
        self._ticker: Timer | None = None
        self._pending: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._rows

    def begin(self) -> None:
        """Forget the run before."""
        self.results, self.lines, self.running, self.over = [], [], None, False
        self._wait(None)
        self._draw_soon()

    def break_off(self) -> None:
        """Wait for nothing any longer: the run has failed."""
        self._wait(None)
        self._draw_soon()

    def take(self, event: Event) -> None:
        """Fold one event in."""
        match event:
            case StageStarted(stage):
                self._wait(stage)
            case StageFinished(result):
                self._wait(None)
                self.results.append(result)
            case Line():
                self.lines.append(event)
                return
            case RunFinished():
                self.over = True
                self._wait(None)
                self._draw()
                return
            case _:
                assert_never(event)
        self._draw_soon()

    def _draw_soon(self) -> None:
        """Gather what happens within a tenth of a second: every painting goes over the line."""
        if self._pending is None:
            self._pending = self.set_timer(self.GATHER, self._draw)

    def _wait(self, stage: Stage | None) -> None:
        """Show a stage as running; its seconds are told from the second one on, once a second."""
        self.running, self._waited = stage, 0
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        if stage is not None:
            self._ticker = self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        self._waited += 1
        self._draw()

    @property
    def failed(self) -> CheckResult | None:
        """The stage that ended the run, if one did."""
        return next((r for r in self.results if r.verdict in (Verdict.FAIL, Verdict.UNKNOWN)), None)

    def _draw(self) -> None:
        shown = [r for r in self.results if r.verdict is not Verdict.SKIPPED]
        rows: list[Content] = []
        if self._pending is not None:
            self._pending.stop()
            self._pending = None
        folded = [r for r in shown if r.verdict is Verdict.PASS and (self.failed or r.stage not in self.of_interest)]
        if folded:
            names = ", ".join(dict.fromkeys(STAGE_WORDS[r.stage].lower() for r in folded))
            count = f"{len(folded)} checks" if len(folded) > 1 else "1 check"
            rows.append(self._row(Verdict.PASS, f"{count} passed: {names}", ""))
            shown = [r for r in shown if r not in folded]
        for result in shown:
            detail = result.finding.title if result.finding else result.detail
            rows.append(self._row(result.verdict, f"{STAGE_WORDS[result.stage]:<15}", detail))
        if self.running is not None:
            waited = f"{self._waited} s" if self._waited > 1 else ""
            rows.append(Content(f"..    {STAGE_WORDS[self.running]:<15} {waited}".rstrip()))
        self._rows.update(Content("\n").join(rows))

    def _row(self, verdict: Verdict, name: str, detail: str) -> Content:
        """One row: mark, name, detail; a long one goes on below the name."""
        lines = wrapped(f"{name} {detail}".rstrip(), max(20, (self.size.width or 80) - 6))
        head, rest = lines[0], lines[1:]
        shown = Content.assemble(
            (MARKS[verdict], STYLES[verdict]),
            f"  {head[: len(name)]}",
            (head[len(name) :], "$foreground-muted"),
        )
        return Content("\n").join([shown, *(Content.styled(f"      {line}", "$foreground-muted") for line in rest)])

    def on_resize(self) -> None:
        self._draw()
