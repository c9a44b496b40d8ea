"""The row of steps at the top."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from smtp_wizard.engine.wizard.draft import Draft, ReportedArrival
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.widgets.fault_containment import FaultContained

WORDS = ("Address", "Provider", "Sign-in", "Connect", "Test", "Save")
"""Always these: the server, the browser and ways that are closed are parts of a step, never steps."""
PLACE = {
    StepId.ADDRESS: 0,
    StepId.PROVIDER: 1,
    StepId.SERVER: 1,
    StepId.SIGN_IN: 2,
    StepId.BROWSER: 3,
    StepId.CONNECT: 3,
    StepId.TEST_MAIL: 4,
    StepId.SAVE: 5,
    StepId.DONE: 6,
}


class StepLine(FaultContained, Static):
    """The same six words on every step: done, here, to come; and a test that was left out, which is none of these."""

    def __init__(self, here: StepId, draft: Draft) -> None:
        super().__init__(markup=False, id="top")
        self.here = PLACE[here]
        self.left_out = {PLACE[StepId.TEST_MAIL]} if draft.arrival is ReportedArrival.SKIPPED else set()

    def render(self) -> Content:
        """As `Static.render`: closer together in a narrow window."""
        width = self.size.width or self.app.size.width - 4
        gap = " " * max(1, min(3, (width - sum(len(word) + 2 for word in WORDS)) // (len(WORDS) - 1)))
        return Content(gap).join(self._word(at, word) for at, word in enumerate(WORDS))

    def _word(self, at: int, word: str) -> Content:
        if at == self.here:
            return Content.styled(f"● {word}", "bold $accent")
        if at > self.here:
            return Content(f"○ {word}")
        return Content(f"– {word}" if at in self.left_out else f"✓ {word}")
