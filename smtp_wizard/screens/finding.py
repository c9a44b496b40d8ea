"""A finding in full: what is wrong, who must act, the message for them, and what was said, to read and to copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen

from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.events import Line
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.guides.guides import Guides, UnknownGuide
from smtp_wizard.flows.check_view import CheckView
from smtp_wizard.output.lines import STAGE_WORDS, TRANSCRIPT_LEGEND, endpoint_words, transcript_line, who_words
from smtp_wizard.screens.dialogs import Dialog, GuideScreen
from smtp_wizard.screens.panel import INSIDE, DetailsPanel
from smtp_wizard.text.explain import COPIED
from smtp_wizard.widgets.banner import Banner
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.key_hints import KeyHints
from smtp_wizard.widgets.lines import BAD, GOOD, MUTED, STRONG, WARNED
from smtp_wizard.widgets.text import Plain, folded
from smtp_wizard.widgets.transcript import TranscriptPane


class FindingScreen(Dialog[None]):
    """One finding, and the conversation that led to it; arrows scroll, single keys copy and open."""

    AUTO_FOCUS = "#finding-body"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("y", "copy_message", "Copy message"),
        Binding("c", "copy_transcript", "Copy conversation"),
        Binding("o,enter", "guide", "Open guide", key_display="o"),
    ]

    def __init__(
        self,
        finding: Finding | None,
        guides: Guides,
        *,
        confidence: str = "",
        matched: str = "",
        transcript: Sequence[str] = (),
        note: str = "",
    ) -> None:
        """`confidence` and `matched` say how sure it is and what it rests on; `transcript`: redacted lines.

        `note` is said at once, above the keys.
        """
        super().__init__()
        self.finding = finding
        self.guides = guides
        self.confidence = confidence
        self.matched = matched
        self.transcript = tuple(transcript)
        self.note = note
        self.banner = Banner()

    def compose(self) -> ComposeResult:
        yield Plain(Content.styled("What went wrong" if self.finding else "What was said", "bold"), classes="title")
        with VerticalScroll(id="finding-body"):
            if self.finding is not None:
                yield Plain(self._about(self.finding), id="finding-text", classes="note")
            if self.finding is not None and self.finding.forward:
                heading = "A message that you can send to them, as it is (Y copies it):"
                yield Plain(Content.styled(heading, "bold"), classes="question")
                yield Plain(self.finding.forward, id="forward", classes="quoted")
            if self.finding is None and not self.transcript:
                yield Plain("Nothing was said yet.", classes="note")
            if self.transcript:
                heading = "What was said to the server, and its answers; passwords are masked (C copies it):"
                yield Plain(Content.styled(heading, "bold"), classes="question")
                yield Plain("\n".join([TRANSCRIPT_LEGEND, *self.transcript]), id="conversation", classes="quoted")
        yield self.banner
        yield KeyHints()

    def on_mount(self) -> None:
        self.banner.say(self.note)

    def _about(self, finding: Finding) -> Content:
        parts = [
            Content.styled(finding.title, "bold $text-warning" if finding.warning else "bold $text-error"),
            Content(finding.explanation),
            Content.assemble(("Who must act: ", "bold"), who_words(finding.who)),
        ]
        parts += [Content(f" {number}. {step}") for number, step in enumerate(finding.steps, 1)]
        named = [
            ("Try instead: ", endpoint_words(finding.fix) if finding.fix else ""),
            ("Guide: ", f"{finding.guide} (O opens it)" if self._has_guide else ""),
            ("The server said: ", finding.server_said),
            ("How sure: ", self.confidence),
            ("Seen in the text: ", self.matched),
        ]
        parts += [Content.assemble((label, "bold"), words) for label, words in named if words]
        return Content("\n").join(parts)

    @property
    def _has_guide(self) -> bool:
        return self.finding is not None and self.finding.guide in self.guides.ids()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a key only where there is something for it."""
        offered = {
            "copy_message": self.finding is not None and bool(self.finding.forward),
            "copy_transcript": bool(self.transcript),
            "guide": self._has_guide,
        }
        return offered.get(action, True)

    def action_copy_message(self) -> None:
        """Send the message for who must act to the terminal's clipboard; whether it took it cannot be known."""
        assert self.finding is not None, "the key is offered only then"
        self.app.copy_to_clipboard(self.finding.forward or "")
        self.banner.say(COPIED)

    def action_copy_transcript(self) -> None:
        """Send the conversation to the terminal's clipboard."""
        self.app.copy_to_clipboard("\n".join([TRANSCRIPT_LEGEND, *self.transcript]))
        self.banner.say(COPIED)

    def action_guide(self) -> None:
        """Open the guide that helps."""
        if self.finding is None or self.finding.guide is None:
            return
        try:
            self.app.push_screen(GuideScreen(self.guides.get(self.finding.guide)))
        except UnknownGuide:
            self.banner.say(f"There is no guide '{self.finding.guide}' here.")


class CheckDetails(DetailsPanel):
    """F4: every check of a run, what is wrong in full, and what was said to the server; over the page."""

    def __init__(self, check: CheckView, finding: Finding | None, transcript: Sequence[Line]) -> None:
        self.finding = finding
        said = [transcript_line(line) for line in transcript]
        super().__init__(tuple(_details_rows(check, finding, said)), "\n".join([TRANSCRIPT_LEGEND, *said]))

    def chips(self) -> Sequence[Chip]:
        """As `Panel.chips`; Y copies the message for who must act."""
        copy, *others = super().chips()
        forward = self.finding.forward if self.finding is not None else None
        letter = [Chip("y", "Copy the message", self._letter, help="copy the message to them")] if forward else []
        return [copy, *letter, *others]

    def _letter(self) -> None:
        if self.finding is not None and self.finding.forward:
            self.app.copy_to_clipboard(self.finding.forward)
            self.tell("sent to your terminal")


def _details_rows(check: CheckView, finding: Finding | None, said: Sequence[str]) -> Iterator[Content]:
    for result in check.results:
        yield from _check_rows(result)
    if finding is not None:
        yield from _finding_rows(finding)
    if not check.results and not said:
        yield Content("Nothing was said yet.")
    if said:
        yield from (Content(""), Content.styled("What was said; passwords are masked", STRONG))
        yield Content.styled(TRANSCRIPT_LEGEND, MUTED)
        yield from (Content(row) for line in said for row in folded(line, INSIDE))


def _check_rows(result: CheckResult) -> Iterator[Content]:
    sign, style = _SIGNS[result.verdict]
    took = f"  {result.took * 1000:.0f} ms" if result.verdict is not Verdict.SKIPPED else ""
    first, *rest = folded(f"{result.detail}{took}", INSIDE - 17) or [""]
    yield Content.assemble((sign, style), f"  {STAGE_WORDS[result.stage]:<13} ", first)
    yield from (Content(f"{' ' * 17}{row}") for row in rest)


def _finding_rows(finding: Finding) -> Iterator[Content]:
    yield from (Content(""), Content.styled(finding.title, STRONG))
    yield from (Content(row) for row in folded(finding.explanation, INSIDE))
    yield Content.assemble(("Who must act: ", STRONG), who_words(finding.who))
    for number, step in enumerate(finding.steps, 1):
        yield from (Content(row) for row in folded(f"{number}. {step}", INSIDE))
    if finding.server_said:
        yield from (Content(""), Content.styled("The server's own words", STRONG))
        yield from (Content(row) for row in folded(finding.server_said, INSIDE))
    if finding.forward:
        yield from (Content(""), Content.styled("A message that you can send to them, as it is (Y copies it)", STRONG))
        yield from (Content(row) for row in folded(finding.forward, INSIDE))


_SIGNS = {
    Verdict.PASS: ("✓", GOOD),
    Verdict.WARN: ("!", WARNED),
    Verdict.FAIL: ("✗", BAD),
    Verdict.UNKNOWN: ("?", WARNED),
    Verdict.SKIPPED: ("·", MUTED),
}


def answer_transcript(
    screen: Screen[Any], message: TranscriptPane.Wanted, guides: Guides, finding: Finding | None, banner: Banner
) -> None:
    """Do what was wanted of a dialogue beneath a check: say that it was copied, or show it in full."""
    message.stop()
    if message.copied:
        banner.say(COPIED)
    else:
        screen.app.push_screen(FindingScreen(finding, guides, transcript=message.lines))
