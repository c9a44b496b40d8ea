"""F4: everything there is to know, over the page; to be copied, and to be saved to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from textual.content import Content

from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.events import Line
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.flows.check_view import CheckView
from smtp_wizard.flows.flow import Section
from smtp_wizard.flows.save_file import FileSaved, SaveFile
from smtp_wizard.output.plain_lines import (
    STAGE_WORDS,
    TRANSCRIPT_LEGEND,
    endpoint_words,
    result_lines,
    transcript_line,
    who_words,
)
from smtp_wizard.screens.panel import TextPanel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.text.areas.on_screens import on_screens, steps_on_screens
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.lines import BAD, GOOD, MUTED, STRONG, WARNED

COPIED = "sent to your terminal"
LETTER = "A message that you can send to them, as it is (Y copies it)"
NOTHING_YET = "Nothing was said yet."


class DetailsPanel(TextPanel):
    """F4: what there is to know about what the page shows. F4 closes it again."""

    def __init__(
        self,
        rows: Sequence[Content],
        copied: str,
        *,
        title: str = "Details",
        saved: str = "",
        today: date | None = None,
    ) -> None:
        """`copied` is what C sends to the terminal's clipboard, '' where nothing is to be copied.

        `saved` is what S saves to a file, whose name is proposed with `today` in it; '' where nothing is to be saved.
        """
        super().__init__(title, rows)
        self._copied, self._saved, self._today = copied, saved, today

    def chips(self) -> Sequence[Chip]:
        """As `Panel.chips`."""
        copy = [Chip("c", "Copy it", self._copy, help="copy it to the clipboard of your terminal")]
        save = [Chip("s", "Save to a file", self._save, help="save it to a file that only you can read")]
        return [
            *(copy if self._copied else []),
            *(save if self._saved else []),
            Chip("", "Scroll", help="scroll"),
        ]

    def keys(self) -> Sequence[Chip]:
        """As `Panel.keys`: F4 closes them again."""
        return [*super().keys(), Chip("f4", "Close", self.close, shown=False)]

    def _copy(self) -> None:
        self.copy(self._copied)

    def copy(self, text: str) -> None:
        """Send a text to the terminal's clipboard; whether it took it cannot be known."""
        self.app.copy_to_clipboard(text)
        self.tell(COPIED)

    def _save(self) -> None:
        name = f"smtp-conversation-{self._today}" if self._today is not None else "smtp-conversation"
        self.app.push_screen(FlowPanel(SaveFile(self._saved, name, "txt", private=True)), self._saved_as)

    def _saved_as(self, written: FileSaved | None) -> None:
        if written is not None and written.words:
            self.tell(written.words)


class CheckDetails(DetailsPanel):
    """F4: every check of a run, what is wrong in full, and what was said to the server; over the page."""

    def __init__(
        self,
        check: CheckView,
        finding: Finding | None,
        transcript: Sequence[Line],
        *,
        today: date,
        open_guide: Callable[[str], None] | None = None,
    ) -> None:
        """`open_guide` shows the guide that helps, by its id; None where there is none."""
        self.finding = finding
        self._open_guide = open_guide
        said = [transcript_line(line) for line in transcript]
        conversation = "\n".join([TRANSCRIPT_LEGEND, *said]) if said else ""
        rows = tuple(_check_details(check, finding, said))
        super().__init__(rows, conversation, saved=_file_text(check, conversation), today=today)

    def chips(self) -> Sequence[Chip]:
        """As `DetailsPanel.chips`; Y copies the message for who must act, O opens the guide that helps."""
        forward = self.finding.forward if self.finding is not None else None
        guide = self._open_guide is not None and self.finding is not None and self.finding.guide
        letter = [Chip("y", "Copy the message", self._letter, help="copy the message to them")] if forward else []
        opens = [Chip("o", "Open the guide", self._guide, help="open the guide that helps")] if guide else []
        *others, moves = super().chips()
        return [*others, *letter, *opens, moves]

    def _letter(self) -> None:
        if self.finding is not None and self.finding.forward:
            self.copy(self.finding.forward)

    def _guide(self) -> None:
        if self._open_guide is not None and self.finding is not None and self.finding.guide:
            self._open_guide(self.finding.guide)


def _check_details(check: CheckView, finding: Finding | None, said: Sequence[str]) -> Iterator[Content]:
    for result in check.results:
        yield _check_row(result)
    if finding is not None:
        yield from _finding_rows(finding)
    if not check.results and not said:
        yield Content(NOTHING_YET)
    if said:
        yield from (Content(""), Content.styled("What was said; passwords are masked", STRONG))
        yield Content.styled(TRANSCRIPT_LEGEND, MUTED)
        yield from (Content(row) for line in said for row in line.split("\n"))


def _check_row(result: CheckResult) -> Content:
    sign, style = _SIGNS[result.verdict]
    took = f"  {result.took * 1000:.0f} ms" if result.verdict is not Verdict.SKIPPED else ""
    return Content.assemble((sign, style), f"  {STAGE_WORDS[result.stage]:<13} {result.detail}{took}")


def _finding_rows(finding: Finding) -> Iterator[Content]:
    yield from (Content(""), Content.styled(finding.title, STRONG))
    yield Content(on_screens(finding.explanation))
    yield Content.assemble(("Who must act: ", STRONG), who_words(finding.who))
    for number, step in enumerate(steps_on_screens(finding.steps), 1):
        yield Content(f"{number}. {step}")
    if finding.fix is not None:
        yield Content.assemble(("Try instead: ", STRONG), endpoint_words(finding.fix))
    for title, text in (("The server's own words", finding.server_said), (LETTER, finding.forward)):
        if text:
            yield from (Content(""), Content.styled(title, STRONG))
            yield from map(Content, text.split("\n"))


_SIGNS = {
    Verdict.PASS: ("✓", GOOD),
    Verdict.WARN: ("!", WARNED),
    Verdict.FAIL: ("✗", BAD),
    Verdict.UNKNOWN: ("?", WARNED),
    Verdict.SKIPPED: ("·", MUTED),
}


def _file_text(check: CheckView, conversation: str) -> str:
    """Return what is saved: the checks as a plain report, and what was said; '' where there is nothing of either."""
    lines = [line for result in check.results for line in result_lines(result)]
    return "\n".join([*lines, *([""] if lines else []), conversation, ""]) if lines or conversation else ""


class SectionsPanel(DetailsPanel):
    """F4: parts with headings."""

    def __init__(self, sections: Sequence[Section], title: str = "Details", *, points: bool = False) -> None:
        """`points`: each line is a point of its own; else they are paragraphs."""
        rows = tuple(_told(sections, "· " if points else ""))
        super().__init__(rows, "\n".join(row.plain for row in rows), title=title)


def _told(sections: Sequence[Section], point: str) -> Iterator[Content]:
    """Yield sections as rows, each to be folded where it is shown: a title in bold, an empty row between them."""
    for at, section in enumerate(sections):
        if at:
            yield Content("")
        if section.title:
            yield Content.styled(section.title, STRONG)
        for line in section.lines:
            first, *more = line.split("\n")
            yield Content(f"{point}{first}")
            yield from (Content.styled(f"  {each.strip()}", MUTED) for each in more)
