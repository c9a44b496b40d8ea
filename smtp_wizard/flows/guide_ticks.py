"""A guide as it is followed: which steps are done, and which one is due."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.engine.guides.guides import Guide, GuideStep

GOOD = (Verdict.PASS, Verdict.WARN)


@dataclass(frozen=True, slots=True)
class GuideView:
    """A guide with its ticks. What a check proves is ticked by itself, together with all that comes before it."""

    guide: Guide
    ticks: frozenset[str] = frozenset()
    """Ticked steps of all guides, as `Draft.ticks`: 'guide/3'."""

    def key(self, step: GuideStep) -> str:
        """Return the name of a step in `ticks`."""
        return f"{self.guide.id}/{step.number}"

    def done(self, step: GuideStep) -> bool:
        """Whether a step is ticked."""
        return self.key(step) in self.ticks

    def step(self, number: int) -> GuideStep | None:
        """Return a step by its number."""
        return next((step for step in self.guide.steps if step.number == number), None)

    @property
    def due(self) -> GuideStep | None:
        """The first step that is not done; None where all are, or the guide has none."""
        return next((step for step in self.guide.steps if not self.done(step)), None)

    def marked(self, step: GuideStep, done: bool) -> GuideView:
        """Return the view with one step ticked, or not."""
        key = frozenset({self.key(step)})
        return replace(self, ticks=self.ticks | key if done else self.ticks - key)

    def after(self, result: CheckResult) -> GuideView:
        """Return the view after a stage of a check.

        The step that it proves is done, and so are those before it: nobody gets there without them. Where it failed,
        that step is not done; what stands before it may be.
        """
        view = self
        for step in self.guide.steps:
            if step.proves is not result.stage or result.verdict is Verdict.SKIPPED:
                continue
            if result.verdict in GOOD:
                proved = (each for each in self.guide.steps if each.number <= step.number)
                view = replace(view, ticks=view.ticks | {self.key(each) for each in proved})
            else:
                view = view.marked(step, False)
        return view

    def newly_done(self, before: GuideView) -> tuple[GuideStep, ...]:
        """Return the steps that were not done before."""
        return tuple(step for step in self.guide.steps if self.done(step) and not before.done(step))
