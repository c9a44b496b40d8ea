"""What is wrong, who must act, what to do."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from smtp_wizard.engine.accounts.lockout_guard import PAUSED
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.output.lines import who_words
from smtp_wizard.widgets.fault_containment import FaultContained


class FindingCard(FaultContained, Static):
    """What is wrong, who must act, what to do next; the server's own words under Details."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", markup=False, id=id)
        self.finding: Finding | None = None
        self.display = False

    @property
    def fixable(self) -> bool:
        """Whether the finding offers another server to try."""
        return self.finding is not None and self.finding.fix is not None

    @property
    def paused(self) -> bool:
        """Whether no sign-in was tried, so that the account does not get locked."""
        return self.finding is not None and self.finding.code == PAUSED

    def show(self, finding: Finding | None, *, details: bool = False, fix_key: str = "F9", question: str = "") -> None:
        """Put a finding in place, or none. `question`: what else can be found out about it, with its key."""
        self.finding = finding
        self.display = finding is not None
        if finding is None:
            self.update("")
            return
        parts = [
            Content.styled(f"! {finding.title}", "bold $text-warning" if finding.warning else "bold $text-error"),
            Content(finding.explanation),
            Content.assemble(("Who must act: ", "bold"), who_words(finding.who)),
        ]
        if finding.fix is not None:
            offer = f"Press {fix_key} to try {finding.fix} with {finding.fix.security.words}."
            parts.append(Content.styled(offer, "bold $text-accent"))
        if question:
            parts.append(Content.styled(question, "bold $text-accent"))
        parts += [Content(f" {number}. {step}") for number, step in enumerate(finding.steps, 1)]
        if details and finding.server_said:
            parts.append(Content.assemble(("The server said: ", "bold"), finding.server_said))
        self.update(Content("\n").join(parts))
        if not finding.warning:
            self.scroll_visible(animate=False)
