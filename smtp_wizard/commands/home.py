"""The program called by its bare name: the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_wizard.commands.exits import CommandError
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.questions import can_draw
from smtp_wizard.commands.signals import usual_end

if TYPE_CHECKING:
    from smtp_wizard.engine.wizard import Draft


def open_screens(invocation: Invocation) -> int:
    """Open the saved accounts, or the wizard where there are none. Raises `CommandError` where nothing can be drawn."""
    if not can_draw():
        raise cannot_draw()
    return draw(invocation, "home" if invocation.book.list() else "setup", None)


def draw(invocation: Invocation, start: str, draft: Draft | None) -> int:
    """Open the screens; return their exit code."""
    from smtp_wizard.app import run_app

    with usual_end():
        return run_app(invocation.desk, invocation.shelf, start=start, draft=draft, mouse=invocation.use_mouse())


def cannot_draw() -> CommandError:
    """Return the error for a terminal without screens."""
    return CommandError(
        "cannot-draw",
        "The screens cannot be drawn here: they need a terminal that can move its cursor.",
        "Use 'smtp-wizard setup' with options instead; 'smtp-wizard setup --help' lists them.",
    )
