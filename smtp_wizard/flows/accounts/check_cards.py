"""The cards of a check that an action on an account makes: under way, and what went wrong."""

from __future__ import annotations

from smtp_wizard.engine.checks.events import Event, StageStarted
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.flows.check_view import GOOD
from smtp_wizard.flows.flow import Card, Mood
from smtp_wizard.output.plain_lines import STAGE_WORDS, who_words
from smtp_wizard.text.areas.on_screens import on_screens, steps_on_screens


def running_card(title: str, event: Event | None = None) -> Card:
    """Return the card while a check runs: what it is about, and the stage that is under way."""
    stage = (f"{STAGE_WORDS[event.stage]} ...",) if isinstance(event, StageStarted) else ()
    return Card(mood=Mood.RUNNING, title=title, lines=stage, foot="Esc stops")


def failed_card(report: Report) -> Card | None:
    """Return the card of what is wrong: what, why, who acts and how; None where a report names nothing."""
    finding = next((each for each in report.findings if not each.warning), None)
    if finding is None:
        return None
    steps = tuple(f"{number}. {step}" for number, step in enumerate(steps_on_screens(finding.steps), 1))
    passed = sum(each.verdict in GOOD for each in report.results)
    return Card(
        mood=Mood.FAILED,
        title=finding.title,
        lines=(on_screens(finding.explanation), f"Who must act: {who_words(finding.who)}", *steps),
        foot=f"{passed} of {len(report.results)} checks passed",
    )
