"""A check as it is seen while it runs, and the cards that tell of it: under way, failed, passed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.checks.events import Event, Line, RunFinished, StageFinished, StageStarted
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.flows.flow import Card, Mood
from smtp_wizard.text.areas.on_screens import on_screens
from smtp_wizard.text.connect import PASSED_WORDS, first_step, tally_words, under_way_words

GOOD = (Verdict.PASS, Verdict.WARN)
_MARKS = {Verdict.PASS: "✓", Verdict.WARN: "✓", Verdict.SKIPPED: "·"}


@dataclass(frozen=True, slots=True)
class CheckView:
    """What has been seen of a check."""

    results: tuple[CheckResult, ...] = ()
    running: Stage | None = None
    """The stage that is under way."""

    def after(self, event: Event) -> CheckView:
        """Return the view after an event."""
        match event:
            case StageStarted(stage):
                return replace(self, running=stage)
            case StageFinished(result):
                return CheckView((*self.results, result))
            case RunFinished():
                return replace(self, running=None)
            case Line():
                return self

    @property
    def failed(self) -> CheckResult | None:
        """The stage that ended the check, if one did."""
        return next((each for each in self.results if each.verdict in (Verdict.FAIL, Verdict.UNKNOWN)), None)

    @property
    def finding(self) -> Finding | None:
        """What is wrong; a warning only where nothing else is."""
        if self.failed is not None:
            return self.failed.finding
        return next((each.finding for each in self.results if each.finding is not None), None)

    @property
    def passed(self) -> int:
        """How many stages have passed."""
        return sum(each.verdict in GOOD for each in self.results)

    @property
    def marks(self) -> str:
        """One mark a stage: passed, failed, not reached."""
        return "".join(_MARKS.get(each.verdict, "✗") for each in self.results)

    @property
    def tally(self) -> str:
        """How many of the checks have passed, with their marks; '' where there was none."""
        return f"{self.marks}  {tally_words(self.passed, len(self.results))}" if self.results else ""


class CheckRecord:
    """What was seen and said in the last check, for a face that shows it behind F4. Another check begins anew."""

    def __init__(self) -> None:
        self.view = CheckView()
        self.lines: list[Line] = []
        """What was said to the server, and its answers; secrets are masked."""
        self.over = False
        """Whether the check has come to its end."""

    def take(self, event: Event) -> None:
        """Take one event of a check."""
        if self.over:
            self.view, self.lines = CheckView(), []
        if isinstance(event, Line):
            self.lines.append(event)
        self.over = isinstance(event, RunFinished)
        self.view = self.view.after(event)


def running_card(view: CheckView, title: str, name: str, seconds: int = 0) -> Card:
    """Return the card while a check runs: what has passed, and what is under way. `name`: see `under_way_words`."""
    done = "  ".join(f"✓ {PASSED_WORDS[each.stage]}" for each in view.results if each.verdict in GOOD)
    now = under_way_words(view.running, name)
    return Card(mood=Mood.RUNNING, title=title, lines=(done, now), foot="Esc stops", seconds=seconds)


def finding_card(view: CheckView, finding: Finding, *more: str) -> Card:
    """Return the card of what is wrong: what, why, who acts and how; `more` is said below."""
    lines = (on_screens(finding.explanation), first_step(finding), *more)
    mood = Mood.WARNED if finding.warning else Mood.FAILED
    return Card(mood=mood, title=finding.title, lines=tuple(each for each in lines if each), foot=view.tally)
