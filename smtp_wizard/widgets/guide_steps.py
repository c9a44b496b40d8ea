"""A guide beside what is being done: its steps with their ticks, the one that is due in sight; or that one alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from textual.content import Content

from smtp_wizard.engine.guides.guides import GuideStep
from smtp_wizard.flows.guide_ticks import GuideView
from smtp_wizard.widgets.lines import ACCENT, GOOD, MUTED, STRONG
from smtp_wizard.widgets.plain_text import folded

DONE, DUE = "✓", "▸"
_ADDRESS = re.compile(r"(https?://\S+)")


def heading(view: GuideView, width: int) -> list[str]:
    """Return the title of a guide, with its minutes."""
    minutes = f" ({view.guide.minutes}\u00a0min)" if view.guide.minutes else ""
    return [row.replace("\u00a0", " ") for row in folded(f"{view.guide.title}{minutes}", width)]


def step_rows(view: GuideView, step: GuideStep, width: int, *, full: bool = False) -> list[Content]:
    """Return the rows of one step: its mark, its number, its words; a web address stands in rows of its own.

    `full`: with what the old instructions called it.
    """
    number = f"{step.number:>{len(str(len(view.guide.steps)))}}"
    margin = " " * (len(number) + 4)
    texts = list(_texts(step.text, width - len(margin)))
    due = view.due is step
    mark = (DONE, GOOD) if view.done(step) else (DUE, ACCENT) if due else " "
    style = STRONG if due else ""
    rows = [Content.assemble(mark, f" {number}  ", (texts[0], style))]
    rows += [Content.assemble(margin, (text, style)) for text in texts[1:]]
    if full and step.then:
        rows += [Content.assemble(margin, (text, MUTED)) for text in folded(f"({step.then})", width - len(margin))]
    return rows


def _texts(text: str, width: int) -> Iterator[str]:
    """Fold a step's words; a web address begins a row, and is broken behind a slash where it is longer."""
    for part in _ADDRESS.split(text):
        words = part.strip()
        if words and not re.fullmatch(r"[.,;:)]+", words):
            yield from folded(words, width)


def guide_rows(view: GuideView, width: int, height: int) -> list[Content]:
    """Return the steps in at most `height` rows, the one that is due in sight.

    What is done is folded into one row where there is no room for all; what is below the last row is in F6.
    """
    blocks = [(step, step_rows(view, step, width)) for step in view.guide.steps]
    whole = [row for _, rows in blocks for row in rows]
    if len(whole) <= height:
        return whole
    due = view.due
    done = [step for step, _ in blocks if due is not None and step.number < due.number]
    head = (
        [Content.styled(f"{DONE} 1–{done[-1].number}  done" if len(done) > 1 else f"{DONE} 1  done", MUTED)]
        if done
        else []
    )
    rest = [row for step, rows in blocks if due is None or step.number >= due.number for row in rows]
    return [*head, *rest][:height]


def _says(text: str) -> str:
    """Return what is to be typed by an instruction, or else the instruction."""
    return text.rstrip(".").rpartition(": ")[2]


def due_line(view: GuideView, width: int, asked: str = "") -> Content:
    """Return the step that is due in one row or two, and the key that shows all; all are done where none is due.

    `asked`: what the page asks for; where that is the step's own words, they are not said again.

    Two rows hold what is to be typed, such as the practice password; what is longer still is whole in F6.
    """
    key = Content.assemble(("F6", ACCENT), (" all the steps", MUTED))
    step = view.due
    if step is None:
        return Content.assemble((f"{DONE} All steps done", GOOD), "  ", key)
    head = f"Step {step.number} of {len(view.guide.steps)}  "
    short = width - len(head) - key.cell_length - 2
    if _says(step.text) == _says(asked):
        return Content.assemble((head, STRONG), key)
    if len(step.text) <= short:
        return Content.assemble((head, STRONG), f"{step.text:<{short}}", "  ", key)
    first, *rest = folded(step.text, width - len(head))
    second = " ".join(each.strip() for each in rest)
    second = second if len(second) <= short else f"{second[: short - 1].rstrip()}…"
    margin = " " * len(head)
    return Content.assemble((head, STRONG), f"{first}\n{margin}{second}", "  " if second else "", key)
